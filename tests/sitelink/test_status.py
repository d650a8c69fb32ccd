"""The one exact status: every row of the guide's rule and of the mapping tables, and a law over any history."""

from datetime import timedelta

import pytest
from hypothesis import given

from sitelink import events as e
from sitelink.ids import StationKey, TransactionId
from sitelink.model import SiteState
from sitelink.states import ChargePointState, ConnectorStatus, IntegrationState, Registration
from sitelink.status import (
    NO_INTEGRATION_CONFIGURED,
    NO_SERIAL,
    charge_point_state_of,
    combined,
    connector_of,
    integration_of,
    status_of,
)
from tests.sitelink.builders import STATION, WHEN, Site, bay, histories

AVAILABLE = ConnectorStatus.AVAILABLE


def site_of(
    *, identity: str = "CP001", active: bool = True, maintenance: bool = False, boot: Registration | None = None,
    connector: ConnectorStatus | None = None, online: bool = True, fault: str | None = None, charging: bool = False,
    integration: str | None = "ocpp", owner: str | None = None,
) -> Site:  # fmt: skip
    """One bay, and the station as it stands now."""
    site = Site()
    site.imported(bay("a", identity, active=active, maintenance=maintenance, integration=integration))
    if boot is not None:
        site.boot("CP001", boot)
    if connector is not None:
        site.connector("CP001", 1, connector)
    if charging:
        site.start("CP001")
    if fault is not None:
        site.fault("CP001", fault)
    if boot is not None and not online:
        site.disconnect("CP001")
    if owner is not None:
        site.record("cp:a", e.OwnershipLearned(team=owner))
    return site


def text(site: Site) -> str:
    return status_of(site.state, site.row("a")).text


ACCEPTED, PENDING, REJECTED = Registration.ACCEPTED, Registration.PENDING, Registration.REJECTED


@pytest.mark.parametrize(
    ("expected", "site"),
    [
        # connected + any state but passive: always combined
        ("connected (available)", site_of(boot=ACCEPTED, connector=AVAILABLE)),
        ("connected (busy-charging)", site_of(boot=ACCEPTED, connector=ConnectorStatus.CHARGING, charging=True)),
        ("connected (busy-non-charging)", site_of(boot=ACCEPTED, connector=ConnectorStatus.PREPARING)),
        ("connected (busy-reserved)", site_of(boot=ACCEPTED, connector=ConnectorStatus.RESERVED)),
        ("connected (error)", site_of(boot=ACCEPTED, connector=ConnectorStatus.FAULTED)),
        ("connected (maintenance)", site_of(boot=ACCEPTED, connector=AVAILABLE, maintenance=True)),
        # connected + passive
        ("connected", site_of(boot=ACCEPTED, connector=AVAILABLE, active=False)),
        # equal: not combined
        ("disconnected", site_of(boot=ACCEPTED, connector=AVAILABLE, online=False)),
        ("error", site_of(boot=ACCEPTED, fault="serial_changed")),
        # maintenance survives loss of connection
        ("disconnected (maintenance)", site_of(boot=ACCEPTED, online=False, maintenance=True)),
        # a running transaction too
        ("disconnected (busy-charging)", site_of(boot=ACCEPTED, online=False, charging=True)),
        # serial set, never seen
        ("pending", site_of()),
        ("pending", site_of(active=False)),
        ("pending", site_of(boot=PENDING)),
        ("pending (maintenance)", site_of(maintenance=True)),
        # a record of a type that cannot be served, and no record
        ("no_integration", site_of(integration="modbus", active=False)),
        ("no_integration (maintenance)", site_of(integration="modbus", maintenance=True)),
        (NO_INTEGRATION_CONFIGURED, site_of(integration=None)),
        (NO_INTEGRATION_CONFIGURED, site_of(integration=None, boot=ACCEPTED, connector=AVAILABLE)),
        # validation messages come first
        (NO_SERIAL, site_of(identity="")),
        (NO_SERIAL, site_of(identity="  ")),
        (NO_SERIAL, site_of(identity="", integration=None)),
        (NO_SERIAL, site_of(identity="", owner="Other Ltd")),
        ("Serial is in use by: Other Ltd", site_of(owner="Other Ltd")),
        ("Serial is in use by: Other Ltd", site_of(owner="Other Ltd", integration=None)),
        ("Serial is in use by: Other Ltd", site_of(owner="Other Ltd", boot=ACCEPTED, connector=AVAILABLE)),
        # ownership not known: nothing is invented
        ("connected (available)", site_of(boot=ACCEPTED, connector=AVAILABLE, owner=None)),
        # it tries and fails
        ("error", site_of(boot=REJECTED, active=False)),
        ("error (maintenance)", site_of(boot=ACCEPTED, fault="wrong_password", maintenance=True)),
        # an inactive charge point still shows its test and its faults
        ("connected (busy-charging)", site_of(boot=ACCEPTED, active=False, charging=True)),
        ("connected (busy-charging)", site_of(boot=ACCEPTED, active=False, connector=ConnectorStatus.CHARGING)),
        ("connected (error)", site_of(boot=ACCEPTED, active=False, connector=ConnectorStatus.FAULTED)),
        ("disconnected", site_of(boot=ACCEPTED, active=False, online=False)),
    ],
)  # fmt: skip
def test_the_exact_status(expected, site):
    assert text(site) == expected


