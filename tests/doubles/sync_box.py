"""A box of the simulator: the real ledger on a real SQLite database in memory, and the real session of the link.

No threads and no sockets: a schedule says when what happens, and the same seed gives the same run. Start at `SimBox`.
"""

import sqlite3
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random
from typing import Any

from edge_agent.store import meta
from edge_agent.store.ledger import DiskLedger
from edge_agent.store.loading import load
from edge_agent.store.migrations import migrate
from edge_agent.store.outbox import OFFERED, move_mark, pending_of
from sitelink.clock import Clock
from sitelink.decisions import Decision, Received
from sitelink.digest import digest_of
from sitelink.model import SiteState
from sitelink.ops import Fact, decode_op
from sitelink.records import decode_record
from sitelink.wire import effects as f
from sitelink.wire import messages as m
from sitelink.wire.box import About, BoxSession, Standing
from tests.doubles.clock import FakeClock

Ledgered = Callable[[DiskLedger], Decision[Any]]
_TEMPLATE: list[bytes] = []


def empty_disk() -> bytes:
    """A migrated database, made once."""
    if not _TEMPLATE:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        migrate(connection)
        _TEMPLATE.append(connection.serialize())
        connection.close()
    return _TEMPLATE[0]


class SimBox:
    """One box. `gateway` is its enrolment; the key is left out: the cloud of the simulator believes signatures."""

    def __init__(self, gateway: str, random: Random, clock: FakeClock) -> None:
        self.gateway = gateway
        self.clock = clock
        self.session: BoxSession | None = None
        self.keeps_numbers = False
        """A mutant: one stream for ever, numbers go on from what the disk says was acknowledged."""
        self._random = random
        self._disk = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._disk.deserialize(empty_disk())
        self._start()
        self.do(lambda ledger: ledger.begin_link())

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    # ---- its disk ----

    def _start(self) -> None:
        clock: Clock = self.clock
        self.ledger = DiskLedger(self._disk, load(self._disk), clock, self.new_id)
        self.session = None

    def crash(self) -> None:
        """Power goes and comes back: what was not committed is gone."""
        if self._disk.in_transaction:
            self._disk.execute("ROLLBACK")
        self._start()

    def backup(self) -> bytes:
        return self._disk.serialize()

    def restore(self, disk: bytes) -> None:
        self._disk = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._disk.deserialize(disk)
        self._start()

    def decide(self, decide: Ledgered) -> Any:
        """As the writer does it."""
        ledger = self.ledger
        self._disk.execute("BEGIN IMMEDIATE")
        try:
            ledger.next_decision()
            decision = decide(ledger)
            if decision.received is not None:
                ledger.receive(decision.received)
            ledger.record(decision.facts)
            ledger.flush()
            self._disk.execute("COMMIT")
        except BaseException:
            self._disk.execute("ROLLBACK")
            ledger.undo()
            raise
        ledger.settle()
        return decision.result

    def write(self, *facts: Fact) -> None:
        self.decide(lambda _ledger: Decision(facts, None))

    def do(self, work: Callable[[DiskLedger], Any]) -> Any:
        ledger = self.ledger
        self._disk.execute("BEGIN IMMEDIATE")
        try:
            result = work(ledger)
            ledger.flush()
            self._disk.execute("COMMIT")
        except BaseException:
            self._disk.execute("ROLLBACK")
            ledger.undo()
            raise
        ledger.settle()
        return result

    @property
    def state(self) -> SiteState:
        """What it shows."""
        return self.ledger.state

    @property
    def confirmed_digest(self) -> str:
        return digest_of(self.ledger.shared.confirmed(self.ledger.state))

    @property
    def backlog(self) -> int:
        """Log ops that wait, those that stay at the box left out."""
        acked = self._acked()
        return len(self._pending(acked.seq, 100_000).rows)

    def journal(self) -> list[tuple[int, str]]:
        """Seq and op id of what it made itself and tells."""
        rows = self._disk.execute("SELECT seq, body FROM journal WHERE NOT received ORDER BY seq").fetchall()
        return [(seq, decode_op(body).op_id) for seq, body in pending_of(rows, 0, len(rows)).rows]

    def received(self) -> list[str]:
        """Op ids of what came from above and is kept."""
        return [decode_op(body).op_id for (body,) in self._disk.execute("SELECT body FROM journal WHERE received")]

    # ---- its link ----

    def connect(self) -> BoxSession:
        cursor = self.ledger.shared.cursor or meta.Cursor()
        acked = self._acked()
        standing = Standing(
            epoch=cursor.epoch, cursor=cursor.place, acked=acked.seq, live_after=0, missing=(),
            pending=m.Pending(log=self.backlog), tip=self.ledger.last_op,
        )  # fmt: skip
        wall: datetime = self.clock.now()
        stream = f"kept {self.gateway}" if self.keeps_numbers else self.new_id()
        about = About(
            gateway=self.gateway, stream=stream, software="1",
            clock=m.ClockState(wall=wall, boot=self.clock.boot_id(), mono_ms=0),
        )  # fmt: skip
        self.session = BoxSession(about, standing, lambda signed: "signature")
        if self.keeps_numbers:
            self.session._log.next_number = acked.ops + 1
        return self.session

    def effect(self, effect: f.Effect) -> Sequence[f.Effect]:
        """Do what the session wants of the store."""
        session = self.session
        assert session is not None
        if isinstance(effect, f.Load):
            if effect.channel != "log":
                return session.loaded(effect, (), upto=effect.after, more=False)
            found = self._pending(effect.after, 7)  # few, so that there are several batches
            return session.loaded(effect, found.rows, upto=found.upto, more=found.more)
        if isinstance(effect, f.Acked):
            if effect.channel == "log":
                self.do(lambda ledger: move_mark(ledger, effect.stretches[-1][1], effect.placed))
            return ()
        if isinstance(effect, f.TakeFeed):
            ops = tuple((item.place, decode_op(bytes(item.op))) for item in effect.items)
            upto = effect.items[-1].place
            self.decide(lambda _ledger: Decision((), None, Received(effect.epoch, upto, ops)))
            return session.feed_taken(upto)
        if isinstance(effect, f.TakeSnapshot):
            records = tuple(decode_record(key, body) for part in effect.parts for key, body in part.records)
            head = effect.parts[0]
            received = Received(head.epoch, head.at, (), records, effect.start_over, head.kept)
            self.decide(lambda _ledger: Decision((), None, received))
            return session.snapshot_taken()
        if isinstance(effect, f.MakeDigest):
            return session.digest_made(self.confirmed_digest)
        return ()

    def _acked(self) -> meta.Acked:
        return meta.read(self._disk, meta.Acked) or meta.Acked()

    def _pending(self, after: int, limit: int) -> Any:
        rows = self._disk.execute(OFFERED, (after, limit)).fetchall()
        return pending_of([(seq, body) for seq, body, _crc in rows], after, limit)
