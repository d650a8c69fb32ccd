"""OCPP 2.0.1 and 2.1 messages as the core's reports and back: a payload in, a report out; an order in, a call out.

Pure: no I/O, no clock, no log. Lenient towards stations, strict in what we send, as `v16`. An EVSE is what the core
calls a connector, the connectors within it are its plugs. Sources: OCPP 2.0.1 and 2.1 part 2; OCPP.md §8.3 and §4.
Start at `boot_report` for what comes in, `call_for` for what goes out.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from edge_agent.charge_points import certificate_calls, file_calls, list_calls
from edge_agent.charge_points.dialect import Unusable, registration_word, time_text
from edge_agent.charge_points.readings import (
    Found,
    integer_of,
    is_true,
    kept,
    meter_groups,
    number_of,
    sample_2x,
    text_of,
    time_of,
)
from edge_agent.charge_points.rpc import ErrorCode
from edge_agent.site.reports import (
    UNNUMBERED,
    BootAnswer,
    BootReport,
    ConnectorReport,
    MeterReport,
    TransactionReport,
    TransactionStage,
    Verdict,
)
from sitelink.commands import (
    Order,
    OrderAnswer,
    RemoteStart,
    RemoteStop,
    Reset,
    SetAvailability,
    SetKey,
    Trigger,
    UnlockConnector,
)
from sitelink.errors import CallInvalid
from sitelink.redact import redact, without_key_codes
from sitelink.states import ConnectorStatus

EVSE_MAX = 100
ID_TOKEN_KEPT = 255
ID_TOKEN_MAX = 36
"""Of what 2.0.1 stations are told; those of 2.1 take ID_TOKEN_KEPT."""
TRANSACTION_NAME_MAX = 64
"""36 are allowed; longer ones are a station's own business."""
CSMS_TOKEN_TYPE = "Central"  # noqa: S105 -- a type of token: one this central system made

_CHARGING = {
    "charging": ConnectorStatus.CHARGING, "evconnected": ConnectorStatus.PREPARING,
    "suspendedev": ConnectorStatus.SUSPENDED_EV, "suspendedevse": ConnectorStatus.SUSPENDED_EVSE,
    "idle": ConnectorStatus.FINISHING,
}  # fmt: skip
_STATUSES = {status.value.casefold(): status for status in ConnectorStatus if status is not ConnectorStatus.UNKNOWN}
_STAGES = {stage.value.casefold(): stage for stage in TransactionStage}

NAMES: dict[str, frozenset[str]] = {}
"""Nothing is counted as too much: every object of 2.x may carry customData, and unknown properties are passed over."""


# ---- what stations tell ----


def boot_report(payload: dict[str, Any], found: Found) -> BootReport:
    said = payload.get("chargingStation")
    station: Mapping[str, Any] = said if isinstance(said, dict) else {}
    if not isinstance(said, dict) and ("chargePointVendor" in payload or "chargePointModel" in payload):
        found.append("boot:shaped_as_in_1.6")
        station = {
            "vendorName": payload.get("chargePointVendor"), "model": payload.get("chargePointModel"),
            "firmwareVersion": payload.get("firmwareVersion"),
            "serialNumber": payload.get("chargePointSerialNumber") or payload.get("chargeBoxSerialNumber"),
        }  # fmt: skip
    vendor, model = text_of(station, "vendorName", found), text_of(station, "model", found)
    if vendor is None or model is None:
        found.append("boot:no_vendor_or_model")
    return BootReport(
        vendor or "", model or "", text_of(station, "serialNumber", found), text_of(station, "firmwareVersion", found),
        kept(payload),
    )  # fmt: skip


