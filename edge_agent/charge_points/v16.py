"""OCPP 1.6 messages as the core's reports and back: a station's payload in, a report out; an order in, a call out.

Pure: no I/O, no clock, no log. Lenient towards stations: what can be put right is, and named in `found` (see
`readings`); only what leaves nothing to record raises Unusable. Strict in what we send: answers and calls are built
from types we own, and tests hold them against the schemas. Sources: OCPP 1.6 edition 2, §4 to §7, with errata;
OCPP.md §8.2 and §4.2 to §4.4. Start at `boot_report` for what comes in, `call_for` for what goes out.
"""

from datetime import datetime
from itertools import pairwise
from typing import Any

from edge_agent.charge_points import certificate_calls, file_calls, list_calls
from edge_agent.charge_points.dialect import Unusable, registration_word, time_text
from edge_agent.charge_points.readings import (
    Found,
    integer_of,
    kept,
    meter_groups,
    number_of,
    text_of,
    time_of,
)
from edge_agent.charge_points.rpc import ErrorCode
from edge_agent.site.reports import (
    BootAnswer,
    BootReport,
    ConnectorReport,
    MeterReport,
    StartAnswer,
    StartReport,
    StopReport,
    Verdict,
)
from sitelink.commands import (
    Order,
    OrderAnswer,
    ReadConfiguration,
    RemoteStart,
    RemoteStop,
    Reset,
    SetAvailability,
    SetKey,
    Trigger,
    UnlockConnector,
)
from sitelink.errors import CallInvalid
from sitelink.redact import redact
from sitelink.states import ConnectorStatus, Registration

CONNECTOR_MAX = 100
ID_TAG_KEPT = 64
"""Longer than the 20 allowed: some stations pad, some really send more. Matching is the core's business."""
CONFIGURATION_KEYS_MAX = 200
SECRET_KEYS = frozenset({"authorizationkey"})
ONE_CONNECTOR = frozenset({"RemoteStartTransaction", "TriggerMessage", "ExtendedTriggerMessage", "UnlockConnector"})
"""Calls whose connectorId, where it is given, is above 0: they never mean the whole station (OCPP 1.6 §6)."""

NAMES: dict[str, frozenset[str]] = {
    "Authorize": frozenset({"idTag"}),
    "BootNotification": frozenset({
        "chargePointVendor", "chargePointModel", "chargePointSerialNumber", "chargeBoxSerialNumber", "firmwareVersion",
        "iccid", "imsi", "meterType", "meterSerialNumber",
    }),
    "Heartbeat": frozenset(),
    "MeterValues": frozenset({"connectorId", "transactionId", "meterValue", "values"}),
    "StartTransaction": frozenset({"connectorId", "idTag", "meterStart", "reservationId", "timestamp"}),
    "StatusNotification": frozenset({
        "connectorId", "errorCode", "info", "status", "timestamp", "vendorId", "vendorErrorCode",
    }),
    "StopTransaction": frozenset({"idTag", "meterStop", "timestamp", "transactionId", "reason", "transactionData"}),
}  # fmt: skip
"""The properties each message may have; others are passed over and counted."""

ERROR_CODES = frozenset(
    {
        "ConnectorLockFailure", "EVCommunicationError", "GroundFailure", "HighTemperature", "InternalError",
        "LocalListConflict", "NoError", "OtherError", "OverCurrentFailure", "PowerMeterFailure", "PowerSwitchFailure",
        "ReaderFailure", "ResetFailure", "UnderVoltage", "OverVoltage", "WeakSignal",
    }
)  # fmt: skip
"""OCPP 1.6 §7.6."""

STOP_REASONS = frozenset(
    {
        "DeAuthorized", "EmergencyStop", "EVDisconnected", "HardReset", "Local", "Other", "PowerLoss", "Reboot",
        "Remote", "SoftReset", "UnlockCommand",
    }
)  # fmt: skip
"""OCPP 1.6 §7.36."""