def test_the_same_serial_at_two_connectors_is_no_problem():
    site = Site()
    site.imported(bay("a", active=True), bay("b", "cp001 ".strip(), connector=2, active=True))
    site.boot("CP001")
    site.connector("CP001", 1, AVAILABLE)
    site.connector("CP001", 2, ConnectorStatus.CHARGING)
    assert [status_of(site.state, row).text for row in site.state.rows(site.job)] == [
        "connected (available)",
        "connected (busy-charging)",
    ]


@pytest.mark.parametrize("integration", list(IntegrationState))
@pytest.mark.parametrize("state", list(ChargePointState))
def test_states_are_combined_unless_equal_or_passive(integration, state):
    expected = f"{integration} ({state})"
    if state == "passive" or str(state) == str(integration):
        expected = str(integration)
    assert combined(integration, state) == expected


# ---- where the integration state comes from ----


@pytest.mark.parametrize(
    ("expected", "fault", "site"),
    [
        (None, None, site_of(integration=None)),
        (IntegrationState.PENDING, None, site_of()),
        (IntegrationState.PENDING, None, site_of(boot=PENDING)),
        (IntegrationState.CONNECTED, None, site_of(boot=ACCEPTED)),
        (IntegrationState.DISCONNECTED, None, site_of(boot=ACCEPTED, online=False)),
        (IntegrationState.ERROR, "boot_rejected", site_of(boot=REJECTED)),
        (IntegrationState.ERROR, "boot_rejected", site_of(boot=REJECTED, online=False)),
        (IntegrationState.ERROR, "serial_changed", site_of(boot=ACCEPTED, fault="serial_changed")),
        (IntegrationState.ERROR, "wrong_password", site_of(fault="wrong_password")),
        (
            IntegrationState.ERROR,
            "duplicate_identity",
            site_of(boot=ACCEPTED, online=False, fault="duplicate_identity"),
        ),
        (IntegrationState.NO_INTEGRATION, None, site_of(integration="modbus", boot=ACCEPTED)),
    ],
)
def test_the_integration_state(expected, fault, site):
    state, found = integration_of(site.state, site.row("a"))
    assert state is expected
    assert (found.code if found else None) == fault


def test_a_reconnect_without_boot_is_connected_again():
    site = site_of(boot=ACCEPTED, online=False)
    site.record("station:cp001", e.StationConnected(identity="CP001", ip="192.0.2.7", version="1.6"))
    assert integration_of(site.state, site.row("a"))[0] is IntegrationState.CONNECTED


def test_a_fault_that_went_away_is_no_error_any_more():
    site = site_of(boot=ACCEPTED, connector=AVAILABLE, fault="duplicate_identity")
    site.record("station:cp001", e.StationFaultCleared(code="duplicate_identity"))
    assert text(site) == "connected (available)"


