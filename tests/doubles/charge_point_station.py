"""A charge point without its network: connectors, cars, id tags, transactions, and what there is to tell about them.

No I/O: time passes through `advance`, wall time comes from `now`, randomness is seeded. What must reach the central
system is put into `queue` (transaction messages, kept until confirmed) and `notices` (statuses, only the latest counts
while offline). Source: OCPP 1.6 §4.7 to §4.10, §3.16, §5.11. Start at `plug_in` and `advance`.
"""

import random
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from tests.doubles.charge_point_configuration import Configuration
from tests.doubles.charge_point_connector import Connector, Transaction, sampled_values
from tests.doubles.charge_point_faults import Faults
from tests.doubles.charge_point_frames import Payload
from tests.doubles.charge_point_power import Car, Outlet
from tests.doubles.charge_point_queue import QueuedMessage, TransactionQueue

KEPT_TRANSACTIONS = 1_000


class Station:
    """Connectors count from 1; 0 is the station itself. Methods raise IndexError for a connector it has not."""

    def __init__(
        self, *, connectors: int, seed: int, faults: Faults, configuration: Configuration, now: Callable[[], datetime]
    ) -> None:
        self.faults = faults
        self.configuration = configuration
        self.operative = True
        self.station_error_code = "NoError"
        self.queue = TransactionQueue()
        self.notices: deque[Payload] = deque()
        self.transactions: list[Transaction] = []
        self._noise = random.Random(seed)
        self._now = now
        self._switched_on_at = now()
        self._reported: dict[int, tuple[str, str]] = {}
        self._reporting = False
        self._sample_left_s: dict[int, float] = {}
        self.connectors = [
            Connector(number, Outlet(energy_wh=float(self._noise.randrange(12_000, 900_000))))
            for number in range(1, connectors + 1)
        ]

    # what people and cars do

    def connector(self, number: int) -> Connector:
        if number < 1:
            raise IndexError(number)
        return self.connectors[number - 1]

    def plug_in(self, connector: int, car: Car | None = None) -> None:
        self.connector(connector).car = car or Car()
        self._settle()

    def unplug(self, connector: int) -> None:
        """Ends a running transaction (EVDisconnected) unless StopTransactionOnEVSideDisconnect is false."""
        place = self.connector(connector)
        if place.transaction and self.configuration.switch("StopTransactionOnEVSideDisconnect"):
            self.stop_transaction(connector, "EVDisconnected")
        place.car = None
        place.authorised = None
        place.finished = place.finished and self.faults.finishing_sticks
        self._settle()

    def authorise(self, connector: int, id_tag: str) -> None:
        """From now on, for ConnectionTimeOut seconds, a cable starts a transaction for `id_tag`."""
        place = self.connector(connector)
        place.authorised = id_tag
        place.authorised_left_s = self.configuration.number("ConnectionTimeOut")
        self._settle()

    def stop_transaction(self, connector: int, reason: str, *, id_tag: str | None = None) -> None:
        """Nothing happens where none runs."""
        place = self.connector(connector)
        transaction = place.transaction
        if transaction is None:
            return
        self._end(place, transaction, reason, id_tag, at=self._now())
        self._settle()

    def stop_all(self, reason: str, *, at: datetime | None = None) -> None:
        for place in self.connectors:
            if place.transaction is not None:
                self._end(place, place.transaction, reason, None, at=at or self._now())
        self._settle()

    def fault(self, connector: int, error_code: str = "GroundFailure") -> None:
        """A ChargePointErrorCode; ends a running transaction. Connector 0 faults the station as a whole."""
        if connector == 0:
            self.station_error_code = error_code
        else:
            self.stop_transaction(connector, "Other")
            self.connector(connector).error_code = error_code
        self._settle()

    def clear_fault(self, connector: int) -> None:
        if connector == 0:
            self.station_error_code = "NoError"
        else:
            self.connector(connector).error_code = "NoError"
        self._settle()

    # what the central system wants

    def can_start_remotely(self, connector: int | None) -> int | None:
        """The connector that would take a remote start, or None."""
        for place in self.connectors:
            asked = connector is None or place.number == connector
            usable = place.operative and place.error_code == "NoError" and place.transaction is None
            if asked and usable and self.operative:
                return place.number
        return None

    def set_operative(self, connector: int, *, operative: bool) -> str:
        """An AvailabilityStatus. Connector 0 means all."""
        places = self.connectors if connector == 0 else [self.connector(connector)]
        if connector == 0:
            self.operative = operative
        for place in places:
            place.operative = operative
        busy = any(place.transaction is not None for place in places)
        return "Scheduled" if busy and not operative else "Accepted"

    def queue_meter_values(self, connector: int, *, context: str = "Sample.Periodic") -> None:
        place = self.connector(connector)
        values = sampled_values(
            place.outlet,
            context=context,
            energy_in_kwh=self.faults.energy_in_kwh,
            kwh_labelled_wh=self.faults.kwh_labelled_wh,
        )
        payload = {
            "connectorId": connector,
            "meterValue": [{"timestamp": self.stamp(self._now()), "sampledValue": values}],
        }
        self.queue.put(QueuedMessage("MeterValues", payload, place.transaction))
        self._changed()

    def start_answered(self, transaction: Transaction) -> None:
        """A start was confirmed. A token that is not accepted ends the charge, or only the power (OCPP 1.6 §4.8)."""
        place = self.connector(transaction.connector)
        if transaction.start_answer == "Accepted" or place.transaction is not transaction:
            return
        if self.configuration.switch("StopTransactionOnInvalidId"):
            self.stop_transaction(place.number, "DeAuthorized")
        else:
            place.withheld = True
            self._settle()

    # time

    def advance(self, seconds: float) -> None:
        """Let `seconds` of the station's own time pass."""
        for place in self.connectors:
            closed = place.closed and self.station_error_code == "NoError"
            place.outlet.advance(seconds, place.car, closed=closed, noise=self._noise)
            if place.authorised is not None:
                place.authorised_left_s -= seconds
                if place.authorised_left_s <= 0:
                    place.authorised = None
            if place.transaction is not None:
                self._sample_after(place, seconds)
        self._settle()

    def stamp(self, moment: datetime) -> str:
        """A time as this station writes it, its faults included."""
        if self.faults.time_1970:
            moment = datetime(1970, 1, 1, tzinfo=UTC) + (moment - self._switched_on_at)
        text = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return text.removesuffix("Z") if self.faults.missing_zone else text

    # statuses

    def status_of(self, connector: int) -> str:
        if connector:
            place = self.connector(connector)
            return place.status() if self.station_error_code == "NoError" else "Faulted"
        if self.station_error_code != "NoError":
            return "Faulted"
        return "Available" if self.operative else "Unavailable"

    def status_notification(self, connector: int) -> Payload:
        error_code = self.connector(connector).error_code if connector else "NoError"
        if self.station_error_code != "NoError":
            error_code = self.station_error_code
        return {
            "connectorId": connector,
            "errorCode": error_code,
            "status": self.status_of(connector),
            "timestamp": self.stamp(self._now()),
        }

    def begin_reporting(self, *, everything: bool) -> None:
        """The central system listens from now on: tell it everything, or what changed since it last heard."""
        if everything:
            self._reported.clear()
        self._reporting = True
        self._settle()

    def end_reporting(self) -> None:
        """Nobody listens: what was not delivered is told later, and only in its latest state."""
        self._reporting = False
        while self.notices:
            self._reported.pop(self.notices.popleft()["connectorId"], None)

    def undelivered(self, notice: Payload) -> None:
        self._reported.pop(notice["connectorId"], None)

    # inside

    def _changed(self) -> None:
        """Told after every change; the networked station wakes its senders."""

    def _settle(self) -> None:
        for place in self.connectors:
            if place.ready_to_start and self.operative and self.station_error_code == "NoError":
                self._begin(place)
        if self._reporting:
            self._note_statuses()
        self._changed()

    def _note_statuses(self) -> None:
        numbers = [0] if self.faults.reports_only_connector_0 else range(len(self.connectors) + 1)
        for number in numbers:
            notice = self.status_notification(number)
            state = (notice["status"], notice["errorCode"])
            if self._reported.get(number) != state:
                self._reported[number] = state
                self.notices.append(notice)

    def _begin(self, place: Connector) -> None:
        at = self._now()
        meter_wh = round(place.outlet.energy_wh)
        transaction = Transaction(place.number, str(place.authorised), meter_wh, at)
        place.transaction, place.authorised = transaction, None
        place.finished = place.withheld = False
        self._sample_left_s[place.number] = self.configuration.number("MeterValueSampleInterval")
        self.transactions.append(transaction)
        del self.transactions[:-KEPT_TRANSACTIONS]
        payload = {
            "connectorId": place.number,
            "idTag": transaction.id_tag,
            "meterStart": meter_wh,
            "timestamp": self.stamp(at),
        }
        self.queue.put(QueuedMessage("StartTransaction", payload, transaction))

    def _end(
        self, place: Connector, transaction: Transaction, reason: str, id_tag: str | None, *, at: datetime
    ) -> None:
        transaction.stopped_at = at
        transaction.reason = reason
        transaction.meter_stop_wh = round(place.outlet.energy_wh)
        place.transaction = None
        place.withheld = False
        place.finished = place.plugged
        payload: Payload = {"meterStop": transaction.meter_stop_wh, "timestamp": self.stamp(at), "reason": reason}
        if id_tag is not None:
            payload["idTag"] = id_tag
        if self.configuration.values["StopTxnSampledData"]:
            closing = sampled_values(place.outlet, context="Transaction.End")[:1]
            payload["transactionData"] = [{"timestamp": self.stamp(at), "sampledValue": closing}]
        self.queue.put(QueuedMessage("StopTransaction", payload, transaction))

    def _sample_after(self, place: Connector, seconds: float) -> None:
        interval_s = self.configuration.number("MeterValueSampleInterval")
        if interval_s <= 0:
            return
        self._sample_left_s[place.number] -= seconds
        if self._sample_left_s[place.number] <= 0:
            self._sample_left_s[place.number] = interval_s
            self.queue_meter_values(place.number)
