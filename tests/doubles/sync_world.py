"""The seeded simulator of the link: boxes, a cloud, wires that lose and cut, crashes and restores of either side.

Everything that decides is the real code; only disks, clocks and wires are the simulator's. A seed is a schedule: the
same one gives the same run. Start at `run_schedule`. Source: SYNC §2.9, invariants I1 to I9.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.log_records import Place
from sitelink import job_rules as rules
from sitelink.digest import digest_of
from sitelink.errors import SiteError
from sitelink.events import ChargePointListed, ConnectorChanged, JobImported
from sitelink.ids import ChargePointId, JobId, OpId, StationKey
from sitelink.job_rules import decide_complete
from sitelink.model import ChargePoint, SiteState
from sitelink.ops import STATION, Author, Fact, decode_op
from sitelink.states import AuthorType, ConnectorStatus, JobStatus
from sitelink.wire import codec
from sitelink.wire import effects as f
from tests.doubles.clock import FakeClock
from tests.doubles.sync_box import SimBox
from tests.doubles.sync_cloud import CloudLink, SimCloud

OPERATOR = Author(type=AuthorType.OPERATOR, name="Desk")
IDENTITIES = ("CP1", "CP2", "CP3", "CP4")
STEPS = 60
QUIET_MAX = 4000


@dataclass
class Wire:
    """A connection: frames on their way, in order, in each direction. A cut one may still deliver what it has."""

    box: SimBox
    link: CloudLink
    up: deque[bytes] = field(default_factory=deque)
    down: deque[bytes] = field(default_factory=deque)
    cut: bool = False


class World:
    """Two teams; the first has two boxes on one site, the second has one."""

    def __init__(self, seed: int, *, wall_offset_s: float = 0, boxes: int = 2) -> None:
        self.random = Random(seed)
        ids = Random(seed + 1)
        self.cloud_clock = FakeClock()
        self.cloud = SimCloud(self.cloud_clock, ids)
        self.places = [self.cloud.team("Acme"), self.cloud.team("Beta")]
        self.boxes: list[tuple[SimBox, Place]] = []
        for number, place in enumerate([self.places[0]] * boxes + [self.places[1]]):
            clock = FakeClock()
            if number == 0 and wall_offset_s:
                clock.advance(wall_offset_s)
            box = SimBox(self.cloud.gateway(place), ids, clock)
            self.boxes.append((box, place))
        self.wires: list[Wire] = []
        self.backups: list[Any] = []
        self.box_backups: dict[int, list[bytes]] = {}
        self.lost: set[str] = set()
        """Ops whose only disk was put back to an earlier day."""
        self.completions = 0
        self._jobs()

    def close(self) -> None:
        self.cloud.close()

    def _jobs(self) -> None:
        """One job from the cloud for each site, one that a box brings itself."""
        for place, job in ((self.places[0], "j1"), (self.places[1], "j2")):
            self._import(job, partial(self.cloud.record, place))
        box, _ = self.boxes[0]
        self._import("j3", lambda facts: box.write(*facts))

    def _import(self, job: str, write: Callable[[tuple[Fact, ...]], Any]) -> None:
        rows = tuple(
            ChargePointListed(id=ChargePointId(f"{job}-{n}"), name=f"Bay {n}", identity="") for n in (1, 2)
        )  # fmt: skip
        event = JobImported(number=job, site_name="Site", charge_points=rows, test_token="T")
        write((Fact(f"job:{job}", event, OPERATOR, job=JobId(job)),))

    # ---- what happens ----

    def step(self) -> None:
        chosen = self.random.choices(
            (
                self.edit_on_box, self.edit_in_cloud, self.report, self.deliver, self.cut, self.connect, self.end_job,
                self.box_crash, self.cloud_crash, self.back_up, self.restore_box, self.restore_cloud, self.clock_jump,
            ),
            (18, 12, 10, 60, 3, 10, 3, 2, 1, 8, 4, 3, 2),
        )  # fmt: skip
        chosen[0]()

    def edit_on_box(self) -> None:
        box, _ = self.random.choice(self.boxes)
        installer = Author(type=AuthorType.INSTALLER, link="l", name=box.gateway[:4])
        self._attempt(lambda: box.decide(self._edit(box.state, installer)))

    def edit_in_cloud(self) -> None:
        place = self.random.choice(self.places)
        self._attempt(lambda: self.cloud.decide(place, self._edit(self.cloud.state(place), OPERATOR)))
        self._tell(place)

    def _edit(self, state: SiteState, author: Author) -> Any:
        """What a person with this on the screen does."""
        random = self.random
        rows = [row for job in state.jobs.values() for row in state.rows(job)]
        if not rows:
            raise _Nothing
        row = random.choice(rows)
        kind = random.choice(("identity", "identity", "connector", "note", "active", "swap"))
        if kind == "note":
            return rules.decide_note(row.job, row.id, author, "hello", by_operator=True)
        if kind == "active":
            return rules.decide_activity([row.id], author, active=random.random() < 0.5)
        if kind == "swap":
            other = random.choice([each for each in rows if each.job == row.job])
            return rules.decide_swap(row.job, row.id, other.id, author)
        register = row.identity_register if kind == "identity" else row.connector_register
        bases = tuple(head.op for head in register.heads)
        if random.random() < 0.2:  # a screen that did not show all of them
            bases = bases[:1]
        if kind == "identity":
            return rules.decide_edit(row.job, row.id, author, identity=random.choice(IDENTITIES), bases=bases)
        return rules.decide_edit(row.job, row.id, author, connector=random.randint(1, 3), bases=bases)

    def report(self) -> None:
        box, _ = self.random.choice(self.boxes)
        status = self.random.choice((ConnectorStatus.AVAILABLE, ConnectorStatus.PREPARING))
        event = ConnectorChanged(connector=1, status=status, at=box.clock.now())
        station = StationKey(self.random.choice(IDENTITIES).casefold())
        self._attempt(lambda: box.write(Fact(f"station:{station}", event, STATION)))

    def end_job(self) -> None:
        random = self.random
        on_box = random.random() < 0.6
        box, place = random.choice(self.boxes)
        state = box.state if on_box else self.cloud.state(place)
        if not state.jobs:
            return
        job = random.choice(list(state.jobs.values()))
        author = Author(type=AuthorType.INSTALLER, link="l") if on_box else OPERATOR
        decide: Any = (
            decide_complete(job.id, author, activate_all=True, reason=None, name=None)
            if job.status is JobStatus.OPEN
            else rules.decide_reopen(job.id, author)
        )
        if not on_box and random.random() < 0.2:
            decide = rules.decide_archive(job.id, author)
        self._attempt(lambda: box.decide(decide) if on_box else self.cloud.decide(place, decide))
        if not on_box:
            self._tell(place)

    def deliver(self) -> None:
        live = [wire for wire in self.wires if wire.up or wire.down]
        if live:
            self._deliver(self.random.choice(live))

    def cut(self) -> None:
        live = [wire for wire in self.wires if not wire.cut]
        if live:
            self._cut(self.random.choice(live))

    def connect(self) -> None:
        box, _ = self.random.choice(self.boxes)
        self._connect(box)

    def box_crash(self) -> None:
        box, _ = self.random.choice(self.boxes)
        self._drop_wires(box)
        box.clock.reboot()
        box.crash()

    def cloud_crash(self) -> None:
        self.cloud.crash()
        for wire in self.wires:
            self._cut(wire)

    def back_up(self) -> None:
        if self.random.random() < 0.3:
            self.backups.append(self.cloud.backup())
            return
        number = self.random.randrange(len(self.boxes))
        self.box_backups.setdefault(number, []).append(self.boxes[number][0].backup())

    def restore_box(self) -> None:
        if not self.box_backups:
            return
        number = self.random.choice(sorted(self.box_backups))
        box, _ = self.boxes[number]
        before = {op for _, op in box.journal()}
        self._drop_wires(box)
        box.clock.reboot()
        box.restore(self.random.choice(self.box_backups[number]))
        self.lost |= before - {op for _, op in box.journal()}

    def restore_cloud(self) -> None:
        if self.backups:
            self.cloud.restore(self.random.choice(self.backups))
            self.cloud_crash()

    def clock_jump(self) -> None:
        box, _ = self.random.choice(self.boxes)
        box.clock.advance(self.random.choice((-86_400 * 3650, 3600, 86_400 * 3650)))

    def _attempt(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except (SiteError, _Nothing):
            return
        for wire in self.wires:
            if not wire.cut and wire.box.session is not None:
                self._box_effects(wire, wire.box.session.grown())

    # ---- wires ----

    def _connect(self, box: SimBox) -> None:
        self._drop_wires(box, deliver_later=self.random.random() < 0.3)
        wire = Wire(box, self.cloud.open_link())
        box.connect()
        self.wires.append(wire)
        self._cloud_effects(wire, wire.link.session.opened())

    def _drop_wires(self, box: SimBox, *, deliver_later: bool = False) -> None:
        """`deliver_later`: what was on its way up still comes, after the next connection has begun."""
        for wire in self.wires:
            if wire.box is box:
                self._cut(wire, deliver_later=deliver_later)
        box.session = None

    def _cut(self, wire: Wire, *, deliver_later: bool = False) -> None:
        if wire.cut:
            return
        wire.cut = True
        wire.down.clear()
        if not deliver_later:
            for _ in range(self.random.randint(0, len(wire.up))):  # a prefix got through
                self._up(wire)
            wire.up.clear()
        wire.box.session = None if wire.box.session is not None else wire.box.session

    def _deliver(self, wire: Wire) -> None:
        if wire.up and (not wire.down or self.random.random() < 0.5):
            self._up(wire)
        elif wire.down:
            self._down(wire)
        self.wires = [each for each in self.wires if not each.cut or each.up]

    def _down(self, wire: Wire) -> None:
        message = codec.decode(wire.down.popleft())
        session = wire.box.session
        if message is not None and session is not None and not wire.cut:
            self._box_effects(wire, session.receive(message))

    def _up(self, wire: Wire) -> None:
        message = codec.decode(wire.up.popleft())
        if message is not None and not wire.link.dead:
            self._cloud_effects(wire, wire.link.session.receive(message))

    def _box_effects(self, wire: Wire, effects: Iterable[f.Effect]) -> None:
        todo = deque(effects)
        while todo:
            effect = todo.popleft()
            if isinstance(effect, f.Send):
                if not wire.cut:
                    wire.up.append(codec.encode(effect.message))
            elif isinstance(effect, f.Close):
                self._cut(wire)
                return
            else:
                todo.extend(wire.box.effect(effect))

    def _cloud_effects(self, wire: Wire, effects: Iterable[f.Effect]) -> None:
        todo = deque(effects)
        while todo:
            effect = todo.popleft()
            if isinstance(effect, f.Send):
                if not wire.cut:
                    wire.down.append(codec.encode(effect.message))
            elif isinstance(effect, f.Close):
                self._cut(wire)
                return
            else:
                todo.extend(wire.link.effect(effect))
                place = wire.link.place
                if isinstance(effect, f.Take) and place is not None:
                    self._tell(place)

    def _tell(self, place: Place) -> None:
        end = self.cloud.end(place)
        for wire in self.wires:
            if wire.link.place == place and not wire.cut and not wire.link.dead:
                self._cloud_effects(wire, wire.link.session.news(end))

    # ---- the end ----

    def settle(self) -> None:
        """No more faults: everybody connects, and everything is delivered (I9)."""
        for _ in range(QUIET_MAX):
            for box, _ in self.boxes:
                if not any(wire.box is box and not wire.cut for wire in self.wires):
                    self._connect(box)
            live = [wire for wire in self.wires if wire.up or wire.down]
            if live:
                self._deliver(live[0])
                continue
            for place in self.places:  # somebody else's edit may have led to one of theirs
                self._tell(place)
            if not any(wire.up or wire.down for wire in self.wires) and self._is_quiet():
                return
        raise AssertionError(f"not quiet after {QUIET_MAX} deliveries")

    def _is_quiet(self) -> bool:
        connected = all(any(w.box is box and not w.cut for w in self.wires) for box, _ in self.boxes)
        has_all = all(
            box.ledger.shared.cursor.place == self.cloud.end(at) for box, at in self.boxes if box.ledger.shared.cursor
        )
        return (
            connected
            and has_all
            and all(box.backlog == 0 and box.ledger.shared.unconfirmed == 0 for box, _ in self.boxes)
        )


class _Nothing(Exception):
    """There is nothing to edit."""


# ---- what must be true ----


def check(world: World) -> None:
    """The invariants, after `World.settle`."""
    for place in world.places:
        log = world.cloud.log(place)
        _once_and_without_gaps(log)
        _heads_are_what_nobody_replaced(world.cloud.state(place), [decode_op(each.body) for each in log])
        for box, at in world.boxes:
            if at == place:
                digest = world.cloud.digest(place)
                assert box.confirmed_digest == digest, "I3: the same log, another fold"
                assert digest_of(box.state) == digest, "I3: nothing is pending, and something else is shown"
    for box, place in world.boxes:
        _is_all_there(world, box, place)
    _activated_once(world)


def _once_and_without_gaps(log: Sequence[Any]) -> None:
    assert [each.place for each in log] == list(range(1, len(log) + 1)), "the log has gaps"
    assert len({each.op_id for each in log}) == len(log), "I1: an op is in the log twice"


def _is_all_there(world: World, box: SimBox, place: Place) -> None:
    """I1, I2: everything the box has on its disk is in the cloud, and in the box's order."""
    stored = world.cloud.store.read_now(lambda books: books.logs.of_gateway(GatewayId(box.gateway), 0, 100_000))
    others = world.cloud.log(place)
    there = {each.op_id for each in (*stored, *others)}
    own = [op for _, op in box.journal()]
    missing = [op for op in own if op not in there]
    assert not missing, f"I1: lost {missing}"
    gone = [op for op in box.received() if op not in there]
    assert not gone, f"I1: a box still knows {gone}, and a restored cloud does not"
    if not world.backups and not world.box_backups:
        order = [each.op_id for each in stored]
        assert order == [op for op in own if op in set(order)], "I2: another order"
    assert [each.number for each in stored] == list(range(1, len(stored) + 1)), "numbers of a box have gaps"


