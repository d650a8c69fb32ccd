"""OCPP 2.0.1 and 2.1 as a virtual charge point speaks them: its own messages.

A place is an EVSE, with one or more plugs. Transactions are told by TransactionEvent, numbered from 0, with ids of the
station's own making. Not here: answers (`charge_point_commands_2x.py`). Source: OCPP 2.0.1 part 2, E01 to E15, G01,
J02, N07. Start at `Tongue2x.started`.
"""

import itertools
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tests.doubles.charge_point_commands_2x import answer_to
from tests.doubles.charge_point_connector import Connector, Reservation, Token, Transaction
from tests.doubles.charge_point_frames import Payload, Version
from tests.doubles.charge_point_model_2x import DeviceModel
from tests.doubles.charge_point_power import Outlet
from tests.doubles.charge_point_queue import QueuedMessage
from tests.doubles.charge_point_shelf_2x import Shelf, step
from tests.doubles.charge_point_tongue import Place, Reply, Tongue

if TYPE_CHECKING:
    from tests.doubles.charge_point import VirtualChargePoint

STOPPED: dict[str, tuple[str, str]] = {
    "Local": ("StopAuthorized", "Local"),
    "Remote": ("RemoteStop", "Remote"),
    "EVDisconnected": ("EVCommunicationLost", "EVDisconnected"),
    "DeAuthorized": ("Deauthorized", "DeAuthorized"),
    "SoftReset": ("ResetCommand", "ImmediateReset"),
    "HardReset": ("ResetCommand", "ImmediateReset"),
    "PowerLoss": ("AbnormalCondition", "PowerLoss"),
    "GroundFault": ("AbnormalCondition", "GroundFault"),
    "UnlockCommand": ("UnlockCommand", "Other"),
    "Timeout": ("EVConnectTimeout", "Timeout"),
    "Other": ("AbnormalCondition", "Other"),
}
"""The triggerReason and the stoppedReason for each reason the station knows."""
CALLS_WHILE_PENDING = frozenset(
    {
        *("CertificateSigned", "GetBaseReport", "GetInstalledCertificateIds", "GetReport", "GetVariables"),
        *("InstallCertificate", "SetNetworkProfile", "SetVariables", "TriggerMessage"),
    }
)


