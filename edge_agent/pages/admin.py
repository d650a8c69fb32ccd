"""The box admin API: what an operator's tool may see and do at the box itself. DESIGN §6 "Box admin API".

Bearer tokens of the box only (`edge-agent token new`), never a job's link or a cookie. Start at `ROUTES`.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from edge_agent.pages.ports import Admin, Lists
from edge_agent.site.local_lists import ListView
from edge_agent.site.measured import Measured, measured_of
from edge_agent.site.ports import Action, History, Stations
from sitelink.errors import (
    CallInvalid,
    CallRefused,
    ChargeActive,
    IdTokenInvalid,
    NoAnswer,
    NotFound,
    RequestInvalid,
    SignInNeeded,
    StationOffline,
    StoreUnavailable,
)
from sitelink.ids import ChargePointId, JobId, StationKey, TransactionId, station_key
from sitelink.model import ChargePoint, Connector, Fault, Job, SiteState, Station
from sitelink.states import ChargePointState, IntegrationState, Registration
from sitelink.status import status_of
from web_ui.access import GATE
from web_ui.bodies import read_json
from web_ui.corrections import CorrectionView, corrections_of
from web_ui.detail_pages import ODDITIES
from web_ui.job_api import answer
from web_ui.limits import address_key
from web_ui.live import STREAMS
from web_ui.routes import Route
from web_ui.surface import UNHURRIED

ADMIN: web.AppKey[Admin] = web.AppKey("admin")
STATIONS: web.AppKey[Stations] = web.AppKey("stations")
LISTS: web.AppKey[Lists] = web.AppKey("lists")
HISTORY: web.AppKey[History] = web.AppKey("history")
TRANSACTIONS_MAX = 1000
ADMIN_TOKEN = re.compile(r"ga1_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")


class Row(msgspec.Struct):
    """A row of a job that names the charge point. `status` is the exact string of the installer page."""

    id: ChargePointId
    job: JobId
    number: str
    name: str
    connector: int
    status: str
    integration_state: IntegrationState | None
    state: ChargePointState
    active: bool
    maintenance: bool


class AdminChargePoint(msgspec.Struct):
    """An identity this box knows: from a job, from the station itself, or both."""

    identity: str
    online: bool
    registration: Registration
    rows: list[Row]
    connectors: dict[int, Connector] = {}
    faults: tuple[Fault, ...] = ()
    version: str | None = None
    ip: str | None = None
    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    booted_at: datetime | None = None
    last_seen: datetime | None = None
    test_token: str | None = None
    """Of its own, where it has one."""
    local_list: ListView | None = None
    """The list of id tokens it holds for when it is offline; null where none was ever sent."""
    reboot_needed: tuple[str, ...] = ()
    """Configuration keys whose change waits for a reboot."""
    rules: tuple[str, ...] = ()
    """Names of the rules for such charge points (docs/quirks.md)."""
    clock_drift_s: float | None = None
    """How far its clock is ahead, where it has told a time since the box started."""
    corrections: tuple[CorrectionView, ...] = ()
    """What had to be put right of its messages, most often first."""


class ListRequest(msgspec.Struct, forbid_unknown_fields=True):
    """`full`: the whole list, whatever it holds. `clear_cache`: it is to forget first whom it let charge before."""

    full: bool = False
    clear_cache: bool = False


class Activity(msgspec.Struct, forbid_unknown_fields=True):
    """At least one of them."""

    active: bool | None = None
    maintenance: bool | None = None
    test_token: str | msgspec.UnsetType | None = msgspec.UNSET
    """What the installer's test uses here; null: the job's token again."""


class CallRequest(msgspec.Struct, forbid_unknown_fields=True):
    action: str
    payload: dict[str, Any] = {}


class CallError(msgspec.Struct):
    code: str
    description: str


class CallAnswer(msgspec.Struct, omit_defaults=True):
    """Exactly one of the two: the station's CALLRESULT, or its CALLERROR."""

    result: dict[str, Any] | None = None
    error: CallError | None = None


class TransactionAnswer(msgspec.Struct):
    id: TransactionId
    id_token: str | None
    connector: int
    started_at: datetime | None
    stopped_at: datetime | None
    reason: str | None
    meter_start_wh: float | None
    meter_stop_wh: float | None
    incomplete: bool = False
    """Events of it never came, and the charge point has none left."""
    missing_events: int = 0
    extras: dict[str, Any] = {}
    """What else the charge point told of it: phases, cost, limits, preconditioning (OCPP 2.x)."""


class Health(msgspec.Struct):
    """`status`: ok, or why nothing can be saved. `seq` is the newest journal key."""

    status: str
    seq: int
    charge_points: int
    online: int
    open_jobs: int
    live_pages: int
    relay_connected: bool
    relay_backlog: int
    notice: str | None
    """What people should know of the box: salvaged, certificate_expiring."""
    now: datetime


