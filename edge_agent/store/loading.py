"""What a start needs from the disk, and no more: nothing is replayed, so it takes the same time after years.

Start at `load`. Every row is checked; a damaged one raises RowDamaged and the caller salvages.
"""

import sqlite3
from dataclasses import dataclass

import msgspec

from edge_agent.store import meta
from edge_agent.store.rows import RowDamaged, checked, command_of, entity_of, transaction_of
from edge_agent.store.working import RecentContents, WorkingState
from sitelink.events import MeterValuesReported
from sitelink.ids import OpId, StationKey
from sitelink.model import CLOSED_TRANSACTIONS_KEPT, Transaction
from sitelink.ops import decode_op

RECENT_TELEMETRY = 4096
"""So many of the last telemetry rows are looked at for the memory of contents."""
# The stations that ever closed a transaction, by skipping through the index.
STATIONS_WITH_CLOSED = """
    WITH RECURSIVE each (station) AS (
        SELECT min(station) FROM "transaction" WHERE closed IS NOT NULL
        UNION ALL
        SELECT (SELECT min(station) FROM "transaction" WHERE closed IS NOT NULL AND station > each.station)
        FROM each WHERE each.station IS NOT NULL
    ) SELECT station FROM each WHERE station IS NOT NULL
"""
LAST_CLOSED = (
    'SELECT id, body, crc, closed FROM "transaction" WHERE station = ? AND closed IS NOT NULL'
    " ORDER BY closed DESC LIMIT ?"
)
OPEN = 'SELECT id, body, crc FROM "transaction" WHERE closed IS NULL ORDER BY id'


class _OpId(msgspec.Struct):
    op_id: OpId


_op_id = msgspec.json.Decoder(_OpId)


@dataclass
class Loaded:
    """Everything the writer begins with."""

    state: WorkingState
    contents: RecentContents
    seq: int
    last_op: OpId | None
    last_transaction: int
    counters: meta.Counters


def load(connection: sqlite3.Connection) -> Loaded:
    """Read the state. Raises RowDamaged, sqlite3.Error."""
    state = WorkingState()
    for row in connection.execute("SELECT key, body, crc FROM entity ORDER BY id"):
        state.put(entity_of(*row))
    for row in connection.execute("SELECT key, body, crc FROM command ORDER BY id"):
        state.put(command_of(*row))
    _load_transactions(connection, state)
    state.mark()
    seq, last_op = _last(connection)
    known = meta.read(connection, meta.LastTransaction)
    (highest,) = connection.execute('SELECT coalesce(max(id), 0) FROM "transaction"').fetchone()
    return Loaded(
        state=state, contents=_contents(connection), seq=seq, last_op=last_op,
        last_transaction=max(highest, known.id if known else 0), counters=_counters(connection, seq),
    )  # fmt: skip


def _load_transactions(connection: sqlite3.Connection, state: WorkingState) -> None:
    """The open ones, and of each station the last that closed, in the order in which they did."""
    closed: list[tuple[int, Transaction]] = []
    for (station,) in connection.execute(STATIONS_WITH_CLOSED).fetchall():
        for id_, body, crc, order in connection.execute(LAST_CLOSED, (station, CLOSED_TRANSACTIONS_KEPT)):
            closed.append((order, transaction_of(id_, body, crc)))
    for _, transaction in sorted(closed, key=lambda each: each[0]):
        state.put(transaction)
    for row in connection.execute(OPEN):
        state.put(transaction_of(*row))


def _last(connection: sqlite3.Connection) -> tuple[int, OpId | None]:
    """The counter's last value and the id of the last op that was made here and is on disk."""
    newest: tuple[int, bytes, int] | None = None
    for rows in ("journal WHERE NOT received", "telemetry"):
        row = connection.execute(f"SELECT seq, body, crc FROM {rows} ORDER BY seq DESC LIMIT 1").fetchone()  # noqa: S608
        if row is not None and (newest is None or row[0] > newest[0]):
            newest = row
    (gap,) = connection.execute("SELECT coalesce(max(to_seq), 0) FROM gap").fetchone()
    (received,) = connection.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()
    known = meta.read(connection, meta.Counters)
    seq = max(gap, received, known.seq if known else 0, newest[0] if newest else 0)
    if newest is None:
        return seq, None
    return seq, _op_id.decode(checked("journal", *newest)).op_id


def _counters(connection: sqlite3.Connection, seq: int) -> meta.Counters:
    known = meta.read(connection, meta.Counters) or meta.Counters()
    journal, received = connection.execute(
        "SELECT count(*), coalesce(sum(received), 0) FROM journal WHERE seq > ?", (known.seq,)
    ).fetchone()
    (telemetry,) = connection.execute("SELECT count(*) FROM telemetry WHERE seq > ?", (known.seq,)).fetchone()
    return meta.Counters(
        seq=known.seq, journal=known.journal + journal, journal_ever=known.journal_ever + journal - received,
        telemetry=known.telemetry + telemetry,
    )  # fmt: skip


def _contents(connection: sqlite3.Connection) -> RecentContents:
    contents = RecentContents()
    rows = connection.execute(
        "SELECT seq, body, crc FROM telemetry ORDER BY seq DESC LIMIT ?", (RECENT_TELEMETRY,)
    ).fetchall()
    for seq, body, crc in reversed(rows):
        try:
            op = decode_op(checked("telemetry", seq, body, crc))
        except RowDamaged:
            raise
        except (KeyError, msgspec.DecodeError):
            continue
        if isinstance(op.event, MeterValuesReported):
            contents.add(StationKey(op.entity.partition(":")[2]), op.event.content)
    contents.mark()
    return contents