def connector_report(payload: dict[str, Any], found: Found) -> ConnectorReport:
    """Raises Unusable without a status, or at a place no station has."""
    key = "connectorStatus" if "connectorStatus" in payload else "status"
    if key == "status" and "status" in payload:
        found.append("status:named_as_in_1.6")
    word = text_of(payload, key, found, 50)
    if word is None:
        raise Unusable(ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION, "connectorStatus")
    plug = integer_of(payload, "connectorId", found)
    place = integer_of(payload, "evseId", found)
    if place is None:
        found.append("evseId:missing")
        place, plug = (plug if plug is not None else 0), None
    if not 0 <= place <= EVSE_MAX or (plug is not None and not 0 <= plug <= EVSE_MAX):
        raise Unusable(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "evseId")
    status = _STATUSES.get(word.casefold(), ConnectorStatus.UNKNOWN)
    if status.value != word:
        found.append("status:unknown" if status is ConnectorStatus.UNKNOWN else "status:odd_case")
    at, station_time = time_of(payload, found)
    return ConnectorReport(
        place, status, text_of(payload, "errorCode", found, 50) or "NoError", text_of(payload, "info", found),
        at=at, station_time=station_time, text=word if status is ConnectorStatus.UNKNOWN else None,
        plug=plug if place and plug else None,
    )  # fmt: skip


def id_token_of(payload: Mapping[str, Any], found: Found) -> tuple[str, str | None] | None:
    """The token and its type; None when there is none. An empty one stands for NoAuthorization."""
    said = payload.get("idToken")
    if said is None and "idTag" in payload:
        found.append("idToken:named_as_in_1.6")
        said = payload["idTag"]
    if said is None:
        return None
    if not isinstance(said, dict):
        found.append("idToken:not_an_object")
        said = {"idToken": said}
    kind = text_of(said, "type", found, 20)
    token = text_of(said, "idToken", found, ID_TOKEN_KEPT)
    if token is None and kind != "NoAuthorization":
        found.append("idToken:empty")
        return None
    return token or "", kind


def authorize_report(payload: dict[str, Any], found: Found) -> tuple[str, str | None]:
    """Raises Unusable when there is no token."""
    token = id_token_of(payload, found)
    if token is None:
        raise Unusable(ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION, "idToken")
    return token


def meter_report(payload: dict[str, Any], found: Found) -> MeterReport:
    groups = meter_groups(payload.get("meterValue"), found, read=sample_2x)
    place = integer_of(payload, "evseId", found)
    if place is None or not 0 <= place <= EVSE_MAX:
        found.append("evseId:missing" if place is None else "evseId:out_of_range")
        place = 0
    return MeterReport(place, groups)


def transaction_report(payload: dict[str, Any], found: Found) -> TransactionReport:
    """Raises Unusable only where it names no transaction: everything else is recorded as well as it can be."""
    info = payload.get("transactionInfo")
    if not isinstance(info, dict):
        found.append("transactionInfo:not_an_object")
        info = {}
    name = text_of(info, "transactionId", found, TRANSACTION_NAME_MAX) or text_of(
        payload, "transactionId", found, TRANSACTION_NAME_MAX
    )
    if name is None:
        raise Unusable(ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION, "transactionInfo/transactionId")
    seq_no = integer_of(payload, "seqNo", found)
    if seq_no is None or seq_no < 0:
        found.append("seqNo:missing")
        seq_no = UNNUMBERED
    place, plug = _place_of(payload, found)
    token = id_token_of(payload, found)
    at, station_time = time_of(payload, found)
    rest = {key: value for key, value in payload.items() if key != "meterValue"}
    return TransactionReport(
        stage=_stage_of(payload, found), name=name, seq_no=seq_no,
        trigger=text_of(payload, "triggerReason", found, 50) or "", connector=place, plug=plug,
        charging=_charging_of(info, found),
        id_token=token[0] if token else None, token_type=token[1] if token else None,
        remote_start=integer_of(info, "remoteStartId", found), offline=is_true(payload, "offline", found),
        stop_reason=text_of(info, "stoppedReason", found, 50) or "Local",
        groups=meter_groups(payload.get("meterValue"), found, read=sample_2x), at=at, station_time=station_time,
        payload=without_key_codes(kept(rest)), extras=_extras_of(payload, info),
    )  # fmt: skip


_EXTRAS = {
    "numberOfPhasesUsed": "phases", "cableMaxCurrent": "cable_a", "reservationId": "reservation",
    "preconditioningStatus": "preconditioning", "evseSleep": "evse_asleep", "timeSpentCharging": "charging_s",
    "operationMode": "operation_mode", "tariffId": "tariff", "transactionLimit": "limit",
}  # fmt: skip
"""Of a transaction event and its transactionInfo: theirs and ours."""
_USAGE = ("energy", "chargingTime", "idleTime", "reservationTime")


