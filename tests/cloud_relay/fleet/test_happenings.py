"""What ops mean to somebody outside: told where something changed, and by whatever way it came to be."""

from datetime import timedelta
from typing import Any

import pytest

from cloud_relay.fleet.happenings import happened, look
from cloud_relay.fleet.webhook_records import KINDS, Happening
from sitelink import events as e
from sitelink.apply import apply, apply_to
from sitelink.ids import ChargePointId, JobId, TransactionId
from sitelink.model import SiteState
from sitelink.ops import STATION, Author, Op
from sitelink.states import AuthorType, Registration
from tests.cloud_relay.made import NOW, OPERATOR, imported, op

INSTALLER = Author(type=AuthorType.INSTALLER, link="l1", name="Ann")


class Story:
    """Ops one after the other, and what was told of each."""

    def __init__(self) -> None:
        self.state = SiteState()

    def tell(self, *ops: Op) -> list[Happening]:
        told: list[Happening] = []
        for each in ops:
            before = look(self.state, each)
            apply_to(self.state, apply(self.state, each))
            told += happened(before, self.state, each)
        return told

    def kinds(self, *ops: Op) -> list[str]:
        return [each.kind for each in self.tell(*ops)]


def connected() -> Op:
    return op("station:cp001", e.StationConnected(identity="CP001", ip="192.0.2.9", version="1.6"))


def booted() -> Op:
    event = e.StationBooted(identity="CP001", vendor="V", model="M", verdict=Registration.ACCEPTED)
    return op("station:cp001", event, author=STATION)


def about_job(event: e.Event, **fields: Any) -> Op:
    return op("job:j1", event, job="j1", author=OPERATOR, **fields)


def completed(*activate: str, round_: int = 1) -> Op:
    return about_job(e.JobCompleted(tuple(ChargePointId(each) for each in activate), round_))


def test_a_job_goes_its_way_and_each_step_is_told_once() -> None:
    story, made = Story(), imported("CP001")
    assert story.kinds(made, made) == ["job.created"]
    (done, *rest) = story.tell(completed("j1-1"))
    assert (done.kind, [each.kind for each in rest]) == (
        "job.completed", ["charge_point.state_changed", "charge_point.activated"],
    ) or (done.kind, [each.kind for each in rest]) == ("job.completed", ["charge_point.activated"])  # fmt: skip
    assert done.data["job"] | {"reason": None} == {
        "id": "j1", "number": "j1", "status": "completed", "round": 1, "charge_points": 1, "activated": 1,
        "reason": None,
    }  # fmt: skip
    assert "job.completed" not in story.kinds(completed("j1-1")), "a second press changes nothing"
    assert "job.reopened" in story.kinds(about_job(e.JobReopened()))
    assert story.kinds(about_job(e.JobReopened())) == []
    assert "job.archived" in story.kinds(about_job(e.JobArchived()))


def test_a_job_that_is_called_off_says_so() -> None:
    story = Story()
    assert "job.cancelled" in story.kinds(imported("CP001"), about_job(e.JobCancelled()))


def test_a_charge_point_is_connected_once_it_is_accepted_and_not_before() -> None:
    story = Story()
    story.tell(imported("CP001"))
    assert "charge_point.connected" not in story.kinds(connected())
    told = story.tell(booted())
    assert [each.kind for each in told] == ["charge_point.connected", "charge_point.state_changed"]
    about = told[1].data
    assert about["charge_point"]["identity"] == "CP001"
    assert about["was"] == "pending"
    assert about["charge_point"]["status"].startswith("connected")
    assert about["job"] == {"id": "j1", "number": "j1"}
    assert story.kinds(booted()) == []
    assert "charge_point.disconnected" in story.kinds(op("station:cp001", e.StationDisconnected("closed")))


def test_what_nobody_waits_for_is_told_of_no_row() -> None:
    story = Story()
    assert story.kinds(connected(), booted(), op("station:cp001", e.StationHeard())) == []
    assert story.kinds(imported("CP001")) == ["job.created"], "a row that begins connected did not become so"


def test_two_values_of_one_field_begin_a_conflict_and_a_choice_ends_it() -> None:
    story, made = Story(), imported("CP001")
    story.tell(made)

    def set_to(value: str, author: Author, *bases: str) -> Op:
        event = e.FieldSet(value)
        return op("cp:j1-1", event, job="j1", field="identity", bases=bases, author=author)  # type: ignore[arg-type]

    one, other = set_to("CP002", INSTALLER, made.op_id), set_to("CP003", OPERATOR, made.op_id)
    assert "conflict.begun" not in story.kinds(one)
    (begun,) = [each for each in story.tell(other) if each.kind == "conflict.begun"]
    assert begun.data["field"] == "identity"
    assert [(each["value"], each["by"]["name"]) for each in begun.data["values"]] == [
        ("CP002", "Ann"),
        ("CP003", "Desk"),
    ]
    assert "conflict.ended" in story.kinds(set_to("CP003", OPERATOR, one.op_id, other.op_id))


def test_a_note_is_told_with_who_wrote_it() -> None:
    story = Story()
    story.tell(imported("CP001"))
    note = op("cp:j1-1", e.NoteAdded("by the gate"), job="j1", author=INSTALLER)
    (told,) = story.tell(note)
    assert (told.kind, told.data["note"], told.data["by"]) == (
        "note.written", {"id": note.op_id, "text": "by the gate"}, {"type": "installer", "name": "Ann"},
    )  # fmt: skip
    assert story.kinds(op("cp:none", e.NoteAdded("x"), job="j1")) == []


def test_a_charge_begins_and_ends_and_its_card_is_masked() -> None:
    story = Story()
    story.tell(imported("CP001"), connected(), booted())
    id_ = TransactionId(7)
    start = e.TransactionStarted(id_, 1, NOW, "c1", id_token="DEADBEEF01", meter_start_wh=1000)
    stop = e.TransactionStopped(id_, NOW + timedelta(hours=1), "c2", meter_stop_wh=8000)
    (began,) = [each for each in story.tell(op("station:cp001", start)) if each.kind.startswith("transaction")]
    (ended,) = [each for each in story.tell(op("station:cp001", stop)) if each.kind.startswith("transaction")]
    assert (began.kind, ended.kind) == ("transaction.started", "transaction.stopped")
    assert "DEADBEEF01" not in str(began.data)
    assert ended.data["transaction"]["energy_wh"] == 7000
    assert ended.data["charge_point"]["id"] == "j1-1"
    assert [each for each in story.kinds(op("station:cp001", stop)) if each.startswith("transaction")] == []


def test_the_same_op_has_the_same_key_and_every_kind_is_a_known_one() -> None:
    made = imported("CP001")
    assert Story().tell(made) == Story().tell(made)
    story = Story()
    told = story.tell(made, connected(), booted(), completed("j1-1"))
    assert {each.kind for each in told} <= set(KINDS)
    assert len({each.key for each in told}) == len(told)
    assert all(each.at == NOW for each in told)
    assert JobId("j1") in story.state.jobs


@pytest.mark.parametrize("event", [e.StationHeard(), e.StationForgotten()])
def test_what_changes_nothing_is_no_event(event: e.Event) -> None:
    story = Story()
    story.tell(imported("CP001"))
    assert story.kinds(op("station:cp009", event)) == []
