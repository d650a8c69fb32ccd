"""The virtual charge point of OCPP 2.0.1 and 2.1 against a central system of a few lines."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.doubles.central_system import TIME, CentralSystem, central_system, until
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_dial import basic
from tests.doubles.charge_point_faults import Faults
from tests.doubles.charge_point_power import Car

FAST = 200.0
TAG = {"idToken": "INSTALLER", "type": "Central"}


@pytest.fixture(params=["2.0.1", "2.1"])
async def csms(request: pytest.FixtureRequest) -> AsyncIterator[CentralSystem]:
    async with central_system(request.param) as system:
        yield system


@pytest.fixture
async def csms21() -> AsyncIterator[CentralSystem]:
    async with central_system("2.1") as system:
        yield system


def station(csms: CentralSystem, **changes: Any) -> VirtualChargePoint:
    changes = {"speed": FAST, "answer_timeout_s": 0.5, "version": csms.version, **changes}
    return VirtualChargePoint(csms.url, "CP001", **changes)


async def charging(cp: VirtualChargePoint) -> str:
    """Accepted, a car plugged in, and a confirmed transaction on EVSE 1; its id."""
    await cp.wait_until(lambda: cp.accepted)
    cp.plug_in(1, Car(wants_wh=50_000))
    assert await cp.present_tag(1, "TAG")
    await cp.wait_until(lambda: cp.transactions and cp.transactions[-1].start_confirmed)
    return str(cp.transactions[-1].transaction_id)


def item(component: str, variable: str, value: str | None = None, **evse: Any) -> dict[str, Any]:
    where: dict[str, Any] = {"name": component, **({"evse": evse} if evse else {})}
    name, _, instance = variable.partition("[")
    what = {"name": name, **({"instance": instance.rstrip("]")} if instance else {})}
    return {"component": where, "variable": what, **({} if value is None else {"attributeValue": value})}


# boot and statuses


async def test_it_boots_with_a_reason_and_tells_every_connector_of_every_evse(csms: CentralSystem) -> None:
    async with station(csms, plugs=2) as cp:
        await cp.wait_until(lambda: len(csms.of("StatusNotification")) >= 4)
    boot = csms.of("BootNotification")[0]
    assert csms.calls[0][0] == "BootNotification"
    assert (boot["reason"], boot["chargingStation"]["serialNumber"]) == ("PowerUp", "CP001")
    told = [(each["evseId"], each["connectorId"], each["connectorStatus"]) for each in csms.of("StatusNotification")]
    assert told[:4] == [(1, 1, "Available"), (1, 2, "Available"), (2, 1, "Available"), (2, 2, "Available")]
    assert csms.protocols == [f"ocpp{csms.version}"]
    assert cp.violations == []


async def test_the_other_plug_of_an_evse_in_use_is_unavailable(csms: CentralSystem) -> None:
    async with station(csms, connectors=1, plugs=2) as cp:
        await cp.wait_until(lambda: len(csms.of("StatusNotification")) >= 2)
        cp.plug_in(1, plug=2)
        await cp.wait_until(lambda: len(csms.of("StatusNotification")) >= 4)
    assert {each["connectorId"]: each["connectorStatus"] for each in csms.of("StatusNotification")} == {
        1: "Unavailable",
        2: "Occupied",
    }


async def test_while_pending_only_what_is_allowed_is_answered(csms: CentralSystem) -> None:
    csms.answers["BootNotification"] = lambda _: {"status": "Pending", "interval": 4_000, **TIME}
    async with station(csms) as cp:
        await cp.wait_until(lambda: cp.registration == "Pending")
        start = {"idToken": TAG, "remoteStartId": 1}
        assert await csms.call("RequestStartTransaction", start) == "SecurityError"
        assert await csms.call("GetBaseReport", {"requestId": 5, "reportBase": "SummaryInventory"}) == {
            "status": "Accepted"
        }
        await cp.wait_until(lambda: csms.of("NotifyReport"))
        csms.answers.clear()
        assert await csms.call("TriggerMessage", {"requestedMessage": "BootNotification"}) == {"status": "Accepted"}
        await cp.wait_until(lambda: cp.accepted)
    assert csms.of("BootNotification")[1]["reason"] == "Triggered"
    assert cp.violations == []


# transactions


async def test_a_card_starts_a_charge_that_is_told_event_by_event(csms: CentralSystem) -> None:
    async with station(csms) as cp:
        await charging(cp)
        await cp.wait_until(lambda: len([e for e in csms.events() if e["triggerReason"] == "MeterValuePeriodic"]) >= 3)
        assert await cp.present_tag(1, "TAG")
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed)
    events = csms.events()
    started, ended = events[0], events[-1]
    assert [each["seqNo"] for each in events] == list(range(len(events)))
    assert len({each["transactionInfo"]["transactionId"] for each in events}) == 1
    assert UUID(started["transactionInfo"]["transactionId"]).version == 4
    assert (started["eventType"], started["triggerReason"]) == ("Started", "Authorized")
    assert started["idToken"] == {"idToken": "TAG", "type": "ISO14443"}
    assert started["evse"] == {"id": 1, "connectorId": 1}
    assert started["meterValue"][0]["sampledValue"][0]["context"] == "Transaction.Begin"
    assert {each["eventType"] for each in events[1:-1]} == {"Updated"}
    assert any(each["transactionInfo"].get("chargingState") == "Charging" for each in events)
    assert (ended["eventType"], ended["transactionInfo"]["stoppedReason"]) == ("Ended", "Local")
    assert ended["meterValue"][0]["sampledValue"][0]["context"] == "Transaction.End"
    phases = {
        sample["phase"]
        for each in events
        for value in each.get("meterValue", [])
        for sample in value["sampledValue"]
        if sample["measurand"] == "Current.Import"
    }
    assert phases == {"L1", "L2", "L3"}
    energies = [each["meterValue"][0]["sampledValue"][0]["value"] for each in events if "meterValue" in each]
    assert energies == sorted(energies)
    assert energies[-1] > energies[0]
    assert cp.violations == []


async def test_a_transaction_may_begin_with_the_cable_and_is_identified_later(csms: CentralSystem) -> None:
    async with station(csms, configuration={"TxCtrlr.TxStartPoint": "EVConnected"}) as cp:
        await cp.wait_until(lambda: cp.accepted)
        cp.plug_in(1)
        await cp.wait_until(lambda: csms.events("Started"))
        answer = await csms.call("RequestStartTransaction", {"idToken": TAG, "remoteStartId": 7, "evseId": 1})
        assert answer == {"status": "Accepted", "transactionId": cp.transactions[0].transaction_id}
        await cp.wait_until(lambda: any("idToken" in each for each in csms.events("Updated")))
        cp.unplug(1)
        await cp.wait_until(lambda: csms.events("Ended"))
    assert csms.events("Started")[0]["triggerReason"] == "CablePluggedIn"
    assert "idToken" not in csms.events("Started")[0]
    identified = next(each for each in csms.events("Updated") if "idToken" in each)
    assert (identified["triggerReason"], identified["transactionInfo"]["remoteStartId"]) == ("RemoteStart", 7)
    assert csms.events("Ended")[0]["transactionInfo"]["stoppedReason"] == "EVDisconnected"
    assert cp.violations == []


async def test_a_transaction_that_began_with_a_card_ends_when_no_cable_comes(csms: CentralSystem) -> None:
    settings = {"TxCtrlr.TxStartPoint": "Authorized", "TxCtrlr.EVConnectionTimeOut": "0"}
    async with station(csms, configuration=settings) as cp:
        await cp.wait_until(lambda: cp.accepted)
        assert await cp.present_tag(1, "TAG")
        await cp.wait_until(lambda: csms.events("Ended"))
    assert csms.events("Ended")[0]["triggerReason"] == "EVConnectTimeout"


async def test_what_happens_offline_is_delivered_in_order_and_says_so(csms: CentralSystem) -> None:
    async with station(csms) as cp:
        await cp.wait_until(lambda: cp.accepted)
        cp.link_down()
        await cp.wait_until(lambda: not cp.connected)
        cp.plug_in(1)
        assert await cp.present_tag(1, "TAG")
        await cp.wait_until(lambda: len(cp.queue.waiting) >= 5)
        cp.unplug(1)
        before = [each.payload["timestamp"] for each in cp.queue.waiting]
        cp.link_up()
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed)
    events = csms.events()
    assert [each["timestamp"] for each in events] == before
    assert all(each["offline"] for each in events)
    assert [each["seqNo"] for each in events] == list(range(len(events)))
    assert (events[0]["eventType"], events[-1]["eventType"]) == ("Started", "Ended")
    assert len(csms.of("BootNotification")) == 1
    assert cp.violations == []


async def test_an_event_nobody_confirms_is_sent_again_unchanged(csms: CentralSystem) -> None:
    silent = 2

    def confirm_the_third(event: dict[str, Any]) -> dict[str, Any] | None:
        nonlocal silent
        silent -= 1
        return None if silent >= 0 else {"idTokenInfo": {"status": "Accepted"}} if "idToken" in event else {}

    csms.answers["TransactionEvent"] = confirm_the_third
    async with station(csms, answer_timeout_s=0.05) as cp:
        await charging(cp)
    assert csms.events()[0] == csms.events()[1] == csms.events()[2]


async def test_a_refused_token_ends_the_charge_as_deauthorized(csms: CentralSystem) -> None:
    csms.answers["TransactionEvent"] = lambda event: (
        {"idTokenInfo": {"status": "Blocked"}} if event["eventType"] == "Started" else {}
    )
    async with station(csms) as cp:
        await charging(cp)
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed)
    assert csms.events("Ended")[0]["transactionInfo"]["stoppedReason"] == "DeAuthorized"


async def test_a_power_cut_ends_charges_with_the_next_boot(csms: CentralSystem) -> None:
    async with station(csms) as cp:
        await charging(cp)
        cp.power_cut()
        await cp.wait_until(lambda: not cp.connected)
        cp.power_on()
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed)
    ended = csms.events("Ended")[0]
    assert (ended["transactionInfo"]["stoppedReason"], ended["offline"]) == ("PowerLoss", True)
    assert [each["reason"] for each in csms.of("BootNotification")] == ["PowerUp", "PowerUp"]


# remote control


async def test_remote_start_stop_and_unlock_have_their_effects(csms: CentralSystem) -> None:
    async with station(csms) as cp:
        await cp.wait_until(lambda: cp.accepted)
        cp.plug_in(2)
        started = await csms.call("RequestStartTransaction", {"idToken": TAG, "remoteStartId": 42, "evseId": 2})
        await cp.wait_until(lambda: csms.events("Started"))
        running = cp.transactions[0].transaction_id
        busy = await csms.call("UnlockConnector", {"evseId": 2, "connectorId": 1})
        assert (await csms.call("RequestStopTransaction", {"transactionId": "nobody"}))["status"] == "Rejected"
        stopped = await csms.call("RequestStopTransaction", {"transactionId": running})
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed)
        unlocked = await csms.call("UnlockConnector", {"evseId": 2, "connectorId": 1})
        unknown = await csms.call("UnlockConnector", {"evseId": 9, "connectorId": 1})
        await cp.wait_until(lambda: cp.status_of(2) == "Available")
    answers = [each["status"] for each in (started, busy, stopped, unlocked, unknown)]
    assert answers == ["Accepted", "OngoingAuthorizedTransaction", "Accepted", "Unlocked", "UnknownConnector"]
    begun = csms.events("Started")[0]
    assert (begun["triggerReason"], begun["transactionInfo"]["remoteStartId"]) == ("RemoteStart", 42)
    assert begun["idToken"] == TAG
    assert csms.events("Ended")[0]["triggerReason"] == "RemoteStop"
    assert cp.violations == []


async def test_an_immediate_reset_ends_charges_and_boots_again(csms: CentralSystem) -> None:
    async with station(csms) as cp:
        await charging(cp)
        assert await csms.call("Reset", {"type": "Immediate"}) == {"status": "Accepted"}
        await cp.wait_until(lambda: len(cp.confirmed_of("BootNotification")) == 2)
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed)
    assert csms.events("Ended")[0]["transactionInfo"]["stoppedReason"] == "ImmediateReset"
    assert csms.of("BootNotification")[1]["reason"] == "RemoteReset"


async def test_a_reset_on_idle_waits_for_the_charge(csms: CentralSystem) -> None:
    async with station(csms) as cp:
        await charging(cp)
        assert await csms.call("Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
        await asyncio.sleep(0.1)
        assert len(csms.of("BootNotification")) == 1
        cp.unplug(1)
        await cp.wait_until(lambda: len(csms.of("BootNotification")) == 2)
    assert csms.of("BootNotification")[1]["reason"] == "ScheduledReset"
    assert csms.events("Ended")[0]["transactionInfo"]["stoppedReason"] == "EVDisconnected"


async def test_one_evse_may_be_reset_alone(csms: CentralSystem) -> None:
    async with station(csms) as cp:
        await charging(cp)
        assert await csms.call("Reset", {"type": "Immediate", "evseId": 1}) == {"status": "Accepted"}
        await cp.wait_until(lambda: csms.events("Ended"))

        def told(status: str) -> bool:
            return any((s["evseId"], s["connectorStatus"]) == (1, status) for s in csms.of("StatusNotification"))

        await cp.wait_until(lambda: told("Unavailable"))
        await cp.wait_until(lambda: csms.of("StatusNotification")[-1]["connectorStatus"] == "Occupied")
    assert len(csms.sockets) == 1


async def test_availability_of_station_evse_and_connector(csms: CentralSystem) -> None:
    async with station(csms, plugs=2) as cp:
        await charging(cp)
        one = {"evse": {"id": 2, "connectorId": 1}, "operationalStatus": "Inoperative"}
        assert await csms.call("ChangeAvailability", one) == {"status": "Accepted"}
        await cp.wait_until(lambda: cp.tongue.status_of((2, 1)) == ("Unavailable",))
        assert cp.tongue.status_of((2, 2)) == ("Available",)
        busy = {"evse": {"id": 1}, "operationalStatus": "Inoperative"}
        assert await csms.call("ChangeAvailability", busy) == {"status": "Scheduled"}
        cp.unplug(1)
        await cp.wait_until(lambda: cp.tongue.status_of((1, 1)) == ("Unavailable",))
        assert await csms.call("ChangeAvailability", {"operationalStatus": "Operative"}) == {"status": "Accepted"}
        await cp.wait_until(lambda: cp.tongue.status_of((1, 1)) == ("Available",))
    assert cp.violations == []


async def test_messages_are_sent_when_triggered(csms: CentralSystem) -> None:
    async with station(csms) as cp:
        await charging(cp)
        for wanted, evse in (
            ("Heartbeat", None),
            ("StatusNotification", {"id": 2, "connectorId": 1}),
            ("MeterValues", {"id": 2}),
            ("TransactionEvent", {"id": 1}),
            ("FirmwareStatusNotification", None),
            ("LogStatusNotification", None),
        ):
            before = len(csms.of(wanted))
            payload = {"requestedMessage": wanted, **({"evse": evse} if evse else {})}
            assert await csms.call("TriggerMessage", payload) == {"status": "Accepted"}, wanted
            await cp.wait_until(lambda wanted=wanted, before=before: len(csms.of(wanted)) > before)
        for refused in ("BootNotification", "StatusNotification"):
            assert (await csms.call("TriggerMessage", {"requestedMessage": refused}))["status"] == "Rejected"
    assert any(each["triggerReason"] == "Trigger" for each in csms.events())
    assert cp.violations == []


async def test_the_status_of_a_transaction_is_told(csms: CentralSystem) -> None:
    async with station(csms) as cp:
        running = await charging(cp)
        await cp.wait_until(lambda: not cp.queue.waiting)
        answer = await csms.call("GetTransactionStatus", {"transactionId": running})
        assert answer["ongoingIndicator"] is True
        assert await csms.call("GetTransactionStatus", {"transactionId": "nobody"}) == {
            "ongoingIndicator": False,
            "messagesInQueue": False,
        }
    assert cp.violations == []


# the device model


async def test_variables_are_read_and_written(csms: CentralSystem) -> None:
    async with station(csms) as cp:
        await cp.wait_until(lambda: cp.accepted)
        asked = [
            item("OCPPCommCtrlr", "HeartbeatInterval"),
            item("ocppcommctrlr", "heartbeatinterval"),
            item("DeviceDataCtrlr", "ItemsPerMessage[GetVariables]"),
            item("Connector", "AvailabilityState", id=1, connectorId=1),
            item("SecurityCtrlr", "BasicAuthPassword"),
            item("OCPPCommCtrlr", "NoSuch"),
            item("NoSuch", "Any"),
        ]
        answer = await csms.call("GetVariables", {"getVariableData": asked})
        found = [(each["attributeStatus"], each.get("attributeValue")) for each in answer["getVariableResult"]]
        assert found == [
            *[("Accepted", "300")] * 2,
            ("Accepted", "20"),
            ("Accepted", "Available"),
            ("Rejected", None),
            ("UnknownVariable", None),
            ("UnknownComponent", None),
        ]
        wishes = [
            item("SampledDataCtrlr", "TxUpdatedInterval", "20"),
            item("SampledDataCtrlr", "TxUpdatedInterval", "soon"),
            item("ChargingStation", "Model", "Other"),
            item("TxCtrlr", "TxStartPoint", "Authorized,Moon"),
            item("OCPPCommCtrlr", "NetworkConfigurationPriority", "1"),
            item("SecurityCtrlr", "BasicAuthPassword", "short"),
        ]
        answer = await csms.call("SetVariables", {"setVariableData": wishes})
        assert [each["attributeStatus"] for each in answer["setVariableResult"]] == [
            *("Accepted", "Rejected", "Rejected", "Rejected", "RebootRequired", "Rejected")
        ]
        assert cp.settings.sample_interval_s == 20
        too_many = {"getVariableData": [item("OCPPCommCtrlr", "HeartbeatInterval")] * 21}
        assert await csms.call("GetVariables", too_many) == "OccurrenceConstraintViolation"
    assert cp.violations == []


async def test_the_full_inventory_comes_in_parts(csms: CentralSystem) -> None:
    async with station(csms) as cp:
        await cp.wait_until(lambda: cp.accepted)
        assert await csms.call("GetBaseReport", {"requestId": 9, "reportBase": "FullInventory"}) == {
            "status": "Accepted"
        }
        await cp.wait_until(lambda: csms.of("NotifyReport") and not csms.of("NotifyReport")[-1]["tbc"])
        reports = csms.of("NotifyReport")
        assert [each["seqNo"] for each in reports] == list(range(len(reports)))
        assert len(reports) > 3
        assert all(each["tbc"] for each in reports[:-1])
        assert {each["requestId"] for each in reports} == {9}
        entries = [entry for each in reports for entry in each["reportData"]]
        names = {entry["component"]["name"] for entry in entries}
        assert names >= {"ChargingStation", "EVSE", "Connector", "OCPPCommCtrlr", "SecurityCtrlr", "DeviceDataCtrlr"}
        secret = next(each for each in entries if each["variable"]["name"] == "BasicAuthPassword")
        assert "value" not in secret["variableAttribute"][0]
        wanted = {"requestId": 10, "componentVariable": [{"component": {"name": "EVSE"}}]}
        await csms.call("GetReport", wanted)
        await cp.wait_until(lambda: csms.of("NotifyReport")[-1]["requestId"] == 10)
        assert {entry["component"]["name"] for entry in csms.of("NotifyReport")[-1]["reportData"]} == {"EVSE"}
        nothing = {"requestId": 11, "componentVariable": [{"component": {"name": "Tariff"}}]}
        assert await csms.call("GetReport", nothing) == {"status": "EmptyResultSet"}
    assert cp.violations == []


# 2.1 alone


async def test_an_answer_of_the_central_system_that_breaks_the_schema_is_refused_in_2_1(csms21: CentralSystem) -> None:
    csms21.answers["StatusNotification"] = lambda _: {"surplus": 1}
    async with station(csms21) as cp:
        await cp.wait_until(lambda: csms21.result_errors)
        assert csms21.result_errors[0][2] == "FormatViolation"
        await csms21.sockets[-1].send(json.dumps([5, "x", "FormatViolation", "bad", {}]))
        await csms21.sockets[-1].send(json.dumps([6, "y", "NotifyPeriodicEventStream", {}]))
        await cp.wait_until(lambda: cp.record.result_errors)
        await cp.wait_until(lambda: any("NotifyPeriodicEventStream" in each for each in cp.violations))


# bad manners


@pytest.mark.parametrize(
    ("faults", "shows"),
    [
        (Faults(seq_no_gap=1), lambda events: [each["seqNo"] for each in events][:2] == [0, 2]),
        (Faults(ended_twice=True), lambda events: [each["eventType"] for each in events[-2:]] == ["Ended", "Ended"]),
        (
            Faults(no_evse_in_updated=True),
            lambda events: not any("evse" in each for each in events if each["eventType"] == "Updated"),
        ),
    ],
    ids=["gap", "ended_twice", "no_evse"],
)
async def test_a_fault_in_its_events_shows(csms: CentralSystem, faults: Faults, shows: Any) -> None:
    async with station(csms, faults=faults) as cp:
        await charging(cp)
        await cp.wait_until(lambda: len(csms.events()) >= 4)
        cp.unplug(1)
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed and not cp.queue.waiting)
    assert shows(csms.events())


async def test_it_may_speak_in_the_shape_of_1_6(csms: CentralSystem) -> None:
    async with station(csms, faults=Faults(shaped_like_16=True)) as cp:
        await cp.wait_until(lambda: csms.of("StatusNotification"))
    assert csms.of("BootNotification")[0]["chargePointVendor"] == "Virtual"
    assert csms.of("StatusNotification")[0]["errorCode"] == "NoError"


async def test_a_fault_of_an_evse_is_told_as_an_event(csms: CentralSystem) -> None:
    async with station(csms) as cp:
        await charging(cp)
        cp.fault(1, "GroundFailure")
        await cp.wait_until(lambda: csms.of("NotifyEvent"))
        cp.clear_fault(1)
        await cp.wait_until(lambda: len(csms.of("NotifyEvent")) == 2)
    came, went = (each["eventData"][0] for each in csms.of("NotifyEvent"))
    assert (came["actualValue"], came["techCode"], came["cleared"]) == ("true", "GroundFailure", False)
    assert (went["actualValue"], went["cleared"]) == ("false", True)
    assert csms.events("Ended")[0]["transactionInfo"]["stoppedReason"] == "GroundFault"
    assert cp.violations == []


async def test_a_reset_of_2_1_may_let_the_charge_go_on(csms21: CentralSystem) -> None:
    async with station(csms21) as cp:
        await charging(cp)
        assert await csms21.call("Reset", {"type": "ImmediateAndResume"}) == {"status": "Accepted"}
        await cp.wait_until(lambda: cp.boots == 2)
        await cp.wait_until(lambda: any(each["triggerReason"] == "TxResumed" for each in csms21.events()))
    assert csms21.events("Ended") == []
    assert cp.violations == []


async def test_readings_of_all_places_are_taken_at_one_time(csms: CentralSystem) -> None:
    async with station(csms, configuration={"AlignedDataCtrlr.Interval": "60"}) as cp:
        await charging(cp)
        await cp.wait_until(lambda: csms.of("MeterValues"))
        await cp.wait_until(lambda: any(each["triggerReason"] == "MeterValueClock" for each in csms.events()))
    assert csms.of("MeterValues")[0]["evseId"] == 2
    assert cp.violations == []


async def test_the_process_form_speaks_any_version(csms: CentralSystem) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.doubles.charge_point", "--url", csms.url, "--identity", "CP7"),
        *("--version", csms.version, "--profile", "1", "--password", "a-password-of-16+", "--plugs", "2"),
        *("--speed", "100", "--set", "TxCtrlr.TxStartPoint=EVConnected", "--control"),
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for order in ({"do": "plug", "plug": 2}, {"do": "security_event", "details": "opened"}, {"do": "sign"}):
        process.stdin.write(json.dumps(order).encode() + b"\n")
    await until(lambda: csms.events("Started") and csms.of("SecurityEventNotification"), 20)
    process.stdin.close()
    output = (await process.stdout.read()).decode()
    assert await process.wait() == 0
    last = json.loads(output.splitlines()[-1])
    assert (last["version"], last["profile"], last["violations"]) == (csms.version, 1, [])
    assert csms.events("Started")[0]["evse"] == {"id": 1, "connectorId": 2}
    assert csms.authorizations == [basic("CP7", b"a-password-of-16+")]
