"""A charge point's serial is given up, or taken back: by an operator on its page, by a program.

Start at `post_release`. The rules stand in `fleet.serials`.
"""

from typing import Any

import msgspec
from aiohttp import web

from cloud_relay.console.caller import Caller, caller_of
from cloud_relay.console.charge_point_pages import here, page_of_point
from cloud_relay.console.drawing import gone_to, team_path
from cloud_relay.console.job_work import held_here, job_id
from cloud_relay.console.members import caller_here, form_of
from cloud_relay.console.operator_api import GATEWAYS
from cloud_relay.fleet.log_records import Place
from cloud_relay.fleet.serials import release, take_back
from sitelink import job_rules as rules
from sitelink.errors import ChargeActive, NotFound, SerialNotHeld, SiteError
from sitelink.ids import ChargePointId
from web_ui.bodies import read_json
from web_ui.job_api import answer
from web_ui.routes import Route


class ReleaseSerial(msgspec.Struct, forbid_unknown_fields=True):
    """`to`: the name of a team whose job names this serial too. Null: who waits longest has it, else it is free."""

    to: str | None = None


class SerialReleased(msgspec.Struct):
    """`team`: whose it is now; null: nobody's."""

    team: str | None


async def _release(request: web.Request, caller: Caller, place: Place, row: ChargePointId, to: str) -> str | None:
    """Raises NotFound, SerialNotHeld, ChargeActive."""
    return await request.app[GATEWAYS].work(place, lambda desk: release(desk, caller.act, caller.author, row, to))


async def _take_back(request: web.Request, caller: Caller, place: Place, row: ChargePointId) -> None:
    """Raises NotFound, SerialNotHeld."""
    await request.app[GATEWAYS].work(place, lambda desk: take_back(desk, caller.act, row))


# ---- for people ----


async def post_release(request: web.Request) -> web.Response:
    found, to = await here(request), form_of(request).get("to", "")
    try:
        await _release(request, caller_here(request), found.place, found.point.row.id, to)
    except SiteError as error:
        return await page_of_point(request, error)
    return _gone_back(request)


async def post_take_back(request: web.Request) -> web.Response:
    found = await here(request)
    try:
        await _take_back(request, caller_here(request), found.place, found.point.row.id)
    except SiteError as error:
        return await page_of_point(request, error)
    return _gone_back(request)


def _gone_back(request: web.Request) -> web.Response:
    site, row = request.match_info["site"], request.match_info["charge_point"]
    return gone_to(team_path(request, f"/sites/{site}/charge-points/{row}#serial"))


# ---- for programs ----


async def release_serial(request: web.Request) -> web.Response:
    """Its rows are switched off; what its jobs say stays as their record."""
    caller = await caller_of(request, "installer-jobs:write")
    to = (await read_json(request, ReleaseSerial)).to or ""
    place, row = await _row_of(request, caller)
    return answer(SerialReleased(await _release(request, caller, place, row, to)))


async def take_back_serial(request: web.Request) -> web.Response:
    """It counts for its serial again, or waits for it where another team has it now."""
    caller = await caller_of(request, "installer-jobs:write")
    await _take_back(request, caller, *await _row_of(request, caller))
    return web.Response(status=204)


async def _row_of(request: web.Request, caller: Caller) -> tuple[Place, ChargePointId]:
    """Raises NotFound."""
    place, held = await held_here(request, caller)
    row = ChargePointId(request.match_info["charge_point"])
    rules.row_of(held.state, rules.job_of(held.state, job_id(request)), row)
    return place, row


def _page(path: str, handler: Any, summary: str) -> Route:
    return Route(
        "POST", f"/t/{{team}}/sites/{{site}}/charge-points/{{charge_point}}{path}", handler, summary,
        media="text/html", auth="member", scope="installer-jobs:write",
    )  # fmt: skip


def _call(path: str, handler: Any, summary: str, **more: Any) -> Route:
    return Route(
        "POST", f"/api/v1/installer-jobs/{{job}}/charge-points/{{charge_point}}{path}", handler, summary, auth="team",
        scope="installer-jobs:write", errors=(NotFound, SerialNotHeld, *more.pop("errors", ())), **more,
    )  # fmt: skip


ROUTES = (
    _page("/release-serial", post_release, "Give its serial up."),
    _page("/take-back-serial", post_take_back, "Take it back."),
)
API_ROUTES = (
    _call("/release-serial", release_serial, "Give its serial up, to another team or to nobody.", body=ReleaseSerial,
          answer=SerialReleased, errors=(ChargeActive,)),
    _call("/take-back-serial", take_back_serial, "Take a serial back that was given up.", status=204, media=""),
)  # fmt: skip
