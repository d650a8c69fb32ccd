"""The first page of a team: how much there is of everything, each leading to its list. Start at `get_overview`."""

from collections.abc import Sequence

import msgspec
from aiohttp import web

from cloud_relay.console.caller import STORE
from cloud_relay.console.drawing import drawn
from cloud_relay.console.members import caller_here
from cloud_relay.console.operator_api import GATEWAYS
from cloud_relay.fleet.ids import TeamId
from cloud_relay.fleet.log_records import Listed
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Gateway
from sitelink.states import JobStatus
from web_ui.routes import Route

JOBS_SHOWN = 8


class Tile(msgspec.Struct, frozen=True):
    """A number that leads somewhere. `path` stands below the team's; "" leads nowhere."""

    words: str
    count: int
    path: str = ""
    mood: str = ""
    """ok, waiting, problem: how it is drawn."""


async def get_overview(request: web.Request) -> web.Response:
    caller, online = caller_here(request), request.app[GATEWAYS].online
    gateways, jobs = await request.app[STORE].read(lambda books: _counted(books, caller.team))
    there = sum(each.id in online for each in gateways)
    tiles = [
        Tile("boxes online", there, mood="ok"),
        Tile("boxes offline", len(gateways) - there, mood="problem" if there < len(gateways) else ""),
        Tile("open jobs", len(jobs), "/jobs?status=open"),
    ]
    return drawn(request, "overview", here="overview", tiles=tiles, jobs=jobs[:JOBS_SHOWN], gateways=len(gateways))


def _counted(books: Books, team: TeamId) -> tuple[list[Gateway], Sequence[Listed]]:
    gateways = [each for each in books.sites.gateways_of(team) if each.revoked_at is None]
    return gateways, books.logs.jobs(team, after=None, limit=200, status=JobStatus.OPEN, site="")


ROUTES = (
    Route("GET", "/t/{team}", get_overview, "The team at a glance.", media="text/html", auth="member",
          scope="sites:read"),
)  # fmt: skip
