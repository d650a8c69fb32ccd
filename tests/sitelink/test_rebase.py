"""A box shows the log with its own unseen edits on top; in the end everybody has folded the same log."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from sitelink import events as e
from sitelink.apply import apply, apply_to
from sitelink.digest import digest_of
from sitelink.ids import ChargePointId, JobId, OpId
from sitelink.model import Entity, SiteState
from sitelink.ops import Author, Op, Stamp
from sitelink.rebase import before_pending, confirmed, folded, received
from sitelink.shared import shared_records
from tests.sitelink.builders import INSTALLER, OPERATOR, WHEN, Site, bay

ROW = ChargePointId("a")


class Replica:
    """What a box keeps, without a disk."""

    def __init__(self) -> None:
        self.shown = SiteState()
        self.base: dict[str, Entity | None] = {}
        self.pending: list[Op] = []

    def write(self, op: Op) -> None:
        changes = apply(self.shown, op)
        self.base |= before_pending(self.base, changes, shared_records(self.shown))
        apply_to(self.shown, changes)
        self.pending.append(op)

    def hear(self, ops: Sequence[Op]) -> None:
        known = {op.op_id for op in ops}
        self.pending = [op for op in self.pending if op.op_id not in known]
        done = received(self.shown, self.base, ops, self.pending)
        apply_to(self.shown, done.changes)
        self.base = done.base


def edit(number: int, value: str, bases: tuple[OpId, ...], *, author: Author = INSTALLER) -> Op:
    return Op(
        op_id=OpId(f"edit{number}"), entity="cp:a", event=e.FieldSet(value), author=author, prev=None,
        t=Stamp("b", number, WHEN), job=JobId("j1"), field="identity", bases=bases,
    )  # fmt: skip


def job() -> Op:
    return Site().imported(bay("a", "CP001"))


def test_what_is_pending_stays_on_top_of_what_comes() -> None:
    first = job()
    box = Replica()
    box.hear([first])
    mine = edit(1, "MINE", (first.op_id,))
    theirs = edit(2, "THEIRS", (first.op_id,), author=OPERATOR)
    box.write(mine)
    box.hear([theirs])
    register = box.shown.charge_points[ROW].identity_register
    assert [head.value for head in register.heads] == ["THEIRS", "MINE"]
    assert register.conflicting
    assert [head.value for head in confirmed(box.shown, box.base).charge_points[ROW].identity_register.heads] == [
        "THEIRS"
    ]
    box.hear([mine])
    assert (box.base, box.pending) == ({}, [])


def test_the_log_may_put_what_was_pending_before_something_else() -> None:
    first = job()
    box = Replica()
    box.hear([first])
    mine, theirs = edit(1, "MINE", (first.op_id,)), edit(2, "THEIRS", (first.op_id,), author=OPERATOR)
    box.write(mine)
    box.hear([mine, theirs])
    assert digest_of(box.shown) == digest_of(folded(SiteState(), [first, mine, theirs]))


def test_a_job_that_is_only_here_stays_until_the_log_has_it() -> None:
    box = Replica()
    first = job()
    box.write(first)
    assert box.base == {"job:j1": None, "cp:a": None}
    box.hear([])
    assert "j1" in box.shown.jobs
    assert not confirmed(box.shown, box.base).jobs
    box.hear([first])
    assert box.base == {}


@given(st.data())
def test_in_the_end_all_have_folded_the_same_log(data: st.DataObject) -> None:
    """Two boxes and a log that puts their edits in some order; each hears it in pieces of its own."""
    boxes, log, first = [Replica(), Replica()], [], job()
    log.append(first)
    heard = [0, 0]
    unsent: list[list[Op]] = [[], []]
    for number in range(1, data.draw(st.integers(1, 12), "steps") + 1):
        which = data.draw(st.integers(0, 1), "box")
        box = boxes[which]
        what = data.draw(st.sampled_from(("hear", "write", "send")), "what")
        if what == "hear":
            upto = data.draw(st.integers(heard[which], len(log)), "upto")
            box.hear(log[heard[which] : upto])
            heard[which] = upto
        elif what == "send" and unsent[which]:
            log.append(unsent[which].pop(0))
        elif what == "write" and ROW in box.shown.charge_points:
            heads = [head.op for head in box.shown.charge_points[ROW].identity_register.heads]
            seen = tuple(data.draw(st.sets(st.sampled_from(heads), min_size=1), "seen"))
            op = edit(number, data.draw(st.sampled_from(("X", "Y", "Z")), "value"), seen)
            box.write(op)
            unsent[which].append(op)
    for left in unsent:
        log += left
    for which, box in enumerate(boxes):
        box.hear(log[heard[which] :])
        assert (box.base, box.pending) == ({}, [])
        assert digest_of(box.shown) == digest_of(folded(SiteState(), log))
    register = boxes[0].shown.charge_points[ROW].identity_register
    replaced = {base for op in log for base in op.bases}
    made = {op.op_id for op in log if op.entity == "cp:a"} | {first.op_id}
    assert {head.op for head in register.heads} == made - replaced, "a head goes only when somebody saw it"
