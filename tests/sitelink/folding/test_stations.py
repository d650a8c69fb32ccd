"""Stations by script: how they stand, what they told, what is kept of them."""

from sitelink import events as e
from sitelink.ids import StationKey
from sitelink.states import ConnectorStatus, Registration
from tests.sitelink.builders import WHEN, Site


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


def test_a_station_keeps_its_own_test_token_over_boots():
    site = Site()
    site.record("station:cp001", e.StationTestTokenSet("0000", "CP001"))
    site.boot("CP001")
    assert site.state.stations[StationKey("cp001")].test_token == "0000"
    site.record("station:cp001", e.StationTestTokenSet(None, "CP001"))
    assert site.state.stations[StationKey("cp001")].test_token is None


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
