"""What a row holds: how ops and records become bytes and come back, and the check that they came back whole.

Pure. Start at `crc_of`. Every stored body carries a CRC over its key and itself, so that a bit that flipped on the
flash is noticed and never served (fault D7).
"""

import zlib
from collections.abc import Callable
from typing import Any

import msgspec

from sitelink.model import Command, Entity, Transaction
from sitelink.records import decode_record

encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode

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
    whole = checked("entity", key, body, crc)
    try:
        return decode_record(key, whole)
    except KeyError as error:
        raise RowDamaged("entity", key) from error


def command_of(key: str, body: bytes, crc: int) -> Command:
    """Raises RowDamaged."""
    return _command.decode(checked("command", key, body, crc))


def transaction_of(id_: int, body: bytes, crc: int) -> Transaction:
    """Raises RowDamaged."""
    return _transaction.decode(checked("transaction", id_, body, crc))
