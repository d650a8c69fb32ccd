"""What a row holds: how ops and records become bytes and come back, and the check that they came back whole.

Pure. Start at `crc_of`. Every stored body carries a CRC over its key and itself, so that a bit that flipped on the
flash is noticed and never served (fault D7).
"""

import zlib
from collections.abc import Callable
from typing import Any

import msgspec

from sitelink.model import (
    ChargePoint,
    Command,
    Corrections,
    Entity,
    IdToken,
    Job,
    Knock,
    Link,
    LocalList,
    Setting,
    Station,
    StationReport,
    Transaction,
    Transfer,
)
from sitelink.security import IssuedCertificate, StationSecurity

encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode

_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "job": msgspec.json.Decoder(Job),
    "cp": msgspec.json.Decoder(ChargePoint),
    "station": msgspec.json.Decoder(Station),
    "knock": msgspec.json.Decoder(Knock),
    "transfer": msgspec.json.Decoder(Transfer),
    "link": msgspec.json.Decoder(Link),
    "corrections": msgspec.json.Decoder(Corrections),
    "local_list": msgspec.json.Decoder(LocalList),
    "id_token": msgspec.json.Decoder(IdToken),
    "security": msgspec.json.Decoder(StationSecurity),
    "report": msgspec.json.Decoder(StationReport),
    "certificate": msgspec.json.Decoder(IssuedCertificate),
    "setting": msgspec.json.Decoder(Setting),
}
_command = msgspec.json.Decoder(Command)
_transaction = msgspec.json.Decoder(Transaction)


class RowDamaged(Exception):
    """A row did not come back as it was written."""

    def __init__(self, table: str, key: int | str) -> None:
        super().__init__(table, key)
        self.table = table
        self.key = key


def crc_of(key: int | str, body: bytes) -> int:
    """CRC-32 of the body, seeded by the key: a body under a wrong key is noticed too."""
    seed = key & 0xFFFFFFFF if isinstance(key, int) else zlib.crc32(key.encode())
    return zlib.crc32(body, seed)


def checked(table: str, key: int | str, body: bytes, crc: int) -> bytes:
    """The body, if it is whole. Raises RowDamaged."""
    if not isinstance(body, bytes) or crc_of(key, body) != crc:
        raise RowDamaged(table, key)
    return body


def entity_of(key: str, body: bytes, crc: int) -> Entity:
    """Raises RowDamaged."""
    decoder = _DECODERS.get(key.partition(":")[0])
    if decoder is None:
        raise RowDamaged("entity", key)
    entity: Entity = decoder.decode(checked("entity", key, body, crc))
    return entity


def command_of(key: str, body: bytes, crc: int) -> Command:
    """Raises RowDamaged."""
    return _command.decode(checked("command", key, body, crc))


def transaction_of(id_: int, body: bytes, crc: int) -> Transaction:
    """Raises RowDamaged."""
    return _transaction.decode(checked("transaction", id_, body, crc))
