"""Which button may be pressed, by state, and why not."""

import pytest
from hypothesis import given

from sitelink import events as e
from sitelink.actions import actions_of, commands_of
from sitelink.states import ActionName, CommandState, ConnectorStatus, IntegrationState, JobStatus, Registration
from sitelink.status import status_of
from tests.sitelink.builders import Site, bay, histories

START, STOP, UNLOCK, REBOOT = ActionName


def reasons(site: Site) -> dict[ActionName, str | None]:
    return {view.name: view.reason for view in actions_of(site.state, site.job, site.row("a"))}


def site_at(status: ConnectorStatus | None = ConnectorStatus.AVAILABLE, **row: object) -> Site:
    """One bay with its station connected and accepted."""
    site = Site()
    site.imported(bay("a", **{"active": True, **row}))
    site.boot("CP001")
    if status is not None:
        site.connector("CP001", 1, status)
    return site


@pytest.mark.parametrize(
    ("status", "start"),
    [
        (ConnectorStatus.AVAILABLE, None),
        (ConnectorStatus.PREPARING, None),
        (ConnectorStatus.SUSPENDED_EV, None),
        (ConnectorStatus.SUSPENDED_EVSE, None),
        (ConnectorStatus.RESERVED, None),
        (ConnectorStatus.CHARGING, "state_not_startable"),
        (ConnectorStatus.FINISHING, "state_not_startable"),
        (ConnectorStatus.UNAVAILABLE, "state_not_startable"),
        (ConnectorStatus.FAULTED, "state_not_startable"),
        (ConnectorStatus.OCCUPIED, "state_not_startable"),
        (ConnectorStatus.UNKNOWN, "state_not_startable"),
        (None, "state_not_startable"),
    ],
)
def test_without_a_transaction(status, start):
    expected = {START: start, STOP: "nothing_charging", UNLOCK: None, REBOOT: None}
    assert reasons(site_at(status)) == expected


def test_an_inactive_charge_point_can_be_tested():
    assert reasons(site_at(active=False))[START] is None


def test_during_a_transaction_it_can_be_stopped_and_the_rest_wants_a_second_word():
    site = site_at()
    site.start("CP001")
    assert reasons(site) == {START: "already_charging", STOP: None, UNLOCK: None, REBOOT: None}
    confirm = {view.name: view.confirm for view in actions_of(site.state, site.job, site.row("a"))}
    assert confirm == {START: False, STOP: False, UNLOCK: True, REBOOT: True}
    site.stop("CP001")
    assert not any(view.confirm for view in actions_of(site.state, site.job, site.row("a")))


def two_bays_of_one_station() -> Site:
    site = Site()
    site.imported(bay("a", active=True), bay("b", active=True, connector=2))
    site.boot("CP001")
    for number in (1, 2):
        site.connector("CP001", number, ConnectorStatus.AVAILABLE)
    return site


def test_a_reboot_ends_the_charge_at_the_other_connector_too_and_says_so():
    site = two_bays_of_one_station()
    site.start("CP001", 2)
    confirm = {view.name: view.confirm for view in actions_of(site.state, site.job, site.row("a"))}
    assert confirm == {START: False, STOP: False, UNLOCK: False, REBOOT: True}
    site.stop("CP001")
    assert not any(view.confirm for view in actions_of(site.state, site.job, site.row("a")))


def test_while_the_charge_point_restarts_nothing_is_asked_of_its_other_connector():
    site = two_bays_of_one_station()
    site.command("c1", "b", REBOOT)
    assert set(reasons(site).values()) == {"command_running"}
    site.command_ended("c1")
    assert reasons(site)[START] is None
    site.command("c2", "b", START)
    assert reasons(site)[START] is None, "a start there is no matter of this one"


def test_in_maintenance_nothing_is_started():
    assert reasons(site_at(maintenance=True)) == {
        START: "maintenance",
        STOP: "nothing_charging",
        UNLOCK: None,
        REBOOT: None,
    }


def offline(site: Site) -> None:
    site.disconnect("CP001")


def offline_in_transaction(site: Site) -> None:
    site.start("CP001")
    site.disconnect("CP001")


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("not_connected", offline),
        ("not_connected", offline_in_transaction),
        ("connection_error", lambda site: site.fault("CP001", "serial_changed")),
        ("connection_error", lambda site: site.boot("CP001", Registration.REJECTED)),
        ("not_connected", lambda site: site.boot("CP001", Registration.PENDING)),
        ("no_serial", lambda site: site.set("a", "identity", "")),
        ("no_serial", lambda site: site.set("a", "identity", "  ")),
        ("not_connected", lambda site: site.set("a", "identity", "NEW")),
        ("serial_in_use", lambda site: site.record("cp:a", e.OwnershipLearned(team="T"))),
        ("job_not_open", lambda site: site.record("job:j1", e.JobCompleted(activate=(), round=1))),
        ("job_not_open", lambda site: site.record("job:j1", e.JobArchived())),
        ("job_not_open", lambda site: site.record("job:j1", e.JobCancelled())),
    ],
)
def test_all_four_are_off_for_one_reason(reason, change):
    site = site_at()
    change(site)
    assert reasons(site) == dict.fromkeys(ActionName, reason)


