"""The charge points of a team in one list, and the same as CSV. A single one: `point_page`. Start at `get_points`."""

import asyncio
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from cloud_relay.console.caller import STORE
from cloud_relay.console.drawing import drawn
from cloud_relay.console.live_pages import seq_here
from cloud_relay.console.members import caller_here
from cloud_relay.console.operator_api import GATEWAYS, cursor_of, page_of
from cloud_relay.console.site_views import point_rows
from cloud_relay.fleet.ids import SiteId
from cloud_relay.fleet.log_records import Place
from cloud_relay.fleet.point_list import CONNECTIONS, NOT_SET_UP, STATES, Placed, Wanted, after, listed
from cloud_relay.fleet.points import connected_of
from cloud_relay.fleet.records import Site
from cloud_relay.fleet.site_lines import SITES_MAX
from web_ui.report import table_csv
from web_ui.routes import Route

PAGE_SIZE = 200
CONNECTION_CHOICES = [(each, "not set up" if each == NOT_SET_UP else each.replace("_", " ")) for each in CONNECTIONS]
CSV_HEAD = (
    "Site", "Charge point", "Charge Point Identity", "Connector", "Status", "Connection", "State", "Explanation", "Job",
    "Vendor", "Model", "Serial", "Firmware", "OCPP version", "Active", "Maintenance", "Last message",
)  # fmt: skip


async def get_points(request: web.Request) -> web.Response:
    """`q`, `site`, `connection` and `state` narrow the list; what they do not know is left out."""
    seq, wanted = seq_here(request), _wanted(request)
    _, place = page_of(request)
    sites, found = await found_points(request, wanted)
    since = await _stale_since(request)
    behind = after(found, place)
    shown, query = behind[:PAGE_SIZE], _query(wanted)
    following = None
    if len(behind) > PAGE_SIZE:
        following = f"?{urlencode({**query, 'cursor': cursor_of(*shown[-1].place)})}"
    connected, total = connected_of(each.point for each in found)
    rows = point_rows([each.point for each in shown], caller_here(request).clock.now())
    return drawn(
        request, "points", here="points", rows=list(zip((each.site for each in shown), rows, strict=True)),
        stale=since,
        wanted=wanted, sites=[(site.id, site.name) for site in sites], connections=CONNECTION_CHOICES,
        states=[(state, state) for state in STATES], connected=connected, total=total, seq=seq,
        query=urlencode(query), first=f"?{urlencode(query)}" if place is not None else None, following=following,
    )  # fmt: skip


async def get_csv(request: web.Request) -> web.Response:
    """All that the same filter finds, not only a page of it."""
    _, found = await found_points(request, _wanted(request))
    headers = {"Content-Disposition": 'attachment; filename="charge-points.csv"'}
    text = await asyncio.to_thread(lambda: table_csv(CSV_HEAD, map(_cells, found)))
    return web.Response(text=text, content_type="text/csv", charset="utf-8", headers=headers)


async def _stale_since(request: web.Request) -> dict[SiteId, datetime]:
    """Of sites where no box is online: when one last was."""
    caller, online = caller_here(request), request.app[GATEWAYS].online
    links = await request.app[STORE].read(lambda books: books.links.of_team(caller.team))
    there = {link.site for link in links if link.gateway in online}
    found: dict[SiteId, datetime] = {}
    for link in links:
        if link.site not in there and link.seen_at is not None:
            found[link.site] = max(link.seen_at, found.get(link.site, link.seen_at))
    return found


def _wanted(request: web.Request) -> Wanted:
    query = request.query
    connection, state = query.get("connection", ""), query.get("state", "")
    return Wanted(
        text=query.get("q", "")[:200].strip(), site=query.get("site", ""),
        connection=connection if connection in CONNECTIONS else "", state=state if state in STATES else "",
    )  # fmt: skip


def _query(wanted: Wanted) -> dict[str, str]:
    named = {"q": wanted.text, "site": wanted.site, "connection": wanted.connection, "state": wanted.state}
    return {name: value for name, value in named.items() if value}


async def found_points(request: web.Request, wanted: Wanted) -> tuple[list[Site], list[Placed]]:
    """All the team's sites, and what is wanted of them. A team has thousands: looked through beside the loop."""
    caller = caller_here(request)
    sites = list(
        await request.app[STORE].read(lambda books: books.sites.page(caller.team, after=None, limit=SITES_MAX))
    )
    asked = [site for site in sites if wanted.site in ("", site.id)]
    states = await request.app[GATEWAYS].states([Place(caller.team, caller.team_name, site.id) for site in asked])
    known = list(zip(asked, (held.state for held in states), strict=True))
    return sites, await asyncio.to_thread(listed, known, wanted)


def _cells(placed: Placed) -> list[Any]:
    row, status, station = placed.point.row, placed.point.status, placed.point.station
    (shown,) = point_rows([placed.point], None)
    said = (station.vendor, station.model, station.serial, station.firmware, station.version) if station else ("",) * 5
    return [
        placed.site.name, row.name, row.identity, row.connector, status.text,
        status.integration.value if status.integration is not None else "", status.state.value, shown.explanation,
        placed.point.job.number, *said, row.active, row.maintenance, shown.last_seen,
    ]  # fmt: skip


def _page(path: str, handler: Any, summary: str, **more: Any) -> Route:
    return Route("GET", f"/t/{{team}}{path}", handler, summary, auth="member", scope="sites:read", **more)


ROUTES = (
    _page("/charge-points", get_points, "All charge points.", media="text/html",
          query=("q", "site", "connection", "state", "cursor")),
    _page("/charge-points.csv", get_csv, "The same as CSV.", media="text/csv",
          query=("q", "site", "connection", "state")),
)  # fmt: skip
