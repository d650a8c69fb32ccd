"""A charge point in full: how it stands on both axes, its facts, its timeline, charges, and remote actions.

What is ordered goes to the box now or not at all. Start at `get_point`. The list of all: `point_pages`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from cloud_relay.console.caller import STORE
from cloud_relay.console.charge_views import charge_row
from cloud_relay.console.drawing import drawn, gone_to, team_path
from cloud_relay.console.job_links import NEWS, OnSite
from cloud_relay.console.live_pages import seq_here
from cloud_relay.console.members import caller_here, form_of
from cloud_relay.console.operator_api import GATEWAYS
from cloud_relay.console.site_pages import site_here
from cloud_relay.console.site_views import point_rows, stale_since
from cloud_relay.console.timeline_views import WINDOWS, bars_of
from cloud_relay.fleet.delivery import shown_links
from cloud_relay.fleet.log_records import BoxLink, Held, Place, StoredOp
from cloud_relay.fleet.points import Point, point_of
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Site
from cloud_relay.fleet.serials import holding_of
from cloud_relay.fleet.site_jobs import SiteJobs
from cloud_relay.fleet.site_lines import BoxLine, site_boxes
from cloud_relay.fleet.site_view import snapshot_of, sync_of
from cloud_relay.fleet.timeline import KINDS, timeline_of
from sitelink.actions import ActionView, actions_of
from sitelink.errors import NotFound, RequestInvalid, SiteError
from sitelink.ids import ChargePointId, LinkId, TransactionId
from sitelink.job_rules import decide_activity
from sitelink.model import Command, Link, Transaction
from sitelink.ops import decode_op
from sitelink.states import ActionName, LinkRole
from web_ui import ocpp_words, wording
from web_ui.bodies import new_command_id_in
from web_ui.details import details_of
from web_ui.ports import Snapshot
from web_ui.routes import Route
from web_ui.views import job_view

CHARGES_SHOWN = 20
COMMANDS_SHOWN = 5
OPS_READ = 3000


class Here(msgspec.Struct, frozen=True):
    """The charge point of the address, with what is known around it."""

    site: Site
    place: Place
    links: Sequence[BoxLink]
    boxes: Sequence[BoxLine]
    held: Held
    point: Point
    snapshot: Snapshot


async def here(request: web.Request) -> Here:
    """Raises NotFound, also for what another team or site has."""
    caller, gateways, now = caller_here(request), request.app[GATEWAYS], caller_here(request).clock.now()

    def work(books: Books) -> tuple[Site, Sequence[BoxLink], list[BoxLine]]:
        site = site_here(books, request)
        return site, shown_links(books, site.id), site_boxes(books, site, gateways.online, now)

    site, links, boxes = await request.app[STORE].read(work)
    place = Place(caller.team, caller.team_name, site.id)
    held, wanted = await gateways.state(place), ChargePointId(request.match_info["charge_point"])
    point = point_of(held.state, wanted)
    if point is None:
        raise NotFound(what="charge_point", key=wanted[:64])
    snapshot = snapshot_of(held, sync_of(held, links, gateways.online), now)
    return Here(site, place, links, boxes, held, point, snapshot)


async def get_point(request: web.Request) -> web.Response:
    """`window` is how far the timeline goes back."""
    return await page_of_point(request)


async def page_of_point(request: web.Request, error: SiteError | None = None) -> web.Response:
    """With what is wrong, where something is."""
    seq, found = seq_here(request), await here(request)
    window = request.query.get("window", "24h")
    window = window if window in WINDOWS else "24h"
    ops, charges = await _told(request, found)
    now, row = found.snapshot.now, found.point.row
    holding = await request.app[STORE].read(lambda books: holding_of(books, found.place, row))
    commands = [each for each in found.held.state.commands.values() if each.station == row.station]
    timeline = timeline_of(map(_op, ops), row.connector, now - WINDOWS[window][1], now, commands)
    link = Link(id=LinkId("operator"), job=row.job, token_sha256="", role=LinkRole.READ, created_at=now)
    view = job_view(found.snapshot, row.job, link=link, only={row.id}).row(row.id)
    details = details_of(
        found.snapshot, OnSite(), row.station, on={"": ""}, row=row, with_settings=False, with_told=False
    )
    return drawn(
        request, "charge_point", here="points", status=error.http_status if error is not None else 200,
        site=found.site, point=found.point, shown=point_rows([found.point], now)[0], view=view, details=details,
        bars=bars_of(timeline, window), window=window, windows=WINDOWS,
        charges=[*map(charge_row, charges[:CHARGES_SHOWN])],
        more_charges=len(charges) > CHARGES_SHOWN, earlier=_before(request) is not None,
        operation_since=_operation_since(found), commands=_commands(commands, view), seq=seq,
        actions=_actions(found), holding=holding,
        operation_text=ocpp_words.word(ocpp_words.OPERATIONS, found.point.status.state.value),
        stale_since=stale_since(found.boxes), online=found.snapshot.relay.connected,
        problem=error.code if error is not None else None, fields=error.fields if error is not None else {},
    )  # fmt: skip


async def _told(request: web.Request, found: Here) -> tuple[Sequence[StoredOp], Sequence[Transaction]]:
    """Ops of its timeline, oldest first, and its last charges, newest first."""
    station, site = found.point.row.station, found.site.id
    if not station:
        return (), ()

    def work(books: Books) -> tuple[Sequence[StoredOp], Sequence[Transaction]]:
        ops = books.logs.about(site, f"station:{station}", KINDS, OPS_READ)
        return ops[::-1], books.logs.transactions(site, station, CHARGES_SHOWN + 1, _before(request))

    return await request.app[STORE].read(work)


def _before(request: web.Request) -> TransactionId | None:
    """Where the list of charges goes on; at its beginning for what is no number."""
    named = request.query.get("before", "")
    return TransactionId(int(named)) if named.isascii() and named.isdecimal() and len(named) <= 15 else None


def _op(stored: StoredOp) -> Any:
    return decode_op(stored.body)


def _operation_since(found: Here) -> datetime | None:
    station = found.point.station
    connector = station.connectors.get(found.point.row.connector) if station is not None else None
    return connector.since if connector is not None else None


def _actions(found: Here) -> list[tuple[ActionView, str]]:
    """What may be ordered, and if not, why not."""
    state, point = found.held.state, found.point
    views = actions_of(state, point.job, point.row, by_operator=True)
    return [(each, wording.reason_against(each.reason) if each.reason else "") for each in views]


def _commands(commands: Sequence[Command], view: Any) -> list[tuple[Command, Any]]:
    """Newest first: what was asked, with its words."""
    words = {each.id: each for each in view.commands}
    return [(each, words[each.id]) for each in reversed(commands) if each.id in words][:COMMANDS_SHOWN]


async def post_action(request: web.Request) -> web.Response:
    """Refused while the box is away, never kept."""
    form, found, caller = form_of(request), await here(request), caller_here(request)
    action = form.get("action", "")
    if action not in [each.value for each in ActionName]:
        raise RequestInvalid(where="action", problem="not_allowed", allowed=", ".join(ActionName))
    row = found.point.row
    jobs = SiteJobs(found.place, found.held, found.links, request.app[GATEWAYS], request.app[NEWS], found.snapshot.now)
    try:
        await jobs.act(
            row.job, row.id, ActionName(action), caller.author, command=new_command_id_in(form.get("command_id", "")),
            confirm=form.get("confirm") == "1", hard=form.get("kind") == "hard",
        )  # fmt: skip
    except SiteError as error:
        return await page_of_point(request, error)
    return gone_to(_path(request, "#actions"))


async def post_maintenance(request: web.Request) -> web.Response:
    """`on`: 1 or 0."""
    found, wanted = await here(request), form_of(request).get("on") == "1"
    decide = decide_activity([found.point.row.id], caller_here(request).author, maintenance=wanted)
    await request.app[GATEWAYS].decide(found.place, decide)
    return gone_to(_path(request))


def _path(request: web.Request, more: str = "") -> str:
    site, row = request.match_info["site"], request.match_info["charge_point"]
    return team_path(request, f"/sites/{site}/charge-points/{row}{more}")


def _page(method: str, path: str, handler: Any, summary: str, **more: Any) -> Route:
    scope = "sites:read" if method == "GET" else "charge-points:command"
    return Route(
        method, f"/t/{{team}}/sites/{{site}}/charge-points/{{charge_point}}{path}", handler, summary,
        media="text/html", auth="member", scope=scope, **more,
    )  # fmt: skip


ROUTES = (
    _page("GET", "", get_point, "A charge point.", query=("window", "before")),
    _page("POST", "/actions", post_action, "Start, stop, unlock or reboot."),
    _page("POST", "/maintenance", post_maintenance, "Set or end maintenance."),
)
