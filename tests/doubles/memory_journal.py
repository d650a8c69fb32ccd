"""A journal in memory: decides, folds and tells at once, with no disk behind it. For tests of the core alone."""

import uuid
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from edge_agent.site.ports import Committed, Decide, Trouble
from sitelink.apply import apply, apply_to
from sitelink.clock import Clock
from sitelink.errors import StoreUnavailable
from sitelink.events import TELEMETRY, MeterValuesReported, TransactionStarted, TransactionStopped
from sitelink.ids import CommandId, OpId, StationKey, TransactionId
from sitelink.model import Command, SiteState, Transaction
from sitelink.ops import Fact, Op, Stamp

T = TypeVar("T")


class MemoryJournal:
    """See `edge_agent.site.ports.Journal`, and `History` for its reading side."""

    def __init__(self, clock: Clock, new_id: Callable[[], str] = lambda: str(uuid.uuid4())) -> None:
        self.state = SiteState()
        self.seq = 0
        self.trouble: Trouble | None = None
        self.recorded: list[Op] = []
        self._clock = clock
        self._new_id = new_id
        self._past: dict[TransactionId, Transaction] = {}
        self._past_commands: dict[CommandId, Command] = {}
        self._by_content: dict[tuple[str, StationKey, str], TransactionId] = {}
        self._telemetry: set[tuple[StationKey, str]] = set()
        self._next_transaction = 0
        self._listeners: list[Callable[[Committed], None]] = []
        self._trouble_listeners: list[Callable[[Trouble | None], None]] = []

    async def write(self, decide: Decide[T]) -> T:
        if self.trouble is not None:
            raise StoreUnavailable(reason=self.trouble.code)
        decision = decide(self)
        ops, changes = [], []
        for fact in decision.facts:
            if fact.op_id is not None and any(op.op_id == fact.op_id for op in self.recorded):
                continue
            op = self._stamped(fact)
            change = apply(self.state, op)
            apply_to(self.state, change)
            self._remember(op)
            self.recorded.append(op)
            ops.append(op)
            changes.append(change)
        if ops:
            self.seq += len(ops)
            logged = tuple(op for op in ops if op.kind not in TELEMETRY)
            for listener in self._listeners:
                listener(Committed(self.seq, tuple(ops), tuple(changes), logged))
        return decision.result

    def subscribe(self, listener: Callable[[Committed], None]) -> None:
        self._listeners.append(listener)

    def on_trouble(self, listener: Callable[[Trouble | None], None]) -> None:
        self._trouble_listeners.append(listener)

    def fail(self, trouble: Trouble | None) -> None:
        """Start or end trouble."""
        self.trouble = trouble
        for listener in self._trouble_listeners:
            listener(trouble)

    # ---- the ledger ----

    @property
    def now(self) -> Stamp:
        clock = self._clock
        return Stamp(boot=clock.boot_id(), mono_ms=int(clock.monotonic() * 1000), wall=clock.now())

    def started(self, station: StationKey, content: str) -> Transaction | None:
        return self._found("start", station, content)

    def stopped(self, station: StationKey, content: str) -> Transaction | None:
        return self._found("stop", station, content)

    def transaction(self, id_: TransactionId) -> Transaction | None:
        return self.state.transactions.get(id_) or self._past.get(id_)

    def next_transaction_id(self) -> TransactionId:
        self._next_transaction += 1
        return TransactionId(self._next_transaction)

    def is_known_telemetry(self, station: StationKey, content: str) -> bool:
        return (station, content) in self._telemetry

    # ---- the past ----

    async def transactions(self, station: StationKey, limit: int = 200) -> Sequence[Transaction]:
        found = [each for each in self._past.values() if each.station == station]
        return sorted(found, key=lambda each: each.id, reverse=True)[:limit]

    async def ops(self, after: int, limit: int = 500) -> Sequence[tuple[int, Op]]:
        return list(enumerate(self.recorded, 1))[after : after + limit]

    async def ops_of(self, kinds: Collection[str], limit: int, before: int | None = None) -> Sequence[tuple[int, Op]]:
        found = [(seq, op) for seq, op in enumerate(self.recorded, 1) if op.kind in kinds]
        return [each for each in reversed(found) if before is None or each[0] < before][:limit]

    async def command(self, id_: CommandId) -> Command | None:
        return self._past_commands.get(id_)

    def _found(self, which: str, station: StationKey, content: str) -> Transaction | None:
        id_ = self._by_content.get((which, station, content))
        return self.transaction(id_) if id_ is not None else None

    def _stamped(self, fact: Fact) -> Op:
        return Op(
            op_id=fact.op_id or OpId(self._new_id()), entity=fact.entity, event=fact.event, author=fact.author,
            prev=self.recorded[-1].op_id if self.recorded else None, t=self.now, job=fact.job, field=fact.field,
            bases=fact.bases,
        )  # fmt: skip

    def _remember(self, op: Op) -> None:
        station = StationKey(op.entity.partition(":")[2])
        event = op.event
        if isinstance(event, TransactionStarted):
            self._by_content["start", station, event.content] = event.id
        elif isinstance(event, TransactionStopped):
            self._by_content["stop", station, event.content] = event.id
        elif isinstance(event, MeterValuesReported):
            self._telemetry.add((station, event.content))
        for id_, transaction in self.state.transactions.items():
            self._past[id_] = transaction
        self._past_commands.update(self.state.commands)