def _extras_of(payload: Mapping[str, Any], info: Mapping[str, Any]) -> dict[str, Any]:
    """What else an event tells of its transaction: 2.0.1's few, and what 2.1 added (E16, I, Q)."""
    said = {
        **{key: info[key] for key in _EXTRAS if key in info},
        **{key: payload[key] for key in _EXTRAS if key in payload},
    }
    extras: dict[str, Any] = {
        _EXTRAS[key]: value for key, value in (kept(said) if said else said).items()
        if key in _EXTRAS and isinstance(value, (bool, int, float, str, dict))
    }  # fmt: skip
    cost = _cost_of(payload.get("costDetails"))
    return {**extras, "cost": cost} if cost else extras


def _cost_of(details: Any) -> dict[str, Any]:
    """What the station reckoned: its total, or that it could not."""
    if not isinstance(details, dict):
        return {}
    if is_true(details, "failureToCalculate", []):
        return {"failed": text_of(details, "failureReason", []) or True}
    total, usage = details.get("totalCost"), details.get("totalUsage")
    whole = total.get("total") if isinstance(total, dict) else None
    cost: dict[str, Any] = {}
    if isinstance(total, dict) and isinstance(whole, dict):
        cost = {"currency": text_of(total, "currency", [], 3), "type": text_of(total, "typeOfCost", [], 20)}
        cost |= {"excl_tax": number_of(whole, "exclTax", []), "incl_tax": number_of(whole, "inclTax", [])}
    if isinstance(usage, dict):
        cost |= {name: number_of(usage, name, []) for name in _USAGE}
    return {name: value for name, value in cost.items() if value is not None}


def _stage_of(payload: dict[str, Any], found: Found) -> TransactionStage:
    word = text_of(payload, "eventType", found, 20) or ""
    stage = _STAGES.get(word.casefold())
    if stage is None:
        found.append("eventType:unknown")
        return TransactionStage.UPDATED
    return stage


def _charging_of(info: Mapping[str, Any], found: Found) -> ConnectorStatus | None:
    word = text_of(info, "chargingState", found, 30)
    if word is None:
        return None
    state = _CHARGING.get(word.casefold())
    if state is None:
        found.append("chargingState:unknown")
    return state


def _place_of(payload: dict[str, Any], found: Found) -> tuple[int | None, int | None]:
    """EVSE and connector; None where it is not said, or said impossibly."""
    evse = payload.get("evse")
    if isinstance(evse, int) and not isinstance(evse, bool):
        found.append("evse:not_an_object")
        evse = {"id": evse}
    if not isinstance(evse, dict):
        return None, None
    place, plug = integer_of(evse, "id", found), integer_of(evse, "connectorId", found)
    if place is None or not 1 <= place <= EVSE_MAX:
        found.append("evse:out_of_range")
        return None, None
    return place, plug if plug is not None and 1 <= plug <= EVSE_MAX else None


# ---- what they are answered ----


def boot_answer(answer: BootAnswer, now: datetime) -> dict[str, Any]:
    return {"currentTime": time_text(now), "interval": answer.interval_s, "status": registration_word(answer.verdict)}


def heartbeat_answer(now: datetime) -> dict[str, Any]:
    return {"currentTime": time_text(now)}


def authorize_answer(verdict: Verdict, longest: int = ID_TOKEN_MAX) -> dict[str, Any]:
    """`longest`: how many characters a token may have; a group of more is left out."""
    info: dict[str, Any] = {"status": verdict.status.value}
    if verdict.group and len(verdict.group) <= longest:
        info["groupIdToken"] = {"idToken": verdict.group, "type": CSMS_TOKEN_TYPE}
    if verdict.expires is not None:
        info["cacheExpiryDateTime"] = time_text(verdict.expires)
    if verdict.evses:
        info["evseId"] = list(verdict.evses)  # C01.FR.06 and FR.07
    return {"idTokenInfo": info}


