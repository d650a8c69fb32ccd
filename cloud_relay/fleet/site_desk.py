"""A site within a transaction: its records, its log, and what follows from an op.

Everything that is written about a site goes through `SiteDesk`: what boxes bring (`intake`), and what people do in the
cloud (`record`). It folds with the same `apply` as the box. Start at `open_desk`. Sources: SYNC §2.3, §2.4, §2.7.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from cloud_relay.fleet.happenings import happened, look
from cloud_relay.fleet.ids import GatewayId, SiteId
from cloud_relay.fleet.log_records import Held, Place, StoredOp, Version
from cloud_relay.fleet.outbox import tell
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.site_audit import entry_of
from cloud_relay.fleet.webhook_records import Happening, Webhook
from sitelink.apply import apply, apply_to
from sitelink.decisions import Decide, T
from sitelink.events import MeterValuesReported, TransactionIncomplete, TransactionStopped, TransactionUpdated
from sitelink.folding.changes import Changes
from sitelink.ids import OpId, TransactionId
from sitelink.model import ChargePoint, Entity, Job, SiteState
from sitelink.ops import Fact, Op, Stamp, encode_op
from sitelink.rebase import shared_part
from sitelink.shared import is_shared, is_shared_record

_OF_A_TRANSACTION = (TransactionStopped, TransactionUpdated, TransactionIncomplete)
CLOUD_BOOT = "cloud"


class Touched(msgspec.Struct):
    """What a transaction changed, for those who follow it."""

    rows: dict[str, ChargePoint] = {}
    jobs: dict[str, Job] = {}
    ops: list[Op] = []


class SiteDesk:
    """Of one site and, where a box writes, of that gateway. Not to be kept beyond its transaction."""

    def __init__(
        self, books: Books, place: Place, gateway: GatewayId | None, state: SiteState, version: Version,
        now: datetime, new_id: Callable[[], str],
    ) -> None:  # fmt: skip
        self.books = books
        self.team = place.team
        self.team_name = place.team_name
        self.site = place.site
        self.gateway = gateway
        self.state = state
        self.place = version.place
        self.written = version.written
        self.now = now
        self.touched = Touched({}, {}, [])
        self.released: list[str] = []
        """Identities that are nobody's any more: others may wait for them."""
        self._new_id = new_id
        self._listening: Sequence[Webhook] | None = None
        self._happened: list[Happening] = []
        self._ops: list[StoredOp] = []
        self._shared_puts: dict[str, Entity] = {}
        self._shared_drops: set[str] = set()
        self._puts: dict[str, Entity] = {}
        self._drops: set[str] = set()

    # ---- ops ----

    def bring(self, op: Op, body: bytes, *, disposition: str = "applied") -> int | None:
        """An op a box wrote. Returns its place in the site's log, if it belongs there."""
        self.written += 1
        place = self._next_place() if is_shared(op.entity, op.job) else None
        self._fold(op, shared=place is not None)
        self._keep(op.op_id, op.kind, op.entity, op.prev, body, place, self.written, disposition)
        return place

    def park(self, op_id: OpId, kind: str, entity: str, prev: OpId | None, body: bytes, *, shared: bool) -> int | None:
        """An op of a kind this version does not know: kept in its place, folded after an update."""
        self.written += 1
        place = self._next_place() if shared else None
        self._keep(op_id, kind, entity, prev, body, place, self.written, "parked")
        return place

    def record(self, facts: Sequence[Fact]) -> None:
        """Facts of people or rules in the cloud. A fact whose own op id is in the log already is left out."""
        named = [fact.op_id for fact in facts if fact.op_id is not None]
        known = self.books.logs.known(self.site, named) if named else {}
        for fact in facts:
            if fact.op_id is None or fact.op_id not in known:
                self._record(fact)

    def decide(self, decide: Decide[T]) -> T:
        """Run a rule on this site and write what it says. Raises what it raises."""
        decision = decide(self)
        self.record(decision.facts)
        return decision.result

    def _record(self, fact: Fact) -> None:
        op = Op(
            op_id=fact.op_id or OpId(self._new_id()), entity=fact.entity, event=fact.event, author=fact.author,
            prev=None, t=Stamp(boot=CLOUD_BOOT, mono_ms=0, wall=self.now, q="cloud"), job=fact.job, field=fact.field,
            bases=fact.bases,
        )  # fmt: skip
        self._fold(op, shared=True)
        body = encode_op(op)
        self._keep(op.op_id, op.kind, op.entity, None, body, self._next_place(), None, "applied")

    def _next_place(self) -> int:
        self.place += 1
        return self.place

    def _keep(
        self, op_id: OpId, kind: str, entity: str, prev: OpId | None, body: bytes, place: int | None,
        number: int | None, disposition: str,
    ) -> None:  # fmt: skip
        stored = StoredOp(
            op_id=op_id, site=self.site, gateway=self.gateway if number is not None else None, number=number,
            place=place, kind=kind, entity=entity, prev=prev, body=body, sha256=hashlib.sha256(body).digest(),
            at=self.now, disposition=disposition,
        )  # fmt: skip
        self._ops.append(stored)

    # ---- folding ----

    def _fold(self, op: Op, *, shared: bool) -> None:
        self._recall(op)
        before = look(self.state, op) if self._somebody_listens() else None
        changes = apply(self.state, op)
        self.take(shared_part(changes) if shared else _own_part(changes))
        self.touched.ops.append(op)
        if before is not None:
            self._happened += happened(before, self.state, op)

    def _somebody_listens(self) -> bool:
        """Whether the team has webhooks: without, nobody looks at what an op does."""
        if self._listening is None:
            self._listening = self.books.webhooks.listening(self.team)
        return bool(self._listening)

    def show(self, op: Op) -> None:
        """An op that is kept elsewhere and only changes what is shown: the newest readings."""
        self.take(_own_part(apply(self.state, op)))

    def take(self, changes: Changes) -> None:
        """Into the state, and to be written at the end."""
        apply_to(self.state, changes)
        for entity in changes.put:
            puts, drops = (
                (self._shared_puts, self._shared_drops) if is_shared_record(entity) else (self._puts, self._drops)
            )
            puts[entity.key] = entity
            drops.discard(entity.key)
            if isinstance(entity, ChargePoint):
                self.touched.rows[entity.id] = entity
            elif isinstance(entity, Job):
                self.touched.jobs[entity.id] = entity
        for key in changes.drop:
            for puts, drops in ((self._shared_puts, self._shared_drops), (self._puts, self._drops)):
                puts.pop(key, None)
                drops.add(key)

    def _recall(self, op: Op) -> None:
        """A fact may mean a transaction that only the books still know."""
        event = op.event
        id_: TransactionId | None = None
        if isinstance(event, MeterValuesReported):
            id_ = event.transaction if event.seq_no is not None else None
        elif isinstance(event, _OF_A_TRANSACTION):
            id_ = event.id
        if id_ is None or self.gateway is None or id_ in self.state.transactions:
            return
        known = self.books.logs.transaction(self.gateway, id_)
        if known is not None:
            self.state.put(known)

    # ---- the end ----

    @property
    def changed(self) -> bool:
        """Whether anything is to be written."""
        return bool(self._ops or self._shared_puts or self._shared_drops or self._puts or self._drops)

    def held(self) -> Held:
        return Held(Version(self.place, self.written), self.state)

    def flush(self) -> Held:
        """Write what was gathered. What it returns may be used as `held` once the transaction is committed."""
        logs = self.books.logs
        if self._ops:
            logs.add(self._ops)
            if any(op.place is not None for op in self._ops):
                logs.move_end(self.site, self.place)
        if self._shared_puts or self._shared_drops:
            logs.put(self.site, None, tuple(self._shared_puts.values()), self._shared_drops)
        if self.gateway is not None and (self._puts or self._drops):
            logs.put(self.site, self.gateway, tuple(self._puts.values()), self._drops)
        for op in self.touched.ops:
            entry = entry_of(op, self.state, self.team, self.now)
            if entry is not None:
                self.books.audit.add(entry)
        tell(self.books, self._listening or (), self._happened, site=self.site, now=self.now)
        return self.held()


def _own_part(changes: Changes) -> Changes:
    """What only a box writes never changes what all write."""
    return Changes(put=tuple(each for each in changes.put if not is_shared_record(each)), drop=changes.drop)


def open_desk(
    books: Books, place: Place, gateway: GatewayId | None, held: Held | None, now: datetime, new_id: Callable[[], str]
) -> SiteDesk:
    """`held`: what the last transaction left, if this node still has it; it is used as far as nobody wrote since."""
    version = Version(books.logs.end(place.site), _written(books, gateway))
    if held is None or held.version != version:
        held = Held(version, load(books, place.site, gateway))
    return SiteDesk(books, place, gateway, held.state.copy(), version, now, new_id)


def load(books: Books, site: SiteId, gateway: GatewayId | None) -> SiteState:
    """The records of a site and, with them, those of one of its gateways."""
    state = SiteState()
    for entity in books.logs.records(site, None):
        state.put(entity)
    if gateway is not None:
        for entity in books.logs.records(site, gateway):
            state.put(entity)
    return state


def _written(books: Books, gateway: GatewayId | None) -> int:
    link = books.links.of(gateway) if gateway is not None else None
    return link.written if link is not None else 0
