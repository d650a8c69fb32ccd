from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from sitelink import events as e
from sitelink.errors import IdentityInUse, NoteInvalid
from sitelink.ids import ChargePointId
from sitelink.states import ActionName, CommandState, ConnectorStatus, JobStatus, LinkRole
from sitelink.status import status_of
from tests.doubles.sites import INSTALLER, JOB, NOW, OPERATOR, MadeSite, harbour_garage, row
from web_ui.ports import Relay
from web_ui.views import ChargePointView, JobView, error_view, job_view


def view_of(site: MadeSite, **facts: object) -> JobView:
    return job_view(site.snapshot(**facts), JOB, link=site.link())  # type: ignore[arg-type]


def row_of(site: MadeSite, number: int = 1) -> ChargePointView:
    found = view_of(site).row(f"row-{number}")
    assert found is not None
    return found


@pytest.fixture
def site() -> MadeSite:
    """One row, named and not yet seen."""
    made = MadeSite()
    made.job(row(1, "CP001"))
    return made


def test_the_count_and_every_status_are_those_of_the_rule() -> None:
    site = harbour_garage()
    view = view_of(site)
    assert (view.connected, view.total) == (8, 14)
    for each in view.charge_points:
        assert each.status == status_of(site.state, site.state.charge_points[each.id]).text


def test_the_made_site_shows_fourteen_different_things() -> None:
    by_name = {each.name: each.status for each in view_of(harbour_garage()).charge_points}
    assert by_name["Bay 3"] == "connected (busy-charging)"
    assert by_name["Bay 4"] == "No serial"
    assert by_name["Bay 6"] == "connected (error)"
    assert by_name["Bay 10"] == "Serial is in use by: Acme Parking"
    assert by_name["Bay 12"] == "Not connected (no integration configured)"


def test_a_pending_row_says_the_whole_address(site: MadeSite) -> None:
    assert row_of(site).explanation.endswith("ws://192.0.2.10:9000/CP001")


def test_a_pending_row_whose_station_is_shut_out_says_so(site: MadeSite) -> None:
    site.record("knock:1", e.Knocked(identity="cp001", ip="192.0.2.7", reason="pairing_closed"))
    assert row_of(site).explanation_code == "pending_pairing_closed"
    assert row_of(site).status == "pending"


def test_connectors_are_one_to_four_until_the_station_says(site: MadeSite) -> None:
    assert row_of(site).connectors == (1, 2, 3, 4)
    site.boot("CP001")
    site.record("station:cp001", e.StationConfigured(values={"NumberOfConnectors": "2"}))
    assert row_of(site).connectors == (1, 2)


def test_the_current_connector_is_always_offered() -> None:
    site = MadeSite()
    site.job(row(1, "CP001", connector=7))
    assert row_of(site).connectors == (1, 2, 3, 4, 7)


def test_energy_of_a_running_charge_counts_from_its_begin(site: MadeSite) -> None:
    site.ready("CP001")
    site.charge("CP001", 5)
    running = row_of(site).transaction
    assert running is not None
    assert (running.energy_wh, running.power_w, running.test) == (420.0, 7200.0, True)


def test_what_it_measured_last_is_said_in_the_words_of_meters(site: MadeSite) -> None:
    site.ready("CP001")
    assert (row_of(site).readings, row_of(site).readings_at) == ({}, None)
    site.charge("CP001", 5)
    row = row_of(site)
    assert row.readings["power_w"] == {"total": 7200.0}
    assert set(row.readings) == {"power_w", "current_a", "energy_import_wh"}
    assert row.readings_at is not None


def test_readings_from_before_the_charge_are_not_its_readings(site: MadeSite) -> None:
    site.ready("CP001")
    site.tested("CP001", 4)
    site.charge("CP001", 5)
    before = site.state.readings[next(iter(site.state.readings))]
    site.state.put(replace(before, at=NOW - timedelta(days=1)))
    running = row_of(site).transaction
    assert running is not None
    assert running.energy_wh is None


