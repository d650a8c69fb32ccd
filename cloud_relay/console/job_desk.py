"""A job at the console: the installer's page in the operator's frame, and what only an operator does.

The pages of `web_ui.job_pages` and `detail_pages` are served below `/t/{team}/jobs/{job}` as well; before they run, an
operator is put in the place of the link's holder (`sit_down`). Start at `ROUTES`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web
from markupsafe import Markup

from cloud_relay.console.drawing import drawn, frame_of, gone_to
from cloud_relay.console.job_links import NEWS
from cloud_relay.console.job_work import held_here, job_id, links_of, operator_link, place_here
from cloud_relay.console.jobs_api import PUBLIC_URL
from cloud_relay.console.members import caller_here, form_of
from cloud_relay.console.operator_api import GATEWAYS
from cloud_relay.console.qr import svg_of
from cloud_relay.fleet.jobs import LINK_DAYS, LINK_DAYS_MAX, make_link, revoke_link
from cloud_relay.fleet.site_jobs import SiteJobs
from cloud_relay.fleet.site_view import sync_of
from sitelink import job_rules as rules
from sitelink.decisions import Decide
from sitelink.errors import RequestInvalid
from sitelink.ids import ChargePointId, LinkId
from sitelink.model import Head, Job, Link, SiteState
from sitelink.states import LinkRole
from web_ui import detail_pages, job_api, job_pages, meter_pages
from web_ui.access import JOBS_HERE, VISITOR_HERE, Desk, Visitor
from web_ui.routes import Route

HERE = "/t/{team}/jobs/{job}"
FOR_LINK_HOLDERS = ("/", "/j", "/j/open", "/j/leave")
READ, WRITE, COMMAND = "installer-jobs:read", "installer-jobs:write", "charge-points:command"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Edited(msgspec.Struct, frozen=True):
    """Who changed something in the list last."""

    by: str
    at: datetime


class MadeLink(msgspec.Struct, frozen=True):
    """Shown only once."""

    url: str
    token: str
    role: str
    until: datetime
    qr: Markup


class LinkLine(msgspec.Struct, frozen=True):
    """`state`: good, ended, revoked."""

    id: str
    at: datetime
    name: str
    role: str
    expires_at: datetime | None
    state: str


# ---- an operator in the place of a link's holder ----


async def sit_down(request: web.Request) -> Visitor:
    """Put the job of the path before whoever asks. Raises NotFound, also for another team's."""
    caller, job = caller_here(request), job_id(request)
    place, held = await held_here(request, caller)
    gateways, links, now = request.app[GATEWAYS], await links_of(request, place), caller.clock.now()
    rules.job_of(held.state, job)
    request[JOBS_HERE] = SiteJobs(place, held, links, gateways, request.app[NEWS], now)
    may_write = caller.may(WRITE)
    frame = {
        **frame_of(request, "jobs"), "may_write": may_write, "sync": sync_of(held, links, gateways.online),
        "edited": last_edit(held.state, held.state.jobs[job]),
    }  # fmt: skip
    link = operator_link(job, LinkRole.INSTALLER if may_write else LinkRole.READ, now)
    desk = Desk(caller.author, frame["csrf"], f"/t/{caller.team}/jobs/{job}", frame)
    request[VISITOR_HERE] = Visitor(link, None, desk)
    return request[VISITOR_HERE]


def at_the_desk(route: Route) -> Route:
    """A route of the installer's page, below the console's path of the job."""

    async def handle(request: web.Request) -> web.StreamResponse:
        await sit_down(request)
        return await route.handler(request)

    scope = READ if route.method == "GET" else COMMAND if route.path.endswith("/actions") else WRITE
    return replace(route, path=HERE + route.path.removeprefix("/j"), handler=handle, auth="member", scope=scope)


def last_edit(state: SiteState, job: Job) -> Edited | None:
    heads: list[Head] = []
    for row in state.rows(job):
        heads += [*row.identity_register.heads, *row.connector_register.heads]
    newest = max(heads, key=lambda head: head.at, default=None)
    return None if newest is None else Edited(newest.by.name or newest.by.type.value, newest.at)


# ---- the job itself ----


async def get_job(request: web.Request) -> web.Response:
    return job_pages.job_page(request, await sit_down(request))


async def get_events(request: web.Request) -> web.StreamResponse:
    await sit_down(request)
    return await job_api.get_events(request)


async def post_row_activity(request: web.Request) -> web.Response:
    """One charge point: active or not, in maintenance or not."""
    visitor, form = await sit_down(request), form_of(request)
    row, author = ChargePointId(request.match_info["id"]), visitor.author
    if "maintenance" in form:
        return await _decided(
            request, rules.decide_row_activity(job_id(request), row, author, maintenance=form["maintenance"] == "1")
        )
    return await _decided(
        request, rules.decide_row_activity(job_id(request), row, author, active=form.get("active") == "1")
    )


async def post_activity(request: web.Request) -> web.Response:
    """All charge points of the job are activated."""
    visitor = await sit_down(request)
    _, held = await held_here(request, caller_here(request))
    rows = rules.job_of(held.state, job_id(request)).charge_points
    return await _decided(request, rules.decide_activity(rows, visitor.author, active=True))


