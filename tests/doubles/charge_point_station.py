"""A charge point without its network: places, cars, id tokens, transactions, and what there is to tell about them.

No I/O: time passes through `advance`, wall time comes from `now`, randomness is seeded. What must reach the central
system is put into `queue` (transaction messages, kept until confirmed) and `notices` (statuses, only the latest counts
while offline); how it is written is the tongue's business. Source: OCPP 1.6 §4.7 to §4.10, §3.16, §5.11.
Start at `plug_in` and `advance`.
"""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.doubles.charge_point_connector import Authorisation, Connector, Reservation, Token, Transaction
from tests.doubles.charge_point_faults import Faults
from tests.doubles.charge_point_frames import Payload
from tests.doubles.charge_point_local_list import LocalList
from tests.doubles.charge_point_power import Car, Outlet
from tests.doubles.charge_point_profiles import ChargingProfiles
from tests.doubles.charge_point_queue import TransactionQueue
from tests.doubles.charge_point_tongue import Place, Tongue

KEPT_TRANSACTIONS = 1_000
RESET_OF_A_PLACE_S = 5.0


@dataclass(frozen=True, slots=True)
class Notice:
    """A status that waits to be told."""

    place: Place
    payload: Payload


class Station:
    """Connectors count from 1; 0 is the station itself. Methods raise IndexError for a connector it has not."""

    def __init__(
        self,
        *,
        tongue: Tongue,
        connectors: int,
        plugs: int,
        seed: int,
        faults: Faults,
        now: Callable[[], datetime],
    ) -> None:
        self.tongue = tongue
        self.settings = tongue.settings
        self.faults = faults
        self.operative = True
        self.station_error_code = "NoError"
        self.queue = TransactionQueue()
        self.notices: deque[Notice] = deque()
        self.transactions: list[Transaction] = []
        self.local_list = LocalList()
        self.profiles = ChargingProfiles()
        self.reservations: dict[int, Reservation] = {}
        self.noise = random.Random(seed)
        self.now = now
        self._switched_on_at = now()
        self._reported: dict[Place, tuple[str, ...]] = {}
        self._reporting = False
        self._sample_left_s: dict[int, float] = {}
        self._align_left_s = float("inf")
        self.connectors = [
            Connector(number, Outlet(energy_wh=float(self.noise.randrange(12_000, 900_000))), plugs=plugs)
            for number in range(1, connectors + 1)
        ]

    # what people and cars do

    def connector(self, number: int) -> Connector:
        if number < 1:
            raise IndexError(number)
        return self.connectors[number - 1]

    def plug_in(self, connector: int, car: Car | None = None, *, plug: int = 1) -> None:
        place = self.connector(connector)
        if not 1 <= plug <= place.plugs:
            raise IndexError(plug)
        place.car = car or Car()
        place.plug = plug
        self._settle()

    def unplug(self, connector: int) -> None:
        """Ends a running transaction (EVDisconnected) unless the settings say that it goes on."""
        place = self.connector(connector)
        if place.transaction and self.settings.stops_on_disconnect:
            self.stop_transaction(connector, "EVDisconnected")
        place.car = None
        place.authorised = None
        place.finished = place.finished and self.faults.finishing_sticks
        self._settle()

    def authorise(
        self, connector: int, id_tag: str, *, kind: str = "ISO14443", remote_start_id: int | None = None
    ) -> None:
        """From now on, for the connection time-out, a cable starts a transaction for `id_tag`."""
        left_s = self.settings.connection_timeout_s
        self.connector(connector).authorised = Authorisation(Token(id_tag, kind), left_s, remote_start_id)
        self._settle()

    def stop_transaction(self, connector: int, reason: str, *, id_tag: str | None = None) -> None:
        """Nothing happens where none runs."""
        place = self.connector(connector)
        transaction = place.transaction
        if transaction is None:
            return
        token = None if id_tag is None else Token(id_tag, transaction.token_kind)
        self._end(place, transaction, reason, token, at=self.now())
        self._settle()

    def stop_all(self, reason: str, *, at: datetime | None = None) -> None:
        for place in self.connectors:
            if place.transaction is not None:
                self._end(place, place.transaction, reason, None, at=at or self.now())
        self._settle()

    def fault(self, connector: int, error_code: str = "GroundFailure") -> None:
        """A ChargePointErrorCode; ends a running transaction. Connector 0 faults the station as a whole."""
        if connector == 0:
            self.station_error_code = error_code
        else:
            self.stop_transaction(connector, "GroundFault" if error_code == "GroundFailure" else "Other")
            self.connector(connector).error_code = error_code
        self.tongue.faulted(connector, error_code)
        self._settle()

    def clear_fault(self, connector: int) -> None:
        if connector == 0:
            self.station_error_code = "NoError"
        else:
            self.connector(connector).error_code = "NoError"
        self.tongue.faulted(connector, "NoError")
        self._settle()

    # what the central system wants

    def can_start_remotely(self, connector: int | None, id_tag: str = "") -> int | None:
        """The connector that would take a remote start, or None."""
        for place in self.connectors:
            asked = connector is None or place.number == connector
            waiting = place.transaction is None or not place.transaction.id_tag
            if asked and place.usable and waiting and self.operative and self._free_for(place, id_tag):
                return place.number
        return None

    def running(self, transaction_id: int | str) -> Connector | None:
        """Where this transaction runs."""
        for place in self.connectors:
            if place.transaction is not None and place.transaction.transaction_id == transaction_id:
                return place
        return None

    @property
    def busy(self) -> bool:
        return any(place.transaction is not None for place in self.connectors)

    def set_operative(self, connector: int, *, operative: bool) -> str:
        """An AvailabilityStatus. Connector 0 means all."""
        places = self.connectors if connector == 0 else [self.connector(connector)]
        if connector == 0:
            self.operative = operative
        for place in places:
            place.operative = operative
        busy = any(place.transaction is not None for place in places)
        return "Scheduled" if busy and not operative else "Accepted"

    def set_plug_operative(self, connector: int, plug: int, *, operative: bool) -> str:
        """The same for one plug of a place (2.x)."""
        place = self.connector(connector)
        place.closed_plugs = place.closed_plugs - {plug} if operative else place.closed_plugs | {plug}
        busy = place.transaction is not None and place.plug == plug
        return "Scheduled" if busy and not operative else "Accepted"

    def take_down(self, connector: int, seconds: float) -> None:
        """Reset one place (2.x): what runs there ends, and for `seconds` it cannot be used."""
        self.stop_transaction(connector, "HardReset")
        self.connector(connector).down_left_s = seconds
        self._settle()

    def reserve(self, reservation: Reservation) -> str:
        """A ReservationStatus. A known id is replaced."""
        places = self.connectors if reservation.place == 0 else [self.connector(reservation.place)]
        others = [each for each in self.reservations.values() if each.reservation_id != reservation.reservation_id]
        states = [self._obstacle(place, others) for place in places]
        if "" not in states:
            return max(states, key=states.count)
        self.reservations[reservation.reservation_id] = reservation
        self._settle()
        return "Accepted"

    def cancel_reservation(self, reservation_id: int) -> bool:
        found = self.reservations.pop(reservation_id, None) is not None
        self._settle()
        return found

    def take_meter_values(self, connector: int, *, context: str = "Sample.Periodic") -> None:
        self.tongue.metered(self.connector(connector), context)
        self._changed()

    def delivered(self, transaction: Transaction, token_status: str) -> None:
        """A token that is not accepted ends the charge, or only the power (OCPP 1.6 §4.8; 2.0.1 E05)."""
        place = self.connector(transaction.connector)
        if token_status in ("", "Accepted") or place.transaction is not transaction:
            return
        if self.settings.stops_on_invalid_token:
            self.stop_transaction(place.number, "DeAuthorized")
        else:
            place.withheld = True
            self._settle()

    def max_current_a(self, connector: int) -> float:
        """What the wiring allows; connector 0 is the station."""
        if connector:
            return self.connector(connector).outlet.max_current_a
        return sum(place.outlet.max_current_a for place in self.connectors)

    # time

    def advance(self, seconds: float) -> None:
        """Let `seconds` of the station's own time pass."""
        self._forget_old_reservations()
        for place in self.connectors:
            place.outlet.limit_a = self.profiles.limit_a(place, self.now())
            closed = place.closed and self.station_error_code == "NoError"
            place.outlet.advance(seconds, place.car, closed=closed, noise=self.noise)
            place.down_left_s = max(0.0, place.down_left_s - seconds)
            if place.authorised is not None:
                place.authorised.left_s -= seconds
                if place.authorised.left_s <= 0:
                    place.authorised = None
            if place.reset_when_idle and place.transaction is None:
                place.reset_when_idle = False
                place.down_left_s = RESET_OF_A_PLACE_S
            if place.transaction is not None:
                self._sample_after(place, seconds)
            if place.transaction is not None:
                self._give_up_waiting(place, place.transaction, seconds)
        self._align(seconds)
        self.tongue.time_passed(seconds)
        self._settle()

    def stamp(self, moment: datetime | None = None) -> str:
        """A time as this station writes it, its faults included."""
        moment = self.now() if moment is None else moment
        if self.faults.time_1970:
            moment = datetime(1970, 1, 1, tzinfo=UTC) + (moment - self._switched_on_at)
        text = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return text.removesuffix("Z") if self.faults.missing_zone else text

    # statuses

    def status_of(self, connector: int) -> str:
        """In the words of OCPP 1.6, whatever the station speaks: they say more than those of 2.x."""
        if connector:
            place = self.connector(connector)
            return place.status() if self.station_error_code == "NoError" else "Faulted"
        if self.station_error_code != "NoError":
            return "Faulted"
        return "Available" if self.operative else "Unavailable"

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
            self._reported.pop(self.notices.popleft().place, None)

    def undelivered(self, notice: Notice) -> None:
        self._reported.pop(notice.place, None)

    # inside

    def _changed(self) -> None:
        """Told after every change; the networked station wakes its senders."""

    def _settle(self) -> None:
        for place in self.connectors:
            place.reserved = any(each.place in (0, place.number) for each in self.reservations.values())
            self._settle_place(place)
        if self._reporting:
            self._note_statuses()
        self._changed()

    def _settle_place(self, place: Connector) -> None:
        able = self.operative and self.station_error_code == "NoError" and place.plug not in place.closed_plugs
        free = place.authorised is None or self._free_for(place, place.authorised.token.text)
        if able and free and place.ready_to_start(self.settings.start_points):
            self._begin(place)
        elif place.transaction is not None and not place.transaction.id_tag and place.authorised is not None:
            self._identify(place, place.transaction, place.authorised)
        if place.transaction is not None:
            self.tongue.state_changed(place, place.transaction)

    def _note_statuses(self) -> None:
        places = self.tongue.places()
        for place in places[:1] if self.faults.reports_only_connector_0 else places:
            state = self.tongue.status_of(place)
            if self._reported.get(place) != state:
                self._reported[place] = state
                self.notices.append(Notice(place, self.tongue.status_notification(place)))

    def _begin(self, place: Connector) -> None:
        at = self.now()
        transaction = Transaction(place.number, "", round(place.outlet.energy_wh), at, plug=place.plug)
        if place.authorised is not None:
            self._take_token(place, transaction, place.authorised)
        place.transaction = transaction
        place.finished = place.withheld = False
        self._sample_left_s[place.number] = self.settings.sample_interval_s
        self.transactions.append(transaction)
        del self.transactions[:-KEPT_TRANSACTIONS]
        self.tongue.started(place, transaction, at)

    def _identify(self, place: Connector, transaction: Transaction, authorisation: Authorisation) -> None:
        self._take_token(place, transaction, authorisation)
        self.tongue.identified(place, transaction)

    def _take_token(self, place: Connector, transaction: Transaction, authorisation: Authorisation) -> None:
        transaction.id_tag = authorisation.token.text
        transaction.token_kind = authorisation.token.kind
        transaction.remote_start_id = authorisation.remote_start_id
        place.authorised = None
        for reservation in list(self.reservations.values()):
            if reservation.place in (0, place.number) and self._is_for(reservation, transaction.id_tag):
                transaction.reservation_id = reservation.reservation_id
                del self.reservations[reservation.reservation_id]

    def _end(
        self, place: Connector, transaction: Transaction, reason: str, token: Token | None, *, at: datetime
    ) -> None:
        transaction.stopped_at = at
        transaction.reason = reason
        transaction.meter_stop_wh = round(place.outlet.energy_wh)
        place.transaction = None
        place.withheld = False
        place.finished = place.plugged
        if transaction.transaction_id is not None:
            self.profiles.transaction_ended(transaction.transaction_id)
        self.tongue.ended(place, transaction, reason, token, at)

    def _align(self, seconds: float) -> None:
        """The readings every meter of the site takes at the same time, charge or not."""
        interval_s = self.settings.aligned_interval_s
        self._align_left_s = min(self._align_left_s, interval_s) - seconds
        if interval_s > 0 and self._align_left_s <= 0:
            self._align_left_s = interval_s
            for place in self.connectors:
                self.take_meter_values(place.number, context="Sample.Clock")

    def _sample_after(self, place: Connector, seconds: float) -> None:
        interval_s = self.settings.sample_interval_s
        if interval_s <= 0:
            return
        self._sample_left_s[place.number] -= seconds
        if self._sample_left_s[place.number] <= 0:
            self._sample_left_s[place.number] = interval_s
            self.take_meter_values(place.number)

    def _give_up_waiting(self, place: Connector, transaction: Transaction, seconds: float) -> None:
        """A 2.x transaction that began with the card ends when no cable comes."""
        if place.plugged or "Authorized" not in self.settings.start_points:
            return
        if (self.now() - transaction.started_at).total_seconds() > self.settings.connection_timeout_s:
            self._end(place, transaction, "Timeout", None, at=self.now())

    def _free_for(self, place: Connector, id_tag: str) -> bool:
        held = [each for each in self.reservations.values() if each.place == place.number]
        return not held or any(self._is_for(each, id_tag) for each in held)

    def _is_for(self, reservation: Reservation, id_tag: str) -> bool:
        return self.local_list.belongs(id_tag, reservation.token, reservation.group)

    def _obstacle(self, place: Connector, reservations: list[Reservation]) -> str:
        """Why a place cannot be reserved; "" when it can."""
        if place.error_code != "NoError" or self.station_error_code != "NoError":
            return "Faulted"
        if not place.usable or not self.operative:
            return "Unavailable"
        held = any(each.place in (0, place.number) for each in reservations)
        return "Occupied" if held or place.plugged or place.transaction is not None else ""

    def _forget_old_reservations(self) -> None:
        now = self.now()
        for reservation in list(self.reservations.values()):
            if reservation.until <= now:
                del self.reservations[reservation.reservation_id]
                self.tongue.reservation_expired(reservation)
