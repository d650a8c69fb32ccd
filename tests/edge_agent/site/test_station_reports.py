"""Lists of a station: kept whole, changed item by item, and asked for when due."""

from typing import Any

from edge_agent.site.desk import STOCK_EVERY_S
from edge_agent.site.reports import BootReport, ListReport
from sitelink.events import StationNoted
from sitelink.folding.stations import ITEMS_MAX
from sitelink.ids import StationKey
from sitelink.states import ReportKind
from tests.doubles.core import Core
from tests.edge_agent.site.test_transactions import booted

CP = StationKey("cp001")


def items(core: Core, kind: ReportKind) -> dict[str, Any]:
    report = core.journal.state.report_of(CP, kind)
    return report.items if report is not None else {}


async def test_a_whole_list_takes_the_place_of_the_one_before() -> None:
    core = await booted()
    for numbers in ("123", "45"):
        put: dict[str, Any] = {number: {"n": number} for number in numbers}
        await core.desk.listed(CP, ListReport(ReportKind.MONITORING, put, "GetMonitoringReport"))
    assert list(items(core, ReportKind.MONITORING)) == ["4", "5"]


async def test_how_many_connectors_there_are_is_known_by_the_inventory() -> None:
    core = await booted()
    await core.desk.listed(CP, ListReport(ReportKind.INVENTORY, {}, "GetBaseReport", facts={"connectors": 3}))
    assert core.journal.state.stations[CP].connector_count == 3


async def test_items_come_and_go_and_what_changes_nothing_is_not_written() -> None:
    core = await booted()
    kind = ReportKind.RESERVATIONS
    await core.desk.list_changed(CP, kind, {"1": {"a": 1}, "2": {"a": 2}})
    await core.desk.list_changed(CP, kind, {"1": {"a": 1}}, ("9",))
    await core.desk.list_changed(CP, kind, {"3": {"a": 3}}, ("1",))
    assert list(items(core, kind)) == ["2", "3"]
    assert sum(isinstance(op.event, StationNoted) for op in core.journal.recorded) == 2


async def test_the_newest_events_stay() -> None:
    core = await booted()
    most = ITEMS_MAX[ReportKind.EVENTS]
    for number in range(most + 10):
        await core.desk.list_changed(CP, ReportKind.EVENTS, {str(number): {"n": number}})
    kept = list(items(core, ReportKind.EVENTS))
    assert (len(kept), kept[0], kept[-1]) == (most, "10", str(most + 9))


async def test_the_inventory_is_due_at_first_and_after_a_change_of_firmware() -> None:
    core = await booted()
    desk = core.desk
    assert desk.stock_due(CP, first=True)
    assert not desk.stock_due(CP, first=False)
    await desk.listed(CP, ListReport(ReportKind.INVENTORY, {}, "GetBaseReport"))
    assert not desk.stock_due(CP, first=True)
    await desk.boot("CP001", "10.0.0.5", BootReport("Acme", "Post", "S1", "other firmware"))
    assert desk.stock_due(CP, first=False)
    await desk.listed(CP, ListReport(ReportKind.INVENTORY, {}, "GetBaseReport", missing=2))
    assert desk.stock_due(CP, first=True)
    assert not desk.stock_due(CP, first=False)
    assert not desk.stock_due(StationKey("unheard"), first=True)


async def test_stations_are_asked_for_all_they_have_one_after_the_other() -> None:
    core = await booted()
    assert [core.desk.stock_turn_s() for _ in range(3)] == [0.0, STOCK_EVERY_S, 2 * STOCK_EVERY_S]
    core.clock.advance(60)
    assert core.desk.stock_turn_s() == 0.0
