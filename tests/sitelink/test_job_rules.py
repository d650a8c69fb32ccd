"""The rules of a job: edits, swaps, notes, completion."""

import pytest

from sitelink.errors import (
    AlreadyCompleted,
    ChargeActive,
    ConnectorInvalid,
    IdentityInUse,
    IdentityInvalid,
    JobExists,
    JobNotCompleted,
    JobReadOnly,
    NoteInvalid,
    NotFound,
)
from sitelink.ids import ChargePointId, JobId
from sitelink.ops import Author
from sitelink.states import AuthorType, JobStatus
from tests.doubles.core import INSTALLER, Core, job_file
from tests.edge_agent.site.test_transactions import CP, start

OTHER_PHONE = Author(type=AuthorType.INSTALLER, link="link-1", name="Phone 2")


async def imported() -> tuple[Core, JobId]:
    core = Core()
    return core, (await core.import_job()).job


async def test_an_edit_is_normalised_and_recorded_with_its_author() -> None:
    core, job = await imported()
    await core.jobs.edit(job, core.row("Bay 1").id, INSTALLER, identity="  ZPR-104223 \n")
    (head,) = core.row("Bay 1").identity_register.heads
    assert (head.value, head.by) == ("ZPR-104223", INSTALLER)


async def test_saving_what_stands_there_writes_nothing() -> None:
    core, job = await imported()
    seq = core.journal.seq
    await core.jobs.edit(job, core.row("Bay 1").id, INSTALLER, identity="CP001", connector=1)
    assert core.journal.seq == seq


@pytest.mark.parametrize("identity", ["A/B", "A:B", "A%20B", "two words", "x" * 49, "a\x07b"])
async def test_an_impossible_identity_is_refused_with_what_is_wrong(identity: str) -> None:
    core, job = await imported()
    with pytest.raises(IdentityInvalid) as caught:
        await core.jobs.edit(job, core.row("Bay 1").id, INSTALLER, identity=identity)
    assert caught.value.fields["problem"] in ("character", "too_long")
    assert core.row("Bay 1").identity == "CP001"


async def test_an_identity_can_be_cleared() -> None:
    core, job = await imported()
    await core.jobs.edit(job, core.row("Bay 1").id, INSTALLER, identity=" ")
    assert core.row("Bay 1").identity == ""


@pytest.mark.parametrize("connector", [0, -1, 101])
async def test_a_connector_out_of_range_is_refused(connector: int) -> None:
    core, job = await imported()
    with pytest.raises(ConnectorInvalid):
        await core.jobs.edit(job, core.row("Bay 1").id, INSTALLER, connector=connector)


async def test_two_rows_may_share_a_station_but_not_a_plug() -> None:
    core, job = await imported()
    bay = core.row("Bay 2").id
    with pytest.raises(IdentityInUse) as caught:
        await core.jobs.edit(job, bay, INSTALLER, identity="cp001")
    assert caught.value.fields["name"] == "Bay 1"
    await core.jobs.edit(job, bay, INSTALLER, identity="cp001", connector=2)
    with pytest.raises(IdentityInUse):
        await core.jobs.edit(job, bay, INSTALLER, connector=1)


async def test_nothing_is_edited_while_a_charge_runs() -> None:
    core, job = await imported()
    await core.boot("CP001")
    await core.desk.start(CP, start())
    row = core.row("Bay 1").id
    with pytest.raises(ChargeActive):
        await core.jobs.edit(job, row, INSTALLER, identity="CP009")
    with pytest.raises(ChargeActive):
        await core.jobs.swap(job, row, core.row("Bay 2").id, INSTALLER)
    await core.jobs.edit(job, core.row("Bay 2").id, INSTALLER, identity="CP009")


async def test_two_phones_editing_one_field_make_a_conflict_that_either_resolves() -> None:
    core, job = await imported()
    row = core.row("Bay 1")
    shown = [head.op for head in row.identity_register.heads]
    await core.jobs.edit(job, row.id, INSTALLER, identity="A1", bases=shown)
    await core.jobs.edit(job, row.id, OTHER_PHONE, identity="B2", bases=shown)
    register = core.row("Bay 1").identity_register
    assert register.conflicting
    assert [head.value for head in register.heads] == ["A1", "B2"]
    await core.jobs.edit(job, row.id, INSTALLER, identity="A1", bases=[head.op for head in register.heads])
    assert [head.value for head in core.row("Bay 1").identity_register.heads] == ["A1"]


async def test_without_bases_an_edit_replaces_what_is_current() -> None:
    core, job = await imported()
    row = core.row("Bay 1").id
    await core.jobs.edit(job, row, INSTALLER, identity="A1")
    await core.jobs.edit(job, row, OTHER_PHONE, identity="B2")
    assert [head.value for head in core.row("Bay 1").identity_register.heads] == ["B2"]


async def test_both_phones_writing_the_same_is_no_conflict() -> None:
    core, job = await imported()
    row = core.row("Bay 1")
    shown = [head.op for head in row.identity_register.heads]
    for author in (INSTALLER, OTHER_PHONE):
        await core.jobs.edit(job, row.id, author, identity="A1", bases=shown)
    assert not core.row("Bay 1").identity_register.conflicting


