"""What the cloud has not got yet: a mark over the journal, and no second copy of anything.

Start at `Outbox.pending`. Source: DESIGN §7 (1), SYNC §2.4.
"""

from collections.abc import Sequence

from edge_agent.site.ports import Committed
from edge_agent.store import meta
from edge_agent.store.journal import DiskJournal
from edge_agent.store.ledger import DiskLedger
from edge_agent.store.reader import DiskHistory

# "How many log ops lie between two marks."
BETWEEN = "SELECT count(*) FROM journal WHERE seq > ? AND seq <= ?"


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

    async def pending(self, limit: int = 500, after: int | None = None) -> Sequence[tuple[int, bytes]]:
        """Ops to send, oldest first, with their seq: those above the mark, or above `after` (some are on the way)."""
        return await self._history.bodies(self._acked.seq if after is None else after, limit)

    async def ack(self, seq: int) -> None:
        """The cloud has everything up to `seq`, on its disk. The mark never goes back.

        Raises ValueError for a seq nobody was ever given, StoreUnavailable.
        """

        def move(ledger: DiskLedger) -> meta.Acked:
            if seq > ledger.seq:
                raise ValueError(f"ack of {seq}, the newest is {ledger.seq}")
            known = meta.read(ledger.connection, meta.Acked) or meta.Acked()
            if seq <= known.seq:
                return known
            (ops,) = ledger.connection.execute(BETWEEN, (known.seq, seq)).fetchone()
            moved = meta.Acked(seq=seq, ops=known.ops + ops)
            meta.write(ledger.connection, moved)
            return moved

        self._acked = await self._journal.run(move)

    def _committed(self, committed: Committed) -> None:
        self._ops_ever += len(committed.logged)
