"""How a virtual OCPP 2.0.1 or 2.1 charge point answers: variables, reports, remote control, availability, lists.

Pure decisions over the station; what takes longer is started once the answer is out. Monitoring, messages and customers
are in `charge_point_shelf_2x.py`, charging profiles in `charge_point_smart_2x.py`, files in `charge_point_files.py`,
certificates in `charge_point_keys.py`. Source: OCPP 2.0.1 part 2, B05 to B12, D, E14, F, G, H. Start at
`answer_to`.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from tests.doubles.charge_point_connector import Reservation
from tests.doubles.charge_point_files import files_answer_2x
from tests.doubles.charge_point_flash import Network
from tests.doubles.charge_point_frames import Payload
from tests.doubles.charge_point_keys import keys_answer_2x
from tests.doubles.charge_point_model_2x import ITEMS_PER_MESSAGE, parts
from tests.doubles.charge_point_profiles import moment
from tests.doubles.charge_point_shelf_2x import SHELF_HANDLERS, STREAM_HANDLERS
from tests.doubles.charge_point_smart_2x import SMART_HANDLERS
from tests.doubles.charge_point_tongue import Reply

if TYPE_CHECKING:
    from tests.doubles.charge_point_tongue_2x import Tongue2x

NOT_OFFERED = frozenset(
    {
        *("AFRRSignal", "ChangeTransactionTariff", "ClearDERControl", "ClearTariffs", "GetDERControl", "GetTariffs"),
        *("NotifyAllowedEnergyTransfer", "PublishFirmware", "RequestBatterySwap", "SetDERControl"),
        *("SetDefaultTariff", "UnpublishFirmware", "UpdateDynamicSchedule", "UsePriorityCharging"),
    }
)
"""Known messages this station has no use for."""


def answer_to(tongue: "Tongue2x", action: str, payload: Payload) -> Reply:
    """Never raises for what the schema allows; a CALLERROR for an action it does not offer."""
    handler = _HANDLERS.get(action) or (STREAM_HANDLERS.get(action) if tongue.version == "2.1" else None)
    if handler is not None:
        return handler(tongue, payload)
    for answer in (files_answer_2x, keys_answer_2x):
        if (reply := answer(tongue.station, action, payload)) is not None:
            return reply
    return Reply({}, code="NotSupported" if action in NOT_OFFERED else "NotImplemented")


def status(text: str, then: Callable[[], object] | None = None, *, why: str = "") -> Reply:
    payload: Payload = {"status": text}
    if why:
        payload["statusInfo"] = {"reasonCode": why}
    return Reply(payload, then)


# variables and reports


def _get_variables(tongue: "Tongue2x", payload: Payload) -> Reply:
    items = payload["getVariableData"]
    if len(items) > ITEMS_PER_MESSAGE:
        return Reply({}, code="OccurrenceConstraintViolation")
    return Reply({"getVariableResult": [tongue.model.get(item) for item in items]})


def _set_variables(tongue: "Tongue2x", payload: Payload) -> Reply:
    items = payload["setVariableData"]
    if len(items) > ITEMS_PER_MESSAGE:
        return Reply({}, code="OccurrenceConstraintViolation")
    results: list[Payload] = []
    for item in items:
        variable, result = tongue.model.may_set(item)
        if variable is not None and result in {"Accepted", "RebootRequired"}:
            if variable.name == "NetworkConfigurationPriority" and not _known_slots(tongue, item["attributeValue"]):
                result = "Rejected"
            else:
                variable.value = item["attributeValue"]
                _take_effect(tongue, variable.name)
        names = {"component": item["component"], "variable": item["variable"]}
        results.append({"attributeType": item.get("attributeType", "Actual"), "attributeStatus": result, **names})
    return Reply({"setVariableResult": results})


def _take_effect(tongue: "Tongue2x", name: str) -> None:
    flash = tongue.station.flash
    if name == "BasicAuthPassword":
        variable = tongue.model.at("SecurityCtrlr.BasicAuthPassword")
        flash.password, variable.value = variable.value.encode(), ""
    elif name == "NetworkConfigurationPriority":
        flash.next_priority = [int(slot) for slot in tongue.model.at(f"OCPPCommCtrlr.{name}").value.split(",")]


def _known_slots(tongue: "Tongue2x", text: str) -> bool:
    """Every slot holds a profile, and none is below the security that has worked (A05, B10)."""
    flash = tongue.station.flash
    slots = text.split(",")
    if not all(slot.isdigit() and int(slot) in flash.networks for slot in slots):
        return False
    return all(flash.networks[int(slot)].profile >= flash.proven_profile for slot in slots[:1])


def _base_report(tongue: "Tongue2x", payload: Payload) -> Reply:
    entries = tongue.model.inventory(payload["reportBase"])
    return status("Accepted", partial(_report, tongue, payload["requestId"], entries))


def _get_report(tongue: "Tongue2x", payload: Payload) -> Reply:
    wanted = payload.get("componentVariable", [])
    if len(wanted) > ITEMS_PER_MESSAGE:
        return Reply({}, code="OccurrenceConstraintViolation")
    entries = tongue.model.chosen(wanted, payload.get("componentCriteria", []))
    if not entries:
        return status("EmptyResultSet")
    return status("Accepted", partial(_report, tongue, payload["requestId"], entries))


def _report(tongue: "Tongue2x", request_id: int, entries: list[Payload]) -> None:
    tongue.station.work(_send_report(tongue, request_id, entries))


async def _send_report(tongue: "Tongue2x", request_id: int, entries: list[Payload]) -> None:
    """Also while the boot is pending: a report that was asked for may be sent then (B02)."""
    messages = parts(request_id, tongue.station.stamp(), entries, "reportData")
    if tongue.station.faults.report_without_end:
        messages = messages[:-1]
    for message in messages:
        await tongue.station.ask("NotifyReport", message)


# remote control


def _request_start(tongue: "Tongue2x", payload: Payload) -> Reply:
    station, token = tongue.station, payload["idToken"]
    number = station.can_start_remotely(payload.get("evseId"), token["idToken"])
    if number is None or station.faults.rejects_remote_start or not station.accepted:
        return status("Rejected", why="NoEvseFree")
    profile = payload.get("chargingProfile")
    if profile is not None and profile["chargingProfilePurpose"] != "TxProfile":
        return status("Rejected", why="InvalidProfile")
    waiting = station.connector(number).transaction
    answer: Payload = {"status": "Accepted"}
    if waiting is not None:
        answer["transactionId"] = waiting.transaction_id

    def start() -> None:
        if profile is not None:
            station.profiles.set(number, profile, station.now())
        remote_start_id = payload["remoteStartId"]
        if station.settings.authorises_remote_starts:
            station.present_tag_later(number, token["idToken"], token["type"], remote_start_id=remote_start_id)
        else:
            station.authorise(number, token["idToken"], kind=token["type"], remote_start_id=remote_start_id)

    return Reply(answer, start)


def _request_stop(tongue: "Tongue2x", payload: Payload) -> Reply:
    place = tongue.station.running(payload["transactionId"])
    if place is None:
        return status("Rejected", why="TxNotFound")
    return status("Accepted", partial(tongue.station.stop_transaction, place.number, "Remote"))


def _unlock(tongue: "Tongue2x", payload: Payload) -> Reply:
    """An authorised charge is neither ended nor unlocked (F05), unlike in 1.6."""
    station = tongue.station
    if not _exists(tongue, payload["evseId"], payload["connectorId"]):
        return status("UnknownConnector")
    place = station.connector(payload["evseId"])
    if place.transaction is not None and place.transaction.id_tag and place.plug == payload["connectorId"]:
        return status("OngoingAuthorizedTransaction")
    if station.faults.unlock_fails or station.faults.unlock_not_supported:
        return status("UnlockFailed")
    return status("Unlocked", partial(station.unplug, place.number))


def _reset(tongue: "Tongue2x", payload: Payload) -> Reply:
    station, number = tongue.station, payload.get("evseId")
    when_idle = payload["type"] == "OnIdle"
    if number is not None:
        return _reset_place(tongue, number, when_idle=when_idle)
    if payload["type"] == "ImmediateAndResume":
        return status("Accepted", partial(station.reboot, resumes=True))
    busy = station.busy
    reason = "ScheduledReset" if when_idle and busy else "RemoteReset"
    then = partial(station.reboot, hard=False, reason=reason, when_idle=when_idle)
    return status("Scheduled" if when_idle and busy else "Accepted", then)


def _reset_place(tongue: "Tongue2x", number: int, *, when_idle: bool) -> Reply:
    station = tongue.station
    if not 1 <= number <= len(station.connectors):
        return status("Rejected", why="UnknownEvse")
    place = station.connector(number)
    if when_idle and place.transaction is not None:
        return status("Scheduled", partial(setattr, place, "reset_when_idle", True))
    return status("Accepted", partial(station.take_down, number, station.reboot_s))


def _availability(tongue: "Tongue2x", payload: Payload) -> Reply:
    station, evse = tongue.station, payload.get("evse")
    operative = payload["operationalStatus"] == "Operative"
    if evse is None or evse["id"] == 0:
        result = station.set_operative(0, operative=operative)
    elif not _exists(tongue, evse["id"], evse.get("connectorId", 1)):
        return status("Rejected", why="UnknownEvse")
    elif "connectorId" in evse:
        result = station.set_plug_operative(evse["id"], evse["connectorId"], operative=operative)
    else:
        result = station.set_operative(evse["id"], operative=operative)
    return status(result, partial(station.advance, 0.0))


def _exists(tongue: "Tongue2x", evse: int, connector: int) -> bool:
    places = tongue.station.connectors
    return 1 <= evse <= len(places) and 1 <= connector <= places[evse - 1].plugs


def _trigger(tongue: "Tongue2x", payload: Payload) -> Reply:
    station, wanted, evse = tongue.station, payload["requestedMessage"], payload.get("evse") or {}
    number, connector = evse.get("id", 0), evse.get("connectorId")
    if number and not _exists(tongue, number, connector or 1):
        return status("Rejected", why="UnknownEvse")
    numbers = [number] if number else [place.number for place in station.connectors]
    match wanted:
        case "BootNotification":
            # B01: not again after it was accepted.
            return status("Rejected") if station.accepted else status("Accepted", station.boot_soon)
        case "Heartbeat":
            return status("Accepted", partial(station.send_soon, "Heartbeat", {}))
        case "StatusNotification":
            if connector is None or not number:
                return status("Rejected", why="ConnectorMissing")
            return status("Accepted", partial(_tell_status, tongue, (number, connector)))
        case "MeterValues":
            return status("Accepted", partial(_tell_meters, tongue, numbers))
        case "TransactionEvent":
            return _trigger_transactions(tongue, numbers)
    for answer in (files_answer_2x, keys_answer_2x):
        if (reply := answer(station, f"Trigger {wanted}", payload)) is not None:
            return reply
    return status("NotImplemented")


def _tell_status(tongue: "Tongue2x", place: tuple[int, int]) -> None:
    tongue.station.send_soon("StatusNotification", tongue.status_notification(place))


def _tell_meters(tongue: "Tongue2x", numbers: list[int]) -> None:
    for number in numbers:
        tongue.station.send_soon("MeterValues", tongue.meter_values(number))


def _trigger_transactions(tongue: "Tongue2x", numbers: list[int]) -> Reply:
    running = [
        place.transaction for place in tongue.station.connectors if place.number in numbers and place.transaction
    ]
    if not running:
        return status("Rejected", why="NoTransaction")

    def tell() -> None:
        for transaction in running:
            tongue.told(transaction, "Trigger")

    return status("Accepted", tell)


def _transaction_status(tongue: "Tongue2x", payload: Payload) -> Reply:
    station, wanted = tongue.station, payload.get("transactionId")
    if wanted is None:
        return Reply({"messagesInQueue": bool(station.queue.waiting)})
    known = [each for each in station.transactions if each.transaction_id == wanted]
    if not known:
        return Reply({"messagesInQueue": False, "ongoingIndicator": False})
    return Reply({"messagesInQueue": station.queue.of(known[-1]), "ongoingIndicator": known[-1].running})


# lists, reservations, the rest


def _send_local_list(tongue: "Tongue2x", payload: Payload) -> Reply:
    changes: dict[str, str | None] = {}
    for entry in payload.get("localAuthorizationList", []):
        info = entry.get("idTokenInfo")
        changes[entry["idToken"]["idToken"]] = None if info is None else info["status"]
    full = payload["updateType"] == "Full"
    if full and any(each is None for each in changes.values()):
        return status("Failed", why="InfoMissing")
    return status(tongue.station.local_list.update(payload["versionNumber"], changes, full=full))


def _local_list_version(tongue: "Tongue2x", payload: Payload) -> Reply:
    return Reply({"versionNumber": tongue.station.local_list.version})


def _clear_cache(tongue: "Tongue2x", payload: Payload) -> Reply:
    if not tongue.model.switch("AuthCacheCtrlr.Enabled"):
        return status("Rejected", why="NoCache")
    tongue.station.local_list.cache.clear()
    return status("Accepted")


def _reserve(tongue: "Tongue2x", payload: Payload) -> Reply:
    number = payload.get("evseId", 0)
    if not 0 <= number <= len(tongue.station.connectors):
        return status("Rejected", why="UnknownEvse")
    if payload.get("connectorType", "sType2") not in {"sType2", "Unknown", "Undetermined"}:
        return status("Rejected", why="NoSuchConnector")
    until = moment(payload["expiryDateTime"])
    group = (payload.get("groupIdToken") or {}).get("idToken", "")
    reservation = Reservation(payload["id"], number, payload["idToken"]["idToken"], until, group)
    return status(tongue.station.reserve(reservation))


def _cancel_reservation(tongue: "Tongue2x", payload: Payload) -> Reply:
    return status("Accepted" if tongue.station.cancel_reservation(payload["reservationId"]) else "Rejected")


def _data_transfer(tongue: "Tongue2x", payload: Payload) -> Reply:
    if payload["vendorId"] != tongue.station.vendor:
        return status("UnknownVendorId")
    if payload.get("messageId") != "Echo":
        return status("UnknownMessageId")
    answer: Payload = {"status": "Accepted"}
    if "data" in payload:
        answer["data"] = payload["data"]
    return Reply(answer)


def _cost_updated(tongue: "Tongue2x", payload: Payload) -> Reply:
    place = tongue.station.running(payload["transactionId"])
    if place is not None and place.transaction is not None:
        place.transaction.cost = payload["totalCost"]
    return Reply({})


def _set_network_profile(tongue: "Tongue2x", payload: Payload) -> Reply:
    """A slot in use is not overwritten; security never goes down (A05, B09)."""
    flash, data = tongue.station.flash, payload["connectionData"]
    slot, profile = payload["configurationSlot"], data["securityProfile"]
    if slot in flash.priority or not 1 <= slot <= 8 or data["ocppTransport"] != "JSON":
        return status("Rejected", why="InvalidSlot")
    if profile < flash.proven_profile or not 0 <= profile <= 3:
        return status("Rejected", why="NoSecurityDowngrade")
    if (profile >= 2) != data["ocppCsmsUrl"].startswith("wss:"):
        return status("Rejected", why="InvalidUrl")
    flash.networks[slot] = Network(data["ocppCsmsUrl"], profile)
    return status("Accepted")


_HANDLERS: dict[str, Callable[["Tongue2x", Payload], Reply]] = {
    "CancelReservation": _cancel_reservation,
    "ChangeAvailability": _availability,
    "ClearCache": _clear_cache,
    "CostUpdated": _cost_updated,
    "DataTransfer": _data_transfer,
    "GetBaseReport": _base_report,
    "GetLocalListVersion": _local_list_version,
    "GetReport": _get_report,
    "GetTransactionStatus": _transaction_status,
    "GetVariables": _get_variables,
    "RequestStartTransaction": _request_start,
    "RequestStopTransaction": _request_stop,
    "ReserveNow": _reserve,
    "Reset": _reset,
    "SendLocalList": _send_local_list,
    "SetNetworkProfile": _set_network_profile,
    "SetVariables": _set_variables,
    "TriggerMessage": _trigger,
    "UnlockConnector": _unlock,
    **SHELF_HANDLERS,
    **SMART_HANDLERS,
}
