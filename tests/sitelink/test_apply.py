"""The fold: its laws on any history."""

import msgspec
import pytest
from hypothesis import given

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
        ("cp:nobody", e.FieldSet("CP9")),
        ("cp:nobody", e.NoteAdded("hello")),
        ("cp:nobody", e.OwnershipLearned(team="T")),
        ("job:nobody", e.JobCompleted(activate=(), round=1)),
        ("job:nobody", e.JobReopened()),
        ("job:nobody", e.JobArchived()),
        ("job:nobody", e.PairingOpened(for_s=60)),
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


def test_changes_are_plain_data():
    site = Site()
    op = site.imported(bay())
    assert msgspec.json.encode(apply(SiteState(), op).put)
    assert op.author == BOX
    assert op.author.type is AuthorType.BOX
