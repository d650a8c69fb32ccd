"""What a batch of decisions sees and writes: stamps facts into ops, folds them, and lays the rows.

Start at `DiskLedger.record`. Used on the writer's thread, inside its transaction; `flush` writes what was gathered,
`settle` after the commit makes it final, `undo` takes all of it back. Source: SYNC §2.2 and §2.3.
"""

import sqlite3
from collections.abc import Callable, Sequence

from edge_agent.site.ports import Committed
from edge_agent.store import meta
from edge_agent.store.loading import Loaded
from edge_agent.store.rows import crc_of, encode, transaction_of
from edge_agent.store.shared_log import SharedLog
from edge_agent.store.working import WorkingState
from sitelink.apply import apply
from sitelink.clock import Clock
from sitelink.decisions import Received
from sitelink.events import (
    TELEMETRY,
    MeterValuesReported,
    TransactionIncomplete,
    TransactionStopped,
    TransactionUpdated,
)
from sitelink.folding.changes import Changes
from sitelink.ids import OpId, StationKey, TransactionId
from sitelink.model import Command, Entity, MeterReading, Readings, Transaction
from sitelink.ops import Fact, Op, Stamp, encode_op

INSERT_JOURNAL = "INSERT INTO journal (seq, body, crc) VALUES (?, ?, ?)"
INSERT_RECEIVED = "INSERT INTO journal (seq, body, crc, place, received) VALUES (?, ?, ?, ?, 1)"
INSERT_TELEMETRY = "INSERT INTO telemetry (seq, body, crc) VALUES (?, ?, ?)"
PUT_ENTITY = "INSERT INTO entity (key, body, crc) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET body = ?2, crc = ?3"
DROP_ENTITY = "DELETE FROM entity WHERE key = ?"
PUT_COMMAND = (
    "INSERT INTO command (key, ended, body, crc) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (key) DO UPDATE SET ended = ?2, body = ?3, crc = ?4"
)
# `closed` keeps its first value, as memory does: a stop that replaces a superseded one does not change the order of
# closing, unless the transaction had to be recalled from disk (?8).
PUT_TRANSACTION = (
    'INSERT INTO "transaction" (id, station, start_content, stop_content, closed, body, crc)'
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET station = ?2, start_content = ?3,"
    " stop_content = ?4, closed = CASE WHEN ?5 IS NULL OR ?8 THEN ?5 ELSE coalesce(closed, ?5) END, body = ?6, crc = ?7"
)
# Nothing but the body changed: no index is touched.
KEEP_TRANSACTION = 'UPDATE "transaction" SET body = ?2, crc = ?3 WHERE id = ?1'
TRANSACTION_BY_ID = 'SELECT id, body, crc FROM "transaction" WHERE id = ?'
# "Was this start (stop) here before?"
TRANSACTION_BY_START = (
    'SELECT id, body, crc FROM "transaction" WHERE station = ? AND start_content = ? ORDER BY id DESC LIMIT 1'
)
TRANSACTION_BY_STOP = (
    'SELECT id, body, crc FROM "transaction" WHERE station = ? AND stop_content = ? ORDER BY id DESC LIMIT 1'
)
_OF_A_TRANSACTION = (TransactionStopped, TransactionUpdated, TransactionIncomplete)
COUNTERS_EVERY_ROWS = 4096
"""So many rows at most are counted at start."""