def test_the_last_finished_test_stays_evidence_while_the_next_runs(site: MadeSite) -> None:
    site.ready("CP001")
    site.tested("CP001", 4, energy_wh=420.0)
    site.charge("CP001", 5)
    shown = row_of(site)
    assert shown.test is not None
    assert shown.test.energy_wh == 420.0
    assert shown.tested


def test_a_test_that_counted_nothing_proves_nothing(site: MadeSite) -> None:
    site.ready("CP001")
    site.tested("CP001", 4, energy_wh=0.0)
    assert not row_of(site).tested
    (point,) = view_of(site).open_points
    assert point.problem == "test charge counted no energy"


@pytest.mark.parametrize(
    ("relay", "delivery"),
    [
        (Relay(), "saved"),
        (Relay(configured=True), "waiting"),
        (Relay(configured=True, connected=True, backlog=2), "waiting"),
        (Relay(configured=True, connected=True), "sent"),
    ],
)
def test_a_note_says_how_far_it_came(site: MadeSite, relay: Relay, delivery: str) -> None:
    site.record("cp:row-1", e.NoteAdded(text="hello"), INSTALLER)
    (note,) = view_of(site, relay=relay).charge_points[0].notes
    assert (note.side, note.author, note.delivery) == ("installer", "Phone 1", delivery)


def test_two_values_of_a_field_are_a_conflict_with_who_and_when(site: MadeSite) -> None:
    base = site.state.charge_points[ChargePointId("row-1")].identity_register.heads[0].op
    site.record("cp:row-1", e.FieldSet(value="CP002"), INSTALLER, "identity", (base,))
    site.record("cp:row-1", e.FieldSet(value="CP003"), OPERATOR, "identity", (base,))
    shown = row_of(site)
    (conflict,) = shown.conflicts
    assert conflict.field == "identity"
    assert [(head.value, head.by, head.name) for head in conflict.heads] == [
        ("CP002", "installer", "Phone 1"),
        ("CP003", "operator", "Service desk"),
    ]
    assert set(shown.bases.split()) >= {head.op for head in conflict.heads}


def test_the_same_value_twice_is_no_conflict(site: MadeSite) -> None:
    base = site.state.charge_points[ChargePointId("row-1")].identity_register.heads[0].op
    for author in (INSTALLER, OPERATOR):
        site.record("cp:row-1", e.FieldSet(value="CP002"), author, "identity", (base,))
    assert row_of(site).conflicts == ()


def test_a_link_id_never_reaches_the_page() -> None:
    assert b"link-1" not in msgspec.json.encode(view_of(harbour_garage()))


def test_the_test_token_never_reaches_the_page() -> None:
    assert b"TEST1042" not in msgspec.json.encode(view_of(harbour_garage()))


@pytest.mark.parametrize(("typed", "calls", "warns"), [("CP0O1", "CP001", True), ("CP001", "CP001", False)])
def test_look_alikes_of_a_caller_are_pointed_out_and_not_rewritten(typed: str, calls: str, warns: bool) -> None:
    site = MadeSite()
    site.job(row(1, typed))
    site.record("knock:1", e.Knocked(identity=calls, ip="192.0.2.7", reason="unknown_identity"))
    shown = row_of(site)
    assert shown.identity == typed
    assert bool(shown.warnings) is warns


def test_an_identity_scanned_twice_is_pointed_out() -> None:
    site = MadeSite()
    site.job(row(1, "CP001234CP001234"))
    assert row_of(site).warnings


def test_callers_stand_newest_first_with_rows_they_may_belong_to() -> None:
    seen = view_of(harbour_garage()).seen
    assert [each.identity for each in seen] == ["ZPR104224", "ZPR104233"]
    assert seen[0].suggested == ("row-4",)
    assert seen[1].suggested == ("row-13", "row-4")


