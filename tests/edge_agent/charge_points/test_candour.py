"""What a station reports, put right."""

from edge_agent.charge_points import candour
from edge_agent.charge_points.quirks import NONE, Quirks
from edge_agent.site.reports import ConnectorReport, MeterGroup, MeterReport, StartReport, StopReport
from sitelink.events import MeterSample
from sitelink.states import ConnectorStatus
from tests.doubles.clock import FakeClock

NOON = FakeClock().now()
SAMPLES = (
    MeterSample("Energy.Active.Import.Register", "Wh", 1.5),
    MeterSample("Power.Active.Import", "W", 7200),
    MeterSample("Energy.Active.Import.Register", "Wh", None),
)
GROUPS = (MeterGroup(SAMPLES, NOON, "12:00"),)
METER = MeterReport(1, GROUPS, 7)
START = StartReport(1, "TAG", 1.5, NOON, "12:00")
STOP = StopReport(7, 2.5, at=NOON, station_time="12:00", groups=GROUPS)
STATUS = ConnectorReport(1, ConnectorStatus.AVAILABLE, at=NOON, station_time="12:00")


def test_a_station_of_no_rule_is_believed() -> None:
    found: list[str] = []
    assert candour.meter_of(NONE, METER, found) is METER
    assert candour.start_of(NONE, START, found) is START
    assert candour.stop_of(NONE, STOP, found) is STOP
    assert candour.status_of(NONE, STATUS, found) is STATUS
    assert found == []


def test_kwh_labelled_wh_are_wh_everywhere_and_only_energies() -> None:
    quirks, found = Quirks(energy_scale=1000), list[str]()
    (group,) = candour.meter_of(quirks, METER, found).groups
    assert [sample.value for sample in group.samples] == [1500, 7200, None]
    assert candour.start_of(quirks, START, found).meter_start_wh == 1500
    stop = candour.stop_of(quirks, STOP, found)
    assert (stop.meter_stop_wh, stop.groups[0].samples[0].value) == (2500, 1500)
    assert found == ["energy:scaled", "meterStart:scaled", "meterStop:scaled", "energy:scaled"]


def test_a_time_that_is_not_believed_is_kept_as_text_only() -> None:
    quirks, found = Quirks(receive_time=True), list[str]()
    assert candour.status_of(quirks, STATUS, found).at is None
    assert candour.start_of(quirks, START, found).at is None
    stop = candour.stop_of(quirks, STOP, found)
    assert (stop.at, stop.station_time, stop.groups[0].at, stop.groups[0].station_time) == (
        None,
        "12:00",
        None,
        "12:00",
    )
    assert found == ["timestamp:not_believed"] * 4


def test_what_is_missing_stays_missing() -> None:
    quirks, found = Quirks(energy_scale=1000, receive_time=True), list[str]()
    assert candour.start_of(quirks, StartReport(1, "TAG", None), found) == StartReport(1, "TAG", None)
    assert candour.stop_of(quirks, StopReport(7, None), found) == StopReport(7, None)
    assert candour.status_of(quirks, ConnectorReport(1, ConnectorStatus.AVAILABLE), found).at is None
    assert found == []
