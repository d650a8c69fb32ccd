"""Sites as pages: the list with its search and filters, a site with its boxes, and what is changed there.

Start at `get_sites`, `get_site`. The rules stand in `fleet.sites` and `fleet.site_lines`.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from cloud_relay.console.caller import STORE
from cloud_relay.console.drawing import drawn, gone_to, team_path
from cloud_relay.console.live_pages import seq_here
from cloud_relay.console.members import caller_here, form_of
from cloud_relay.console.operator_api import GATEWAYS, cursor_of, page_of
from cloud_relay.console.point_pages import found_points
from cloud_relay.console.site_views import SiteRow, box_view, point_rows, site_row, stale_since
from cloud_relay.fleet.ids import GatewayId, key_of
from cloud_relay.fleet.jobs import cancel_job
from cloud_relay.fleet.log_records import Place
from cloud_relay.fleet.point_list import Wanted
from cloud_relay.fleet.points import connected_of, points_of
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Site
from cloud_relay.fleet.site_desk import SiteDesk
from cloud_relay.fleet.site_lines import SHOWN, BoxLine, SiteLine, chosen, counted, site_boxes, site_lines
from cloud_relay.fleet.sites import add_site, change_site, find_site, remove_site
from sitelink.errors import NameTaken, NotFound, RequestInvalid, SiteError
from sitelink.states import JobStatus
from web_ui.report import table_csv
from web_ui.routes import Route

PAGE_SIZE = 50
CSV_HEAD = ("Site", "Address", "Box", "State", "Since or until", "Version", "Connected", "Charge points", "Open jobs")
JOBS_SHOWN = 100


# ---- the list ----


class Found(msgspec.Struct, frozen=True):
    """What search and filter find. `counts`: of each filter, among what the search finds; `total`: of all sites."""

    text: str
    show: str
    lines: list[SiteLine]
    counts: dict[str, int]
    total: int


async def get_sites(request: web.Request) -> web.Response:
    """`q` is looked for in names, addresses, boxes and jobs, and in all that is read of charge points; `show` is one of
    SHOWN.
    """
    seq, found = seq_here(request), await _found(request)
    _, after = page_of(request)
    behind = [line for line in found.lines if after is None or _key(line) > after]
    shown, query = behind[:PAGE_SIZE], {"q": found.text, "show": found.show}
    following = {**query, "cursor": cursor_of(*_key(shown[-1]))} if len(behind) > PAGE_SIZE else None
    return drawn(
        request, "sites", here="sites", rows=await _rows(request, shown), q=found.text, show=found.show,
        counts=found.counts, total=found.total, seq=seq, query=urlencode(query),
        first=f"?{urlencode(query)}" if after is not None else None,
        following=f"?{urlencode(following)}" if following is not None else None,
    )  # fmt: skip


async def get_csv(request: web.Request) -> web.Response:
    """All that the same search and filter find, a line a box."""
    rows = await _rows(request, (await _found(request)).lines)
    cells = [
        [
            row.name, row.address, box.name if box else "", box.words if box else "no box",
            (box.at if box else None) or "", box.software if box else "", row.connected, row.total,
            ", ".join(job.number for job in row.jobs),
        ]
        for row in rows for box in row.boxes or (None,)
    ]  # fmt: skip
    headers = {"Content-Disposition": 'attachment; filename="sites.csv"'}
    return web.Response(text=table_csv(CSV_HEAD, cells), content_type="text/csv", charset="utf-8", headers=headers)


async def _found(request: web.Request) -> Found:
    caller, online = caller_here(request), request.app[GATEWAYS].online
    text, show = request.query.get("q", "")[:200].strip(), request.query.get("show", "")
    show = show if show in SHOWN else ""

    lines = await request.app[STORE].read(lambda books: site_lines(books, caller.team, online, caller.clock.now()))
    _, points = await found_points(request, Wanted(text=text)) if text else ((), ())
    named = {each.site.id for each in points}
    searched = chosen(lines, text, "", named)
    return Found(text, show, chosen(searched, "", show), counted(searched), len(lines))


async def _rows(request: web.Request, lines: Sequence[SiteLine]) -> list[SiteRow]:
    caller = caller_here(request)
    places = [Place(caller.team, caller.team_name, line.site.id) for line in lines]
    states = await request.app[GATEWAYS].states(places)
    return [site_row(line, connected_of(points_of(held.state))) for line, held in zip(lines, states, strict=True)]


def _key(line: SiteLine) -> tuple[str, str]:
    return key_of(line.site.name), line.site.id


async def get_new_site(request: web.Request) -> web.Response:
    return drawn(request, "site_new", here="sites", typed={}, problem=None, fields={})


async def post_site(request: web.Request) -> web.Response:
    caller, form = caller_here(request), form_of(request)
    try:
        made = await request.app[STORE].write(
            lambda books: add_site(books, caller.act, caller.team, form.get("name", ""), form.get("address", ""))
        )
    except (NameTaken, RequestInvalid) as error:
        return drawn(
            request, "site_new", here="sites", status=error.http_status, typed=form, problem=error.code,
            fields=error.fields,
        )  # fmt: skip
    return gone_to(team_path(request, f"/sites/{made.id}"))


# ---- a site ----


async def get_site(request: web.Request) -> web.Response:
    return await _site_page(request)


async def _site_page(request: web.Request, status: int = 200, **more: Any) -> web.Response:
    """`problem`, a code, with its `fields`; `typed` is what stands in the form it is about."""
    caller, online = caller_here(request), request.app[GATEWAYS].online
    seq = seq_here(request)

    def work(books: Books) -> tuple[Site, list[BoxLine], Any]:
        site = site_here(books, request)
        jobs = books.logs.jobs(caller.team, after=None, limit=JOBS_SHOWN, site=site.id)
        return site, site_boxes(books, site, online, caller.clock.now()), jobs

    site, boxes, jobs = await request.app[STORE].read(work)
    held = await request.app[GATEWAYS].state(Place(caller.team, caller.team_name, site.id))
    points = points_of(held.state)
    connected, total = connected_of(points)
    context: Mapping[str, Any] = {"problem": None, "fields": {}, "typed": {}, "about": "", **more}
    return drawn(
        request, "site", here="sites", status=status, site=site, boxes=[box_view(box) for box in boxes], jobs=jobs,
        open_jobs=sum(job.status is JobStatus.OPEN for job in jobs), rows=point_rows(points, caller.clock.now()),
        connected=connected, total=total, seq=seq, stale_since=stale_since(boxes), **context,
    )  # fmt: skip


def site_here(books: Books, request: web.Request) -> Site:
    """The site of the address, by its id alone. Raises NotFound."""
    wanted = request.match_info["site"]
    site = find_site(books, caller_here(request).team, wanted)
    if site.id != wanted:
        raise NotFound(what="site", key=wanted[:64])
    return site


async def post_change(request: web.Request) -> web.Response:
    caller, form = caller_here(request), form_of(request)

    def work(books: Books) -> Site:
        return change_site(books, caller.act, site_here(books, request), form.get("name", ""), form.get("address", ""))

    try:
        site = await request.app[STORE].write(work)
    except (NameTaken, RequestInvalid) as error:
        return await refused(request, "change", error)
    return gone_to(team_path(request, f"/sites/{site.id}"))


async def refused(request: web.Request, about: str, error: SiteError) -> web.Response:
    """The site's page with what is wrong at the form that `about` names, and what was typed there."""
    return await _site_page(
        request, error.http_status, about=about, problem=error.code, fields=error.fields, typed=form_of(request)
    )


