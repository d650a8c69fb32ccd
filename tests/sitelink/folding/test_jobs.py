"""Jobs, rows and links by script: who saw what, and what completion does."""

import pytest
from msgspec.structs import replace

from sitelink import events as e
from sitelink.folding.jobs import HEADS_MAX, fold_register
from sitelink.ids import ChargePointId, JobId, LinkId, OpId
from sitelink.model import ChargePoint, Register
from sitelink.states import JobStatus, LinkRole
from tests.sitelink.builders import INSTALLER, OPERATOR, Site, bay, snapshot


def heads(row: ChargePoint, field: str) -> set[OpId]:
    return {head.op for head in getattr(row, f"{field}_register").heads}


def test_two_edits_that_did_not_see_each_other_both_stay():
    site = Site()
    first = site.imported(bay("a", "CP001"))
    mine = site.record("cp:a", e.FieldSet("CP002"), author=INSTALLER, field="identity", bases=(first.op_id,))
    theirs = site.record("cp:a", e.FieldSet("CP003"), author=INSTALLER, field="identity", bases=(first.op_id,))
    register = site.row("a").identity_register
    assert [head.op for head in register.heads] == [mine.op_id, theirs.op_id]
    assert register.conflicting
    assert site.row("a").identity == "CP003"
    site.set("a", "identity", "CP002")
    assert not site.row("a").identity_register.conflicting
    assert site.row("a").identity == "CP002"


def test_two_that_set_the_same_do_not_disagree():
    site = Site()
    first = site.imported(bay("a", "CP001"))
    for _ in range(2):
        site.record("cp:a", e.FieldSet("CP002"), author=INSTALLER, field="identity", bases=(first.op_id,))
    assert len(site.row("a").identity_register.heads) == 2
    assert not site.row("a").identity_register.conflicting


def test_meanwhile_machines_use_what_was_written_on_site():
    site = Site()
    first = site.imported(bay("a", "CP001"))
    site.record("cp:a", e.FieldSet("HERE"), author=INSTALLER, field="identity", bases=(first.op_id,))
    site.record("cp:a", e.FieldSet("AFAR"), author=OPERATOR, field="identity", bases=(first.op_id,))
    assert site.row("a").identity == "HERE"
    assert site.row("a").identity_register.conflicting


def test_of_more_heads_than_are_kept_the_oldest_goes():
    site = Site()
    site.imported(bay("a", "CP001"))
    for number in range(HEADS_MAX):
        site.record("cp:a", e.FieldSet(f"X{number}"), author=INSTALLER, field="identity")
    register = site.row("a").identity_register
    assert len(register.heads) == HEADS_MAX
    assert register.heads[0].value == "X0"


def test_folding_a_register_keeps_the_order_of_writing():
    site = Site()
    made = [site.record("cp:x", e.FieldSet(n), field="connector") for n in range(3)]
    register = Register()
    for op in made:
        register = fold_register(register, op, op.event.value)
    assert [head.value for head in register.heads] == [0, 1, 2]
    assert fold_register(register, made[0], 0) == register


def test_a_field_nobody_knows_changes_nothing():
    site = Site()
    site.imported(bay())
    before = snapshot(site.state)
    site.record("cp:a", e.FieldSet("blue"), field="colour")
    assert snapshot(site.state) == before


def test_an_imported_job_has_its_rows_in_order_with_the_import_as_first_head():
    site = Site()
    op = site.imported(bay("b", "CP2", connector=2), bay("a", "CP1", active=True, model="X", integration=None))
    assert [row.name for row in site.state.rows(site.job)] == ["Bay b", "Bay a"]
    assert (site.row("b").connector, site.row("b").active) == (2, False)
    assert (site.row("a").active, site.row("a").model, site.row("a").integration) == (True, "X", None)
    assert heads(site.row("a"), "identity") == {op.op_id}
    assert (site.job.status, site.job.round, site.job.number) == (JobStatus.OPEN, 1, "1042")


def test_a_job_imported_anew_drops_rows_that_are_gone_and_keeps_the_notes_of_the_others():
    site = Site()
    site.imported(bay("a"), bay("b", "CP002"))
    site.record("cp:a", e.NoteAdded("door code 7"), author=INSTALLER)
    site.imported(bay("a", "CP009"), bay("c", "CP003"))
    assert set(site.state.charge_points) == {"a", "c"}
    assert [note.text for note in site.row("a").notes] == ["door code 7"]
    assert site.row("a").identity == "CP009"
    assert site.job.round == 1