def authorise(request: web.Request) -> None:
    """Raises SignInNeeded, and TooMany after too many bad tokens."""
    if not _bearer(request):
        raise SignInNeeded(reason="admin_token")
    if is_authorised(request):
        return
    limit, key = request.app[GATE].limits.bad_tokens, address_key(request.remote)
    limit.take(key)
    raise SignInNeeded(reason="admin_token")


def is_authorised(request: web.Request) -> bool:
    """Whether the request has a token of the box that is good now; nothing is counted."""
    token = _bearer(request)
    return ADMIN_TOKEN.fullmatch(token) is not None and request.app[ADMIN].is_admin_token(token)


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.casefold() == "bearer" else ""


# ---- charge points ----


async def list_charge_points(request: web.Request) -> web.Response:
    authorise(request)
    state = _state(request)
    keys = dict.fromkeys(row.station for job in state.jobs.values() for row in state.rows(job) if row.identity)
    keys |= dict.fromkeys(state.stations)
    return answer([_charge_point(request, state, key) for key in keys])


async def patch_activity(request: web.Request) -> web.Response:
    """Switch all rows of an identity on or off, or to maintenance."""
    authorise(request)
    key = known_station(request)
    body = await read_json(request, Activity)
    if body.active is None and body.maintenance is None and body.test_token is msgspec.UNSET:
        raise RequestInvalid(where="body", problem="nothing_to_change", allowed="active, maintenance, test_token")
    rows = [row.id for _, row in _state(request).rows_of_station(key)]
    if not rows:
        raise NotFound(what="charge_point", key=key)
    if not isinstance(body.test_token, msgspec.UnsetType):
        await request.app[ADMIN].set_test_token(key, body.test_token)
    await request.app[ADMIN].set_activity(rows, active=body.active, maintenance=body.maintenance)
    return answer(_charge_point(request, _state(request), key))


async def post_call(request: web.Request) -> web.Response:
    """Any call of the station's version. A refusal by the station is an answer like any other."""
    authorise(request)
    key = known_station(request)
    body = await read_json(request, CallRequest)
    try:
        result = await request.app[STATIONS].call(key, body.action, body.payload)
    except CallRefused as exc:
        code, description = exc.fields.get("error_code", "GenericError"), exc.fields.get("description", "")
        return answer(CallAnswer(error=CallError(str(code), str(description or ""))))
    return answer({"result": result})


setattr(post_call, UNHURRIED, True)  # the station has 30 s of its own


async def list_actions(request: web.Request) -> web.Response:
    """None where it has never said which version it speaks."""
    authorise(request)
    return answer(list(request.app[STATIONS].actions(known_station(request))))


async def get_action(request: web.Request) -> web.Response:
    authorise(request)
    action = request.app[STATIONS].action(known_station(request), request.match_info["action"])
    return web.Response(body=_PLAIN_NUMBERS.encode(action), content_type="application/json")


_PLAIN_NUMBERS = msgspec.json.Encoder(decimal_format="number")
"""Schemas hold decimals."""


async def post_local_list(request: web.Request) -> web.Response:
    """Bring the station's own list of id tokens up to date now, also where that is not done by itself."""
    authorise(request)
    key = known_station(request)
    body = await read_json(request, ListRequest) if request.can_read_body else ListRequest()
    await request.app[LISTS].bring_up_to_date(key, full=body.full, clear_cache=body.clear_cache)
    return answer(request.app[LISTS].view(key))


setattr(post_local_list, UNHURRIED, True)  # several calls, each with 30 s of its own


async def get_transactions(request: web.Request) -> web.Response:
    """Newest first."""
    authorise(request)
    key = known_station(request)
    limit = request.query.get("limit", "200")
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:9]) <= TRANSACTIONS_MAX):
        raise RequestInvalid(where="limit", problem="not_allowed", allowed=f"1 to {TRANSACTIONS_MAX}")
    found = await request.app[HISTORY].transactions(key, int(limit))
    return answer(
        [
            TransactionAnswer(
                each.id, each.id_token, each.connector, each.started_at, each.stopped_at, each.reason,
                each.meter_start_wh, each.meter_stop_wh, each.incomplete, each.missing_events, each.extras,
            )
            for each in found
        ]
    )  # fmt: skip


async def list_measured(request: web.Request) -> web.Response:
    authorise(request)
    snapshot = request.app[ADMIN].snapshot()
    return answer(measured_of(snapshot.state, snapshot.meters, snapshot.now))


