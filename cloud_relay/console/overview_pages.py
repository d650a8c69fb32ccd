"""The first page of a team: how much there is of everything, each leading to its list. Start at `get_overview`."""

from collections.abc import Sequence

import msgspec
from aiohttp import web

from cloud_relay.console.caller import STORE
from cloud_relay.console.drawing import drawn
from cloud_relay.console.live_pages import seq_here
from cloud_relay.console.members import caller_here
from cloud_relay.console.notes_pages import threads_of
from cloud_relay.console.operator_api import GATEWAYS
from cloud_relay.console.point_pages import found_points
from cloud_relay.fleet.log_records import Listed
from cloud_relay.fleet.point_list import Placed, Wanted
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.site_lines import BoxState, SiteLine, site_lines
from sitelink.states import ChargePointState, IntegrationState, JobStatus
from web_ui.routes import Route

JOBS_SHOWN = 8
OPEN_MAX = 1000


class Tile(msgspec.Struct, frozen=True):
    """A number that leads somewhere. `path` stands below the team's; "" leads nowhere."""

    words: str
    count: int
    path: str = ""
    mood: str = ""
    """ok, waiting, problem: how it is drawn."""


async def get_overview(request: web.Request) -> web.Response:
    caller, online, seq = caller_here(request), request.app[GATEWAYS].online, seq_here(request)

    def work(books: Books) -> tuple[list[SiteLine], Sequence[Listed], int]:
        lines = site_lines(books, caller.team, online, caller.clock.now())
        jobs = books.logs.jobs(caller.team, after=None, limit=OPEN_MAX, status=JobStatus.OPEN, site="")
        return lines, jobs, len(books.alerts.standing(caller.team))

    lines, jobs, wrong = await request.app[STORE].read(work)
    _, points = await found_points(request, Wanted())
    waiting = sum(each.waits for each in threads_of(points))
    groups = [("Boxes", _boxes(lines)), ("Charge points", _points(points))]
    if waiting:
        groups.append(("Notes", [Tile("to answer", waiting, "/notes", "waiting")]))
    if wrong and caller.may("alerts:read"):
        groups.insert(0, ("Alerts", [Tile("now", wrong, "/alerts", "problem")]))
    return drawn(
        request, "overview", here="overview", groups=groups, jobs=jobs[:JOBS_SHOWN], open_jobs=len(jobs), seq=seq,
        sites=len(lines),
    )  # fmt: skip


def _boxes(lines: Sequence[SiteLine]) -> list[Tile]:
    states = [box.state for line in lines for box in line.boxes]
    there, alarms = states.count(BoxState.ONLINE), sum(line.alarm for line in lines)
    gone = states.count(BoxState.OFFLINE) + states.count(BoxState.STOPPED)
    expected = len(states) - there - gone
    tiles = [
        Tile("online", there, "/sites?show=online", "ok"),
        Tile("offline", gone, "/sites?show=offline", "problem" if gone else ""),
    ]
    if expected:
        tiles.append(Tile("expected", expected, "/sites", "waiting"))
    if alarms:
        tiles.append(Tile("sites with an alarm", alarms, "/sites?show=alarm", "problem"))
    return tiles


def _points(points: Sequence[Placed]) -> list[Tile]:
    """What is wrong is left out where nothing is."""
    states = [each.point.status for each in points]
    connections = [each.integration for each in states]
    connected, charging = connections.count(IntegrationState.CONNECTED), ChargePointState.BUSY_CHARGING
    faulty = sum(each.state is ChargePointState.ERROR for each in states)
    tiles = [
        Tile("connected", connected, "/charge-points?connection=connected", "ok"),
        Tile("charging now", sum(each.state is charging for each in states), f"/charge-points?state={charging.value}"),
    ]
    for words, state, mood in (
        ("disconnected", IntegrationState.DISCONNECTED, "problem"), ("in trouble", IntegrationState.ERROR, "problem"),
        ("awaited", IntegrationState.PENDING, "waiting"),
    ):  # fmt: skip
        if count := connections.count(state):
            tiles.append(Tile(words, count, f"/charge-points?connection={state.value}", mood))
    if faulty:
        tiles.append(Tile("with a fault", faulty, f"/charge-points?state={ChargePointState.ERROR.value}", "problem"))
    return tiles


ROUTES = (
    Route("GET", "/t/{team}", get_overview, "The team at a glance.", media="text/html", auth="member",
          scope="sites:read"),
)  # fmt: skip