class Tongue2x(Tongue):
    """`shelf` holds what the central system put here that is no variable: messages, monitors, certificates."""

    def __init__(self, version: Version, model: DeviceModel) -> None:
        super().__init__(version)
        self.settings = self.model = model
        self.shelf = Shelf()
        self.event_ids = itertools.count(1)

    def take(self, station: "VirtualChargePoint") -> None:
        """And bind to it what its device model tells of it."""
        super().take(station)
        model = self.model
        model.at("ChargingStation.Model").live = lambda: station.model
        model.at("ChargingStation.VendorName").live = lambda: station.vendor
        model.at("ChargingStation.SerialNumber").live = lambda: station.serial
        model.at("ChargingStation.AvailabilityState").live = lambda: self._state(station.status_of(0))
        model.at("ChargingStation.Problem").live = lambda: _bool(station.station_error_code != "NoError")
        model.at("Controller.FirmwareVersion").live = lambda: station.firmware
        model.at("SecurityCtrlr.Identity").live = lambda: station.identity
        model.at("SecurityCtrlr.SecurityProfile").live = lambda: str(station.flash.current.profile)
        model.at("SecurityCtrlr.CertificateEntries").live = lambda: str(len(station.flash.roots))
        model.at("OCPPCommCtrlr.ActiveNetworkProfile").live = lambda: str(station.flash.priority[0])
        model.at("ClockCtrlr.DateTime").live = station.stamp
        model.at("LocalAuthListCtrlr.Entries").live = lambda: str(len(station.local_list.entries))
        model.at("SmartChargingCtrlr.Entries[ChargingProfiles]").live = lambda: str(len(station.profiles.kept))
        model.at("DisplayMessageCtrlr.DisplayMessages").live = lambda: str(len(self.shelf.messages))
        for place in station.connectors:
            self._live_place(place)

    def _live_place(self, place: Connector) -> None:
        number, model = place.number, self.model
        model.at("EVSE.AvailabilityState", number).live = lambda: self._evse_state(place)
        model.at("EVSE.Problem", number).live = lambda: _bool(place.error_code != "NoError")
        model.at("EVSE.Power", number).live = lambda: f"{place.outlet.power_w:.1f}"
        for plug in range(1, place.plugs + 1):
            here = (number, plug)
            model.at("Connector.AvailabilityState", *here).live = lambda here=here: self.status_of(here)[0]
            model.at("Connector.Problem", *here).live = lambda: _bool(place.error_code != "NoError")

    # the station's own calls

    def boot_notification(self, reason: str) -> Payload:
        if self.station.faults.shaped_like_16:
            return {"chargePointVendor": self.station.vendor, "chargePointModel": self.station.model}
        return {
            "reason": reason,
            "chargingStation": {
                "model": self.station.model,
                "vendorName": self.station.vendor,
                "serialNumber": self.station.faults.changed_serial or self.station.serial,
                "firmwareVersion": self.station.firmware,
            },
        }

    def authorize(self, token: Token) -> Payload:
        return {"idToken": {"idToken": token.text, "type": token.kind}}

    def authorised(self, answer: Payload) -> str:
        return str((answer.get("idTokenInfo") or {}).get("status", ""))

    def group(self, answer: Payload) -> str:
        group = (answer.get("idTokenInfo") or {}).get("groupIdToken") or {}
        return str(group.get("idToken", ""))

    def sign_certificate(self, request: str) -> Payload:
        return {"csr": request, "certificateType": "ChargingStationCertificate"}

    def places(self) -> list[Place]:
        return [(place.number, plug) for place in self.station.connectors for plug in range(1, place.plugs + 1)]

    def status_of(self, place: Place) -> tuple[str, ...]:
        where = self.station.connector(place[0])
        if self.station.status_of(place[0]) == "Faulted":
            return ("Faulted",)
        if not self.station.operative or place[1] in where.closed_plugs:
            return ("Unavailable",)
        status = self._state(self.station.status_of(place[0]))
        if status == "Occupied" and place[1] != where.plug:
            return ("Unavailable",)
        return (status,)

    def status_notification(self, place: Place) -> Payload:
        if self.station.faults.shaped_like_16:
            return {"connectorId": place[0], "errorCode": "NoError", "status": self.station.status_of(place[0])}
        return {
            "timestamp": self.station.stamp(),
            "connectorStatus": self.status_of(place)[0],
            "evseId": place[0],
            "connectorId": place[1],
        }

    @staticmethod
    def _state(status: str) -> str:
        """A ConnectorStatusEnumType for a status of 1.6."""
        return status if status in {"Available", "Reserved", "Unavailable", "Faulted"} else "Occupied"

    def _evse_state(self, place: Connector) -> str:
        return self._state(self.station.status_of(place.number))

    # transactions

    def started(self, place: Connector, transaction: Transaction, at: datetime) -> None:
        noise = self.station.noise
        transaction.transaction_id = str(UUID(int=noise.getrandbits(128), version=4))
        transaction.told_state = place.charging_state()
        if not transaction.id_tag:
            trigger = "CablePluggedIn"
        elif transaction.remote_start_id is not None:
            trigger = "RemoteStart"
        else:
            trigger = "Authorized"
        event = self._event("Started", trigger, place, transaction, at)
        event["transactionInfo"]["chargingState"] = transaction.told_state
        event["meterValue"] = [self._meter_value(place, "Transaction.Begin", "TxStartedMeasurands", at)]
        event["numberOfPhasesUsed"] = place.outlet.phases
        if transaction.id_tag:
            self._add_token(event, transaction)
        self._put("start", event, transaction)

    def identified(self, place: Connector, transaction: Transaction) -> None:
        trigger = "RemoteStart" if transaction.remote_start_id is not None else "Authorized"
        event = self._event("Updated", trigger, place, transaction, self.station.now())
        self._add_token(event, transaction)
        self._put("update", event, transaction)

    def metered(self, place: Connector, context: str) -> None:
        at, transaction = self.station.now(), place.transaction
        value = self._meter_value(place, context, "TxUpdatedMeasurands", at)
        if transaction is None:
            payload = {"evseId": place.number, "meterValue": [value]}
            self.station.queue.put(QueuedMessage("update", "MeterValues", payload, None))
            return
        trigger = {"Trigger": "Trigger", "Sample.Clock": "MeterValueClock"}.get(context, "MeterValuePeriodic")
        event = self._event("Updated", trigger, place, transaction, at)
        event["meterValue"] = [value]
        self._put("update", event, transaction)

    def state_changed(self, place: Connector, transaction: Transaction) -> None:
        state = place.charging_state()
        if state == transaction.told_state:
            return
        before, transaction.told_state = transaction.told_state, state
        trigger = "ChargingStateChanged"
        if before == "Idle" and state == "EVConnected":
            trigger = "CablePluggedIn"
        elif state == "Idle":
            trigger = "EVCommunicationLost"
        event = self._event("Updated", trigger, place, transaction, self.station.now())
        event["transactionInfo"]["chargingState"] = state
        self._put("update", event, transaction)

    def resumed(self, place: Connector, transaction: Transaction) -> None:
        self.told(transaction, "TxResumed")

    def ended(self, place: Connector, transaction: Transaction, reason: str, token: Token | None, at: datetime) -> None:
        trigger, stopped = STOPPED[reason]
        event = self._event("Ended", trigger, place, transaction, at)
        event["transactionInfo"]["stoppedReason"] = stopped
        event["transactionInfo"]["chargingState"] = "EVConnected" if place.plugged else "Idle"
        if reason == "EVDisconnected":
            event["transactionInfo"]["chargingState"] = "Idle"
        spent = max(0, round((at - transaction.started_at).total_seconds()))
        event["transactionInfo"]["timeSpentCharging"] = spent
        event["meterValue"] = [self._meter_value(place, "Transaction.End", "TxEndedMeasurands", at)]
        if token is not None:
            event["idToken"] = {"idToken": token.text, "type": token.kind}
        self._put("end", event, transaction)
        if self.station.faults.ended_twice:
            again = {**event, "seqNo": transaction.seq_no}
            transaction.seq_no += 1
            self._put("end", again, transaction)

    def ready(self, message: QueuedMessage) -> Payload:
        return message.payload

    def delivered(self, message: QueuedMessage, answer: Payload) -> str:
        if message.transaction is None or message.action != "TransactionEvent":
            return ""
        if "totalCost" in answer:
            message.transaction.cost = answer["totalCost"]
        status = self.authorised(answer)
        if status:
            message.transaction.start_answer = status
        return status

    def meter_values(self, number: int) -> Payload:
        """A MeterValues message, outside of any transaction."""
        place = self.station.connector(number)
        value = self._meter_value(place, "Trigger", "TxUpdatedMeasurands", self.station.now())
        return {"evseId": number, "meterValue": [value]}

    def told(self, transaction: Transaction, trigger: str) -> None:
        """Something asks for news of a running transaction."""
        place = self.station.connector(transaction.connector)
        at = self.station.now()
        event = self._event("Updated", trigger, place, transaction, at)
        event["transactionInfo"]["chargingState"] = place.charging_state()
        event["meterValue"] = [self._meter_value(place, "Trigger", "TxUpdatedMeasurands", at)]
        self._put("update", event, transaction)

    def _event(
        self, kind: str, trigger: str, place: Connector, transaction: Transaction, at: datetime
    ) -> dict[str, Any]:
        faults = self.station.faults
        if faults.seq_no_gap and transaction.seq_no == faults.seq_no_gap:
            transaction.seq_no += 1
        event: dict[str, Any] = {
            "eventType": kind,
            "timestamp": self.station.stamp(at),
            "triggerReason": trigger,
            "seqNo": transaction.seq_no,
            "transactionInfo": {"transactionId": transaction.transaction_id},
        }
        transaction.seq_no += 1
        if transaction.remote_start_id is not None:
            event["transactionInfo"]["remoteStartId"] = transaction.remote_start_id
        if not (faults.no_evse_in_updated and kind == "Updated"):
            event["evse"] = {"id": place.number, "connectorId": transaction.plug}
        if not self.station.accepted:
            event["offline"] = True
        if transaction.reservation_id is not None and kind == "Started":
            event["reservationId"] = transaction.reservation_id
        return event

    def _put(self, role: Any, event: Payload, transaction: Transaction) -> None:
        self.station.queue.put(QueuedMessage(role, "TransactionEvent", event, transaction))

    @staticmethod
    def _add_token(event: Payload, transaction: Transaction) -> None:
        event["idToken"] = {"idToken": transaction.id_tag, "type": transaction.token_kind}

    def _meter_value(self, place: Connector, context: str, setting: str, at: datetime) -> Payload:
        wanted = self.model.text(f"SampledDataCtrlr.{setting}").split(",")
        faults = self.station.faults
        values = sampled_values(place.outlet, wanted, context=context, energy_in_kwh=faults.energy_in_kwh)
        return {"timestamp": self.station.stamp(at), "sampledValue": values}

    # calls of the central system

    def answer(self, action: str, payload: Payload) -> Reply:
        if self.station.registration in {"Pending", "Rejected"} and not self.station.accepted:
            allowed = self.station.registration == "Pending" and action in CALLS_WHILE_PENDING
            if not allowed:
                return Reply({}, code="SecurityError")
        return answer_to(self, action, payload)

    # happenings

    def faulted(self, place: int, error_code: str) -> None:
        """A hard-wired notification that something is wrong, or is again well (N07)."""
        component: Payload = {"name": "EVSE", "evse": {"id": place}} if place else {"name": "ChargingStation"}
        event: Payload = {
            "eventId": next(self.event_ids),
            "timestamp": self.station.stamp(),
            "trigger": "Alerting",
            "actualValue": _bool(error_code != "NoError"),
            "cleared": error_code == "NoError",
            "component": component,
            "variable": {"name": "Problem"},
            "eventNotificationType": "HardWiredNotification",
        }
        if error_code != "NoError":
            event["techCode"] = error_code
        self.notify_events([event])

    def notify_events(self, events: list[Payload]) -> None:
        payload = {"generatedAt": self.station.stamp(), "seqNo": 0, "tbc": False, "eventData": events}
        self.station.send_soon("NotifyEvent", payload, kept=True)

    def rebooted(self) -> None:
        self.station.flash.rebooted()

    def time_passed(self, seconds: float) -> None:
        step(self, seconds)

    def reservation_expired(self, reservation: Reservation) -> None:
        payload = {"reservationId": reservation.reservation_id, "reservationUpdateStatus": "Expired"}
        self.station.send_soon("ReservationStatusUpdate", payload)