def test_a_connector_the_station_says_it_does_not_have_is_an_error():
    site = Site()
    site.imported(bay("a", connector=3))
    site.boot("CP001")
    site.connector("CP001", 1, AVAILABLE)
    site.connector("CP001", 2, AVAILABLE)
    assert integration_of(site.state, site.row("a"))[0] is IntegrationState.CONNECTED, "it did not say how many it has"
    site.configure("CP001", NumberOfConnectors="2")
    integration, fault = integration_of(site.state, site.row("a"))
    assert integration is IntegrationState.ERROR
    assert fault is not None
    assert (fault.code, fault.detail) == ("connector_not_present", {"connector": "3", "count": "2"})
    site.connector("CP001", 3, AVAILABLE)
    assert integration_of(site.state, site.row("a"))[0] is IntegrationState.CONNECTED, "it has it after all"


# ---- where the charge point state comes from ----


@pytest.mark.parametrize(
    ("status", "active", "inactive"),
    [
        (ConnectorStatus.AVAILABLE, "available", "passive"),
        (ConnectorStatus.PREPARING, "busy-non-charging", "busy-non-charging"),
        (ConnectorStatus.CHARGING, "busy-charging", "busy-charging"),
        (ConnectorStatus.SUSPENDED_EV, "busy-non-charging", "busy-non-charging"),
        (ConnectorStatus.SUSPENDED_EVSE, "busy-non-charging", "busy-non-charging"),
        (ConnectorStatus.FINISHING, "busy-non-released", "busy-non-released"),
        (ConnectorStatus.RESERVED, "busy-reserved", "busy-reserved"),
        (ConnectorStatus.UNAVAILABLE, "busy-blocked", "passive"),
        (ConnectorStatus.FAULTED, "error", "error"),
        (ConnectorStatus.OCCUPIED, "busy", "busy"),
        (ConnectorStatus.UNKNOWN, "other", "passive"),
        (None, "other", "passive"),
    ],
)
def test_every_connector_status_of_ocpp_has_its_state(status, active, inactive):
    for is_active, expected in ((True, active), (False, inactive)):
        site = site_of(boot=ACCEPTED, connector=status, active=is_active)
        assert charge_point_state_of(site.state, site.row("a")).value == expected


@pytest.mark.parametrize(("version", "expected"), [("1.6", "busy"), ("2.0.1", "busy-non-charging"), (None, "busy")])
def test_occupied_without_a_transaction_is_a_cable_where_the_version_has_no_other_word_for_it(version, expected):
    site = site_of(boot=ACCEPTED, connector=ConnectorStatus.OCCUPIED)
    boot = e.StationBooted(identity="CP001", vendor="Acme", model="Post 2", verdict=ACCEPTED, version=version)
    site.record("station:cp001", boot)
    assert charge_point_state_of(site.state, site.row("a")).value == expected


@pytest.mark.parametrize(
    ("said", "reason", "expected"),
    [
        (((1, "Occupied"),), "Local", "busy-non-released"),
        (((1, "Occupied"), (65, "Occupied")), "Local", "busy-non-released"),  # told again after the end
        (((1, "Occupied"), (65, "Available"), (90, "Occupied")), "Local", "busy-non-charging"),
        (((0, "Available"), (62, "Occupied")), "Local", "busy-non-released"),  # told only with the end
        (((0, "Available"), (62, "Occupied")), "EVDisconnected", "busy-non-charging"),
        (((0, "Available"), (90, "Occupied")), "Local", "busy-non-charging"),
        (((1, "Occupied"), (59, "Available"), (600, "Occupied")), "EVDisconnected", "busy-non-charging"),
    ],
)
def test_a_cable_left_in_after_a_charge_is_told_from_one_that_was_plugged_in_anew(said, reason, expected):
    site = site_of(boot=ACCEPTED)
    boot = e.StationBooted(identity="CP001", vendor="Acme", model="Post 2", verdict=ACCEPTED, version="2.0.1")
    site.record("station:cp001", boot)
    told = [(s, e.ConnectorChanged(1, ConnectorStatus(word), WHEN + timedelta(seconds=s), plug=1)) for s, word in said]
    start = e.TransactionStarted(
        id=TransactionId(1), connector=1, id_token="T", at=WHEN, content="c", verdict=None, meter_start_wh=0
    )
    stop = e.TransactionStopped(id=TransactionId(1), at=WHEN + timedelta(seconds=60), content="d", reason=reason)
    for _, event in sorted([(0.5, start), (60, stop), *told], key=lambda each: each[0]):
        site.record("station:cp001", event)
    assert charge_point_state_of(site.state, site.row("a")).value == expected


