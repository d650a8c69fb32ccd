"""Orders about files as calls of 1.6 and of 2.x, what the answers mean, and what stations tell of a file. Pure.

Sources: OCPP 1.6 §4.4, §4.5, §5.8, §5.19; the security whitepaper (GetLog, SignedUpdateFirmware); OCPP 2.0.1 L01, N01.
Start at `call_16` and `call_2x`; None where an order is about something else.
"""

from typing import Any

from edge_agent.charge_points.dialect import time_text
from edge_agent.charge_points.readings import Found, integer_of, kept, text_of
from edge_agent.site.reports import TransferReport
from sitelink.commands import FetchLog, Order, OrderAnswer, ReadTransferMethods, UpdateFirmware
from sitelink.states import TransferKind

FILE_NAME_KEPT = 255
KEY_16 = "SupportedFileTransferProtocols"
CONTROLLER_2X, VARIABLE_2X = "OCPPCommCtrlr", "FileTransferProtocols"
LOGS = (TransferKind.SECURITY_LOG, TransferKind.DIAGNOSTICS)
FIRMWARE = (TransferKind.FIRMWARE,)
KINDS = {
    "DiagnosticsStatusNotification": (TransferKind.DIAGNOSTICS,),
    "LogStatusNotification": LOGS,
    "FirmwareStatusNotification": FIRMWARE,
    "SignedFirmwareStatusNotification": FIRMWARE,
}
"""What the notifications about files can be about."""
_LOG_TYPES = {TransferKind.DIAGNOSTICS: "DiagnosticsLog", TransferKind.SECURITY_LOG: "SecurityLog"}
_WORDS = {
    word.casefold(): word
    for word in ("Accepted", "Rejected", "AcceptedCanceled", "InvalidCertificate", "RevokedCertificate",
                 "NotSupported", "NotImplemented")
}  # fmt: skip
_ACCEPTING = frozenset({"Accepted", "AcceptedCanceled"})

Call = tuple[str, dict[str, Any]]


def call_16(order: Order) -> Call | None:
    match order:
        case ReadTransferMethods():
            return "GetConfiguration", {"key": [KEY_16]}
        case FetchLog(kind=TransferKind.DIAGNOSTICS):
            payload = {"location": order.location, **_retries(order)}
            if order.oldest is not None:
                payload["startTime"] = time_text(order.oldest)
            if order.latest is not None:
                payload["stopTime"] = time_text(order.latest)
            return "GetDiagnostics", payload
        case FetchLog():
            return "GetLog", _get_log(order)
        case UpdateFirmware(signature=None):
            payload = {"location": order.location, "retrieveDate": time_text(order.fetch_at), **_retries(order)}
            return "UpdateFirmware", payload
        case UpdateFirmware():
            return "SignedUpdateFirmware", _update(order)
    return None


def call_2x(order: Order) -> Call | None:
    match order:
        case ReadTransferMethods():
            asked = {"component": {"name": CONTROLLER_2X}, "variable": {"name": VARIABLE_2X}}
            return "GetVariables", {"getVariableData": [asked]}
        case FetchLog():
            return "GetLog", _get_log(order)
        case UpdateFirmware():
            return "UpdateFirmware", _update(order)
    return None


def _retries(order: FetchLog | UpdateFirmware) -> dict[str, Any]:
    return {"retries": order.retries, "retryInterval": order.retry_interval_s}


def _get_log(order: FetchLog) -> dict[str, Any]:
    wanted: dict[str, Any] = {"remoteLocation": order.location}
    if order.oldest is not None:
        wanted["oldestTimestamp"] = time_text(order.oldest)
    if order.latest is not None:
        wanted["latestTimestamp"] = time_text(order.latest)
    return {"logType": _LOG_TYPES[order.kind], "requestId": order.request, "log": wanted, **_retries(order)}


def _update(order: UpdateFirmware) -> dict[str, Any]:
    firmware: dict[str, Any] = {"location": order.location, "retrieveDateTime": time_text(order.fetch_at)}
    if order.install_at is not None:
        firmware["installDateTime"] = time_text(order.install_at)
    if order.signature is not None:
        firmware |= {"signature": order.signature, "signingCertificate": order.certificate or ""}
    return {"requestId": order.request, "firmware": firmware, **_retries(order)}


def answer_16(order: Order, payload: Any) -> OrderAnswer | None:
    """None: it is read as any other answer. Two of 1.6's have no status: they are the agreement themselves."""
    if isinstance(order, ReadTransferMethods):
        return _methods(KEY_16, payload, "configurationKey", "value")
    by_status = isinstance(order, FetchLog) and order.kind is TransferKind.SECURITY_LOG
    by_status = by_status or (isinstance(order, UpdateFirmware) and order.signature is not None)
    if by_status or not isinstance(order, FetchLog | UpdateFirmware):
        return _answer(order, payload)
    if not isinstance(payload, dict):
        return OrderAnswer("FormationViolation", accepted=False, payload=kept(payload))
    file = text_of(payload, "fileName", [], FILE_NAME_KEPT)
    return OrderAnswer("Accepted", accepted=True, payload=kept(payload), file=file)


def answer_2x(order: Order, payload: Any) -> OrderAnswer | None:
    """None: it is read as any other answer."""
    if isinstance(order, ReadTransferMethods):
        return _methods(f"{CONTROLLER_2X}.{VARIABLE_2X}", payload, "getVariableResult", "attributeValue")
    return _answer(order, payload)


def _methods(name: str, payload: Any, listed: str, value: str) -> OrderAnswer:
    """One thing was asked, so the first that has a value is meant."""
    found = payload.get(listed) if isinstance(payload, dict) else None
    each = next((each for each in found if isinstance(each, dict)), {}) if isinstance(found, list) else {}
    return OrderAnswer("Accepted", accepted=True, payload={name: text_of(each, value, [], FILE_NAME_KEPT)})


def _answer(order: Order, payload: Any) -> OrderAnswer | None:
    if not isinstance(order, FetchLog | UpdateFirmware):
        return None
    said = text_of(payload, "status", [], 50) if isinstance(payload, dict) else None
    if said is None:
        return OrderAnswer("FormationViolation", accepted=False, payload=kept(payload))
    word = _WORDS.get(said.casefold(), said)
    return OrderAnswer(word, word in _ACCEPTING, kept(payload), text_of(payload, "filename", [], FILE_NAME_KEPT))


def report(action: str, payload: dict[str, Any], found: Found) -> TransferReport:
    """Never refuses; without a status it tells nothing of a file, and is kept all the same."""
    word = text_of(payload, "status", found, 50)
    if word is None:
        found.append("status:missing")
    request = integer_of(payload, "requestId", found) if "requestId" in payload else None
    return TransferReport(action, KINDS[action], word or "", request, kept(payload))