def test_a_completed_job_imported_anew_is_open_in_its_next_round():
    site = Site()
    site.imported(bay())
    site.record("job:j1", e.JobCompleted(activate=(), round=1))
    site.imported(bay())
    assert (site.job.status, site.job.round, site.job.completion) == (JobStatus.OPEN, 2, None)


def test_completion_activates_the_named_rows_and_no_other():
    site = Site()
    site.imported(bay("a"), bay("b", "CP002"))
    event = e.JobCompleted(
        activate=(ChargePointId("a"),), round=1, name="Kim", reason="one is missing", as_built={"x": 1}
    )
    site.record("job:j1", event, author=INSTALLER)
    assert (site.row("a").active, site.row("b").active) == (True, False)
    assert site.job.status is JobStatus.COMPLETED
    completion = site.job.completion
    assert completion is not None
    assert (completion.by, completion.activated, completion.name) == (INSTALLER, ("a",), "Kim")
    assert (completion.reason, completion.as_built) == ("one is missing", {"x": 1})


def test_activation_by_completion_settles_a_conflict():
    site = Site()
    first = site.imported(bay("a"))
    for value in (True, False):
        site.record("cp:a", e.FieldSet(value), field="active", bases=(first.op_id,))
    assert site.row("a").active_register.conflicting
    site.record("job:j1", e.JobCompleted(activate=(ChargePointId("a"),), round=1))
    assert not site.row("a").active_register.conflicting
    assert site.row("a").active


def test_a_second_completion_changes_nothing():
    site = Site()
    site.imported(bay("a"))
    site.record("job:j1", e.JobCompleted(activate=(), round=1, name="first"))
    site.record("job:j1", e.JobCompleted(activate=(ChargePointId("a"),), round=1, name="second"))
    assert site.job.completion is not None
    assert site.job.completion.name == "first"
    assert not site.row("a").active


def test_a_completion_of_an_earlier_round_comes_too_late():
    site = Site()
    site.imported(bay("a"))
    site.record("job:j1", e.JobCompleted(activate=(), round=1))
    site.record("job:j1", e.JobReopened())
    assert (site.job.status, site.job.round, site.job.completion) == (JobStatus.OPEN, 2, None)
    site.record("job:j1", e.JobCompleted(activate=(), round=1))
    assert site.job.status is JobStatus.OPEN
    site.record("job:j1", e.JobCompleted(activate=(), round=2))
    assert site.job.status is JobStatus.COMPLETED


def test_what_completion_activated_stays_active_when_the_job_is_reopened():
    site = Site()
    site.imported(bay("a"))
    site.record("job:j1", e.JobCompleted(activate=(ChargePointId("a"),), round=1))
    site.record("job:j1", e.JobReopened())
    assert site.row("a").active


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ([e.JobReopened()], JobStatus.OPEN),
        ([e.JobArchived()], JobStatus.ARCHIVED),
        ([e.JobArchived(), e.JobReopened()], JobStatus.OPEN),
        ([e.JobCancelled()], JobStatus.CANCELLED),
        ([e.JobCancelled(), e.JobReopened()], JobStatus.CANCELLED),
        ([e.JobCompleted(activate=(), round=1), e.JobArchived()], JobStatus.ARCHIVED),
        ([e.JobArchived(), e.JobCompleted(activate=(), round=1)], JobStatus.ARCHIVED),
    ],
)
def test_the_ways_of_a_job(path, status):
    site = Site()
    site.imported(bay())
    for event in path:
        site.record("job:j1", event)
    assert site.job.status is status
    assert (site.job.ended_at is not None) == (status in (JobStatus.ARCHIVED, JobStatus.CANCELLED))


def test_a_reopened_job_counts_a_round_only_when_it_was_not_open():
    site = Site()
    site.imported(bay())
    site.record("job:j1", e.JobReopened())
    assert site.job.round == 1


def test_a_note_is_kept_once_with_its_author_and_time():
    site = Site()
    site.imported(bay())
    op = site.record("cp:a", e.NoteAdded("cable too short"), author=INSTALLER)
    site.apply(op)
    (note,) = site.row("a").notes
    assert (note.text, note.by, note.at, note.id) == ("cable too short", INSTALLER, op.t.wall, op.op_id)


def test_pairing_is_opened_at_the_time_of_this_boot():
    site = Site()
    site.imported(bay())
    op = site.record("job:j1", e.PairingOpened(for_s=1800))
    assert (site.job.pairing, site.job.pairing_for_s) == (op.t, 1800)


