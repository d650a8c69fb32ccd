"""One place to charge at a virtual charge point: cable, authorisation, transaction, and the state that follows.

A place is a connector of OCPP 1.6 and an EVSE of 2.x; an EVSE may have several plugs, of which one is in use at a time.
Pure: no I/O, no clock. The state is never set, always derived. Source: OCPP 1.6 §4.9 (statuses), §4.8, §4.10.
Start at `Connector.status`; how it is written on the wire is the tongues' business.
"""

from dataclasses import dataclass
from datetime import datetime

from tests.doubles.charge_point_power import Car, Outlet


@dataclass(frozen=True, slots=True)
class Token:
    """What a driver identifies with. `kind` is an IdTokenEnumType; 1.6 knows only the text."""

    text: str
    kind: str = "ISO14443"


@dataclass(slots=True)
class Authorisation:
    """Somebody may start here as soon as a cable is in. `remote_start_id` when the central system asked for it."""

    token: Token
    left_s: float
    remote_start_id: int | None = None


@dataclass(slots=True)
class Reservation:
    """`number` 0 in `place` is any place."""

    reservation_id: int
    place: int
    token: str
    until: datetime
    group: str = ""


@dataclass(slots=True)
class Transaction:
    """As the station knows it. In 1.6 the central system gives the id with its confirmation of the start; a 2.x
    station makes it itself. `id_tag` is "" while a 2.x transaction waits for somebody to identify."""

    connector: int
    id_tag: str
    meter_start_wh: int
    started_at: datetime
    transaction_id: int | str | None = None
    start_confirmed: bool = False
    start_answer: str = ""
    """The status of the id token in the confirmed start."""
    start_discarded: bool = False
    stopped_at: datetime | None = None
    meter_stop_wh: int | None = None
    reason: str = ""
    stop_confirmed: bool = False
    plug: int = 1
    token_kind: str = "ISO14443"
    remote_start_id: int | None = None
    reservation_id: int | None = None
    seq_no: int = 0
    """Of the next event (2.x)."""
    told_state: str = ""
    """The charging state last told (2.x)."""
    cost: float | None = None
    """What the central system last said the charge costs (2.x)."""

    @property
    def running(self) -> bool:
        return self.stopped_at is None


@dataclass(slots=True)
class Connector:
    """`number` counts from 1. What persists over a power cut is all but the authorisation."""

    number: int
    outlet: Outlet
    plugs: int = 1
    plug: int = 1
    """The one in use, or last used; counts from 1."""
    car: Car | None = None
    authorised: Authorisation | None = None
    transaction: Transaction | None = None
    finished: bool = False
    """A transaction ended and the cable is still in."""
    withheld: bool = False
    """The id tag was refused after the start and the station holds the power back instead of stopping."""
    error_code: str = "NoError"
    operative: bool = True
    closed_plugs: frozenset[int] = frozenset()
    """Plugs that were made inoperative one by one (2.x)."""
    down_left_s: float = 0.0
    """Seconds until this place is back from a reset of its own (2.x)."""
    reset_when_idle: bool = False
    reserved: bool = False

    @property
    def plugged(self) -> bool:
        return self.car is not None

    @property
    def usable(self) -> bool:
        return self.operative and self.error_code == "NoError" and self.down_left_s <= 0

    @property
    def closed(self) -> bool:
        """Whether current may flow."""
        running = self.transaction is not None and self.transaction.id_tag != ""
        return running and not self.withheld and self.error_code == "NoError"

    def ready_to_start(self, start_points: frozenset[str]) -> bool:
        """`start_points` as in TxStartPoint of 2.x; 1.6 stations start when the power path closes."""
        if not self.usable or self.transaction is not None:
            return False
        plugged, authorised = self.plugged, self.authorised is not None
        return (
            (plugged and authorised)
            or ("EVConnected" in start_points and plugged and not self.finished)
            or ("Authorized" in start_points and authorised)
        )

    def status(self) -> str:
        """A ChargePointStatus of OCPP 1.6, which says more than a ConnectorStatus of 2.x."""
        if self.error_code != "NoError":
            return "Faulted"
        if self.transaction is not None:
            return self._status_in_transaction(self.transaction, self.car)
        if not self.operative or self.down_left_s > 0:
            return "Unavailable"
        if self.finished:
            return "Finishing"
        if self.plugged or self.authorised:
            return "Preparing"
        return "Reserved" if self.reserved else "Available"

    def _status_in_transaction(self, transaction: Transaction, car: Car | None) -> str:
        if not transaction.id_tag:
            return "Preparing"
        if self.withheld or self.outlet.limit_a == 0:
            return "SuspendedEVSE"
        if car is None or car.full or not car.takes_power:
            return "SuspendedEV"
        return "Charging"

    def charging_state(self) -> str:
        """A ChargingStateEnumType of OCPP 2.x, while a transaction runs."""
        transaction = self.transaction
        if self.car is None:
            return "Idle"
        if transaction is None or not transaction.id_tag:
            return "EVConnected"
        status = self._status_in_transaction(transaction, self.car)
        return "EVConnected" if status == "Charging" and self.outlet.power_w <= 0 else status
