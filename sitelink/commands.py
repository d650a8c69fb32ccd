"""Orders to a station, version-neutral, and what it answered. The protocol modules turn them into calls.

Pure. A station's word (`Accepted`, `Rejected`, `Unlocked` …) is kept as it came; `accepted` is our reading of it.
"""

from typing import Any

import msgspec

from sitelink.ids import TransactionId


class Order(msgspec.Struct, frozen=True):
    """Something the box asks of a station."""


class RemoteStart(Order, frozen=True):
    """`remote_start` is a number of ours by which the station tells the charge it led to (OCPP 2.x F01)."""

    connector: int
    id_token: str
    remote_start: int = 0


class RemoteStop(Order, frozen=True):
    """`name` is the station's own id of the transaction, where it gave it one (OCPP 2.x)."""

    transaction: TransactionId
    name: str | None = None


class UnlockConnector(Order, frozen=True):
    """`plug` is the one of the connector's plugs that is meant (OCPP 2.x: connectorId within the EVSE)."""

    connector: int
    plug: int = 1


class Reset(Order, frozen=True):
    """hard loses what the station has not sent yet; soft ends charging in order first."""

    hard: bool = False


class Trigger(Order, frozen=True):
    """Ask for a message: BootNotification, StatusNotification, MeterValues, Heartbeat (OCPP 1.6 §5.17)."""

    message: str
    connector: int | None = None
    plug: int = 1


class ReadConfiguration(Order, frozen=True):
    keys: tuple[str, ...]


class OrderAnswer(msgspec.Struct, frozen=True):
    """`word` is the station's status or its CALLERROR code, `accepted` whether it will try, `payload` all it said."""

    word: str
    accepted: bool
    payload: Any = None