def test_a_command_has_two_parts(site: MadeSite) -> None:
    site.ready("CP001")
    site.command("row-1", ActionName.START, "c1", answer=None)
    (command,) = row_of(site).commands
    assert (command.running, command.progress_text) == (True, "Sent to the charge point…")
    site.record("command:c1", e.CommandAnswered(answer="Accepted", state=CommandState.ANSWERED))
    (command,) = row_of(site).commands
    assert command.progress_text == "Accepted, waiting for charging to start…"
    site.ended("c1", CommandState.DONE, "started", at=NOW)
    (command,) = row_of(site).commands
    assert command.answer_text == "The charge point answered: Accepted."
    assert command.outcome_text == f"Charging started at {NOW.astimezone():%H:%M}."
    assert command.progress_text is None
    assert not row_of(site).running


def test_a_disabled_action_says_why_in_code_and_words(site: MadeSite) -> None:
    site.ready("CP001")
    stop = row_of(site).actions[1]
    assert (stop.name, stop.enabled, stop.reason) == (ActionName.STOP, False, "nothing_charging")
    assert stop.reason_text == "Nothing is charging."


@pytest.mark.parametrize(
    ("status", "tone"),
    [
        (ConnectorStatus.AVAILABLE, "ok"), (ConnectorStatus.PREPARING, "busy"), (ConnectorStatus.FAULTED, "problem"),
    ],
)  # fmt: skip
def test_the_shape_follows_the_state(site: MadeSite, status: ConnectorStatus, tone: str) -> None:
    assert row_of(site).tone == "waiting"
    site.ready("CP001", status)
    assert row_of(site).tone == tone


def test_a_reading_link_may_change_nothing(site: MadeSite) -> None:
    reader = replace(site.link(), role=LinkRole.READ)
    assert not view_of(site).read_only
    assert job_view(site.snapshot(), JOB, link=reader).read_only


def test_completion_tells_what_was_activated_and_what_is_missing() -> None:
    site = MadeSite()
    site.job(row(1, "CP001"), row(2, "CP002"))
    site.ready("CP001")
    site.record(
        f"job:{JOB}",
        e.JobCompleted(activate=(ChargePointId("row-1"), ChargePointId("row-2")), round=1, reason="no cable"),
        INSTALLER,
    )
    view = view_of(site, relay=Relay(configured=True))
    done = view.completion
    assert view.status is JobStatus.COMPLETED
    assert view.read_only
    assert done is not None
    assert (done.activated, done.not_connected, done.reason) == (2, ("Bay 2",), "no cable")
    assert "2 charge points activated. Bay 2 is not connected" in done.text
    assert "You can leave." in done.text


def test_completion_without_activation_says_who_must_activate(site: MadeSite) -> None:
    site.record(f"job:{JOB}", e.JobCompleted(activate=(), round=1, activate_all=False), INSTALLER)
    done = view_of(site).completion
    assert done is not None
    assert "The operator must activate the charge points later." in done.text


def test_an_error_knows_the_row_it_speaks_of() -> None:
    shown = error_view(IdentityInUse(charge_point="row-4", name="Bay 4", identity="X", connector=1), "X")
    assert (shown.code, shown.typed, shown.other, shown.other_name) == ("identity_in_use", "X", "row-4", "Bay 4")
    assert error_view(NoteInvalid(problem="empty", allowed=2000)).other is None


def test_a_row_says_that_the_cloud_has_not_looked_at_it_yet(site: MadeSite) -> None:
    there = Relay(configured=True, connected=True)
    assert not row_of(site).unchecked, "a box that works alone has nobody to ask"
    (found,) = view_of(site, relay=there).charge_points
    assert found.unchecked
    site.record("cp:row-1", e.OwnershipLearned(None, "CP001"))
    (found,) = view_of(site, relay=there).charge_points
    assert not found.unchecked
    site.record("cp:row-1", e.FieldSet(""), field="identity", bases=(found.heads["identity"][0].op,))
    (found,) = view_of(site, relay=there).charge_points
    assert not found.unchecked, "there is nothing to look at"


def test_in_the_cloud_nobody_knows_what_to_type_into_a_charge_point(site: MadeSite) -> None:
    snapshot = replace(site.snapshot(), in_cloud=True, ocpp_url="")
    there = job_view(snapshot, JOB, link=site.link())
    assert there.in_cloud
    assert there.charge_points[0].explanation == "Waiting for the first contact."
