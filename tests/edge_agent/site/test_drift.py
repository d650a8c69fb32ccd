"""How far a station's clock is off."""

from datetime import timedelta

from edge_agent.site.drift import REPORTS_KEPT, ClockDrift
from edge_agent.site.reports import ConnectorReport
from sitelink.ids import StationKey
from sitelink.states import ConnectorStatus
from tests.doubles.core import Core

CP001 = StationKey("cp001")


async def report(core: Core, off_s: float | None) -> None:
    at = core.clock.now() + timedelta(seconds=off_s) if off_s is not None else None
    text = at.isoformat() if at else "1970-01-01T00:00:00Z"
    await core.desk.connector_changed(CP001, ConnectorReport(1, ConnectorStatus.AVAILABLE, at=at, station_time=text))


async def test_a_clock_that_is_ahead_is_seen_at_once() -> None:
    core = Core()
    drift = ClockDrift(core.journal)
    assert drift.of(CP001) is None
    await report(core, 7200)
    assert drift.of(CP001) == timedelta(hours=2)


async def test_reports_kept_while_offline_do_not_make_it_slow() -> None:
    core = Core()
    drift = ClockDrift(core.journal)
    for late in (3600, 1800, 2):
        await report(core, -late)
    assert drift.of(CP001) == timedelta(seconds=-2)


async def test_a_clock_that_was_set_is_believed_after_a_few_reports() -> None:
    core = Core()
    drift = ClockDrift(core.journal)
    await report(core, 7200)
    for _ in range(REPORTS_KEPT):
        await report(core, -1)
    assert drift.of(CP001) == timedelta(seconds=-1)


async def test_a_time_that_could_not_be_read_says_nothing_of_the_clock() -> None:
    core = Core()
    drift = ClockDrift(core.journal)
    await report(core, None)
    assert drift.of(CP001) is None