def sampled_values(
    outlet: Outlet, wanted: list[str], *, context: str = "Sample.Periodic", energy_in_kwh: bool = False
) -> list[Payload]:
    """One reading: energy and power as sums, current and voltage of each phase (OCPP 2.0.1 part 2, 2.45, 3.67)."""
    values: list[Payload] = []

    def add(measurand: str, value: float, unit: str, **more: str) -> None:
        if measurand in wanted:
            sample = {"value": round(value, 3), "context": context, "measurand": measurand, "location": "Outlet"}
            values.append({**sample, **more, "unitOfMeasure": {"unit": unit}})

    energy = outlet.energy_wh / 1000 if energy_in_kwh else float(round(outlet.energy_wh))
    add("Energy.Active.Import.Register", energy, "kWh" if energy_in_kwh else "Wh")
    add("Power.Active.Import", outlet.power_w, "W")
    for phase, current in enumerate(outlet.currents_a(), 1):
        add("Current.Import", current, "A", phase=f"L{phase}")
    for phase, volt in enumerate(outlet.voltages_v, 1):
        add("Voltage", volt, "V", phase=f"L{phase}-N")
    return values or [{"value": energy, "context": context, "measurand": "Energy.Active.Import.Register"}]


def _bool(value: bool) -> str:
    return "true" if value else "false"
