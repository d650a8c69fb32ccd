"""The box admin API's view of what charge points tell of themselves: inventory, events, profiles, calls by hand.

Bearer tokens of the box only. Start at `ROUTES`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from aiohttp import web

from edge_agent.pages.admin import ADMIN, STATIONS, authorise, known_station
from sitelink.commands import SetAvailability
from sitelink.errors import CallInvalid, NoAnswer, NotFound, RequestInvalid, StationOffline
from sitelink.ids import StationKey
from sitelink.inventory import Variable, variables_of
from sitelink.model import SiteState
from sitelink.states import ReportKind
from web_ui.bodies import read_json
from web_ui.job_api import answer
from web_ui.routes import Route
from web_ui.surface import UNHURRIED

CUSTOMER = "customer_information"


class InventoryAnswer(msgspec.Struct):
    """What a charge point has and how it is set, secrets left out. `missing` parts of its report never came."""

    at: datetime
    source: str
    firmware: str | None
    missing: int
    facts: Mapping[str, int]
    variables: list[Variable]


class ListAnswer(msgspec.Struct):
    """One list a charge point told, or the box kept of what it told."""

    kind: str
    at: datetime | None
    source: str
    missing: int
    items: Mapping[str, Any]


class ListSummary(msgspec.Struct):
    kind: ReportKind
    at: datetime
    count: int
    missing: int


class Asked(msgspec.Struct):
    """The charge point is asked; what it answers is there a little later."""

    asked: bool = True


Place = Annotated[int, msgspec.Meta(ge=1, le=100)]


class AvailabilityRequest(msgspec.Struct, forbid_unknown_fields=True):
    """No `connector`: the whole charge point. `plug`: one of an EVSE's (OCPP 2.x)."""

    operative: bool
    connector: Place | None = None
    plug: Place | None = None


class AvailabilityAnswer(msgspec.Struct):
    """`answer` is the charge point's word; `out_of_service`: the places it agreed to take out, 0 for all of it."""

    answer: str
    accepted: bool
    out_of_service: tuple[int, ...]


class HandCallAnswer(msgspec.Struct):
    """`state`: sent, answered, refused (a CALLERROR), no_answer, late, link_lost."""

    id: int
    action: str
    payload: Any
    at: datetime
    state: str
    answered_at: datetime | None
    result: Any
    error: dict[str, str] | None


async def get_inventory(request: web.Request) -> web.Response:
    authorise(request)
    key = known_station(request)
    report = _state(request).report_of(key, ReportKind.INVENTORY)
    if report is None:
        raise NotFound(what="inventory", key=key)
    wanted = request.query.get("q", "").casefold()
    variables = [each for each in variables_of(report.items) if wanted in each.key.casefold()]
    return answer(InventoryAnswer(report.at, report.source, report.firmware, report.missing, report.facts, variables))


async def post_inventory(request: web.Request) -> web.Response:
    """Ask for it anew."""
    authorise(request)
    request.app[STATIONS].take_stock(known_station(request))
    return answer(Asked(), status=202)


async def list_lists(request: web.Request) -> web.Response:
    authorise(request)
    key, state = known_station(request), _state(request)
    known = (state.report_of(key, kind) for kind in ReportKind)
    return answer([ListSummary(each.kind, each.at, each.count, each.missing) for each in known if each is not None])


async def get_list(request: web.Request) -> web.Response:
    authorise(request)
    key, named = known_station(request), request.match_info["kind"]
    if named == CUSTOMER:
        return answer(_customer(request, key))
    if named not in set(ReportKind):
        raise RequestInvalid(where="kind", problem="not_allowed", allowed=", ".join((*ReportKind, CUSTOMER)))
    report = _state(request).report_of(key, ReportKind(named))
    if report is None:
        raise NotFound(what="list", key=named)
    return answer(ListAnswer(report.kind, report.at, report.source, report.missing, report.items))


def _customer(request: web.Request, key: StationKey) -> ListAnswer:
    """Masked, and only for some minutes after the charge point told it."""
    items = request.app[STATIONS].customer_information(key)
    if items is None:
        raise NotFound(what="list", key=CUSTOMER)
    return ListAnswer(CUSTOMER, None, "CustomerInformation", 0, items)


async def list_calls(request: web.Request) -> web.Response:
    """Newest first."""
    authorise(request)
    return answer(list(request.app[STATIONS].hand_calls(known_station(request))))


async def post_availability(request: web.Request) -> web.Response:
    """Out of service or back into it; what the charge point says to it. Its status follows when it has done so."""
    authorise(request)
    key = known_station(request)
    body = await read_json(request, AvailabilityRequest)
    if body.plug is not None and body.connector is None:
        raise RequestInvalid(where="connector", problem="missing", allowed="a number")
    order = SetAvailability(operative=body.operative, connector=body.connector, plug=body.plug)
    said = await request.app[STATIONS].send(key, order)
    station = _state(request).stations.get(key)
    return answer(AvailabilityAnswer(said.word, said.accepted, station.out_of_service if station is not None else ()))


setattr(post_availability, UNHURRIED, True)  # the charge point has 30 s of its own


def _state(request: web.Request) -> SiteState:
    return request.app[ADMIN].snapshot().state


_ONE = "/api/v1/charge-points/{identity}"

ROUTES = (
    Route("GET", f"{_ONE}/inventory", get_inventory, "What a charge point has and how it is set.",
          answer=InventoryAnswer, auth="admin", errors=(NotFound,), query=("q",)),
    Route("POST", f"{_ONE}/inventory", post_inventory, "Ask a charge point what it has.",
          answer=Asked, status=202, auth="admin", errors=(NotFound, StationOffline)),
    Route("GET", f"{_ONE}/lists", list_lists, "Which lists a charge point told.",
          answer=list[ListSummary], auth="admin", errors=(NotFound,)),
    Route("GET", f"{_ONE}/lists/{{kind}}", get_list, "One list a charge point told.",
          answer=ListAnswer, auth="admin", errors=(NotFound, RequestInvalid)),
    Route("GET", f"{_ONE}/calls", list_calls, "The last calls by hand, newest first, with late answers.",
          answer=list[HandCallAnswer], auth="admin", errors=(NotFound,)),
    Route("POST", f"{_ONE}/availability", post_availability, "Take a charge point out of service, or back into it.",
          AvailabilityRequest, AvailabilityAnswer, auth="admin",
          errors=(NotFound, RequestInvalid, StationOffline, NoAnswer, CallInvalid)),
)  # fmt: skip