async def get_health(request: web.Request) -> web.Response:
    authorise(request)
    snapshot = request.app[ADMIN].snapshot()
    state, stations = snapshot.state, request.app[STATIONS]
    return answer(
        Health(
            status=snapshot.trouble or "ok", seq=snapshot.seq, charge_points=len(state.stations),
            online=sum(stations.is_online(key) for key in state.stations),
            open_jobs=sum(job.status.value == "open" for job in state.jobs.values()),
            live_pages=request.app[STREAMS].open, relay_connected=snapshot.relay.connected,
            relay_backlog=snapshot.relay.backlog, notice=snapshot.notice, now=snapshot.now,
        )
    )  # fmt: skip


# ---- shapes ----


def _state(request: web.Request) -> SiteState:
    return request.app[ADMIN].snapshot().state


def known_station(request: web.Request) -> StationKey:
    """The identity of the path, compared as stations are. Raises NotFound where no job, station or caller has it."""
    key = station_key(request.match_info["identity"])
    state = _state(request)
    calling = any(station_key(knock.identity) == key for knock in state.knocks.values())
    if key not in state.stations and not state.rows_of_station(key) and not calling:
        raise NotFound(what="charge_point", key=key[:64])
    return key


def _charge_point(request: web.Request, state: SiteState, key: StationKey) -> AdminChargePoint:
    station = state.stations.get(key)
    rows: Sequence[tuple[Job, ChargePoint]] = list(state.rows_of_station(key))
    online = request.app[STATIONS].is_online(key)
    last_seen = request.app[STATIONS].last_seen(key)
    shown = [_row(state, job, row) for job, row in rows]
    if station is None:
        return AdminChargePoint(rows[0][1].identity if rows else str(key), online, Registration.NONE, shown)
    oddities = request.app[ODDITIES]
    view = _with_station(station, online, last_seen, shown, request.app[LISTS].view(key))
    view.corrections = corrections_of(oddities.corrections(key))
    view.clock_drift_s = oddities.clock_drift_s(key)
    return view


def _with_station(
    station: Station, online: bool, last_seen: datetime | None, rows: list[Row], local_list: ListView | None
) -> AdminChargePoint:
    return AdminChargePoint(
        identity=station.identity, online=online, registration=station.registration, rows=rows,
        connectors=station.connectors, faults=station.faults, version=station.version, ip=station.ip,
        vendor=station.vendor, model=station.model, serial=station.serial, firmware=station.firmware,
        booted_at=station.booted_at, last_seen=last_seen or station.last_seen, test_token=station.test_token,
        local_list=local_list, reboot_needed=station.reboot_needed, rules=station.traits.rules,
    )  # fmt: skip


def _row(state: SiteState, job: Job, row: ChargePoint) -> Row:
    status = status_of(state, row)
    return Row(
        id=row.id, job=job.id, number=job.number, name=row.name, connector=row.connector, status=status.text,
        integration_state=status.integration, state=status.state, active=row.active, maintenance=row.maintenance,
    )  # fmt: skip


_ONE = "/api/v1/charge-points/{identity}"

ROUTES = (
    Route("GET", "/api/v1/charge-points", list_charge_points, "All identities this box knows.",
          answer=list[AdminChargePoint], auth="admin"),
    Route("PATCH", _ONE, patch_activity, "Switch a charge point on or off, or to maintenance; set its test token.",
          Activity, AdminChargePoint, auth="admin",
          errors=(NotFound, ChargeActive, IdTokenInvalid, StoreUnavailable)),
    Route("POST", f"{_ONE}/calls", post_call, "Send any OCPP call of the station's version.",
          CallRequest, CallAnswer, auth="admin", errors=(NotFound, StationOffline, NoAnswer, CallInvalid)),
    Route("POST", f"{_ONE}/local-list", post_local_list, "Bring its own list of id tokens up to date.",
          ListRequest, ListView, auth="admin", errors=(NotFound, StationOffline, NoAnswer, StoreUnavailable)),
    Route("GET", f"{_ONE}/actions", list_actions, "The calls of its version, by name.",
          answer=list[str], auth="admin", errors=(NotFound,)),
    Route("GET", f"{_ONE}/actions/{{action}}", get_action, "A call's JSON schema, and an example that fits it.",
          answer=Action, auth="admin", errors=(NotFound,)),
    Route("GET", f"{_ONE}/transactions", get_transactions, "Transactions, newest first.",
          answer=list[TransactionAnswer], auth="admin", errors=(NotFound, RequestInvalid), query=("limit",)),
    Route("GET", "/api/v1/meters", list_measured, "What meters and charge points measure.",
          answer=list[Measured], auth="admin"),
    Route("GET", "/api/v1/health", get_health, "How the box is.", answer=Health, auth="admin"),
)  # fmt: skip