_STATUSES = {status.value.casefold(): status for status in ConnectorStatus if status is not ConnectorStatus.UNKNOWN}
_ERROR_CODES = {code.casefold(): code for code in ERROR_CODES}
_STOP_REASONS = {reason.casefold(): reason for reason in STOP_REASONS}


# ---- what stations tell ----


def boot_report(payload: dict[str, Any], found: Found) -> BootReport:
    serial = text_of(payload, "chargePointSerialNumber", found) or text_of(payload, "chargeBoxSerialNumber", found)
    vendor, model = text_of(payload, "chargePointVendor", found), text_of(payload, "chargePointModel", found)
    if vendor is None or model is None:
        found.append("boot:no_vendor_or_model")
    return BootReport(vendor or "", model or "", serial, text_of(payload, "firmwareVersion", found), kept(payload))


def connector_report(payload: dict[str, Any], found: Found) -> ConnectorReport:
    """Raises Unusable without a status, or at a connector no station has."""
    word = text_of(payload, "status", found, 50)
    if word is None:
        code = (
            ErrorCode.TYPE_CONSTRAINT_VIOLATION if payload.get("status") else ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION
        )
        raise Unusable(code, "status")
    connector = integer_of(payload, "connectorId", found)
    if connector is None:
        found.append("connectorId:missing")
        connector = 0
    if not 0 <= connector <= CONNECTOR_MAX:
        raise Unusable(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "connectorId")
    status = _STATUSES.get(word.casefold(), ConnectorStatus.UNKNOWN)
    if status.value != word:
        found.append("status:unknown" if status is ConnectorStatus.UNKNOWN else "status:odd_case")
    error, vendor_error = _error_of(payload, found)
    at, station_time = time_of(payload, found)
    return ConnectorReport(
        connector, status, error, text_of(payload, "info", found), text_of(payload, "vendorId", found), vendor_error,
        at, station_time, word if status is ConnectorStatus.UNKNOWN else None,
    )  # fmt: skip


def _error_of(payload: dict[str, Any], found: Found) -> tuple[str, str | None]:
    """errorCode and vendorErrorCode; an error code that is none of OCPP's is kept as the vendor's."""
    said, vendor = text_of(payload, "errorCode", found, 50), text_of(payload, "vendorErrorCode", found)
    if said is None:
        return "NoError", vendor
    known = _ERROR_CODES.get(said.casefold())
    if known is None:
        found.append("errorCode:unknown")
        return "OtherError", vendor or said
    return known, vendor


def id_token_of(payload: dict[str, Any], found: Found) -> str:
    """Raises Unusable when there is none."""
    id_token = text_of(payload, "idTag", found, ID_TAG_KEPT)
    if id_token is None:
        raise _missing(payload, "idTag")
    return id_token


def _missing(payload: dict[str, Any], key: str) -> Unusable:
    """Not there or empty, or of a type nothing can be made of."""
    there = payload.get(key) not in (None, "")
    return Unusable(ErrorCode.TYPE_CONSTRAINT_VIOLATION if there else ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION, key)


def start_report(payload: dict[str, Any], found: Found) -> StartReport:
    """Never refuses: a start is recorded whatever is odd about it (OCPP 1.6 §4.8)."""
    at, station_time = time_of(payload, found)
    return StartReport(
        _connector_of(payload, found), text_of(payload, "idTag", found, ID_TAG_KEPT) or "",
        number_of(payload, "meterStart", found), at, station_time, kept(payload),
    )  # fmt: skip


