"""The fold: its laws on any history, and the facts of each kind by script."""

import msgspec
import pytest
from hypothesis import given
from msgspec.structs import replace

from sitelink import events as e
from sitelink.apply import _FOLDS, FIELDS, HEADS_MAX, NOTHING, SUPERSEDED, apply, apply_to, fold_register
from sitelink.ids import ChargePointId, CommandId, JobId, LinkId, OpId, StationKey, TransactionId
from sitelink.model import ChargePoint, Register, SiteState
from sitelink.ops import BOX, Op, decode_op, encode_op
from sitelink.states import (
    ActionName,
    AuthorizationStatus,
    AuthorType,
    CommandState,
    ConnectorStatus,
    JobStatus,
    LinkRole,
    LocalListState,
    Registration,
)
from tests.sitelink.builders import INSTALLER, OPERATOR, WHEN, Site, bay, histories, snapshot

# ---- laws ----


def folded(history: list[Op]) -> SiteState:
    state = SiteState()
    for op in history:
        apply_to(state, apply(state, op))
    return state


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


def heads(row: ChargePoint, field: str) -> set[OpId]:
    return {head.op for head in getattr(row, f"{field}_register").heads}


def test_every_kind_is_folded_or_kept_for_the_record():
    assert set(e.KIND_BY_TYPE) - set(_FOLDS) == {e.StationMessage, e.SecurityNoted}


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


# ---- registers ----


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


# ---- jobs ----


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


# ---- stations ----


def station(site: Site, key: str = "cp001"):
    return site.state.stations[StationKey(key)]


def test_a_station_boots_and_keeps_its_registration_when_its_socket_goes():
    site = Site()
    site.boot("CP001", serial="S1")
    assert (station(site).connected, station(site).registration) == (True, Registration.ACCEPTED)
    assert (station(site).vendor, station(site).serial, station(site).boots) == ("V", "S1", 1)
    site.disconnect("CP001", "silent")
    assert (station(site).connected, station(site).disconnect_reason) == (False, "silent")
    assert station(site).registration is Registration.ACCEPTED
    since = station(site).changed_at
    site.disconnect("CP001")
    assert station(site).changed_at == since
    site.record("station:cp001", e.StationHeard())
    assert (station(site).connected, station(site).disconnect_reason) == (True, None)


def test_a_serial_once_told_is_not_forgotten_by_a_boot_without_one():
    site = Site()
    site.boot("CP001", serial="S1")
    site.boot("CP001")
    assert (station(site).serial, station(site).boots) == ("S1", 2)


def test_a_fault_stands_once_and_goes_when_cleared():
    site = Site()
    site.boot("CP001")
    site.fault("CP001", "duplicate_identity", ip="192.0.2.8")
    site.fault("CP001", "serial_changed")
    site.fault("CP001", "duplicate_identity", ip="192.0.2.9")
    assert [(fault.code, fault.detail) for fault in station(site).faults] == [
        ("serial_changed", {}),
        ("duplicate_identity", {"ip": "192.0.2.9"}),
    ]
    site.record("station:cp001", e.StationFaultCleared(code="duplicate_identity"))
    assert [fault.code for fault in station(site).faults] == ["serial_changed"]


def test_naming_a_station_again_accepts_its_new_serial():
    site = Site()
    site.imported(bay("a", "CP001"), bay("b", ""))
    site.boot("CP001")
    site.fault("CP001", "serial_changed", serial="S2", before="S1")
    site.fault("CP001", "duplicate_identity")
    site.set("a", "identity", "")
    site.set("a", "identity", "CP001")
    assert [fault.code for fault in station(site).faults] == ["duplicate_identity"]


def test_reported_configuration_adds_up():
    site = Site()
    site.configure("CP001", NumberOfConnectors="2", HeartbeatInterval="60")
    site.configure("CP001", HeartbeatInterval="30")
    assert station(site).configuration == {"NumberOfConnectors": "2", "HeartbeatInterval": "30"}


def test_a_forgotten_station_and_a_cleared_knock_are_gone():
    site = Site()
    site.boot("CP001")
    site.record("station:cp001", e.StationForgotten())
    assert site.state.stations == {}
    site.record("knock:n1", e.Knocked(identity="CP9", ip="192.0.2.9", reason="unknown_identity"))
    assert site.state.knocks["n1"].reason == "unknown_identity"
    site.record("knock:n1", e.KnockCleared())
    assert site.state.knocks == {}


def test_connectors_are_told_apart():
    site = Site()
    site.connector("CP001", 0, ConnectorStatus.AVAILABLE)
    site.connector("CP001", 2, ConnectorStatus.FAULTED, "GroundFailure")
    site.connector("CP001", 2, ConnectorStatus.AVAILABLE)
    assert {n: c.status for n, c in station(site).connectors.items()} == {
        0: ConnectorStatus.AVAILABLE,
        2: ConnectorStatus.AVAILABLE,
    }
    assert station(site).connectors[2].error_code == "NoError"