async def test_a_swap_exchanges_identities_and_connectors_in_one_step() -> None:
    core, job = await imported()
    await core.jobs.edit(job, core.row("Bay 2").id, INSTALLER, connector=3)
    await core.jobs.swap(job, core.row("Bay 1").id, core.row("Bay 2").id, INSTALLER)
    assert (core.row("Bay 1").identity, core.row("Bay 1").connector) == ("CP002", 3)
    assert (core.row("Bay 2").identity, core.row("Bay 2").connector) == ("CP001", 1)


async def test_notes_are_a_thread_of_both_sides() -> None:
    core, job = await imported()
    row = core.row("Bay 1").id
    await core.jobs.add_note(job, row, INSTALLER, " Cable too short \r\n")
    await core.jobs.add_note(job, row, Author(type=AuthorType.OPERATOR), "Use the long one")
    assert [(note.by.type.value, note.text) for note in core.row("Bay 1").notes] == [
        ("installer", "Cable too short"), ("operator", "Use the long one"),
    ]  # fmt: skip


@pytest.mark.parametrize(("text", "problem"), [("  ", "empty"), ("x" * 2001, "too_long")])
async def test_notes_have_limits(text: str, problem: str) -> None:
    core, job = await imported()
    with pytest.raises(NoteInvalid) as caught:
        await core.jobs.add_note(job, core.row("Bay 1").id, INSTALLER, text)
    assert caught.value.fields["problem"] == problem
    await core.jobs.add_note(job, core.row("Bay 1").id, INSTALLER, "x" * 2000)


async def test_completion_activates_inactive_rows_and_closes_the_job_to_the_installer() -> None:
    core, job = await imported()
    await core.jobs.complete(job, INSTALLER, activate_all=True, reason="Bay 2 has no cable", name="Kim")
    done = core.job()
    assert done.status is JobStatus.COMPLETED
    assert done.completion is not None
    assert (done.completion.reason, done.completion.name) == ("Bay 2 has no cable", "Kim")
    assert core.row("Bay 1").active
    assert core.row("Bay 2").active
    for attempt in (
        core.jobs.edit(job, core.row("Bay 1").id, INSTALLER, connector=2),
        core.jobs.add_note(job, core.row("Bay 1").id, INSTALLER, "late"),
        core.jobs.open_pairing(job, INSTALLER),
    ):
        with pytest.raises(JobReadOnly):
            await attempt
    await core.jobs.add_note(job, core.row("Bay 1").id, Author(type=AuthorType.OPERATOR), "thanks")


async def test_completion_without_activation_leaves_rows_to_the_operator() -> None:
    core, job = await imported()
    await core.jobs.complete(job, INSTALLER, activate_all=False)
    assert not core.row("Bay 1").active
    assert await core.jobs.set_activity([core.row("Bay 1").id], active=True) == 1
    assert core.row("Bay 1").active


async def test_the_second_completion_says_it_is_done_already() -> None:
    core, job = await imported()
    await core.jobs.complete(job, INSTALLER, activate_all=True, name="Kim")
    with pytest.raises(AlreadyCompleted) as caught:
        await core.jobs.complete(job, OTHER_PHONE, activate_all=True)
    assert caught.value.fields["by"] == "Kim"
    assert sum(op.kind == "complete" for op in core.journal.recorded) == 1


async def test_a_row_another_team_owns_is_not_activated() -> None:
    core, job = await imported()
    from edge_agent.site.ports import Decision
    from sitelink.events import OwnershipLearned
    from sitelink.ops import BOX, Fact

    fact = Fact(f"cp:{core.row('Bay 1').id}", OwnershipLearned("Acme Parking"), BOX)
    await core.journal.write(lambda _ledger: Decision((fact,), None))
    await core.jobs.complete(job, INSTALLER, activate_all=True)
    assert not core.row("Bay 1").active
    assert core.row("Bay 2").active


async def test_reopening_starts_another_round() -> None:
    core, job = await imported()
    with pytest.raises(JobNotCompleted):
        await core.jobs.reopen(job)
    await core.jobs.complete(job, INSTALLER, activate_all=True)
    await core.jobs.reopen(job)
    assert (core.job().status, core.job().round) == (JobStatus.OPEN, 2)
    await core.jobs.complete(job, INSTALLER, activate_all=True)
    assert core.job().status is JobStatus.COMPLETED


async def test_archiving_twice_is_archiving_once() -> None:
    core, job = await imported()
    await core.jobs.archive(job)
    seq = core.journal.seq
    await core.jobs.archive(job)
    assert core.journal.seq == seq


async def test_a_known_number_is_refused_unless_replaced_and_notes_survive_that() -> None:
    core, job = await imported()
    await core.jobs.add_note(job, core.row("Bay 1").id, INSTALLER, "keep me")
    with pytest.raises(JobExists):
        await core.import_job()
    again = await core.import_job(job_file([{"name": "Bay 1", "identity": "NEW"}, {"name": "Bay 9"}]), replace=True)
    assert again.job == job
    assert [row.name for row in core.journal.state.rows(core.job())] == ["Bay 1", "Bay 9"]
    assert core.row("Bay 1").identity == "NEW"
    assert core.row("Bay 1").notes[0].text == "keep me"


async def test_rows_of_other_jobs_and_unknown_jobs_are_not_found() -> None:
    core, job = await imported()
    with pytest.raises(NotFound):
        await core.jobs.edit(job, ChargePointId("nope"), INSTALLER, connector=1)
    with pytest.raises(NotFound):
        await core.jobs.edit(JobId("nope"), core.row("Bay 1").id, INSTALLER, connector=1)
