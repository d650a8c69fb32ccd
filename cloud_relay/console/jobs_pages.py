"""The team's jobs, and a new one. One job: `job_desk`. Start at `ROUTES`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from cloud_relay.console.caller import STORE, Caller
from cloud_relay.console.drawing import drawn, gone_to
from cloud_relay.console.job_work import links_of, view_for
from cloud_relay.console.members import caller_here, form_of
from cloud_relay.console.operator_api import GATEWAYS, cursor_of, page_of
from cloud_relay.fleet.ids import SiteId
from cloud_relay.fleet.jobs import make_job, next_number
from cloud_relay.fleet.log_records import Listed, Place
from cloud_relay.fleet.pasted_rows import rows_of
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Site
from cloud_relay.fleet.site_view import sync_of
from cloud_relay.fleet.sites import add_site, find_site
from sitelink.errors import JobFileInvalid, NotFound, RequestInvalid, RowsInvalid, SiteError
from sitelink.job_file import JobFile, job_file_of
from sitelink.states import JobStatus
from web_ui import wording
from web_ui.routes import Route

SHOWN = 30
TEXT_MAX_CHARACTERS = 100
SITES_OFFERED = 200


class Asked(msgspec.Struct, frozen=True):
    q: str
    status: str


class JobLine(msgspec.Struct, frozen=True):
    """`waiting`: charge points where the installer had the last word."""

    id: str
    number: str
    status: str
    site_name: str
    created_at: datetime
    connected: int
    total: int
    tested: int
    waiting: int
    online: bool
    as_of: datetime | None


class Typed(msgspec.Struct, frozen=True):
    """What stands in the form."""

    site: str = ""
    description: str = ""
    instructions: str = ""
    contact: str = ""
    rows: str = ""
    activate: bool = True
    pairing: bool = True


async def get_jobs(request: web.Request) -> web.Response:
    """Newest first; what is looked for stands in the address."""
    caller, (_, after) = caller_here(request), page_of(request)
    asked = Asked(request.query.get("q", "").strip()[:TEXT_MAX_CHARACTERS], request.query.get("status", ""))
    status = asked.status if asked.status in list(JobStatus) else ""
    found = await request.app[STORE].read(
        lambda books: books.logs.jobs(caller.team, after=after, limit=SHOWN + 1, status=status, text=asked.q)
    )
    lines = [await _line(request, caller, each) for each in found[:SHOWN]]
    following = ""
    if len(found) > SHOWN:
        cursor = cursor_of(found[SHOWN - 1].created_at, found[SHOWN - 1].id)
        following = f"/t/{caller.team}/jobs?{urlencode({'q': asked.q, 'status': status, 'cursor': cursor})}"
    return drawn(
        request, "jobs", here="jobs", jobs=lines, asked=asked, following=following, statuses=list(JobStatus),
        may_write=caller.may("installer-jobs:write"),
    )  # fmt: skip


async def _line(request: web.Request, caller: Caller, listed: Listed) -> JobLine:
    place = Place(caller.team, caller.team_name, SiteId(listed.site))
    held = await request.app[GATEWAYS].state(place)
    sync = sync_of(held, await links_of(request, place), request.app[GATEWAYS].online)
    view = view_for(held, sync, listed.id, caller.clock.now())
    waiting = sum(bool(row.notes) and row.notes[-1].side == "installer" for row in view.charge_points)
    return JobLine(
        listed.id, listed.number, listed.status.value, listed.site_name, datetime.fromisoformat(listed.created_at),
        view.connected, view.total, view.tested, waiting, sync.gateway_online, sync.as_of,
    )  # fmt: skip


async def get_new(request: web.Request) -> web.Response:
    return await _form(request, Typed(site=request.query.get("site", "")[:200]))


async def post_new(request: web.Request) -> web.Response:
    """Nothing is made unless all of it can be; what was typed stays in the form."""
    caller, form = caller_here(request), form_of(request)
    typed = Typed(
        form.get("site", "").strip(), form.get("description", ""), form.get("instructions", ""),
        form.get("contact", ""), form.get("rows", ""), "activate" in form, "pairing" in form,
    )  # fmt: skip
    try:
        number = await request.app[STORE].read(lambda books: next_number(books, caller.team))
        file = _file(typed, number)
        site = await request.app[STORE].write(lambda books: _site(books, caller, typed.site))
        place = Place(caller.team, caller.team_name, site.id)
        job = await request.app[GATEWAYS].work(place, lambda desk: make_job(desk, file, caller.author))
    except (RowsInvalid, JobFileInvalid, RequestInvalid) as error:
        return await _form(request, typed, error)
    return gone_to(f"/t/{caller.team}/jobs/{job}/links")


def _file(typed: Typed, number: str) -> JobFile:
    """Raises RowsInvalid, JobFileInvalid, RequestInvalid."""
    if not typed.site:
        raise RequestInvalid(where="site", problem="empty")
    return job_file_of(
        {
            "number": number, "site": {"name": typed.site}, "description": typed.description or None,
            "instructions": typed.instructions or None, "contact": typed.contact or None,
            "charge_points": rows_of(typed.rows), "activate_by_default": typed.activate,
            "open_pairing": typed.pairing,
        }
    )  # fmt: skip


def _site(books: Books, caller: Caller, named: str) -> Site:
    try:
        return find_site(books, caller.team, named)
    except NotFound:
        return add_site(books, caller.act, caller.team, named)


async def _form(request: web.Request, typed: Typed, problem: SiteError | None = None) -> web.Response:
    caller = caller_here(request)
    sites: Sequence[Site] = await request.app[STORE].read(
        lambda books: books.sites.page(caller.team, after=None, limit=SITES_OFFERED)
    )
    shown: dict[str, Any] = {"problem": None, "fields": {}, "errors": {}}
    if problem is not None:
        where = str(problem.fields.get("where", ""))
        field = "site" if where == "site" else "rows" if "charge_points" in where or "line" in problem.fields else ""
        words = wording.full(problem.code, problem.fields)
        shown = {"problem": problem.code, "fields": problem.fields, "errors": {field: words} if field else {}}
    status = problem.http_status if problem is not None else 200
    return drawn(request, "new_job", here="jobs", status=status, typed=typed, sites=sites, **shown)


def _page(method: str, path: str, handler: Any, summary: str, scope: str) -> Route:
    return Route(method, f"/t/{{team}}{path}", handler, summary, media="text/html", auth="member", scope=scope)


ROUTES = (
    _page("GET", "/jobs", get_jobs, "The team's jobs.", "installer-jobs:read"),
    _page("GET", "/jobs/new", get_new, "A form for a new one.", "installer-jobs:write"),
    _page("POST", "/jobs/new", post_new, "Make it.", "installer-jobs:write"),
)