def stop_report(payload: dict[str, Any], found: Found) -> StopReport:
    """Never refuses (OCPP 1.6 §4.10). A missing reason means Local."""
    at, station_time = time_of(payload, found)
    said = text_of(payload, "reason", found, 50)
    reason = "Local" if said is None else _STOP_REASONS.get(said.casefold(), "")
    if not reason:
        found.append("reason:unknown")
    groups = meter_groups(payload.get("transactionData"), found, "transactionData")
    rest = {key: value for key, value in payload.items() if key != "transactionData"}
    return StopReport(
        integer_of(payload, "transactionId", found), number_of(payload, "meterStop", found), reason or "Other",
        text_of(payload, "idTag", found, ID_TAG_KEPT), at, station_time, groups, kept(rest),
    )  # fmt: skip


def meter_report(payload: dict[str, Any], found: Found) -> MeterReport:
    value = payload.get("meterValue")
    if value is None and "values" in payload:
        value = payload["values"]
        found.append("meterValue:named_as_in_1.5")
    groups = meter_groups(value, found)
    return MeterReport(_connector_of(payload, found), groups, integer_of(payload, "transactionId", found))


def _connector_of(payload: dict[str, Any], found: Found) -> int:
    """Of a message that must not be refused: 1 where none is given, 0 (the station) where the number is impossible."""
    connector = integer_of(payload, "connectorId", found)
    if connector is None:
        found.append("connectorId:missing")
        return 1
    if not 0 <= connector <= CONNECTOR_MAX:
        found.append("connectorId:out_of_range")
        return 0
    return connector


def configuration_of(payload: Any, found: Found) -> dict[str, str | None]:
    """The keys of a GetConfiguration.conf. Secrets are left out."""
    values: dict[str, str | None] = {}
    listed = payload.get("configurationKey") if isinstance(payload, dict) else None
    if isinstance(listed, dict):
        found.append("configurationKey:not_a_list")
        listed = [listed]
    for each in listed[:CONFIGURATION_KEYS_MAX] if isinstance(listed, list) else ():
        key = text_of(each, "key", found) if isinstance(each, dict) else None
        if key is not None and key.casefold() not in SECRET_KEYS:
            values[key] = text_of(each, "value", found)
    return values


def shown_answer(action: str, payload: dict[str, Any]) -> dict[str, Any]:
    """A CALLRESULT as a person may see it: an AuthorizationKey is never read back (OCPP.md §8.2)."""
    if action != "GetConfiguration":
        return payload
    shown: dict[str, Any] = redact(payload)
    return shown


# ---- what they are answered ----


def boot_answer(answer: BootAnswer, now: datetime) -> dict[str, Any]:
    return {"currentTime": time_text(now), "interval": answer.interval_s, "status": registration_word(answer.verdict)}


def heartbeat_answer(now: datetime) -> dict[str, Any]:
    return {"currentTime": time_text(now)}


def authorize_answer(verdict: Verdict) -> dict[str, Any]:
    return {"idTagInfo": list_calls.id_tag_info(verdict.status, verdict.group, verdict.expires)}


def start_answer(answer: StartAnswer) -> dict[str, Any]:
    return {"transactionId": answer.transaction, **authorize_answer(answer.verdict)}


def stop_answer(verdict: Verdict | None) -> dict[str, Any]:
    return authorize_answer(verdict) if verdict is not None else {}


# ---- what we ask ----


def call_for(order: Order) -> tuple[str, dict[str, Any]]:
    """The action and payload of an order."""
    match order:
        case RemoteStart(connector=connector, id_token=id_token):
            return "RemoteStartTransaction", {"connectorId": connector, "idTag": id_token}
        case RemoteStop(transaction=transaction):
            return "RemoteStopTransaction", {"transactionId": int(transaction)}
        case UnlockConnector(connector=connector):
            return "UnlockConnector", {"connectorId": connector}
        case Reset(hard=hard, connector=None):
            return "Reset", {"type": "Hard" if hard else "Soft"}
        case SetAvailability(operative=operative, connector=connector, plug=None | 1):
            return "ChangeAvailability", {
                "connectorId": connector or 0, "type": "Operative" if operative else "Inoperative",
            }  # fmt: skip
        case Trigger(message=message, connector=None):
            return "TriggerMessage", {"requestedMessage": message}
        case Trigger(message=message, connector=connector):
            return "TriggerMessage", {"requestedMessage": message, "connectorId": connector}
        case ReadConfiguration(keys=keys):
            return "GetConfiguration", {"key": list(keys)}
        case SetKey(key=key):
            return "ChangeConfiguration", {"key": "AuthorizationKey", "value": key}
    call = list_calls.call_16(order) or file_calls.call_16(order) or certificate_calls.call_16(order)
    if call is not None:
        return call
    raise CallInvalid(action=type(order).__name__, where="action", problem="no_such_call_in_this_version")


