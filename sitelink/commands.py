"""Orders to a station, version-neutral, and what it answered. The protocol modules turn them into calls.

Pure. A station's word (`Accepted`, `Rejected`, `Unlocked` …) is kept as it came; `accepted` is our reading of it.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from sitelink.events import ListEntry
from sitelink.ids import TransactionId
from sitelink.states import TransferKind


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
    """hard loses what the station has not sent yet; soft ends charging in order first.

    `connector`: only that one (OCPP 2.x: an EVSE); 1.6 has no such call.
    """

    hard: bool = False
    connector: int | None = None


class SetAvailability(Order, frozen=True):
    """Take a place out of service or back into it, also over reboots. No `connector`: the whole station.

    `plug`: only that one of its plugs (OCPP 2.x). Accepted or Scheduled say that it will; that it is, its status says.
    """

    operative: bool
    connector: int | None = None
    plug: int | None = None


class Trigger(Order, frozen=True):
    """Ask for a message: BootNotification, StatusNotification, MeterValues, Heartbeat (OCPP 1.6 §5.17)."""

    message: str
    connector: int | None = None
    plug: int = 1


class ReadConfiguration(Order, frozen=True):
    keys: tuple[str, ...]


class ReadListLimits(Order, frozen=True):
    """What a station's own list of id tokens can hold. `OrderAnswer.payload` is a ListLimits."""


class ListLimits(msgspec.Struct, frozen=True):
    """None: it did not say. `id_token_characters` and `typed` are the version's: how long a token, and with a type."""

    enabled: bool | None = None
    entries: int | None = None
    per_message: int | None = None
    bytes_per_message: int | None = None
    id_token_characters: int = 20
    typed: bool = False


class SendLocalList(Order, frozen=True):
    """A message of the list a station keeps for when it is offline. `full`: it forgets what it had.

    Else `entries` are put and `removed` are taken away. A version is above 0 and above the one before.
    """

    version: int
    full: bool
    entries: tuple[ListEntry, ...] = ()
    removed: tuple[ListEntry, ...] = ()


class GetLocalListVersion(Order, frozen=True):
    """Answered with `OrderAnswer.payload` an int: 0 where it has no list, below 0 where it keeps none."""


class ClearCache(Order, frozen=True):
    """Forget whom it let charge before: the next one is asked about."""


class FetchLog(Order, frozen=True):
    """Have the station upload its diagnostics or its security log to `location`, a URL made for this once."""

    kind: TransferKind
    request: int
    location: str
    retries: int = 3
    retry_interval_s: int = 60
    oldest: datetime | None = None
    latest: datetime | None = None


class ReadTransferMethods(Order, frozen=True):
    """How a station can send and fetch files. `OrderAnswer.payload`: its setting's name, and what it says or None."""


class UpdateFirmware(Order, frozen=True):
    """Have the station fetch and install an image. With `signature` and `certificate` (PEM) the update is signed."""

    request: int
    location: str
    fetch_at: datetime
    retries: int = 3
    retry_interval_s: int = 60
    install_at: datetime | None = None
    signature: str | None = None
    certificate: str | None = None


class RequestCertificate(Order, frozen=True):
    """Have the station make a key and ask for a certificate (SignCertificate follows by itself)."""


class HandOverCertificate(Order, frozen=True):
    """What was signed for the station, PEM, leaf first. `request`: the number it gave its request (OCPP 2.1)."""

    chain: str
    request: int | None = None


class RootUse(StrEnum):
    """What a root is for: this central system, or the station's maker (firmware signatures)."""

    CENTRAL_SYSTEM = "central_system"
    MANUFACTURER = "manufacturer"


class InstallRoot(Order, frozen=True):
    """A root, PEM, the station is to trust."""

    certificate: str
    use: RootUse = RootUse.CENTRAL_SYSTEM


class ReadRoots(Order, frozen=True):
    """Which roots of a use the station has. `OrderAnswer.payload` is a tuple of CertificateHash."""

    use: RootUse = RootUse.CENTRAL_SYSTEM


class CertificateHash(msgspec.Struct, frozen=True):
    """How a station names a certificate it has (OCPP's CertificateHashDataType)."""

    hash_algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str


class DeleteRoot(Order, frozen=True):
    """Take a root away. A station refuses the last one its connection stands on."""

    certificate: CertificateHash


class SetKey(Order, frozen=True):
    """The password the station shows from now on: 40 hex digits, in 1.6 the bytes they stand for. Never printed."""

    key: str

    def __repr__(self) -> str:
        return "SetKey(***)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("key", "***")]


class OrderAnswer(msgspec.Struct, frozen=True):
    """`word` is the station's status or its CALLERROR code, `accepted` whether it will try, `payload` all it said.

    `file`: what it will call the file it uploads, where it says so.
    """

    word: str
    accepted: bool
    payload: Any = None
    file: str | None = None
