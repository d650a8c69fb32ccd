"""The box's part in the site's log: which of its own ops are not in it yet, and what the log alone gives.

Used by the ledger on the writer's thread, inside its transaction. What is shown stands in the state; here is only what
differs from it (`sitelink.rebase`). A box without a cloud has none of this. Start at `SharedLog.receive`.
"""

import re
import sqlite3
from collections.abc import Iterable

import msgspec

from edge_agent.store import meta
from edge_agent.store.rows import RowDamaged, checked, crc_of, encode, entity_of
from sitelink import rebase
from sitelink.decisions import Received
from sitelink.folding.changes import Changes
from sitelink.ids import OpId
from sitelink.model import Entity, SiteState
from sitelink.ops import Op, decode_op
from sitelink.shared import SHARED_KINDS, is_shared, shared_records

PUT_BASE = "INSERT INTO base (key, body, crc) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET body = ?2, crc = ?3"
# "Ops of the journal whose place is not known, or lies beyond one."
NOT_PLACED = "SELECT seq, body, crc FROM journal WHERE place IS NULL OR place > ? ORDER BY seq"
_MAY_BE_SHARED = re.compile(rb'"entity":"(?:%s):' % "|".join(sorted(SHARED_KINDS)).encode())
"""Most of a journal is what stations report: it is told from the rest without decoding it."""