def _heads_are_what_nobody_replaced(state: SiteState, log: Sequence[Any]) -> None:
    """I4, worked out anew from the log alone."""
    for row in state.charge_points.values():
        for name in ("identity", "connector"):
            assert {head.op for head in getattr(row, f"{name}_register").heads} == _heads(row, name, log), "I4"


def _heads(row: ChargePoint, name: str, log: Sequence[Any]) -> set[OpId]:
    heads: set[OpId] = set()
    for op in _as_taken_up(row, log):
        sets = (op.entity == f"cp:{row.id}" and op.field == name) or (
            isinstance(op.event, JobImported) and any(each.id == row.id for each in op.event.charge_points)
        )
        if sets:
            heads = {head for head in heads if head not in op.bases} | {op.op_id}
    return heads


def _as_taken_up(row: ChargePoint, log: Sequence[Any]) -> list[Any]:
    """What was said of a row before it was there counts from when it is."""
    at = next(
        number for number, op in enumerate(log)
        if isinstance(op.event, JobImported) and any(each.id == row.id for each in op.event.charge_points)
    )  # fmt: skip
    early = [op for op in log[:at] if op.entity == f"cp:{row.id}"]
    return [log[at], *early, *log[at + 1 :]]


def _activated_once(world: World) -> None:
    """I5: as often as a round was completed, and no oftener."""
    for place in world.places:
        state = world.cloud.state(place)
        for job in state.jobs.values():
            found = world.cloud.activations(place, job.id)
            keys = [(each.charge_point, each.round) for each in found]
            assert len(keys) == len(set(keys)), "I5"
            assert all(round_ <= job.round for _, round_ in keys), "I5: a round that never was"


def run_schedule(seed: int, *, steps: int = STEPS, wall_offset_s: float = 0, mutant: str = "") -> list[str]:
    """One schedule, checked; the digests of the sites at its end. Raises AssertionError with the seed.

    `mutant`: kept_numbers, no_reoffer or ack_before_commit, which the invariants must notice.
    """
    world = World(seed, wall_offset_s=wall_offset_s)
    world.cloud.mutant = mutant
    for box, _ in world.boxes:
        box.keeps_numbers = mutant == "kept_numbers"
    try:
        for _ in range(steps):
            world.step()
        world.settle()
        check(world)
        return [world.cloud.digest(place) for place in world.places]
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}") from error
    finally:
        world.close()
