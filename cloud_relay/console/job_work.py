"""A job of a team, found by the path of a request: what the operator API and the console's pages share.

Start at `held_here`.
"""

from collections.abc import Sequence
from datetime import datetime

from aiohttp import web

from cloud_relay.console.caller import STORE, Caller
from cloud_relay.console.operator_api import GATEWAYS
from cloud_relay.fleet.delivery import shown_links
from cloud_relay.fleet.jobs import place_of_job
from cloud_relay.fleet.log_records import BoxLink, Held, Place
from cloud_relay.fleet.site_view import Sync, snapshot_of, sync_of
from sitelink.ids import JobId, LinkId
from sitelink.model import Link
from sitelink.states import LinkRole
from web_ui.job_shapes import JobView
from web_ui.views import job_view


def job_id(request: web.Request) -> JobId:
    return JobId(request.match_info["job"])


async def place_here(request: web.Request, caller: Caller) -> Place:
    """Where the job of the path is. Raises NotFound, also for another team's."""
    job = job_id(request)
    return await request.app[STORE].read(lambda books: place_of_job(books, caller.team, caller.team_name, job))


async def held_here(request: web.Request, caller: Caller) -> tuple[Place, Held]:
    """Its site, with the records as they are now. Raises NotFound."""
    place = await place_here(request, caller)
    return place, await request.app[GATEWAYS].state(place)


async def links_of(request: web.Request, place: Place) -> Sequence[BoxLink]:
    return await request.app[STORE].read(lambda books: shown_links(books, place.site))


async def sync_here(request: web.Request, place: Place, held: Held) -> Sync:
    return sync_of(held, await links_of(request, place), request.app[GATEWAYS].online)


def operator_link(job: JobId, role: LinkRole, now: datetime) -> Link:
    """What an operator holds in the place of a job's link."""
    return Link(id=LinkId("operator"), job=job, token_sha256="", role=role, created_at=now)


def view_for(held: Held, sync: Sync, job: JobId, now: datetime) -> JobView:
    """The same view as the link's holder sees, to look at only. Raises KeyError where the site has no such job."""
    return job_view(snapshot_of(held, sync, now), job, link=operator_link(job, LinkRole.READ, now))