class SharedLog:
    """`cursor` None: there is no cloud, nothing is kept track of."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.cursor = meta.read(connection, meta.Cursor)
        self._pending = _pending(connection)
        self._base = _base(connection)
        self.mark()

    @property
    def unconfirmed(self) -> int:
        return len(self._pending)

    @property
    def first_unconfirmed(self) -> int | None:
        """Its seq."""
        return next((seq for seq, _ in self._pending.values()), None)

    def is_ours(self, op_id: OpId) -> bool:
        """Whether it is an op of the journal that was not seen in the log yet."""
        return op_id in self._pending

    def confirmed(self, state: SiteState) -> SiteState:
        """What the log alone gives."""
        return rebase.confirmed(state, self._base)

    # ---- a batch ----

    def mark(self) -> None:
        """From here on `undo` comes back to now."""
        self._before = self.cursor, dict(self._pending), dict(self._base)
        self._written_base: set[str] = set()

    def undo(self) -> None:
        self.cursor, self._pending, self._base = self._before
        self.mark()

    def wrote(self, seq: int, op: Op, changes: Changes, shown: SiteState) -> None:
        """This box made an op; `shown` is the state before it."""
        if self.cursor is None or not is_shared(op.entity, op.job):
            return
        self._pending[op.op_id] = (seq, op)
        self._connection.execute("INSERT INTO unconfirmed (seq, op_id) VALUES (?, ?)", (seq, op.op_id))
        self._set_base({**self._base, **rebase.before_pending(self._base, changes, shared_records(shown))})

    def receive(self, received: Received, shown: SiteState) -> Changes:
        """What `received` changes of what is shown. Cursor and records go into the same transaction."""
        if received.records is not None:
            return self._replace(received, shown)
        for place, op in received.ops:
            self._confirm(op.op_id, place)
        ops = (op for _, op in received.ops if is_shared(op.entity, op.job))
        done = rebase.received(shown, self._base, ops, self._left())
        self._move(received, done.base)
        return done.changes

    def placed(self, places: Iterable[tuple[OpId, int]], shown: SiteState) -> Changes:
        """Ops of this box were in the log already, before its cursor: a snapshot has brought what they did."""
        known = [(op_id, place) for op_id, place in places if op_id in self._pending]
        cursor = self.cursor.place if self.cursor else 0
        old = [each for each in known if each[1] <= cursor]
        if not old:
            return Changes()
        for op_id, place in old:
            self._confirm(op_id, place)
        done = rebase.received(shown, self._base, (), self._left())
        self._set_base(done.base)
        return done.changes

    def flush(self) -> None:
        """Write what changed of the base. Raises sqlite3.Error."""
        connection = self._connection
        for key in sorted(self._written_base):
            if key not in self._base:
                connection.execute("DELETE FROM base WHERE key = ?", (key,))
                continue
            entity = self._base[key]
            body = encode(entity) if entity is not None else None
            connection.execute(PUT_BASE, (key, body, crc_of(key, body or b"")))
        self._written_base.clear()

    def begin(self, state: SiteState) -> None:
        """There is a cloud from now on: everything shared that the journal holds is to get there first."""
        if self.cursor is not None:
            return
        self.cursor = meta.Cursor()
        meta.write(self._connection, self.cursor)
        self._await_after(0)
        self._set_base(dict.fromkeys(shared_records(state)))

    def leave(self) -> None:
        """There is no cloud any more; what is shown stays as it is."""
        self._connection.execute("DELETE FROM unconfirmed")
        self._connection.execute("UPDATE journal SET place = NULL WHERE place IS NOT NULL")
        self._pending = {}
        self._set_base({})
        self.cursor = None
        meta.forget(self._connection, meta.Cursor)

    # ---- inside ----

    def _left(self) -> tuple[Op, ...]:
        return tuple(op for _, op in self._pending.values())

    def _confirm(self, op_id: OpId, place: int) -> None:
        known = self._pending.pop(op_id, None)
        if known is not None:
            self._connection.execute("DELETE FROM unconfirmed WHERE seq = ?", (known[0],))
            self._connection.execute("UPDATE journal SET place = ? WHERE seq = ?", (place, known[0]))

    def _replace(self, received: Received, shown: SiteState) -> Changes:
        log = SiteState()
        for entity in received.records or ():
            log.put(entity)
        self._await_after(received.kept if received.start_over else received.upto)
        done = rebase.onto(shown, log, self._left())
        self._move(received, done.base)
        return done.changes

    def _await_after(self, place: int) -> None:
        """What the journal holds of the site's log beyond this place has no place there until it is seen in it."""
        for seq, body, crc in self._connection.execute(NOT_PLACED, (place,)):
            if not _MAY_BE_SHARED.search(body):
                continue
            try:
                op = decode_op(checked("journal", seq, body, crc))
            except (KeyError, msgspec.DecodeError):
                continue
            if is_shared(op.entity, op.job):
                self._pending.setdefault(op.op_id, (seq, op))
        rows = [(seq, op_id) for op_id, (seq, _) in self._pending.items()]
        self._connection.executemany("INSERT OR IGNORE INTO unconfirmed (seq, op_id) VALUES (?, ?)", rows)
        self._connection.execute("UPDATE journal SET place = NULL WHERE place > ?", (place,))
        self._pending = dict(sorted(self._pending.items(), key=lambda each: each[1][0]))

    def _move(self, received: Received, base: dict[str, Entity | None]) -> None:
        self._set_base(base)
        self.cursor = meta.Cursor(epoch=received.epoch, place=received.upto)
        meta.write(self._connection, self.cursor)

    def _set_base(self, base: dict[str, Entity | None]) -> None:
        self._written_base |= {key for key in (*self._base, *base) if self._base.get(key, key) != base.get(key, key)}
        self._base = base


def _pending(connection: sqlite3.Connection) -> dict[OpId, tuple[int, Op]]:
    rows = connection.execute(
        "SELECT journal.seq, body, crc FROM unconfirmed JOIN journal USING (seq) ORDER BY journal.seq"
    )
    found: dict[OpId, tuple[int, Op]] = {}
    for seq, body, crc in rows:
        op = decode_op(checked("journal", seq, body, crc))
        found[op.op_id] = (seq, op)
    return found


def _base(connection: sqlite3.Connection) -> dict[str, Entity | None]:
    found: dict[str, Entity | None] = {}
    for key, body, crc in connection.execute("SELECT key, body, crc FROM base ORDER BY id"):
        if body is not None:
            found[key] = entity_of(key, body, crc)
        elif crc_of(key, b"") != crc:
            raise RowDamaged("base", key)
        else:
            found[key] = None
    return found