class DiskLedger:
    """See `edge_agent.site.ports.Ledger`."""

    def __init__(self, connection: sqlite3.Connection, loaded: Loaded, clock: Clock, new_id: Callable[[], str]) -> None:
        self.connection = connection
        self.thin = False
        """Space is short: telemetry is folded and counted, and not kept."""
        self._clock = clock
        self._new_id = new_id
        self._state = loaded.state
        self._contents = loaded.contents
        self.seq = loaded.seq
        self.counters = loaded.counters
        self._last_op = loaded.last_op
        self._last_transaction = loaded.last_transaction
        self._stamp: Stamp | None = None
        self.shared = SharedLog(connection)
        self.begin()

    # ---- what a decision may ask ----

    @property
    def state(self) -> WorkingState:
        return self._state

    @property
    def now(self) -> Stamp:
        if self._stamp is None:
            clock = self._clock
            self._stamp = Stamp(boot=clock.boot_id(), mono_ms=int(clock.monotonic() * 1000), wall=clock.now())
        return self._stamp

    def started(self, station: StationKey, content: str) -> Transaction | None:
        return self._transaction(TRANSACTION_BY_START, (station, content))

    def stopped(self, station: StationKey, content: str) -> Transaction | None:
        return self._transaction(TRANSACTION_BY_STOP, (station, content))

    def transaction(self, id_: TransactionId) -> Transaction | None:
        known = self._state.transactions.get(id_)
        if known is not None or not 0 < id_ < 2**63:
            return known
        return self._transaction(TRANSACTION_BY_ID, (id_,))

    def next_transaction_id(self) -> TransactionId:
        self._last_transaction += 1
        return TransactionId(self._last_transaction)

    def is_known_telemetry(self, station: StationKey, content: str) -> bool:
        return self._contents.knows(station, content)

    def _transaction(self, sql: str, values: tuple[object, ...]) -> Transaction | None:
        row = self.connection.execute(sql, values).fetchone()
        if row is None:
            return None
        return self._state.transactions.get(row[0]) or transaction_of(*row)

    # ---- the batch ----

    def begin(self) -> None:
        """A new batch: from here on `undo` comes back to now."""
        self._state.mark()
        self._contents.mark()
        self.shared.mark()
        self._ops: list[Op] = []
        self._logged: list[Op] = []
        self._bytes = 0
        self._changes: list[Changes] = []
        self._journal: list[tuple[int, bytes, int]] = []
        self._received = 0
        self._telemetry: list[tuple[int, bytes, int]] = []
        self._puts: dict[str, Entity] = {}
        self._drops: dict[str, None] = {}
        self._went_on: dict[TransactionId, Transaction] = {}
        self._dropped_telemetry: list[int] = []
        self._named: set[OpId] = set()
        self._highest_row = 0
        self._recalled: set[TransactionId] = set()
        self._before = (self.seq, self._last_op, self.counters, self._last_transaction)

    def next_decision(self) -> None:
        """Facts of another decision get a stamp of their own."""
        self._stamp = None

    def record(self, facts: Sequence[Fact]) -> None:
        """Make ops of the facts and fold them. A fact whose own op id is already written is left out."""
        for fact in facts:
            if fact.op_id is not None and not self._is_new(fact.op_id):
                continue
            self._fold(self._stamped(fact))

    def receive(self, received: Received) -> None:
        """Take in what came from the cloud. Ops that were made elsewhere go into the journal beside our own."""
        had = self.shared.cursor.place if self.shared.cursor else 0
        for place, op in received.ops:
            if place > had and not self.shared.is_ours(op.op_id):
                self._journal_received(place, op)
        self._show(self.shared.receive(received, self._state))
        if received.start_over:
            self._offer_again(0)
            meta.write(self.connection, meta.TelemetryAcked())
        elif received.records is not None and self.shared.first_unconfirmed is not None:
            known = meta.read(self.connection, meta.Acked) or meta.Acked()
            self._offer_again(min(known.seq, self.shared.first_unconfirmed - 1))

    def _offer_again(self, after: int) -> None:
        """What was written after this seq counts as not sent: only so can be told what of it the cloud has."""
        (left,) = self.connection.execute(
            "SELECT count(*) FROM journal WHERE seq > ? AND NOT received", (after,)
        ).fetchone()
        ever = self.counters.journal_ever + len(self._journal)
        meta.write(self.connection, meta.Acked(seq=after, ops=ever - left))

    def begin_link(self) -> None:
        """There is a cloud from now on."""
        self.shared.begin(self._state)

    def leave_link(self) -> None:
        """The cloud is forgotten. Another one is offered everything that is here, what came from the old one too."""
        self.shared.leave()
        self._offer_again(0)
        meta.write(self.connection, meta.TelemetryAcked())

    def placed(self, places: Sequence[tuple[OpId, int]]) -> None:
        """Ops of ours that the cloud says it has had before."""
        self._show(self.shared.placed(places, self._state))

    def _journal_received(self, place: int, op: Op) -> None:
        self.seq += 1
        body = encode_op(op)
        self.connection.execute(INSERT_RECEIVED, (self.seq, body, crc_of(self.seq, body), place))
        self._received += 1
        self._ops.append(op)
        self._logged.append(op)

    def _show(self, changes: Changes) -> None:
        if changes.put or changes.drop:
            self._take(changes)
            self._changes.append(changes)

    def _is_new(self, op_id: OpId) -> bool:
        if op_id in self._named:
            return False
        if self.connection.execute("SELECT 1 FROM named_op WHERE op_id = ?", (op_id,)).fetchone():
            return False
        self._named.add(op_id)
        self.connection.execute(
            "INSERT INTO named_op (op_id, crc) VALUES (?, ?)", (op_id, crc_of("op", op_id.encode()))
        )
        return True

    def _stamped(self, fact: Fact) -> Op:
        return Op(
            op_id=fact.op_id or OpId(self._new_id()), entity=fact.entity, event=fact.event, author=fact.author,
            prev=self._last_op, t=self.now, job=fact.job, field=fact.field, bases=fact.bases,
        )  # fmt: skip

    def _fold(self, op: Op) -> None:
        self.seq += 1
        self._last_op = op.op_id
        self._lay(op)
        self._recall(op)
        changes = apply(self._state, op)
        self.shared.wrote(self.seq, op, changes, self._state)
        self._take(changes)
        self._ops.append(op)
        self._changes.append(changes)

    def _take(self, changes: Changes) -> None:
        for entity in changes.put:
            if isinstance(entity, Transaction):
                self._put_transaction(entity, self._state.transactions.get(entity.id))
            elif not isinstance(entity, (Readings, MeterReading)):
                self._puts[entity.key] = entity
            self._state.put(entity)
        for key in changes.drop:
            self._state.drop(key)
            self._puts.pop(key, None)
            self._drops[key] = None

    def _lay(self, op: Op) -> None:
        body = encode_op(op)
        row = (self.seq, body, crc_of(self.seq, body))
        self._bytes += len(body)
        if op.kind not in TELEMETRY:
            self._journal.append(row)
            self._logged.append(op)
            return
        if isinstance(op.event, MeterValuesReported):
            self._contents.add(StationKey(op.entity.partition(":")[2]), op.event.content)
        if self.thin:
            self._dropped_telemetry.append(self.seq)
        else:
            self._telemetry.append(row)

    def _recall(self, op: Op) -> None:
        """A fact may mean a transaction that only the disk still knows: the fold must see it, or its start is lost."""
        event = op.event
        id_: TransactionId | None
        if isinstance(event, MeterValuesReported):
            id_ = event.transaction if event.seq_no is not None else None
        elif isinstance(event, _OF_A_TRANSACTION):
            id_ = event.id
        else:
            return
        if id_ is not None and id_ not in self._state.transactions:
            known = self._transaction(TRANSACTION_BY_ID, (id_,))
            if known is not None:
                self._state.put(known)
                self._recalled.add(id_)

    def _put_transaction(self, transaction: Transaction, before: Transaction | None) -> None:
        """Written at once, so that later decisions of the batch find it by content; one that only goes on, once."""
        if before is not None and before.open and transaction.open and _content(before) == _content(transaction):
            self._went_on[transaction.id] = transaction
            return
        self._went_on.pop(transaction.id, None)
        body = encode(transaction)
        closed = None if transaction.open else self.seq
        self.connection.execute(
            PUT_TRANSACTION,
            (
                transaction.id, transaction.station, transaction.start_content or None,
                transaction.stop_content or None, closed, body, crc_of(transaction.id, body),
                transaction.id in self._recalled,
            ),
        )  # fmt: skip
        self._highest_row = max(self._highest_row, transaction.id)
        self._last_transaction = max(self._last_transaction, transaction.id)

    def flush(self) -> None:
        """Write what the batch gathered, once per record. Raises sqlite3.Error."""
        connection = self.connection
        self.shared.flush()
        if not self._ops and not self._changes:
            return
        if self._journal:
            connection.executemany(INSERT_JOURNAL, self._journal)
        if self._telemetry:
            connection.executemany(INSERT_TELEMETRY, self._telemetry)
        if self._drops:
            connection.executemany(DROP_ENTITY, [(key,) for key in self._drops])
        if self._went_on:
            bodies = ((id_, encode(transaction)) for id_, transaction in self._went_on.items())
            connection.executemany(KEEP_TRANSACTION, [(id_, body, crc_of(id_, body)) for id_, body in bodies])
        entities, commands = [], []
        for key, entity in self._puts.items():
            body = encode(entity)
            if isinstance(entity, Command):
                commands.append((key, entity.ended_at is not None, body, crc_of(key, body)))
            else:
                entities.append((key, body, crc_of(key, body)))
        if entities:
            connection.executemany(PUT_ENTITY, entities)
        if commands:
            connection.executemany(PUT_COMMAND, commands)
        if self._dropped_telemetry:
            self._record_gap()
        self._count()

    def _record_gap(self) -> None:
        """One row for as long as nothing else of telemetry lies between."""
        connection, dropped = self.connection, self._dropped_telemetry
        last = connection.execute("SELECT id, to_seq, reason FROM gap ORDER BY id DESC LIMIT 1").fetchone()
        if last is not None and last[2] == "disk_full":
            kept = connection.execute("SELECT 1 FROM telemetry WHERE seq > ? LIMIT 1", (last[1],)).fetchone()
            if kept is None:
                connection.execute(
                    "UPDATE gap SET to_seq = ?, count = count + ? WHERE id = ?", (dropped[-1], len(dropped), last[0])
                )
                return
        connection.execute(
            "INSERT INTO gap (from_seq, to_seq, reason, count) VALUES (?, ?, 'disk_full', ?)",
            (dropped[0], dropped[-1], len(dropped)),
        )

    def _count(self) -> None:
        before = self._before[2]
        journal, telemetry = len(self._journal), len(self._telemetry)
        self.counters = meta.Counters(
            seq=before.seq, journal=before.journal + journal + self._received,
            journal_ever=before.journal_ever + journal,
            telemetry=before.telemetry + telemetry,
        )  # fmt: skip
        if self._last_transaction > max(self._before[3], self._highest_row):  # a number that no row holds
            meta.write(self.connection, meta.LastTransaction(self._last_transaction))
        if self.seq - before.seq >= COUNTERS_EVERY_ROWS:
            self.save_counters()

    def save_counters(self, *, journal: int = 0, telemetry: int = 0) -> None:
        """Write the counters down as of now, less what was just pruned. Inside a transaction.

        The highest number of a transaction stands in its own row too; here it is for a file that lost rows.
        """
        known = self.counters
        self.counters = meta.Counters(
            seq=self.seq, journal=known.journal - journal, journal_ever=known.journal_ever,
            telemetry=known.telemetry - telemetry,
        )  # fmt: skip
        meta.write(self.connection, self.counters)
        meta.write(self.connection, meta.LastTransaction(self._last_transaction))

    @property
    def last_op(self) -> OpId | None:
        """The last op that was made here."""
        return self._last_op

    @property
    def written_bytes(self) -> int:
        """Of the batch, about."""
        return self._bytes

    def settle(self) -> Committed | None:
        """The commit returned: what it made true, and a new batch begins. None: there was nothing."""
        if not self._ops and not self._changes:
            self.begin()
            return None
        committed = Committed(
            self.seq, tuple(self._ops), tuple(self._changes), tuple(self._logged), self._received
        )  # fmt: skip
        self.begin()
        return committed

    def undo(self) -> None:
        """The commit failed: everything as it was before the batch."""
        self._state.undo()
        self._contents.undo()
        self.shared.undo()
        self.seq, self._last_op, self.counters, self._last_transaction = self._before
        self.begin()


def _content(transaction: Transaction) -> tuple[str | None, str | None]:
    """By what it is found on disk."""
    return transaction.start_content, transaction.stop_content