async def post_reopen(request: web.Request) -> web.Response:
    visitor = await sit_down(request)
    return await _decided(request, rules.decide_reopen(job_id(request), visitor.author))


async def post_archive(request: web.Request) -> web.Response:
    visitor = await sit_down(request)
    return await _decided(request, rules.decide_archive(job_id(request), visitor.author))


async def _decided(request: web.Request, decide: Decide[Any]) -> web.Response:
    await request.app[GATEWAYS].decide(await place_here(request, caller_here(request)), decide)
    return gone_to(f"{request[VISITOR_HERE].home}?saved=saved")


# ---- its links ----


async def get_links(request: web.Request) -> web.Response:
    return await _links_page(request)


async def post_link(request: web.Request) -> web.Response:
    """The token is shown in the answer and nowhere else, so there is nothing to go on to."""
    visitor, form = await sit_down(request), form_of(request)
    role, days = form.get("role", LinkRole.INSTALLER), form.get("days", str(LINK_DAYS))
    if role not in (LinkRole.INSTALLER, LinkRole.READ):
        raise RequestInvalid(where="role", problem="not_allowed", allowed="installer, read")
    if not (days.isascii() and days.isdecimal() and 1 <= int(days) <= LINK_DAYS_MAX):
        raise RequestInvalid(where="days", problem="not_allowed", allowed=f"1 to {LINK_DAYS_MAX}")
    place, job = await place_here(request, caller_here(request)), job_id(request)
    token = await request.app[GATEWAYS].work(
        place, lambda desk: make_link(desk, job, visitor.author, role=LinkRole(role), days=int(days))
    )
    url = f"{request.app[PUBLIC_URL]}/j#{token}"
    made_link = await _newest(request)
    until = made_link.expires_at or made_link.created_at
    made = MadeLink(url, token, role, until, svg_of(url, "The link to the job"))
    if "sheet" in form:
        return drawn(request, "sheet", **job_pages.shown_to(request, visitor), made=made)
    return await _links_page(request, made)


async def post_revoke(request: web.Request) -> web.Response:
    visitor = await sit_down(request)
    job, link = job_id(request), LinkId(request.match_info["link"])
    place = await place_here(request, caller_here(request))
    await request.app[GATEWAYS].work(place, lambda desk: revoke_link(desk, job, link, visitor.author))
    return gone_to(f"{visitor.home}/links")


async def _links_page(request: web.Request, made: MadeLink | None = None) -> web.Response:
    visitor, now = await sit_down(request), caller_here(request).clock.now()
    _, held = await held_here(request, caller_here(request))
    lines = [_line(each, now) for each in _links(held.state, visitor.link.job)]
    return drawn(request, "links", **job_pages.shown_to(request, visitor), links=lines, made=made)


async def _newest(request: web.Request) -> Link:
    _, held = await held_here(request, caller_here(request))
    return _links(held.state, job_id(request))[0]


def _links(state: SiteState, job: str) -> list[Link]:
    """Newest first."""
    found = [each for each in state.links.values() if each.job == job and each.role is not LinkRole.ADMIN]
    return sorted(found, key=lambda each: each.created_at, reverse=True)


def _line(link: Link, now: datetime) -> LinkLine:
    ended = link.expires_at is not None and link.expires_at <= now
    state = "revoked" if link.revoked_at is not None else "ended" if ended else "good"
    return LinkLine(link.id, link.created_at, link.name or "", link.role.value, link.expires_at, state)


def _route(method: str, path: str, handler: Handler, summary: str, **more: Any) -> Route:
    scope = READ if method == "GET" else WRITE
    return Route(method, HERE + path, handler, summary, media="text/html", auth="member", scope=scope, **more)


_SHARED = [
    at_the_desk(route)
    for route in (*job_pages.ROUTES, *detail_pages.ROUTES, *meter_pages.ROUTES)
    if route.path not in FOR_LINK_HOLDERS and not route.path.startswith("/api/")
]
_REPORTS = [
    at_the_desk(replace(route, path=route.path.replace("/api/v1/job", "/j")))
    for route in job_api.ROUTES
    if "/report" in route.path
]
ROUTES: tuple[Route, ...] = (
    _route("GET", "", get_job, "A job, as its installer sees it and what only an operator does."),
    Route("GET", f"{HERE}/events", get_events, "What went stale.", media="text/event-stream", auth="member",
          scope=READ),
    _route("POST", "/charge-points/{id}/activity", post_row_activity, "Active or not, in maintenance or not."),
    _route("POST", "/activity", post_activity, "Activate all."),
    _route("POST", "/reopen", post_reopen, "Open it again."),
    _route("POST", "/archive", post_archive, "Put it away."),
    _route("GET", "/links", get_links, "Its links."),
    _route("POST", "/links", post_link, "A new link."),
    _route("POST", "/links/{link}/revoke", post_revoke, "End a link."),
    *_SHARED,
    *_REPORTS,
)  # fmt: skip
