"""The fold: its laws on any history."""

import msgspec
import pytest
from hypothesis import given

import sitelink.apply as apply_module
from sitelink import events as e
from sitelink.apply import FOLDS, apply, apply_to
from sitelink.folding.changes import NOTHING
from sitelink.folding.jobs import FIELDS, HEADS_MAX
from sitelink.ids import OpId
from sitelink.model import ChargePoint, SiteState
from sitelink.ops import BOX, Op, decode_op, encode_op
from sitelink.states import AuthorType, CommandState
from tests.sitelink.builders import Site, bay, histories, snapshot


def folded(history: list[Op]) -> SiteState:
    state = SiteState()
    for op in history:
        apply_to(state, apply(state, op))
    return state


def heads(row: ChargePoint, field: str) -> set[OpId]:
    return {head.op for head in getattr(row, f"{field}_register").heads}


@given(histories())
def test_applying_an_op_twice_changes_nothing_more(history):
    state = SiteState()
    for op in history:
        apply_to(state, apply(state, op))
        once = snapshot(state)
        apply_to(state, apply(state, op))
        assert snapshot(state) == once, op


@given(histories())
def test_apply_itself_changes_nothing(history):
    state = SiteState()
    for op in history:
        before = snapshot(state)
        changes = apply(state, op)
        assert snapshot(state) == before
        apply_to(state, changes)


@given(histories())
def test_the_same_history_gives_the_same_state_also_after_a_trip_over_the_wire(history):
    sent = [decode_op(encode_op(op)) for op in history]
    assert snapshot(folded(history)) == snapshot(folded(sent))


@given(histories())
def test_a_head_disappears_only_when_somebody_who_saw_it_replaced_it(history):
    state = SiteState()
    for op in history:
        before = {row.id: row for row in state.charge_points.values()}
        apply_to(state, apply(state, op))
        if isinstance(op.event, (e.JobImported, e.JobCompleted)):
            continue  # those two lay registers anew by what they are
        for id_, row in before.items():
            for name in FIELDS:
                gone = heads(row, name) - heads(state.charge_points[id_], name)
                assert gone <= set(op.bases)


@given(histories())
def test_every_field_has_a_value_and_no_more_heads_than_are_kept(history):
    for row in folded(history).charge_points.values():
        for name in FIELDS:
            assert 1 <= len(heads(row, name)) <= HEADS_MAX


def test_every_kind_is_folded_or_kept_for_the_record():
    assert set(e.KIND_BY_TYPE) - set(FOLDS) == {e.StationMessage, e.SecurityNoted}


@pytest.mark.parametrize(
    ("entity", "event"),
    [
        ("link:nobody", e.LinkRevoked()),
        ("id_token:nobody", e.IdTokenRemoved()),
        ("command:nobody", e.CommandAnswered(answer="Accepted", state=CommandState.ANSWERED)),
        ("command:nobody", e.CommandEnded(state=CommandState.DONE, outcome="started")),
        ("station:nobody", e.StationDisconnected(reason="closed")),
        ("station:nobody", e.StationMessage(action="DataTransfer", payload={})),
    ],
)
def test_an_op_about_something_unknown_changes_nothing(entity, event):
    site = Site()
    op = site.record(entity, event, field="identity")
    assert apply(site.state, op) == NOTHING


def test_what_was_said_of_a_row_before_it_came_counts_when_it_comes():
    """Boxes bring back a log in pieces after a restore of the cloud, and not in its first order."""
    site = Site()
    history = [site.imported(bay("a"))]
    history.append(site.record("cp:a", e.FieldSet("CP9"), field="identity", bases=(history[0].op_id,)))
    history.append(site.record("cp:a", e.NoteAdded("hello")))
    history.append(site.record("job:j1", e.JobCompleted(activate=(), round=1), job="j1"))
    wanted = folded(history)
    assert (wanted.charge_points["a"].identity, wanted.jobs["j1"].status) == ("CP9", "completed")
    late = folded([*history[1:], history[0]])
    assert snapshot(late) == snapshot(wanted)
    assert late.early_ops == {}


def test_none_of_those_that_wait_is_dropped_before_there_are_too_many(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(apply_module, "EARLY_MAX", 10)
    site = Site()
    notes = [site.record("cp:a", e.NoteAdded(f"note {number}")) for number in range(12)]
    for number in range(11):
        assert len(folded(notes[:number]).early_ops) == number
    assert list(folded(notes).early_ops) == [op.op_id for op in notes[2:]]


def test_what_waits_is_kept_once_in_its_order_and_not_without_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(apply_module, "EARLY_MAX", 2)
    site = Site()
    notes = [site.record("cp:a", e.NoteAdded(text)) for text in ("one", "two", "three")]
    state = folded([notes[0], notes[0], *notes[1:]])
    assert [early.op for early in state.early_ops.values()] == [notes[1].op_id, notes[2].op_id]
    apply_to(state, apply(state, site.imported(bay("a"))))
    assert [note.text for note in state.charge_points["a"].notes] == ["two", "three"]


def test_changes_are_plain_data():
    site = Site()
    op = site.imported(bay())
    assert msgspec.json.encode(apply(SiteState(), op).put)
    assert op.author == BOX
    assert op.author.type is AuthorType.BOX