def test_the_owners_verdict_is_forgotten_with_the_identity_it_was_about():
    site = Site()
    site.imported(bay("a", "CP001"))
    site.record("cp:a", e.OwnershipLearned(team="Other Ltd"))
    assert site.row("a").owner == "Other Ltd"
    site.set("a", "connector", 2)
    assert site.row("a").owner == "Other Ltd"
    site.set("a", "identity", "CP002")
    assert site.row("a").owner is None


def test_a_link_is_made_once_and_revoked_once():
    site = Site()
    event = e.LinkCreated(job=JobId("j1"), token_sha256="ab", role=LinkRole.INSTALLER, name="Kim")
    site.record("link:l1", event)
    site.record("link:l1", replace(event, token_sha256="cd"))
    first = site.record("link:l1", e.LinkRevoked())
    site.record("link:l1", e.LinkRevoked())
    link = site.state.links[LinkId("l1")]
    assert (link.token_sha256, link.role, link.name, link.revoked_at) == ("ab", LinkRole.INSTALLER, "Kim", first.t.wall)


def test_a_completion_says_whose_identity_it_had_not_seen():
    site = Site()
    first = site.imported(bay("a", "CP001"), bay("b", "CP002"))
    site.record("cp:a", e.FieldSet("CP009"), author=OPERATOR, field="identity", bases=(first.op_id,))
    done = e.JobCompleted(activate=(ChargePointId("a"), ChargePointId("b")), round=1)
    site.record("job:j1", done, author=INSTALLER, bases=(first.op_id,))
    job = site.state.jobs[JobId("j1")]
    assert job.completion is not None
    assert job.completion.unseen == (ChargePointId("a"),)
    assert site.row("b").active


def test_what_was_switched_off_unseen_stays_in_the_register_beside_the_completion():
    site = Site()
    first = site.imported(bay("a", "CP001", active=True))
    site.record("cp:a", e.FieldSet(False), author=OPERATOR, field="active", bases=(first.op_id,))
    site.record("job:j1", e.JobCompleted(activate=(ChargePointId("a"),), round=1), bases=(first.op_id,))
    assert [head.value for head in site.row("a").active_register.heads] == [False, True]


@pytest.mark.parametrize("ended", [e.JobCancelled(), e.JobArchived()])
def test_a_completion_that_comes_too_late_is_kept_and_activates_nothing(ended: e.Event):
    site = Site()
    first = site.imported(bay("a", "CP001"))
    site.record("job:j1", ended, author=OPERATOR)
    status = site.state.jobs[JobId("j1")].status
    site.record("job:j1", e.JobCompleted(activate=(ChargePointId("a"),), round=1), bases=(first.op_id,))
    job = site.state.jobs[JobId("j1")]
    assert job.status is status
    assert job.completion is not None
    assert (job.completion.too_late, job.completion.activated) == (True, ())
    assert not site.row("a").active


def test_a_job_laid_anew_keeps_what_was_written_elsewhere_meanwhile():
    site = Site()
    first = site.imported(bay("a", "CP001"), bay("b", "CP002"), bay("c", "CP003"))
    site.record("cp:a", e.FieldSet("CP011"), author=INSTALLER, field="identity", bases=(first.op_id,))
    site.record("cp:b", e.FieldSet("CP012"), author=INSTALLER, field="identity", bases=(first.op_id,))
    again = e.JobImported(number="1042", site_name="Site", charge_points=(bay("a", "CP021"),), test_token="T")
    site.record("job:j1", again, author=OPERATOR, bases=(first.op_id,))
    assert [head.value for head in site.row("a").identity_register.heads] == ["CP011", "CP021"]
    job = site.state.jobs[JobId("j1")]
    assert job.charge_points == (ChargePointId("a"), ChargePointId("b")), "a row that was edited meanwhile stays"
    assert ChargePointId("c") not in site.state.charge_points


def test_a_verdict_on_an_identity_that_is_gone_says_nothing():
    site = Site()
    site.imported(bay("a", "CP001"))
    site.record("cp:a", e.OwnershipLearned("Acme", "CP001"))
    assert (site.row("a").owner, site.row("a").checked) == ("Acme", "CP001")
    site.set("a", "identity", "CP002")
    assert (site.row("a").owner, site.row("a").checked) == (None, "CP001")
    site.record("cp:a", e.OwnershipLearned("Acme", "CP001"))
    assert site.row("a").owner is None