# ---- transactions ----


def transaction(site: Site, id_: int = 1):
    return site.state.transactions[TransactionId(id_)]


def test_a_transaction_runs_at_its_connector_until_it_stops():
    site = Site()
    site.start("CP001", 2, id_=7)
    assert transaction(site, 7).open
    assert station(site).transactions == {2: 7}
    site.stop("CP001", 7, "EVDisconnected")
    assert not transaction(site, 7).open
    assert (transaction(site, 7).reason, station(site).transactions) == ("EVDisconnected", {})


def test_the_first_stop_counts():
    site = Site()
    site.start("CP001")
    site.stop("CP001", reason="Remote")
    site.stop("CP001", reason="Local")
    assert transaction(site).reason == "Remote"


def test_a_real_stop_replaces_an_end_by_the_next_start():
    site = Site()
    site.start("CP001", id_=1)
    site.stop("CP001", 1, SUPERSEDED)
    site.start("CP001", id_=2)
    site.stop("CP001", 1, "PowerLoss")
    assert transaction(site, 1).reason == "PowerLoss"
    assert station(site).transactions == {1: 2}


def test_a_start_sent_again_does_not_open_what_is_closed():
    site = Site()
    site.start("CP001")
    site.stop("CP001")
    site.start("CP001")
    assert not transaction(site).open
    assert station(site).transactions == {}


def test_an_orphan_stop_is_a_record_of_its_own_and_runs_nowhere():
    site = Site()
    event = e.TransactionStopped(id=TransactionId(9), at=WHEN, content="c", orphan=True, meter_stop_wh=1200)
    site.record("station:cp001", event)
    assert (transaction(site, 9).orphan, transaction(site, 9).open) == (True, False)
    assert transaction(site, 9).meter_stop_wh == 1200


def test_readings_are_the_newest_of_each_kind_and_older_ones_come_too_late():
    site = Site()

    def report(value: float | None, seconds: int, **more: str) -> None:
        sample = e.MeterSample(measurand="Power.Active.Import", unit="W", value=value, **more)
        moment = WHEN.replace(second=seconds)
        event = e.MeterValuesReported(connector=1, at=moment, samples=(sample,), content=str(seconds))
        site.record("station:cp001", event)

    report(7200, 10)
    report(2400, 11, phase="L1")
    report(1, 5)
    report(None, 12)
    report(3, 13, location="Inlet")
    report(4, 14, location="Outlet", phase="L2")
    readings = site.state.readings[StationKey("cp001"), 1]
    assert readings.value("Power.Active.Import") == 7200
    assert readings.value("Power.Active.Import", "L1") == 2400
    assert readings.value("Power.Active.Import", "L2") == 4
    assert readings.value("Voltage") is None


# ---- commands ----


def command(site: Site):
    return site.state.commands[CommandId("k1")]


def asked(action: ActionName = ActionName.START) -> Site:
    site = Site()
    site.imported(bay())
    site.command("k1", "a", action)
    return site


def answered(site: Site, answer: str, state: CommandState, *, late: bool = False) -> None:
    site.record("command:k1", e.CommandAnswered(answer=answer, state=state, late=late))


def test_a_command_has_two_parts_what_was_answered_and_what_changed():
    site = asked()
    assert (command(site).state, command(site).by) == (CommandState.SENT, INSTALLER)
    answered(site, "Accepted", CommandState.ANSWERED)
    assert (command(site).answer, command(site).ended_at) == ("Accepted", None)
    site.record("command:k1", e.CommandEnded(state=CommandState.DONE, outcome="started", detail={"transaction": 4}))
    assert (command(site).state, command(site).outcome) == (CommandState.DONE, "started")
    assert command(site).outcome_detail == {"transaction": 4}
    assert command(site).ended_at is not None


def test_a_refusal_ends_a_command():
    site = asked()
    answered(site, "Rejected", CommandState.REFUSED)
    assert command(site).ended_at is not None
    site.command_ended("k1", CommandState.TIMED_OUT)
    assert command(site).state is CommandState.REFUSED


def test_a_known_command_is_not_asked_twice_and_answered_once():
    site = asked()
    site.command("k1", "a", ActionName.REBOOT)
    assert command(site).action is ActionName.START
    answered(site, "Accepted", CommandState.ANSWERED)
    answered(site, "Rejected", CommandState.REFUSED)
    assert command(site).answer == "Accepted"


