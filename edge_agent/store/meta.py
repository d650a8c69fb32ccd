"""Single values of the store itself: the counters, the outbox mark, the notice of a salvage.

Start at `read` and `write`. Every value is JSON with a CRC of its own; a damaged one raises RowDamaged.
"""

import sqlite3
from typing import Any, TypeVar

import msgspec

from edge_agent.store.rows import RowDamaged, crc_of, encode

T = TypeVar("T")


class Counters(msgspec.Struct, frozen=True):
    """As of `seq`; what was written after it is counted at start."""

    key = "counters"
    seq: int = 0
    journal: int = 0
    """Log ops that are kept."""
    journal_ever: int = 0
    """Log ops that were ever written."""
    telemetry: int = 0


class LastTransaction(msgspec.Struct, frozen=True):
    """The highest transaction id ever handed out, also when its row is gone."""

    key = "last_transaction"
    id: int = 0


class Acked(msgspec.Struct, frozen=True):
    """What the cloud has: log ops up to `seq`, `ops` of them in all."""

    key = "acked"
    seq: int = 0
    ops: int = 0


class Cursor(msgspec.Struct, frozen=True):
    """Where this box stands in the site's log. There is one from the moment on when the box has a cloud to go to."""

    key = "cursor"
    epoch: str | None = None
    place: int = 0


class TelemetryAcked(msgspec.Struct, frozen=True):
    """What the cloud has of telemetry: stretches, each above a seq up to a seq, sorted and apart."""

    key = "telemetry_acked"
    stretches: tuple[tuple[int, int], ...] = ()


class Schema(msgspec.Struct, frozen=True):
    """The tables and indexes as the migrations left them."""

    key = "schema"
    crc: int = 0


class Salvaged(msgspec.Struct, frozen=True):
    """A damaged database was set aside. Shown until somebody has seen it."""

    key = "salvaged"
    at: str = ""
    """UTC, ISO."""
    directory: str = ""
    kept: int = 0
    lost: int = 0
    """Rows that could not be read; what was between them and gone altogether nobody can count."""
    rebuilt: int = 0
    """Records made again from the log."""


Value = Counters | LastTransaction | Acked | Cursor | TelemetryAcked | Schema | Salvaged
Meta = TypeVar("Meta", Counters, LastTransaction, Acked, Cursor, TelemetryAcked, Schema, Salvaged)

_WRITE = "INSERT INTO meta (key, value, crc) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = ?2, crc = ?3"


def read(connection: sqlite3.Connection, kind: type[Meta]) -> Meta | None:
    """Raises RowDamaged, sqlite3.Error."""
    row = connection.execute("SELECT value, crc FROM meta WHERE key = ?", (kind.key,)).fetchone()
    if row is None:
        return None
    value: Any = row[0]
    if not isinstance(value, str) or crc_of(kind.key, value.encode()) != row[1]:
        raise RowDamaged("meta", kind.key)
    return msgspec.json.decode(value, type=kind)


def write(connection: sqlite3.Connection, value: Value) -> None:
    body = encode(value)
    connection.execute(_WRITE, (value.key, body.decode(), crc_of(value.key, body)))


def forget(connection: sqlite3.Connection, kind: type[Salvaged] | type[Cursor]) -> None:
    connection.execute("DELETE FROM meta WHERE key = ?", (kind.key,))