def test_no_status_of_ocpp_was_forgotten_above():
    (mark,) = test_every_connector_status_of_ocpp_has_its_state.pytestmark
    assert {row[0] for row in mark.args[1]} == {*ConnectorStatus, None}


@pytest.mark.parametrize("status", list(ConnectorStatus))
def test_maintenance_outranks_what_the_connector_says(status):
    site = site_of(boot=ACCEPTED, connector=status, maintenance=True)
    assert charge_point_state_of(site.state, site.row("a")) is ChargePointState.MAINTENANCE


@pytest.mark.parametrize("status", list(ConnectorStatus))
def test_a_transaction_outranks_a_late_status_and_maintenance(status):
    site = site_of(boot=ACCEPTED, connector=status, charging=True, maintenance=True)
    taking_nothing = {
        ConnectorStatus.SUSPENDED_EV, ConnectorStatus.SUSPENDED_EVSE, ConnectorStatus.FINISHING,
        ConnectorStatus.FAULTED, ConnectorStatus.PREPARING,
    }  # fmt: skip
    expected = ChargePointState.BUSY_NON_CHARGING if status in taking_nothing else ChargePointState.BUSY_CHARGING
    assert charge_point_state_of(site.state, site.row("a")) is expected


@pytest.mark.parametrize(
    ("whole", "one", "expected"),
    [
        (ConnectorStatus.FAULTED, AVAILABLE, ConnectorStatus.FAULTED),
        (ConnectorStatus.UNAVAILABLE, AVAILABLE, ConnectorStatus.UNAVAILABLE),
        (AVAILABLE, ConnectorStatus.CHARGING, ConnectorStatus.CHARGING),
        (AVAILABLE, None, AVAILABLE),
        (None, ConnectorStatus.CHARGING, ConnectorStatus.CHARGING),
        (None, None, None),
    ],
)
def test_connector_0_faulted_or_unavailable_overrides_the_others(whole, one, expected):
    site = site_of(boot=ACCEPTED, connector=one)
    if whole is not None:
        site.connector("CP001", 0, whole)
    found = connector_of(site.state.stations[StationKey("cp001")], 1)
    assert (found.status if found else None) is expected
    assert connector_of(None, 1) is None


def test_a_station_that_is_offline_shows_no_stale_status():
    site = site_of(boot=ACCEPTED, connector=ConnectorStatus.FAULTED, online=False)
    assert text(site) == "disconnected"


# ---- why, and who counts as connected ----


@pytest.mark.parametrize(
    ("explanation", "site"),
    [
        ("no_serial", site_of(identity="")),
        ("serial_in_use", site_of(owner="T")),
        ("no_integration_configured", site_of(integration=None)),
        ("no_integration", site_of(integration="modbus")),
        ("pending", site_of()),
        ("pending_boot", site_of(boot=PENDING)),
        ("boot_rejected", site_of(boot=REJECTED)),
        ("serial_changed", site_of(boot=ACCEPTED, fault="serial_changed")),
        ("disconnected", site_of(boot=ACCEPTED, online=False)),
        ("maintenance", site_of(boot=ACCEPTED, maintenance=True)),
        ("connector_faulted", site_of(boot=ACCEPTED, connector=ConnectorStatus.FAULTED)),
        ("charging", site_of(boot=ACCEPTED, charging=True)),
        ("ready_to_test", site_of(boot=ACCEPTED, active=False)),
        ("available", site_of(boot=ACCEPTED, connector=AVAILABLE)),
        ("busy-reserved", site_of(boot=ACCEPTED, connector=ConnectorStatus.RESERVED)),
        ("other", site_of(boot=ACCEPTED)),
    ],
)
def test_every_status_says_why(explanation, site):
    assert status_of(site.state, site.row("a")).explanation == explanation


def test_after_a_restart_of_the_box_nobody_blames_the_charge_point():
    site = site_of(boot=ACCEPTED)
    site.disconnect("CP001", "box_restarted")
    assert status_of(site.state, site.row("a")).explanation == "box_restarted"


