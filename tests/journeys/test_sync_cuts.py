"""The link is cut after every byte of a scripted session, in either direction: nothing is lost, nothing doubled.

Box and cloud are the real cores (`tests/doubles/sync_world.py`). A frame arrives when its last byte did, so cuts within
one frame are one case; each case is played once and counts for all its bytes.
"""

from collections.abc import Callable

from sitelink import job_rules as rules
from sitelink.events import ConnectorChanged
from sitelink.ids import ChargePointId, JobId
from sitelink.ops import STATION, Author, Fact
from sitelink.states import AuthorType, ConnectorStatus
from tests.doubles.sync_world import OPERATOR, World, check

BYTES = 2000
INSTALLER = Author(type=AuthorType.INSTALLER, link="l")


def script(world: World) -> None:
    """A box with a little of everything to tell, and a cloud that has something for it."""
    box, place = world.boxes[0]
    row = ChargePointId("j3-1")
    for identity in ("CP1", "CP2"):
        box.decide(rules.decide_edit(JobId("j3"), row, INSTALLER, identity=identity))
        event = ConnectorChanged(connector=1, status=ConnectorStatus.AVAILABLE, at=box.clock.now())
        box.write(Fact("station:cp1", event, STATION))
    box.decide(rules.decide_note(JobId("j3"), row, INSTALLER, "hello"))
    box.decide(rules.decide_complete(JobId("j3"), INSTALLER, activate_all=True, reason=None, name=None))
    other = ChargePointId("j1-1")
    world.cloud.decide(place, rules.decide_edit(JobId("j1"), other, OPERATOR, identity="CP3"))
    world.cloud.decide(place, rules.decide_note(JobId("j1"), other, OPERATOR, "from the desk", by_operator=True))


def play(up: int | None, down: int | None) -> tuple[list[int], list[int]]:
    """Deliver so many frames each way on the first connections, cut, and let it end; how long the frames were."""
    world = World(7, boxes=1)
    try:
        script(world)
        lengths: tuple[list[int], list[int]] = ([], [])
        left = {"up": up, "down": down}
        box, _ = world.boxes[0]
        for _ in range(4):  # beginning anew after a snapshot is part of the session
            world._connect(box)
            wire = world.wires[-1]
            while not wire.cut and (wire.up or wire.down):
                way = "down" if wire.down else "up"
                queue = wire.down if way == "down" else wire.up
                if left[way] == 0:
                    world._cut(wire)
                    break
                lengths[way == "down"].append(len(queue[0]))
                left[way] = None if left[way] is None else (left[way] or 0) - 1
                _one(world, wire, way)
            if 0 in left.values():
                break
        world.settle()
        check(world)
        return lengths
    finally:
        world.close()


def _one(world: World, wire: object, way: str) -> None:
    deliver: Callable[[object], None] = world._up if way == "up" else world._down  # type: ignore[assignment]
    deliver(wire)


def test_a_cut_after_any_byte_loses_and_doubles_nothing() -> None:
    lengths = play(None, None)
    covered = []
    for way, frames in enumerate(lengths):
        whole = 0
        for number, length in enumerate(frames):
            play(number if way == 0 else None, number if way == 1 else None)  # all cuts within frame `number`
            whole += length
            if whole >= BYTES:
                break
        covered.append(whole)
    assert min(covered) >= BYTES, f"the script is too short: {covered}"
