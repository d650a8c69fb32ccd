"""How a virtual OCPP 1.6 charge point answers the central system's CALLs, and what it does once the answer is out.

Pure decisions over the station; nothing is sent here. Files are in `charge_point_files.py`, certificates in
`charge_point_keys.py`. Source: OCPP 1.6 §5 and the security whitepaper's extended trigger. Start at `answer_to`.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from tests.doubles.charge_point_configuration_16 import Configuration
from tests.doubles.charge_point_connector import Reservation
from tests.doubles.charge_point_files import files_answer_16
from tests.doubles.charge_point_frames import Payload
from tests.doubles.charge_point_keys import keys_answer_16
from tests.doubles.charge_point_profiles import MAX_STACK_LEVEL, moment
from tests.doubles.charge_point_tongue import Reply

if TYPE_CHECKING:
    from tests.doubles.charge_point import VirtualChargePoint


def answer_to(station: "VirtualChargePoint", configuration: Configuration, action: str, payload: Payload) -> Reply:
    """Never raises for what the schema allows; a CALLERROR for an action it does not offer."""
    if action in {"GetConfiguration", "ChangeConfiguration"}:
        return _configuration(station, configuration, action, payload)
    handler = _HANDLERS.get(action)
    if handler is not None:
        return handler(station, payload)
    for answer in (files_answer_16, keys_answer_16):
        if (reply := answer(station, action, payload)) is not None:
            return reply
    return Reply({}, code="NotImplemented")


def _status(status: str, then: Callable[[], object] | None = None) -> Reply:
    return Reply({"status": status}, then)


def _configuration(station: "VirtualChargePoint", configuration: Configuration, action: str, payload: Payload) -> Reply:
    if action == "GetConfiguration":
        keys = payload.get("key", [])
        return Reply(configuration.read(keys, profile=station.flash.current.profile))
    key, value = payload["key"], payload["value"]
    match key:
        case "AuthorizationKey":
            return _authorization_key(station, value)
        case "SecurityProfile":
            return _security_profile(station, value)
    return _status(configuration.change(key, value))


def _authorization_key(station: "VirtualChargePoint", value: str) -> Reply:
    """40 hex digits stand for 20 raw bytes, which are the password (OCPP-J 1.6 §6.2.2). Used at the next connection."""
    if station.faults.key_as_text:
        station.flash.password = value.encode()
        return _status("Accepted")
    try:
        raw = bytes.fromhex(value)
    except ValueError:
        return _status("Rejected")
    if not 16 <= len(raw) <= 20:
        return _status("Rejected")
    station.flash.password = raw
    station.security_event("ReconfigurationOfSecurityParameters")
    return _status("Accepted")


def _security_profile(station: "VirtualChargePoint", value: str) -> Reply:
    """It only rises, and only when what the new one needs is there (whitepaper A05)."""
    flash, current = station.flash, station.flash.current.profile
    if not value.isdigit() or not current < int(value) <= 3:
        return _status("Accepted" if value == str(current) else "Rejected")
    wanted = int(value)
    if wanted in {1, 2} and flash.password is None:
        return _status("Rejected")
    if wanted >= 2 and not flash.roots_for_tls():
        return _status("Rejected")
    if wanted == 3 and not (flash.certificate and flash.key):
        return _status("Rejected")

    def change() -> None:
        flash.raise_profile(wanted, station.tls_url)
        station.dial_again()

    return _status("Accepted", change)


def _remote_start(station: "VirtualChargePoint", payload: Payload) -> Reply:
    id_tag, profile = payload["idTag"], payload.get("chargingProfile")
    connector = station.can_start_remotely(payload.get("connectorId"), id_tag)
    if connector is None or station.faults.rejects_remote_start or not station.accepted:
        return _status("Rejected")
    if profile is not None and profile["chargingProfilePurpose"] != "TxProfile":
        return _status("Rejected")

    def start() -> None:
        if profile is not None:
            station.profiles.set(connector, profile, station.now())
        if station.settings.authorises_remote_starts:
            station.present_tag_later(connector, id_tag)
        else:
            station.authorise(connector, id_tag)

    return _status("Accepted", start)


def _remote_stop(station: "VirtualChargePoint", payload: Payload) -> Reply:
    place = station.running(payload["transactionId"])
    if place is None:
        return _status("Rejected")
    return _status("Accepted", partial(station.stop_transaction, place.number, "Remote"))


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
    for answer in (files_answer_16, keys_answer_16):
        if (reply := answer(station, f"Trigger {wanted}", payload)) is not None:
            return reply
    return _status("NotImplemented")


def _tell_statuses(station: "VirtualChargePoint", numbers: list[int]) -> None:
    for number in numbers:
        station.send_soon("StatusNotification", station.tongue.status_notification((number, 0)))


def _tell_meters(station: "VirtualChargePoint", numbers: list[int]) -> None:
    for number in filter(None, numbers):
        station.take_meter_values(number, context="Trigger")


def _availability(station: "VirtualChargePoint", payload: Payload) -> Reply:
    number = payload["connectorId"]
    if not 0 <= number <= len(station.connectors):
        return _status("Rejected")
    status = station.set_operative(number, operative=payload["type"] == "Operative")
    return _status(status, partial(station.advance, 0.0))


def _clear_cache(station: "VirtualChargePoint", payload: Payload) -> Reply:
    station.local_list.cache.clear()
    return _status("Accepted")


def _data_transfer(station: "VirtualChargePoint", payload: Payload) -> Reply:
    if payload["vendorId"] != station.vendor:
        return _status("UnknownVendorId")
    if payload.get("messageId") != "Echo":
        return _status("UnknownMessageId")
    return Reply({"status": "Accepted", **({"data": payload["data"]} if "data" in payload else {})})


# local list, reservations, smart charging


def _local_list_version(station: "VirtualChargePoint", payload: Payload) -> Reply:
    return Reply({"listVersion": station.local_list.version})


def _send_local_list(station: "VirtualChargePoint", payload: Payload) -> Reply:
    changes: dict[str, str | None] = {}
    for entry in payload.get("localAuthorizationList", []):
        info = entry.get("idTagInfo")
        changes[entry["idTag"]] = None if info is None else info["status"]
    full = payload["updateType"] == "Full"
    if full and any(each is None for each in changes.values()):
        return _status("Failed")
    return _status(station.local_list.update(payload["listVersion"], changes, full=full))


def _reserve(station: "VirtualChargePoint", payload: Payload) -> Reply:
    number = payload["connectorId"]
    if not 0 <= number <= len(station.connectors):
        return _status("Rejected")
    until, group = moment(payload["expiryDate"]), payload.get("parentIdTag", "")
    return _status(station.reserve(Reservation(payload["reservationId"], number, payload["idTag"], until, group)))


def _cancel_reservation(station: "VirtualChargePoint", payload: Payload) -> Reply:
    return _status("Accepted" if station.cancel_reservation(payload["reservationId"]) else "Rejected")


def _set_profile(station: "VirtualChargePoint", payload: Payload) -> Reply:
    number, profile = payload["connectorId"], payload["csChargingProfiles"]
    if not 0 <= number <= len(station.connectors) or not 0 <= profile["stackLevel"] <= MAX_STACK_LEVEL:
        return _status("Rejected")
    match profile["chargingProfilePurpose"]:
        case "ChargePointMaxProfile" if number != 0:
            return _status("Rejected")
        case "TxProfile":
            # OCPP 1.6 §3.13.1: only for a running transaction, and on its own connector.
            if number == 0 or station.connector(number).transaction is None:
                return _status("Rejected")
            wanted = profile.get("transactionId")
            if wanted is not None and station.running(wanted) is not station.connector(number):
                return _status("Rejected")
    station.profiles.set(number, profile, station.now())
    return _status("Accepted", partial(station.advance, 0.0))


def _clear_profile(station: "VirtualChargePoint", payload: Payload) -> Reply:
    gone = station.profiles.clear(
        number=payload.get("id"),
        place=payload.get("connectorId"),
        purpose=payload.get("chargingProfilePurpose"),
        stack_level=payload.get("stackLevel"),
    )
    return _status("Accepted" if gone else "Unknown", partial(station.advance, 0.0))


def _composite(station: "VirtualChargePoint", payload: Payload) -> Reply:
    number, duration = payload["connectorId"], payload["duration"]
    if not 0 <= number <= len(station.connectors):
        return _status("Rejected")
    place = station.connector(number) if number else None
    unit, now = payload.get("chargingRateUnit", "A"), station.now()
    max_a = station.max_current_a(number)
    schedule = {
        "duration": duration,
        "startSchedule": station.stamp(now),
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": station.profiles.composite(place, now, duration, unit, max_a),
    }
    answer = {"status": "Accepted", "connectorId": number, "scheduleStart": station.stamp(now)}
    return Reply({**answer, "chargingSchedule": schedule})


_HANDLERS: dict[str, Callable[["VirtualChargePoint", Payload], Reply]] = {
    "CancelReservation": _cancel_reservation,
    "ChangeAvailability": _availability,
    "ClearCache": _clear_cache,
    "ClearChargingProfile": _clear_profile,
    "DataTransfer": _data_transfer,
    "ExtendedTriggerMessage": _trigger,
    "GetCompositeSchedule": _composite,
    "GetLocalListVersion": _local_list_version,
    "RemoteStartTransaction": _remote_start,
    "RemoteStopTransaction": _remote_stop,
    "ReserveNow": _reserve,
    "Reset": _reset,
    "SendLocalList": _send_local_list,
    "SetChargingProfile": _set_profile,
    "TriggerMessage": _trigger,
    "UnlockConnector": _unlock,
}
