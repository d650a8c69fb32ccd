"""Which telemetry the cloud has: a few stretches of seqs, since what is new goes up before what is old.

Start at `TelemetryBox.missing`. Source: SYNC §2.5, "Order of sending".
"""

from collections.abc import Sequence

from edge_agent.store import meta
from edge_agent.store.journal import DiskJournal
from edge_agent.store.ledger import DiskLedger
from edge_agent.store.reader import DiskHistory

LIVE_ROWS = 2000
"""So many of the newest rows at most go up before all others."""
ROWS = "SELECT seq, body, crc FROM telemetry WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"


class TelemetryBox:
    """`acked`: stretches the cloud has, each above a seq up to a seq, sorted and apart."""

    def __init__(self, journal: DiskJournal, history: DiskHistory, acked: meta.TelemetryAcked) -> None:
        self._journal = journal
        self._history = history
        self._acked = acked

    @property
    def acked(self) -> tuple[tuple[int, int], ...]:
        return self._acked.stretches

    def missing(self, upto: int) -> tuple[tuple[int, int], ...]:
        """The stretches up to `upto` that the cloud has not, oldest first."""
        found, before = [], 0
        for after, end in self._acked.stretches:
            if after > before and before < upto:
                found.append((before, min(after, upto)))
            before = max(before, end)
        if before < upto:
            found.append((before, upto))
        return tuple(found)

    async def rows(self, after: int, until: int | None, limit: int) -> Sequence[tuple[int, bytes]]:
        """Seq and body of rows above `after`, oldest first. Raises StoreUnavailable."""
        end = until if until is not None else 2**62
        return await self._history.read_bodies("telemetry", ROWS, (after, end, limit))

    async def ack(self, stretches: Sequence[tuple[int, int]]) -> None:
        """The cloud has these. Raises StoreUnavailable."""

        def note(ledger: DiskLedger) -> meta.TelemetryAcked:
            known = meta.read(ledger.connection, meta.TelemetryAcked) or meta.TelemetryAcked()
            joined = meta.TelemetryAcked(together((*known.stretches, *stretches)))
            meta.write(ledger.connection, joined)
            return joined

        self._acked = await self._journal.run(note)

    async def reload(self) -> None:
        """The cloud was restored: it may have less than it said."""
        known = await self._journal.run(lambda ledger: meta.read(ledger.connection, meta.TelemetryAcked))
        self._acked = known or meta.TelemetryAcked()


def together(stretches: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Sorted, and those that touch made one."""
    joined: list[tuple[int, int]] = []
    for after, upto in sorted(stretches):
        if joined and after <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], upto))
        elif upto > after:
            joined.append((after, upto))
    return tuple(joined)
