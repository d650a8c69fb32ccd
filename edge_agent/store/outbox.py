"""What the cloud has not got yet: a mark over the journal, and no second copy of anything.

Start at `Outbox.pending`. Source: DESIGN §7 (1), SYNC §2.4.
"""

from collections.abc import Sequence

import msgspec

from edge_agent.site.ports import Committed
from edge_agent.store import meta
from edge_agent.store.journal import DiskJournal
from edge_agent.store.ledger import DiskLedger
from edge_agent.store.reader import DiskHistory
from sitelink.ids import JobId, OpId
from sitelink.shared import leaves_the_box

# "How many log ops of this box lie between two marks."
BETWEEN = "SELECT count(*) FROM journal WHERE seq > ? AND seq <= ? AND NOT received"
# What came from above has no place any more only where the cloud was restored to a day before it: it is offered too.
OFFERED = "SELECT seq, body, crc FROM journal WHERE seq > ? AND (NOT received OR place IS NULL) ORDER BY seq LIMIT ?"


class _Head(msgspec.Struct):
    kind: str
    entity: str
    job: JobId | None = None


_head = msgspec.json.Decoder(_Head)


class Pending(msgspec.Struct, frozen=True):
    """Ops to send, with their seq. `upto`: the last that was looked at, some stay here. `more`: there may be more."""

    rows: Sequence[tuple[int, bytes]]
    upto: int
    more: bool


class Outbox:
    """The log ops above the acked mark. Telemetry has a way of its own."""

    def __init__(self, journal: DiskJournal, history: DiskHistory, acked: meta.Acked, ops_ever: int) -> None:
        self._journal = journal
        self._history = history
        self._acked = acked
        self._ops_ever = ops_ever
        journal.subscribe(self._committed)

    @property
    def acked(self) -> int:
        """The seq up to which the cloud has everything."""
        return self._acked.seq

    @property
    def backlog(self) -> int:
        """How many log ops wait."""
        return self._ops_ever - self._acked.ops

    async def pending(self, limit: int = 500, after: int | None = None) -> Pending:
        """Ops to send, oldest first: those above the mark, or above `after` (some are on the way)."""
        begin = self._acked.seq if after is None else after
        read = await self._history.read_bodies("journal", OFFERED, (begin, limit))
        return pending_of(read, begin, limit)

    async def ack(self, seq: int, places: Sequence[tuple[OpId, int]] = ()) -> None:
        """The cloud has everything up to `seq`, on its disk. The mark never goes back.

        `places` in the site's log of ops that it had before. Raises ValueError for a seq nobody was ever given,
        StoreUnavailable.
        """

        self._acked = await self._journal.run(lambda ledger: move_mark(ledger, seq, places))

    async def reload(self) -> None:
        """The mark went back: the cloud was restored."""
        known = await self._journal.run(lambda ledger: meta.read(ledger.connection, meta.Acked))
        self._acked = known or meta.Acked()

    def _committed(self, committed: Committed) -> None:
        self._ops_ever += len(committed.logged) - committed.received


def pending_of(read: Sequence[tuple[int, bytes]], after: int, limit: int) -> Pending:
    """What of rows that were read is sent."""
    rows = [(seq, body) for seq, body in read if _leaves(body)]
    return Pending(rows, read[-1][0] if read else after, len(read) == limit)


def move_mark(ledger: DiskLedger, seq: int, places: Sequence[tuple[OpId, int]] = ()) -> meta.Acked:
    """See `Outbox.ack`; on the writer's thread, inside a transaction."""
    if seq > ledger.seq:
        raise ValueError(f"ack of {seq}, the newest is {ledger.seq}")
    ledger.placed(places)
    known = meta.read(ledger.connection, meta.Acked) or meta.Acked()
    if seq <= known.seq:
        return known
    (ops,) = ledger.connection.execute(BETWEEN, (known.seq, seq)).fetchone()
    moved = msgspec.structs.replace(known, seq=seq, ops=known.ops + ops)
    meta.write(ledger.connection, moved)
    return moved


def _leaves(body: bytes) -> bool:
    head = _head.decode(body)
    return leaves_the_box(head.kind, head.entity, head.job)