def test_a_late_answer_is_kept_beside_the_outcome():
    site = asked()
    site.command_ended("k1", CommandState.TIMED_OUT)
    answered(site, "Accepted", CommandState.TIMED_OUT, late=True)
    assert (command(site).late, command(site).answer) == (True, "Accepted")
    assert command(site).state is CommandState.TIMED_OUT
    assert command(site).ended_at is not None


def test_a_verdict_is_kept_with_its_transaction():
    site = Site()
    site.start("CP001", test=True)
    assert (transaction(site).verdict, transaction(site).test) == (AuthorizationStatus.ACCEPTED, True)


def test_changes_are_plain_data():
    site = Site()
    op = site.imported(bay())
    assert msgspec.json.encode(apply(SiteState(), op).put)
    assert op.author == BOX
    assert op.author.type is AuthorType.BOX


def test_a_token_stands_on_the_list_as_it_was_last_said_until_it_is_removed():
    site = Site()
    site.record("id_token:04a1", e.IdTokenListed(id_token="04A1", group="FLEET", note="van"))
    site.record("id_token:04a1", e.IdTokenListed(id_token="04a1", status=AuthorizationStatus.BLOCKED))
    (token,) = site.state.id_tokens.values()
    assert (token.id, token.id_token, token.status, token.group, token.note) == ("04a1", "04a1", "Blocked", None, "")
    assert token.changed_at == site.ops[-1].t.wall
    site.record("id_token:04a1", e.IdTokenRemoved())
    assert site.state.id_tokens == {}


def test_a_station_keeps_its_own_test_token_over_boots():
    site = Site()
    site.record("station:cp001", e.StationTestTokenSet("0000", "CP001"))
    site.boot("CP001")
    assert site.state.stations[StationKey("cp001")].test_token == "0000"
    site.record("station:cp001", e.StationTestTokenSet(None, "CP001"))
    assert site.state.stations[StationKey("cp001")].test_token is None


def test_a_local_list_is_what_the_station_confirmed():
    site = Site()
    a, b, c = (e.ListEntry(token) for token in "ABC")
    site.record("local_list:cp001", e.LocalListTaken(1, full=True, entries=(a, b), more=True))
    held = site.state.local_lists[StationKey("cp001")]
    assert (held.version, list(held.entries), held.state) == (1, ["a", "b"], "sending")
    site.record("local_list:cp001", e.LocalListTaken(2, full=False, entries=(c,), removed=(a,), left_out=3))
    held = site.state.local_lists[StationKey("cp001")]
    assert (held.version, list(held.entries.values()), held.state, held.left_out) == (2, [b, c], "current", 3)
    site.record("local_list:cp001", e.LocalListNotTaken(LocalListState.FAILED, "VersionMismatch"))
    held = site.state.local_lists[StationKey("cp001")]
    assert (held.version, len(held.entries), held.state, held.reason) == (2, 2, "failed", "VersionMismatch")
    site.record("local_list:cp001", e.LocalListTaken(3, full=True))
    assert site.state.local_lists[StationKey("cp001")].entries == {}
    site.boot("CP001")
    site.record("station:cp001", e.StationForgotten())
    assert site.state.local_lists == {}


def test_the_version_is_that_of_the_last_boot_that_was_accepted():
    site = Site()
    for version, verdict in (("2.0.1", Registration.ACCEPTED), ("1.6", Registration.PENDING)):
        site.record("station:cp001", e.StationConnected(identity="CP001", ip="192.0.2.7", version=version))
        event = e.StationBooted(identity="CP001", vendor="V", model="M", verdict=verdict, version=version)
        site.record("station:cp001", event)
    assert site.state.stations["cp001"].version == "2.0.1"


def test_a_reboot_that_is_needed_is_known_until_it_happens():
    site = Site()
    site.boot("CP001")
    for keys in (("A",), ("A", "B")):
        site.record("station:cp001", e.StationNeedsReboot(keys))
    assert site.state.stations["cp001"].reboot_needed == ("A", "B")
    site.boot("CP001")
    assert site.state.stations["cp001"].reboot_needed == ()


def test_corrections_never_shrink_and_go_with_their_station():
    site = Site()
    site.boot("CP001")
    for count in (5, 9, 7):
        site.record("corrections:cp001", e.CorrectionsCounted({"a": e.Correction(count, WHEN, WHEN)}))
    assert site.state.corrections["cp001"].kinds["a"].count == 9
    site.record("station:cp001", e.StationForgotten())
    assert site.state.corrections == {}


def test_a_caller_is_remembered_since_its_first_knock():
    site = Site()
    for count in (1, 4):
        site.record("knock:x@y", e.Knocked(identity="X", ip="y", reason="unknown_identity", count=count))
    knock = site.state.knocks["x@y"]
    assert knock.count == 4
    assert knock.first_at < knock.at
