"""What a station tells, version-neutral, as the protocol modules hand it to the core. Pure.

`at` is our best reading of the station's time, aware UTC, None where it sent none or nonsense (then the receive time
counts); `station_time` is its text as it came; `payload` is the message as it came.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from sitelink.events import MeterSample, Traits
from sitelink.ids import TransactionId
from sitelink.states import AuthorizationStatus, ConnectorStatus, Registration, ReportKind, TransferKind


class Verdict(msgspec.Struct, frozen=True):
    """What an id token may do. `group`: 1.6's parent, 2.x's group. `evses`: only there, where not everywhere."""

    status: AuthorizationStatus
    group: str | None = None
    expires: datetime | None = None
    evses: tuple[int, ...] = ()


class BootReport(msgspec.Struct, frozen=True):
    vendor: str
    model: str
    serial: str | None = None
    firmware: str | None = None
    payload: Any = None
    version: str | None = None
    """OCPP's, as the boot was spoken."""
    subprotocol: str | None = None
    offered: tuple[str, ...] = ()
    """The subprotocols of its handshake."""
    traits: Traits = Traits()


class BootAnswer(msgspec.Struct, frozen=True):
    """`interval_s`: heartbeat when accepted, else when to try again. `reason`: why not, a code."""

    verdict: Registration
    interval_s: int
    reason: str | None = None


class ConnectorReport(msgspec.Struct, frozen=True):
    connector: int
    status: ConnectorStatus
    error_code: str = "NoError"
    info: str | None = None
    vendor_id: str | None = None
    vendor_error_code: str | None = None
    at: datetime | None = None
    station_time: str | None = None
    text: str | None = None
    plug: int | None = None


class StartReport(msgspec.Struct, frozen=True):
    connector: int
    id_token: str
    meter_start_wh: float | None
    at: datetime | None = None
    station_time: str | None = None
    payload: Any = None


class StartAnswer(msgspec.Struct, frozen=True):
    transaction: TransactionId
    verdict: Verdict


class MeterGroup(msgspec.Struct, frozen=True):
    """Values sampled at one moment."""

    samples: tuple[MeterSample, ...]
    at: datetime | None = None
    station_time: str | None = None
    payload: Any = None


class MeterReport(msgspec.Struct, frozen=True):
    connector: int
    groups: tuple[MeterGroup, ...]
    transaction: int | None = None
    """As the station named it; may be none of ours."""


class TransactionStage(StrEnum):
    """Where in its life a transaction event stands (OCPP 2.x TransactionEventEnumType)."""

    STARTED = "Started"
    UPDATED = "Updated"
    ENDED = "Ended"


UNNUMBERED = -1


class TransactionReport(msgspec.Struct, frozen=True):
    """A transaction event of OCPP 2.x. `name` is the station's own id of the transaction, unique for ever.

    `seq_no` is UNNUMBERED where it came without. `id_token` is None where the event carries none; "" with `token_type`
    NoAuthorization. `connector` is the EVSE, None where it is not said again.
    """

    stage: TransactionStage
    name: str
    seq_no: int
    trigger: str
    connector: int | None = None
    plug: int | None = None
    charging: ConnectorStatus | None = None
    id_token: str | None = None
    token_type: str | None = None
    remote_start: int | None = None
    offline: bool = False
    stop_reason: str = "Local"
    groups: tuple[MeterGroup, ...] = ()
    at: datetime | None = None
    station_time: str | None = None
    payload: Any = None
    extras: dict[str, Any] = {}


class ListReport(msgspec.Struct, frozen=True):
    """A list a station told of itself, whole; fields as in `sitelink.events.StationReported`."""

    kind: ReportKind
    items: dict[str, Any]
    source: str
    missing: int = 0
    facts: dict[str, int] = {}


class StopReport(msgspec.Struct, frozen=True):
    transaction: int | None
    """As the station named it: −1 where it never got our answer to its start (OCPP 1.6 errata 3.18)."""
    meter_stop_wh: float | None
    reason: str = "Local"
    id_token: str | None = None
    at: datetime | None = None
    station_time: str | None = None
    groups: tuple[MeterGroup, ...] = ()
    payload: Any = None


class TransferReport(msgspec.Struct, frozen=True):
    """`action` is the message's name. `kinds` are what it can be about; `request` our number, where it says one."""

    action: str
    kinds: tuple[TransferKind, ...]
    word: str
    request: int | None = None
    payload: Any = None
