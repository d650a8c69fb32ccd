"""OCPP 1.6 as a virtual charge point speaks it: its own messages. The answers are in `charge_point_commands_16.py`.

Pure. Source: OCPP 1.6 §4 and §6; errata 3.18 (transactionId -1 when the start was never answered).
Start at `Tongue16.started`.
"""

from datetime import datetime
from typing import Any

from tests.doubles.charge_point_commands_16 import answer_to
from tests.doubles.charge_point_configuration_16 import Configuration
from tests.doubles.charge_point_connector import Connector, Reservation, Token, Transaction
from tests.doubles.charge_point_frames import Payload
from tests.doubles.charge_point_power import Outlet
from tests.doubles.charge_point_queue import QueuedMessage
from tests.doubles.charge_point_tongue import Place, Reply, Tongue

UNKNOWN_TRANSACTION = -1
_REASONS = {"GroundFault": "Other", "Timeout": "Other"}


class Tongue16(Tongue):
    """A place is a connector; plug is always 0."""

    def __init__(self, settings: Configuration) -> None:
        super().__init__("1.6")
        self.settings = self.configuration = settings

    def boot_notification(self, reason: str) -> Payload:
        return {
            "chargePointVendor": self.station.vendor,
            "chargePointModel": self.station.model,
            "chargePointSerialNumber": self.station.faults.changed_serial or self.station.serial,
            "firmwareVersion": self.station.firmware,
        }

    def authorize(self, token: Token) -> Payload:
        return {"idTag": token.text}

    def authorised(self, answer: Payload) -> str:
        return str((answer.get("idTagInfo") or {}).get("status", ""))

    def group(self, answer: Payload) -> str:
        return str((answer.get("idTagInfo") or {}).get("parentIdTag", ""))

    def sign_certificate(self, request: str) -> Payload:
        return {"csr": request}

    def places(self) -> list[Place]:
        return [(number, 0) for number in range(len(self.station.connectors) + 1)]

    def status_of(self, place: Place) -> tuple[str, ...]:
        return self.station.status_of(place[0]), self._error_code(place[0])

    def status_notification(self, place: Place) -> Payload:
        return {
            "connectorId": place[0],
            "errorCode": self._error_code(place[0]),
            "status": self.station.status_of(place[0]),
            "timestamp": self.station.stamp(),
        }

    def _error_code(self, number: int) -> str:
        if self.station.station_error_code != "NoError":
            return self.station.station_error_code
        return self.station.connector(number).error_code if number else "NoError"

    # transactions

    def started(self, place: Connector, transaction: Transaction, at: datetime) -> None:
        payload = {
            "connectorId": place.number,
            "idTag": transaction.id_tag,
            "meterStart": transaction.meter_start_wh,
            "timestamp": self.station.stamp(at),
        }
        if transaction.reservation_id is not None:
            payload["reservationId"] = transaction.reservation_id
        self.station.queue.put(QueuedMessage("start", "StartTransaction", payload, transaction))

    def identified(self, place: Connector, transaction: Transaction) -> None:
        raise AssertionError("a transaction of 1.6 starts with an id tag")

    def metered(self, place: Connector, context: str) -> None:
        values = self._values(place, context)
        payload = {
            "connectorId": place.number,
            "meterValue": [{"timestamp": self.station.stamp(), "sampledValue": values}],
        }
        self.station.queue.put(QueuedMessage("update", "MeterValues", payload, place.transaction))

    def state_changed(self, place: Connector, transaction: Transaction) -> None:
        """1.6 says it with StatusNotification alone."""

    def resumed(self, place: Connector, transaction: Transaction) -> None:
        raise AssertionError("a reset of 1.6 ends every transaction")

    def ended(self, place: Connector, transaction: Transaction, reason: str, token: Token | None, at: datetime) -> None:
        payload: Payload = {
            "meterStop": transaction.meter_stop_wh,
            "timestamp": self.station.stamp(at),
            "reason": _REASONS.get(reason, reason),
        }
        if token is not None:
            payload["idTag"] = token.text
        if self.configuration.values["StopTxnSampledData"]:
            closing = sampled_values(place.outlet, context="Transaction.End")[:1]
            payload["transactionData"] = [{"timestamp": self.station.stamp(at), "sampledValue": closing}]
        self.station.queue.put(QueuedMessage("end", "StopTransaction", payload, transaction))

    def ready(self, message: QueuedMessage) -> Payload:
        """With the transactionId, which is known only when the start was confirmed."""
        if message.role == "start" or message.transaction is None:
            return message.payload
        known = message.transaction.transaction_id
        if message.role == "end":
            return {**message.payload, "transactionId": UNKNOWN_TRANSACTION if known is None else known}
        return message.payload if known is None else {**message.payload, "transactionId": known}

    def delivered(self, message: QueuedMessage, answer: Payload) -> str:
        if message.role != "start" or message.transaction is None:
            return ""
        message.transaction.transaction_id = answer.get("transactionId")
        message.transaction.start_answer = self.authorised(answer)
        return message.transaction.start_answer

    def _values(self, place: Connector, context: str) -> list[dict[str, Any]]:
        faults = self.station.faults
        return sampled_values(
            place.outlet, context=context, energy_in_kwh=faults.energy_in_kwh, kwh_labelled_wh=faults.kwh_labelled_wh
        )

    # happenings

    def faulted(self, place: int, error_code: str) -> None:
        """1.6 says it with StatusNotification alone."""

    def reservation_expired(self, reservation: Reservation) -> None:
        """1.6 says it with StatusNotification alone."""

    def rebooted(self) -> None:
        """All of 1.6 that outlives nothing is in the station."""

    def time_passed(self, seconds: float) -> None:
        """1.6 has no monitors."""

    # calls of the central system

    def answer(self, action: str, payload: Payload) -> Reply:
        return answer_to(self.station, self.configuration, action, payload)


def sampled_values(
    outlet: Outlet, *, context: str = "Sample.Periodic", energy_in_kwh: bool = False, kwh_labelled_wh: bool = False
) -> list[dict[str, Any]]:
    """One reading of the meter: energy in Wh, power in W, current and voltage of each phase (OCPP 1.6 §7.43)."""
    energy, unit = str(round(outlet.energy_wh)), "Wh"
    if energy_in_kwh or kwh_labelled_wh:
        energy, unit = f"{outlet.energy_wh / 1000:.3f}", "Wh" if kwh_labelled_wh else "kWh"
    common = {"context": context, "format": "Raw"}
    values: list[dict[str, Any]] = [
        {"value": energy, "measurand": "Energy.Active.Import.Register", "unit": unit, "location": "Outlet", **common},
        {"value": f"{outlet.power_w:.1f}", "measurand": "Power.Active.Import", "unit": "W", **common},
    ]
    for phase, current in enumerate(outlet.currents_a(), 1):
        values.append(
            {"value": f"{current:.2f}", "measurand": "Current.Import", "unit": "A", "phase": f"L{phase}", **common}
        )
    for phase, volt in enumerate(outlet.voltages_v, 1):
        values.append({"value": f"{volt:.1f}", "measurand": "Voltage", "unit": "V", "phase": f"L{phase}-N", **common})
    return values