def test_a_charge_tells_its_power_its_phases_and_whether_it_is_a_test():
    site = Site()
    site.imported(bay("a"))
    site.boot("CP001")
    site.start("CP001", test=True)
    samples = (
        e.MeterSample(measurand="Power.Active.Import", unit="W", value=7200),
        e.MeterSample(measurand="Current.Import", unit="A", value=16, phase="L1"),
        e.MeterSample(measurand="Current.Import", unit="A", value=0, phase="L2"),
    )
    event = e.MeterValuesReported(connector=1, at=WHEN, samples=samples, content="c")
    site.record("station:cp001", event, author=STATION)
    fields = status_of(site.state, site.row("a")).fields
    assert fields == {"power_w": 7200, "phases": ["L1"], "test": True}


def test_a_charge_whose_power_is_not_known_says_none_and_not_0():
    site = site_of(boot=ACCEPTED, charging=True)
    assert status_of(site.state, site.row("a")).fields == {"power_w": None, "phases": [], "test": False}


@pytest.mark.parametrize(
    ("counted", "site"),
    [
        (True, site_of(boot=ACCEPTED, connector=AVAILABLE)),
        (True, site_of(boot=ACCEPTED, active=False)),
        (True, site_of(boot=ACCEPTED, connector=ConnectorStatus.FAULTED)),
        (True, site_of(boot=ACCEPTED, charging=True)),
        (False, site_of()),
        (False, site_of(boot=PENDING)),
        (False, site_of(boot=ACCEPTED, online=False)),
        (False, site_of(boot=ACCEPTED, online=False, charging=True)),
        (False, site_of(boot=ACCEPTED, fault="duplicate_identity")),
        (False, site_of(identity="")),
        (False, site_of(boot=ACCEPTED, owner="T")),
        (False, site_of(boot=ACCEPTED, integration=None)),
    ],
)
def test_connected_is_counted_by_integration_and_only_without_a_validation_message(counted, site):
    assert status_of(site.state, site.row("a")).connected is counted


# ---- a law over any history ----

LEGAL = {combined(integration, state) for integration in IntegrationState for state in ChargePointState}


@given(histories())
def test_whatever_happened_the_status_is_one_of_the_guides_forms(history):
    site = Site()
    for op in history:
        site.apply(op)
        for row in site.state.charge_points.values():
            status = status_of(site.state, row)
            if not row.identity.strip():
                assert status.text == NO_SERIAL
            elif row.owner:
                assert status.text == f"Serial is in use by: {row.owner}"
            elif row.integration is None:
                assert status.text == NO_INTEGRATION_CONFIGURED
            else:
                assert status.text in LEGAL
                assert "passive" not in status.text
                assert status.text == combined(status.integration, status.state)
            assert status.text not in ("disconnected (disconnected)", "error (error)", "pending (disconnected)")
            assert status.connected == (status.text.partition(" (")[0] == "connected")
            assert status.explanation


def test_an_empty_site_has_no_state_to_show():
    site = Site()
    site.imported(bay("a"))
    row = site.row("a")
    assert status_of(SiteState(), row).text == "pending"


@pytest.mark.parametrize(
    ("known_for", "power_w", "state"),
    [
        (True, 7200, ChargePointState.BUSY_CHARGING), (True, 20, ChargePointState.AVAILABLE),
        (False, 7200, ChargePointState.AVAILABLE),
    ],
)  # fmt: skip
def test_power_that_flows_counts_more_than_available_where_that_word_is_not_to_be_trusted(known_for, power_w, state):
    site = Site()
    site.imported(bay("a", active=True))
    site.boot("CP001", available_while_plugged=known_for)
    site.connector("CP001", 1, ConnectorStatus.AVAILABLE)
    sample = e.MeterSample("Power.Active.Import", "W", power_w)
    site.record("station:cp001", e.MeterValuesReported(connector=1, at=WHEN, samples=(sample,), content="m"))
    assert status_of(site.state, site.row("a")).state is state


def test_a_running_charge_counts_more_than_available():
    site = Site()
    site.imported(bay("a", active=True))
    site.boot("CP001")
    site.start("CP001")
    site.connector("CP001", 1, ConnectorStatus.AVAILABLE)
    assert status_of(site.state, site.row("a")).state is ChargePointState.BUSY_CHARGING