async def post_remove(request: web.Request) -> web.Response:
    """Its jobs are called off, so that their charge points are nobody's; its boxes are served no more."""
    caller, gateways = caller_here(request), request.app[GATEWAYS]
    site = await request.app[STORE].read(lambda books: site_here(books, request))

    def work(desk: SiteDesk) -> list[GatewayId]:
        for job in tuple(desk.state.jobs):
            cancel_job(desk, job, caller.author)
        return remove_site(desk.books, caller.act, site_here(desk.books, request))

    for box in await gateways.work(Place(caller.team, caller.team_name, site.id), work):
        await gateways.end(box, "revoked")
    return gone_to(team_path(request, "/sites"))


def _page(method: str, path: str, handler: Any, summary: str, **more: Any) -> Route:
    scope = "sites:read" if method == "GET" else "sites:write"
    return Route(
        method, f"/t/{{team}}/sites{path}", handler, summary, media="text/html", auth="member",
        scope=more.pop("scope", scope), **more,
    )  # fmt: skip


ROUTES = (
    _page("GET", "", get_sites, "The team's sites.", query=("q", "show", "cursor")),
    Route(
        "GET",
        "/t/{team}/sites.csv",
        get_csv,
        "The same as CSV.",
        media="text/csv",
        auth="member",
        scope="sites:read",
        query=("q", "show"),
    ),
    _page("GET", "/new", get_new_site, "A form for a new site.", scope="sites:write"),
    _page("POST", "", post_site, "A new site."),
    _page("GET", "/{site}", get_site, "A site, its boxes, jobs and charge points."),
    _page("POST", "/{site}", post_change, "Another name or address."),
    _page("POST", "/{site}/remove", post_remove, "Take a site off the list."),
)
