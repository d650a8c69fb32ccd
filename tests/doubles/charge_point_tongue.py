"""What a version of OCPP is to a virtual charge point: how its news are written, and how calls are answered.

The station decides what happens, a tongue how it is said: `charge_point_tongue_16.py` for 1.6 and
`charge_point_tongue_2x.py` for 2.0.1 and 2.1. Pure: a tongue
puts transaction messages into the station's queue and sends nothing itself.
Start at `Tongue`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from tests.doubles.charge_point_connector import Connector, Reservation, Token, Transaction
from tests.doubles.charge_point_frames import Payload, Version
from tests.doubles.charge_point_queue import QueuedMessage

if TYPE_CHECKING:
    from tests.doubles.charge_point import VirtualChargePoint

Place = tuple[int, int]
"""What has a status: (connector, 0) in 1.6 with 0 for the station, (EVSE, plug) in 2.x."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Our answer to a CALL, and what to do once it is out. `code` makes it a CALLERROR."""

    payload: Payload
    then: Callable[[], object] | None = None
    code: str = ""


class Settings(Protocol):
    """What the station itself reads of its configuration, whatever its keys are called in a version."""

    heartbeat_interval_s: float

    @property
    def sample_interval_s(self) -> float: ...
    @property
    def aligned_interval_s(self) -> float: ...
    @property
    def connection_timeout_s(self) -> float: ...
    @property
    def attempts(self) -> int: ...
    @property
    def retry_interval_s(self) -> float: ...
    @property
    def dial_attempts(self) -> int: ...
    @property
    def start_points(self) -> frozenset[str]: ...
    @property
    def stops_on_disconnect(self) -> bool: ...
    @property
    def stops_on_invalid_token(self) -> bool: ...
    @property
    def offline_unknown_allowed(self) -> bool: ...
    @property
    def offline_list_allowed(self) -> bool: ...
    @property
    def list_asked_first(self) -> bool: ...
    @property
    def authorises_remote_starts(self) -> bool: ...


class Tongue(ABC):
    """`station` is known once it has been taken into use."""

    station: "VirtualChargePoint"
    settings: Settings

    def __init__(self, version: Version) -> None:
        self.version: Version = version

    def take(self, station: "VirtualChargePoint") -> None:
        """Be the tongue of this station from now on."""
        self.station = station

    @property
    def subprotocol(self) -> str:
        return f"ocpp{self.version}"

    # the station's own calls

    @abstractmethod
    def boot_notification(self, reason: str) -> Payload: ...

    @abstractmethod
    def authorize(self, token: Token) -> Payload: ...

    @abstractmethod
    def authorised(self, answer: Payload) -> str:
        """The status of the id token in an answer to Authorize."""

    @abstractmethod
    def group(self, answer: Payload) -> str:
        """The group the token belongs to by that answer, or ""."""

    @abstractmethod
    def sign_certificate(self, request: str) -> Payload: ...

    @abstractmethod
    def places(self) -> list[Place]:
        """All that have a status, in the order in which they are told."""

    @abstractmethod
    def status_of(self, place: Place) -> tuple[str, ...]:
        """What a change of means news."""

    @abstractmethod
    def status_notification(self, place: Place) -> Payload: ...

    # transactions

    @abstractmethod
    def started(self, place: Connector, transaction: Transaction, at: datetime) -> None: ...

    @abstractmethod
    def identified(self, place: Connector, transaction: Transaction) -> None:
        """Somebody identified at a transaction that waited for it."""

    @abstractmethod
    def metered(self, place: Connector, context: str) -> None: ...

    @abstractmethod
    def state_changed(self, place: Connector, transaction: Transaction) -> None:
        """Called after every step of time; says something only when the charging state is news."""

    @abstractmethod
    def resumed(self, place: Connector, transaction: Transaction) -> None:
        """A charge goes on after the station started again."""

    @abstractmethod
    def ended(
        self, place: Connector, transaction: Transaction, reason: str, token: Token | None, at: datetime
    ) -> None: ...

    @abstractmethod
    def ready(self, message: QueuedMessage) -> Payload:
        """A queued message as it goes on the wire now."""

    @abstractmethod
    def delivered(self, message: QueuedMessage, answer: Payload) -> str:
        """Take the central system's word for it; the status of the id token, "" when it says nothing of it."""

    # calls of the central system

    @abstractmethod
    def answer(self, action: str, payload: Payload) -> Reply:
        """Never raises for what the schema allows; a CALLERROR for an action it does not offer."""

    # happenings some versions have words for

    @abstractmethod
    def faulted(self, place: int, error_code: str) -> None:
        """A fault came ("NoError": went)."""

    @abstractmethod
    def reservation_expired(self, reservation: Reservation) -> None:
        """Nobody came in time."""

    @abstractmethod
    def rebooted(self) -> None:
        """The station starts again: what is not kept in flash is gone."""

    @abstractmethod
    def time_passed(self, seconds: float) -> None:
        """A step of the station's own time."""