def transaction_answer(verdict: Verdict | None, longest: int = ID_TOKEN_MAX) -> dict[str, Any]:
    return authorize_answer(verdict, longest) if verdict is not None else {}


# ---- what we ask ----


def call_for(order: Order) -> tuple[str, dict[str, Any]]:
    """The action and payload of an order."""
    match order:
        case RemoteStart(connector=place, id_token=token, remote_start=number):
            return "RequestStartTransaction", {
                "idToken": {"idToken": token, "type": CSMS_TOKEN_TYPE}, "remoteStartId": number, "evseId": place,
            }  # fmt: skip
        case RemoteStop(transaction=transaction, name=name):
            return "RequestStopTransaction", {"transactionId": name or str(transaction)}
        case UnlockConnector(connector=place, plug=plug):
            return "UnlockConnector", {"evseId": place, "connectorId": plug}
        case Reset(hard=hard, connector=place):
            only = {} if place is None else {"evseId": place}
            return "Reset", {"type": "Immediate" if hard else "OnIdle", **only}
        case SetAvailability(operative=operative, connector=place, plug=plug):
            return "ChangeAvailability", {
                "operationalStatus": "Operative" if operative else "Inoperative", **_evse(place, plug),
            }  # fmt: skip
        case Trigger(message=message, connector=None):
            return "TriggerMessage", {"requestedMessage": message}
        case Trigger(message=message, connector=place, plug=plug):
            return "TriggerMessage", {"requestedMessage": message, "evse": {"id": place, "connectorId": plug}}
        case SetKey(key=key):
            variable = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
            return "SetVariables", {"setVariableData": [{**variable, "attributeValue": key}]}
    call = list_calls.call_2x(order) or file_calls.call_2x(order) or certificate_calls.call_2x(order)
    if call is not None:
        return call
    raise CallInvalid(action=type(order).__name__, where="action", problem="no_such_call_in_this_version")


def call_for_201(order: Order) -> tuple[str, dict[str, Any]]:
    """As `call_for`, without what only OCPP 2.1 has: the number of the request a certificate answers (A02)."""
    action, payload = call_for(order)
    if action == "CertificateSigned":
        payload.pop("requestId", None)
    return action, payload


def _evse(place: int | None, plug: int | None) -> dict[str, Any]:
    if place is None:
        return {}
    return {"evse": {"id": place} if plug is None else {"id": place, "connectorId": plug}}


def shown_answer(_action: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Secrets under known names are masked."""
    shown: dict[str, Any] = redact(payload)
    return shown


_WORDS = {
    word.casefold(): word
    for word in ("Accepted", "Rejected", "Unlocked", "UnlockFailed", "NotSupported", "NotImplemented", "Scheduled",
                 "RebootRequired", "OngoingAuthorizedTransaction", "UnknownConnector", "Failed", "VersionMismatch")
}  # fmt: skip
_ACCEPTING = frozenset({"Accepted", "Unlocked", "Scheduled", "RebootRequired"})


def _only_result(payload: Any) -> Any:
    """Of a SetVariables of one variable, its result with `status` under the name other answers have."""
    results = payload.get("setVariableResult") if isinstance(payload, dict) else None
    first = results[0] if isinstance(results, list) and results else None
    return {"status": first.get("attributeStatus")} if isinstance(first, dict) else payload


def order_answer(order: Order, payload: Any) -> OrderAnswer:
    """What a CALLRESULT means for the order. An answer without a status is a failed call (OCPP.md §8.1 R8)."""
    if isinstance(order, SetKey):
        payload = _only_result(payload)
    special = list_calls.answer_2x(order, payload) or file_calls.answer_2x(order, payload)
    special = special or certificate_calls.answer_2x(order, payload)
    if special is not None:
        return special
    said = text_of(payload, "status", [], 50) if isinstance(payload, dict) else None
    if said is None:
        return OrderAnswer(ErrorCode.FORMATION_VIOLATION.value, accepted=False, payload=kept(payload))
    word = _WORDS.get(said.casefold(), said)
    return OrderAnswer(word, word in _ACCEPTING, kept(payload))
