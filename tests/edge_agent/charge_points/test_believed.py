"""What a station reports is put right before the desk hears it, and counted."""

from datetime import UTC, datetime
from typing import Any

import pytest

from edge_agent.charge_points.believed import believed
from edge_agent.charge_points.quirks import NONE, Quirks
from edge_agent.site.reports import (
    ConnectorReport,
    MeterGroup,
    MeterReport,
    StartReport,
    StopReport,
    TransactionReport,
    TransactionStage,
)
from sitelink.events import MeterSample
from sitelink.ids import StationKey
from sitelink.states import ConnectorStatus

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CP001 = StationKey("cp001")
GROUPS = (MeterGroup((MeterSample("Energy.Active.Import.Register", "Wh", 2),), NOON, "12:00"),)
REPORTS = {
    "meter_values": (MeterReport(1, GROUPS), "MeterValues"),
    "start": (StartReport(1, "A", 1, NOON, "12:00"), "StartTransaction"),
    "stop": (StopReport(1, 2, at=NOON, station_time="12:00", groups=GROUPS), "StopTransaction"),
    "connector_changed": (ConnectorReport(1, ConnectorStatus.AVAILABLE, at=NOON), "StatusNotification"),
    "transaction_event": (
        TransactionReport(TransactionStage.UPDATED, "t", 1, "MeterValuePeriodic", groups=GROUPS, at=NOON),
        "TransactionEvent",
    ),
}


class Heard:
    """A desk that remembers what it heard."""

    heartbeat_interval_s = 60

    def __init__(self) -> None:
        self.reports: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        async def hear(_station: StationKey, report: Any) -> str:
            self.reports.append(report)
            return name

        return hear


@pytest.mark.parametrize("name", sorted(REPORTS))
async def test_a_report_reaches_the_desk_as_the_quirks_say(name: str) -> None:
    report, action = REPORTS[name]
    quirks = NONE
    desk, counted = Heard(), list[tuple[str, list[str]]]()
    door: Any = believed(desk, lambda: quirks, lambda each, found: counted.append((each, found)))  # type: ignore[arg-type]
    await getattr(door, name)(CP001, report)
    assert (desk.reports, counted) == ([report], [])
    quirks = Quirks(energy_scale=1000, receive_time=True)
    await getattr(door, name)(CP001, report)
    assert desk.reports[1] != report
    assert [each for each, _ in counted] == [action]


async def test_everything_else_goes_through() -> None:
    door: Any = believed(Heard(), lambda: NONE, lambda _action, _found: None)  # type: ignore[arg-type]
    assert door.heartbeat_interval_s == 60
    assert await door.configured(CP001, {}) == "configured"