@pytest.mark.parametrize("integration", [None, "modbus"])
def test_without_a_served_integration_nothing_can_be_done(integration):
    assert reasons(site_at(integration=integration)) == dict.fromkeys(ActionName, "not_connected")


def test_a_reopened_job_has_its_buttons_again():
    site = site_at()
    site.record("job:j1", e.JobCompleted(activate=(), round=1))
    site.record("job:j1", e.JobReopened())
    assert reasons(site)[START] is None


def test_one_of_a_kind_at_a_time():
    site = site_at()
    site.command("k1", "a", UNLOCK)
    assert reasons(site) == {START: None, STOP: "nothing_charging", UNLOCK: "command_running", REBOOT: None}
    site.record("command:k1", e.CommandAnswered(answer="Unlocked", state=CommandState.ANSWERED))
    assert reasons(site)[UNLOCK] == "command_running"
    site.command_ended("k1")
    assert reasons(site)[UNLOCK] is None


def test_a_reboot_that_waits_for_the_charge_lets_it_be_ended():
    site = site_at()
    site.start("CP001")
    site.command("k1", "a", REBOOT)
    assert reasons(site)[STOP] == "command_running"
    site.record("command:k1", e.CommandAnswered(answer="Scheduled", state=CommandState.ANSWERED))
    assert reasons(site) == {START: "already_charging", STOP: None, UNLOCK: None, REBOOT: "command_running"}


@pytest.mark.parametrize(
    ("version", "status", "start"),
    [("1.6", ConnectorStatus.FINISHING, "state_not_startable"), ("2.0.1", ConnectorStatus.OCCUPIED, None)],
)
def test_with_the_cable_of_the_last_charge_only_2x_starts_again(version, status, start):
    site = site_at(status)
    boot = e.StationBooted(identity="CP001", vendor="V", model="M", verdict=Registration.ACCEPTED, version=version)
    site.record("station:cp001", boot)
    site.start("CP001")
    site.stop("CP001")
    assert status_of(site.state, site.row("a")).text == "connected (busy-non-released)"
    assert reasons(site)[START] == start


def test_nothing_else_while_it_reboots():
    site = site_at()
    site.command("k1", "a", REBOOT)
    assert reasons(site) == dict.fromkeys(ActionName, "command_running")
    site.command_ended("k1", CommandState.TIMED_OUT)
    assert reasons(site)[START] is None


def test_the_neighbours_commands_do_not_count():
    site = Site()
    site.imported(bay("a", active=True), bay("b", "CP002"))
    site.boot("CP001")
    site.connector("CP001", 1, ConnectorStatus.AVAILABLE)
    site.command("k1", "b", REBOOT)
    assert reasons(site)[START] is None
    assert [command.id for command in commands_of(site.state, site.row("b"))] == ["k1"]


@given(histories())
def test_a_disabled_button_always_says_why_and_an_enabled_one_is_connected_in_an_open_job(history):
    site = Site()
    for op in history:
        site.apply(op)
    for row in site.state.rows(site.job):
        views = actions_of(site.state, site.job, row)
        assert [view.name for view in views] == list(ActionName)
        for view in views:
            assert view.enabled == (view.reason is None)
            if view.enabled:
                assert site.job.status is JobStatus.OPEN
                assert status_of(site.state, row).integration is IntegrationState.CONNECTED


def test_unlock_is_not_offered_where_a_rule_says_there_is_nothing_to_unlock():
    site = site_at()
    site.boot("CP001", unlock=False)
    assert reasons(site)[UNLOCK] == "unlock_not_supported"


def test_unlock_is_not_offered_again_after_it_was_not_supported_until_the_firmware_changes():
    site = site_at()
    site.boot("CP001", firmware="1.0")
    site.command("k1", "a", UNLOCK)
    event = e.CommandAnswered(answer="NotSupported", state=CommandState.REFUSED, outcome="not_supported")
    site.record("command:k1", event)
    assert reasons(site)[UNLOCK] == "unlock_not_supported"
    site.boot("CP001", firmware="1.0")
    assert reasons(site)[UNLOCK] == "unlock_not_supported"
    site.boot("CP001", firmware="1.1")
    assert reasons(site)[UNLOCK] is None


def test_a_station_that_sticks_in_finishing_can_be_started():
    site = site_at(ConnectorStatus.FINISHING)
    assert reasons(site)[START] == "state_not_startable"
    site.boot("CP001", finishing_sticks=True)
    site.connector("CP001", 1, ConnectorStatus.FINISHING)
    assert reasons(site)[START] is None


@pytest.mark.parametrize(
    ("ended", "open_to_them"),
    [
        (e.JobCompleted(activate=(), round=1), True),
        (e.JobArchived(), True),
        (e.JobCancelled(), False),
    ],
)
def test_an_operator_looks_after_a_charge_point_beyond_its_job(ended, open_to_them):
    """A start there would be an installer's test."""
    site = site_at()
    site.start("CP001")
    site.record("job:j1", ended)
    views = actions_of(site.state, site.job, site.row("a"), by_operator=True)
    closed = "job_not_open"
    rest = None if open_to_them else closed
    assert {view.name: view.reason for view in views} == {START: closed, STOP: rest, UNLOCK: rest, REBOOT: rest}