def not_now(action: str, payload: dict[str, Any], registration: Registration) -> str | None:
    """Where a call that fits its schema breaks a rule of OCPP 1.6 all the same; None when it breaks none."""
    connector = payload.get("connectorId")
    if connector is not None and connector < (1 if action in ONE_CONNECTOR else 0):
        return "connectorId"
    if action in ("TriggerMessage", "ExtendedTriggerMessage"):
        boot_again = payload.get("requestedMessage") == "BootNotification" and registration is Registration.ACCEPTED
        return "requestedMessage" if boot_again else None  # errata 3.40
    profile = payload.get("chargingProfile") if action == "RemoteStartTransaction" else None
    if isinstance(profile, dict) and (
        profile.get("chargingProfilePurpose") != "TxProfile" or "transactionId" in profile
    ):
        return "chargingProfile"  # §5.16.2
    return _profile_wrong(payload["csChargingProfiles"], connector) if action == "SetChargingProfile" else None


def _profile_wrong(profile: dict[str, Any], connector: int | None) -> str | None:
    """Where a charging profile breaks a rule of §3.13, §5.16 or §7.8."""
    purpose = profile.get("chargingProfilePurpose")
    if purpose == "ChargePointMaxProfile" and connector != 0:
        return "connectorId"
    if purpose == "TxProfile" and connector == 0:
        return "connectorId"
    if purpose != "TxProfile" and "transactionId" in profile:
        return "csChargingProfiles/transactionId"
    if profile.get("chargingProfileKind") == "Recurring" and "recurrencyKind" not in profile:
        return "csChargingProfiles/recurrencyKind"
    periods = (profile.get("chargingSchedule") or {}).get("chargingSchedulePeriod") or ()
    starts = [period.get("startPeriod") for period in periods]
    if not starts or starts[0] != 0 or any(later <= before for before, later in pairwise(starts)):
        return "csChargingProfiles/chargingSchedule/chargingSchedulePeriod"
    return None


_WORDS = {
    word.casefold(): word
    for word in ("Accepted", "Rejected", "Unlocked", "UnlockFailed", "NotSupported", "NotImplemented", "Scheduled",
                 "RebootRequired", "Failed", "VersionMismatch")
}  # fmt: skip
_ACCEPTING = frozenset({"Accepted", "Unlocked", "Scheduled", "RebootRequired"})


def order_answer(order: Order, payload: Any) -> OrderAnswer:
    """What a CALLRESULT means for the order. An answer without a status is a failed call (OCPP.md §8.1 R8)."""
    if isinstance(order, ReadConfiguration):
        readable = isinstance(payload, dict)
        return OrderAnswer("Accepted" if readable else ErrorCode.FORMATION_VIOLATION.value, readable, payload)
    special = list_calls.answer_16(order, payload) or file_calls.answer_16(order, payload)
    special = special or certificate_calls.answer_16(order, payload)
    if special is not None:
        return special
    said = text_of(payload, "status", [], 50) if isinstance(payload, dict) else None
    if said is None:
        return OrderAnswer(ErrorCode.FORMATION_VIOLATION.value, accepted=False, payload=kept(payload))
    word = _WORDS.get(said.casefold(), said)
    return OrderAnswer(word, word in _ACCEPTING, kept(payload))
