"""How a virtual charge point answers the central system's CALLs, and what it does once the answer is out.

Pure decisions over the station; nothing is sent here. Source: OCPP 1.6 §5. Start at `answer_to`.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from tests.doubles.charge_point_frames import Payload
from tests.doubles.charge_point_link import Reply

if TYPE_CHECKING:
    from tests.doubles.charge_point import VirtualChargePoint

KNOWN_NOT_OFFERED = frozenset(
    {
        "CancelReservation",
        "ClearChargingProfile",
        "GetCompositeSchedule",
        "GetDiagnostics",
        "ReserveNow",
        "SendLocalList",
        "SetChargingProfile",
        "UpdateFirmware",
    }
)
STATUS_MESSAGES = {
    "DiagnosticsStatusNotification": "Idle",
    "FirmwareStatusNotification": "Idle",
}


def answer_to(station: "VirtualChargePoint", action: str, payload: Payload) -> Reply:
    """Never raises for what the schema allows; a CALLERROR for an action it does not offer."""
    handler = _HANDLERS.get(action)
    if handler is not None:
        return handler(station, payload)
    return Reply({}, code="NotSupported" if action in KNOWN_NOT_OFFERED else "NotImplemented")


def _status(status: str, then: Callable[[], None] | None = None) -> Reply:
    return Reply({"status": status}, then)


def _remote_start(station: "VirtualChargePoint", payload: Payload) -> Reply:
    connector = station.can_start_remotely(payload.get("connectorId"))
    if connector is None or station.faults.rejects_remote_start or not station.accepted:
        return _status("Rejected")
    id_tag = payload["idTag"]
    if station.configuration.switch("AuthorizeRemoteTxRequests"):
        return _status("Accepted", partial(station.present_tag_later, connector, id_tag))
    return _status("Accepted", partial(station.authorise, connector, id_tag))


def _remote_stop(station: "VirtualChargePoint", payload: Payload) -> Reply:
    for place in station.connectors:
        running = place.transaction
        if running is not None and running.transaction_id == payload["transactionId"]:
            return _status("Accepted", partial(station.stop_transaction, place.number, "Remote"))
    return _status("Rejected")


def _unlock(station: "VirtualChargePoint", payload: Payload) -> Reply:
    number = payload["connectorId"]
    if station.faults.unlock_not_supported or not 1 <= number <= len(station.connectors):
        return _status("NotSupported")
    if station.faults.unlock_fails:
        return _status("UnlockFailed")
    return _status("Unlocked", partial(_unlocked, station, number))


def _unlocked(station: "VirtualChargePoint", number: int) -> None:
    """The cable comes free; a running transaction ends first (OCPP 1.6 §5.18)."""
    station.stop_transaction(number, "UnlockCommand")
    station.unplug(number)


def _reset(station: "VirtualChargePoint", payload: Payload) -> Reply:
    return _status("Accepted", partial(station.reboot, hard=payload["type"] == "Hard"))


def _trigger(station: "VirtualChargePoint", payload: Payload) -> Reply:
    wanted, connector = payload["requestedMessage"], payload.get("connectorId")
    if connector is not None and not 0 <= connector <= len(station.connectors):
        return _status("Rejected")
    numbers = [connector] if connector is not None else list(range(len(station.connectors) + 1))
    match wanted:
        case "BootNotification":
            return _status("Accepted", station.boot_soon)
        case "Heartbeat":
            return _status("Accepted", partial(station.send_soon, "Heartbeat", {}))
        case "StatusNotification":
            return _status("Accepted", partial(_tell_statuses, station, numbers))
        case "MeterValues":
            return _status("Accepted", partial(_tell_meters, station, numbers))
        case _ if wanted in STATUS_MESSAGES:
            return _status("Accepted", partial(station.send_soon, wanted, {"status": STATUS_MESSAGES[wanted]}))
    return _status("NotImplemented")


def _tell_statuses(station: "VirtualChargePoint", numbers: list[int]) -> None:
    for number in numbers:
        station.send_soon("StatusNotification", station.status_notification(number))


def _tell_meters(station: "VirtualChargePoint", numbers: list[int]) -> None:
    for number in filter(None, numbers):
        station.queue_meter_values(number, context="Trigger")


def _availability(station: "VirtualChargePoint", payload: Payload) -> Reply:
    number = payload["connectorId"]
    if not 0 <= number <= len(station.connectors):
        return _status("Rejected")
    status = station.set_operative(number, operative=payload["type"] == "Operative")
    return _status(status, partial(station.advance, 0.0))


def _get_configuration(station: "VirtualChargePoint", payload: Payload) -> Reply:
    return Reply(station.configuration.read(payload.get("key", [])))


def _change_configuration(station: "VirtualChargePoint", payload: Payload) -> Reply:
    return _status(station.configuration.change(payload["key"], payload["value"]))


def _clear_cache(station: "VirtualChargePoint", payload: Payload) -> Reply:
    return _status("Accepted")


def _data_transfer(station: "VirtualChargePoint", payload: Payload) -> Reply:
    return _status("UnknownVendorId")


def _local_list_version(station: "VirtualChargePoint", payload: Payload) -> Reply:
    return Reply({"listVersion": -1})


_HANDLERS: dict[str, Callable[["VirtualChargePoint", Payload], Reply]] = {
    "ChangeAvailability": _availability,
    "ChangeConfiguration": _change_configuration,
    "ClearCache": _clear_cache,
    "DataTransfer": _data_transfer,
    "GetConfiguration": _get_configuration,
    "GetLocalListVersion": _local_list_version,
    "RemoteStartTransaction": _remote_start,
    "RemoteStopTransaction": _remote_stop,
    "Reset": _reset,
    "TriggerMessage": _trigger,
    "UnlockConnector": _unlock,
}
