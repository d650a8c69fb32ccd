"""All that the link to the cloud needs of the store.

Start at `DiskUplink.standing`; it is `edge_agent.site.ports.Uplink`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from edge_agent.site.ports import Loaded, Room, Uplinked
from edge_agent.store import meta
from edge_agent.store.journal import DiskJournal
from edge_agent.store.ledger import DiskLedger
from edge_agent.store.outbox import Outbox
from edge_agent.store.reader import DiskHistory
from edge_agent.store.room import room_of
from edge_agent.store.telemetry_box import TelemetryBox
from sitelink.decisions import Decision, Received
from sitelink.digest import digest_of
from sitelink.ids import OpId
from sitelink.ops import Fact, Stamp

LIVE = timedelta(minutes=15)
"""Telemetry that is shown as it comes in; older one waits behind it."""
LIVE_ROWS_MAX = 2000
# "The newest rows of telemetry, newest first."
NEWEST = "SELECT seq, body FROM telemetry ORDER BY seq DESC LIMIT ?"


class _Stamped(msgspec.Struct):
    t: Stamp


_stamped = msgspec.json.Decoder(_Stamped)


class DiskUplink:
    """See `edge_agent.site.ports.Uplink`. Every method raises StoreUnavailable."""

    def __init__(
        self,
        journal: DiskJournal,
        history: DiskHistory,
        outbox: Outbox,
        telemetry: TelemetryBox,
        telemetry_max_rows: int,
    ) -> None:
        self._journal = journal
        self._history = history
        self._outbox = outbox
        self._telemetry = telemetry
        self._telemetry_max_rows = telemetry_max_rows

    @property
    def backlog(self) -> int:
        return self._outbox.backlog

    async def begin(self) -> None:
        await self._journal.run(lambda ledger: ledger.begin_link())

    async def standing(self, now: datetime) -> Uplinked:
        def read(ledger: DiskLedger) -> Uplinked:
            cursor = ledger.shared.cursor or meta.Cursor()
            live_after = _live_after(ledger, now)
            missing = self._telemetry.missing(live_after)
            (kept,) = ledger.connection.execute("SELECT count(*) FROM telemetry").fetchone()
            return Uplinked(
                epoch=cursor.epoch, cursor=cursor.place, acked=self._outbox.acked, live_after=live_after,
                missing=missing, log=self._outbox.backlog, telemetry=kept, tip=ledger.last_op,
            )  # fmt: skip

        found: Uplinked = await self._journal.run(read)
        return found

    async def load(self, channel: str, after: int, until: int | None, limit: int) -> Loaded:
        if channel == "log":
            pending = await self._outbox.pending(limit, after)
            return Loaded(pending.rows, pending.upto, pending.more)
        rows = await self._telemetry.rows(after, until, limit)
        more = len(rows) == limit
        upto = rows[-1][0] if rows and (more or until is None) else (until if until is not None else after)
        return Loaded(rows, upto, more)

    async def acked(
        self, channel: str, stretches: Sequence[tuple[int, int]], placed: Sequence[tuple[OpId, int]] = ()
    ) -> None:
        if channel == "log":
            await self._outbox.ack(stretches[-1][1], placed)
        else:
            await self._telemetry.ack(stretches)

    async def receive(self, received: Received, facts: Sequence[Fact] = ()) -> None:
        await self._journal.write(lambda _ledger: Decision(tuple(facts), None, received))
        if received.records is not None:
            await self._outbox.reload()
            await self._telemetry.reload()

    async def room(self, free_bytes: int | None) -> Room:
        acked = self._outbox.acked
        found: Room = await self._journal.run(
            lambda ledger: room_of(ledger, acked, free_bytes, self._telemetry_max_rows)
        )
        return found

    async def leave(self) -> None:
        await self._journal.run(lambda ledger: ledger.leave_link())
        await self._outbox.reload()
        await self._telemetry.reload()

    async def digest(self) -> str:
        def make(ledger: DiskLedger) -> str:
            return digest_of(ledger.shared.confirmed(ledger.state))

        made: str = await self._journal.run(make)
        return made


def _live_after(ledger: DiskLedger, now: datetime) -> int:
    """The seq after which telemetry is of the last minutes; by the box's own clock, which is all there is."""
    after = ledger.seq
    for seq, body in ledger.connection.execute(NEWEST, (LIVE_ROWS_MAX,)):
        if now - _stamped.decode(body).t.wall > LIVE:
            return int(seq)
        after = int(seq) - 1
    return after
