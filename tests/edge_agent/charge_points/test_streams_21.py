"""Periodic event streams of OCPP 2.1: quantities of an EVSE become meter values."""

from typing import Any

import pytest

from edge_agent.charge_points.streams_21 import STREAMS_MAX, meter_report, opened
from sitelink.events import MeterValuesReported, StationMessage
from sitelink.ids import StationKey
from sitelink.states import ReportKind
from tests.doubles.listed import TIME, teller
from tests.doubles.ocpp_box import ocpp_box, until
from tests.edge_agent.charge_points.test_inventory import variable
from tests.edge_agent.charge_points.test_tending_2x import QUIET, inventoried

KEY = StationKey("cp001")
POWER = {"component": "EVSE", "evse": 2, "variable": "Power (L1)"}


def values(*numbers: str) -> dict[str, Any]:
    data = [{"t": 10.0 * place, "v": number} for place, number in enumerate(numbers)]
    return {"id": 1, "pending": 0, "basetime": TIME, "data": data}


def test_values_are_read_with_unit_phase_and_time() -> None:
    report = meter_report(values("7.2", "nonsense", "7.4"), POWER, "kW", [])
    assert report is not None
    assert report.connector == 2
    samples = [group.samples[0] for group in report.groups]
    assert [(each.measurand, each.unit, each.value, each.phase) for each in samples] == [
        ("Power.Active.Import", "W", 7200, "L1"), ("Power.Active.Import", "W", 7400, "L1"),
    ]  # fmt: skip
    first, last = (group.at for group in report.groups)
    assert first is not None
    assert last is not None
    assert (last - first).total_seconds() == 20


@pytest.mark.parametrize(
    "monitor",
    [
        None,
        {"component": "EVSE", "variable": "Power"},
        {"component": "EVSE", "evse": 0, "variable": "Power"},
        {"component": "TokenReader", "evse": 1, "variable": "Power"},
        {"component": "EVSE", "evse": 1, "variable": "Brightness"},
    ],
)
def test_what_is_no_quantity_of_an_evse_is_no_meter_value(monitor: dict[str, Any] | None) -> None:
    assert meter_report(values("1"), monitor, None, []) is None


def test_streams_are_bounded() -> None:
    said = {"constantStreamData": {"id": 1, "variableMonitoringId": 9, "params": {"interval": 5}}}
    assert opened(said, {}, []) == ("1", {"monitor": 9, "interval_s": 5})
    full = {str(number): {} for number in range(100, 100 + STREAMS_MAX)}
    assert opened(said, full, []) is None
    assert opened({"constantStreamData": []}, {}, []) is None


async def test_a_stream_of_power_feeds_the_readings_and_others_are_kept_now_and_then() -> None:
    async with ocpp_box() as box, teller(box, "2.1", dict(QUIET)) as told:
        await inventoried(told, variable("EVSE", "Power", "0", evse={"id": 1}))
        named = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
        monitor = {"id": 9, "transaction": False, "value": 1, "type": "Periodic", "severity": 9}
        report = {
            "requestId": 1,
            "seqNo": 0,
            "generatedAt": TIME,
            "monitor": [{**named, "variableMonitoring": [monitor]}],
        }
        await told.call("NotifyMonitoringReport", report)
        for number, watched in ((1, 9), (2, 10)):
            stream = {"id": number, "variableMonitoringId": watched, "params": {}}
            opening = await told.call("OpenPeriodicEventStream", {"constantStreamData": stream})
            assert opening[2] == {"status": "Accepted"}
        await told.socket.send([6, "s1", "NotifyPeriodicEventStream", values("7000", "7100")])
        for number in range(3):
            await told.socket.send([6, f"t{number}", "NotifyPeriodicEventStream", {**values("on"), "id": 2}])
        await told.call("Heartbeat", {})
        await until(lambda: len(box.events(MeterValuesReported)) == 2)
        assert box.journal.state.readings[KEY, 1].value("Power.Active.Import") == 7100
        assert len(box.events(StationMessage)) == 1
        assert (await told.call("ClosePeriodicEventStream", {"id": 1}))[2] == {}
        kept = box.journal.state.report_of(KEY, ReportKind.EVENT_STREAMS)
        assert kept is not None
        assert set(kept.items) == {"2"}
        await told.socket.send([6, "s2", "NotifyPeriodicEventStream", values("1")])
        await told.call("Heartbeat", {})
        assert len(box.events(MeterValuesReported)) == 2


async def test_a_stream_nobody_remembers_is_asked_about_with_its_monitor() -> None:
    named = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
    monitor = {"id": 9, "transaction": False, "value": 1, "type": "Periodic", "severity": 9}
    answers = {
        **QUIET, "GetMonitoringReport": {"status": "Accepted"},
        "GetPeriodicEventStream": {"constantStreamData": [{"id": 1, "variableMonitoringId": 9, "params": {}}]},
    }  # fmt: skip
    async with ocpp_box() as box, teller(box, "2.1", answers) as told:
        await inventoried(told)
        await told.socket.send([6, "s1", "NotifyPeriodicEventStream", values("7000")])
        await until(lambda: told.count("GetPeriodicEventStream") == 1)
        await until(lambda: box.journal.state.report_of(KEY, ReportKind.EVENT_STREAMS) is not None)
        await told.socket.send([6, "s2", "NotifyPeriodicEventStream", values("7000")])
        await until(lambda: told.count("GetMonitoringReport") == 1)
        request = told.last("GetMonitoringReport")["requestId"]
        watched = [{**named, "variableMonitoring": [monitor]}]
        report = {"requestId": request, "seqNo": 0, "generatedAt": TIME, "monitor": watched}
        await told.call("NotifyMonitoringReport", report)
        await told.socket.send([6, "s3", "NotifyPeriodicEventStream", values("7200")])
        await until(lambda: box.events(MeterValuesReported))
        assert box.journal.state.readings[KEY, 1].value("Power.Active.Import") == 7200
        assert told.count("GetPeriodicEventStream") == told.count("GetMonitoringReport") == 1
