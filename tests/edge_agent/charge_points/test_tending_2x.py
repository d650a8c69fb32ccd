"""What the box asks OCPP 2.x stations of its own accord, over a real socket."""

from typing import Any

import pytest

from edge_agent.charge_points.tending_2x import GRACE_S, PERSONAL_FOR_S, QUEUE_AGAIN_S, SOURCES
from edge_agent.site.ports import Trouble
from edge_agent.site.reports import ListReport
from sitelink.errors import CallInvalid
from sitelink.events import StationNoted, StationReported, TransactionIncomplete
from sitelink.folding.transactions import UNTOLD
from sitelink.ids import StationKey
from sitelink.inventory import variables_of
from sitelink.model import StationReport
from sitelink.states import ReportKind
from tests.doubles.listed import BOOT, TIME, Teller, teller
from tests.doubles.ocpp_box import OcppBox, ocpp_box, until
from tests.edge_agent.charge_points.test_inventory import variable
from tests.edge_agent.charge_points.test_rules_2x import profile

KEY = StationKey("cp001")
ACCEPTED = {"status": "Accepted"}
QUIET: dict[str, Any] = {"TriggerMessage": ACCEPTED, "GetBaseReport": ACCEPTED}
both = pytest.mark.parametrize("version", ["2.0.1", "2.1"])


def listed(box: OcppBox, kind: ReportKind) -> StationReport | None:
    return box.journal.state.report_of(KEY, kind)


def items(box: OcppBox, kind: ReportKind) -> dict[str, Any]:
    report = listed(box, kind)
    assert report is not None
    return report.items


def part(request: int, number: int, last: bool, *variables: dict[str, Any]) -> dict[str, Any]:
    return {"requestId": request, "generatedAt": TIME, "seqNo": number, "tbc": not last, "reportData": list(variables)}


async def inventoried(told: Teller, *variables: dict[str, Any]) -> None:
    """It was asked for everything and tells it in one part."""
    await until(lambda: told.count("GetBaseReport") == 1)
    request = told.last("GetBaseReport")["requestId"]
    await told.call("NotifyReport", part(request, 0, True, *(variables or (variable("A", "B", "1"),))))


@both
async def test_everything_it_has_is_asked_for_once_and_kept_as_one_fact(version: str) -> None:
    async with ocpp_box() as box:
        async with teller(box, version, dict(QUIET)) as told:
            await told_in_three_parts(box, told)
        async with teller(box, version, dict(QUIET)) as told:
            await until(lambda: told.count("TriggerMessage") == 1)
            await told.call("Heartbeat", {})
            assert told.count("GetBaseReport") == 0


async def told_in_three_parts(box: OcppBox, told: Teller) -> None:
    await until(lambda: told.count("GetBaseReport") == 1)
    asked = told.last("GetBaseReport")
    assert asked["reportBase"] == "FullInventory"
    request = asked["requestId"]
    parts = [
        part(request, 0, False, variable("EVSE", "Power", "0", evse={"id": 1})),
        part(request, 1, False, variable("EVSE", "Power", "0", evse={"id": 2})),
        part(request, 2, True, variable("SecurityCtrlr", "BasicAuthPassword", "hush-hush", mutability="WriteOnly")),
    ]
    for each in (parts[2], parts[0], parts[0]):
        assert (await told.call("NotifyReport", each))[:1] == [3]
    assert listed(box, ReportKind.INVENTORY) is None
    await told.call("NotifyReport", parts[1])
    kept = variables_of(items(box, ReportKind.INVENTORY))
    assert [each.name for each in kept] == ["Power", "Power", "BasicAuthPassword"]
    assert "hush" not in repr(kept)
    assert box.known().connector_count == 2
    await told.call("NotifyReport", parts[1])
    assert len(box.events(StationReported)) == 1


async def test_a_station_whose_turn_has_not_come_waits_for_it() -> None:
    async with ocpp_box() as box:
        for _ in range(3):
            box.desk.stock_turn_s()
        async with teller(box, "2.0.1", dict(QUIET)) as told:
            await until(lambda: told.count("TriggerMessage") == 1)
            await told.call("Heartbeat", {})
            assert told.count("GetBaseReport") == 0
            box.clock.advance(5)
            await told.call("Heartbeat", {})
            await inventoried(told)
            assert listed(box, ReportKind.INVENTORY) is not None


@both
async def test_another_firmware_is_asked_anew(version: str) -> None:
    newer = {"reason": "PowerUp", "chargingStation": {**BOOT["chargingStation"], "firmwareVersion": "2"}}  # type: ignore[dict-item]
    async with ocpp_box() as box:
        async with teller(box, version, dict(QUIET)) as told:
            await inventoried(told)
        box.clock.advance(5)
        async with teller(box, version, dict(QUIET), boot=newer) as told:
            await inventoried(told, variable("A", "New", "1"))
        report = listed(box, ReportKind.INVENTORY)
        assert report is not None
        assert report.firmware == "2"
        assert [each.name for each in variables_of(report.items)] == ["New"]


async def test_a_station_that_reports_nothing_is_asked_a_few_things_by_name() -> None:
    def few(payload: dict[str, Any]) -> dict[str, Any]:
        results = [
            {**each, "attributeStatus": "Accepted", "attributeValue": str(number)}
            for number, each in enumerate(payload["getVariableData"], 2)
        ]
        return {"getVariableResult": results}

    refusing = {**QUIET, "GetBaseReport": {"status": "NotSupported"}, "GetVariables": few}
    async with ocpp_box() as box, teller(box, "2.0.1", refusing) as told:
        await until(lambda: listed(box, ReportKind.INVENTORY) is not None)
        assert told.count("GetBaseReport") == 2
        report = listed(box, ReportKind.INVENTORY)
        assert report is not None
        assert report.source == "GetVariables"
        assert report.facts["items GetVariables"] == 2


async def test_a_report_that_stops_halfway_is_kept_as_far_as_it_came() -> None:
    async with ocpp_box() as box, teller(box, "2.0.1", dict(QUIET)) as told:
        await until(lambda: told.count("GetBaseReport") == 1)
        request = told.last("GetBaseReport")["requestId"]
        await told.call("NotifyReport", part(request, 0, False, variable("A", "B", "1")))
        await told.call("NotifyReport", part(request, 2, True, variable("A", "C", "1")))
        box.clock.advance(121)
        serving = box.server._places.serving(KEY)
        assert serving is not None
        serving.tend()
        await until(lambda: listed(box, ReportKind.INVENTORY) is not None)
        report = listed(box, ReportKind.INVENTORY)
        assert report is not None
        assert (report.missing, report.count) == (1, 2)


async def test_parts_of_a_report_nobody_remembers_asking_for_only_add() -> None:
    """As after a restart of the box in the middle of one."""
    async with ocpp_box() as box, teller(box, "2.0.1", dict(QUIET)) as told:
        await inventoried(told, variable("A", "B", "1"))
        await told.call("NotifyReport", part(99, 0, True, variable("A", "C", "2")))
        assert [each.name for each in variables_of(items(box, ReportKind.INVENTORY))] == ["B", "C"]


async def test_parts_that_come_after_a_restart_of_the_box_are_no_inventory_and_it_is_asked_for_again() -> None:
    async with ocpp_box() as box:
        async with teller(box, "2.0.1", dict(QUIET)) as told:
            await until(lambda: told.count("GetBaseReport") == 1)
            await told.call("NotifyReport", part(99, 3, True, variable("A", "C", "2")))
            box.clock.advance(121)
            box.server._places.serving(KEY).tend()  # type: ignore[union-attr]
            await until(lambda: listed(box, ReportKind.INVENTORY) is not None)
        async with teller(box, "2.0.1", dict(QUIET)) as told:
            await inventoried(told, variable("A", "B", "1"), variable("A", "C", "2"))
        report = listed(box, ReportKind.INVENTORY)
        assert report is not None
        assert (report.count, report.missing) == (2, 0)


async def test_a_report_the_disk_does_not_take_is_not_confirmed_and_kept_when_it_comes_again() -> None:
    async with ocpp_box() as box, teller(box, "2.0.1", dict(QUIET)) as told:
        await until(lambda: told.count("GetBaseReport") == 1)
        request = told.last("GetBaseReport")["requestId"]
        assert (await told.call("NotifyReport", part(request, 0, False, variable("A", "B", "1"))))[0] == 3
        last = part(request, 1, True, variable("A", "C", "1"))
        box.journal.fail(Trouble("disk_full", box.clock.now()))
        assert (await told.call("NotifyReport", last))[:3:2] == [4, "InternalError"]
        assert listed(box, ReportKind.INVENTORY) is None
        box.journal.fail(None)
        assert (await told.call("NotifyReport", last))[0] == 3
        assert [each.name for each in variables_of(items(box, ReportKind.INVENTORY))] == ["B", "C"]


# ---- transactions in doubt ----


def event(stage: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "eventType": stage, "timestamp": TIME, "triggerReason": "CablePluggedIn", "seqNo": number,
        "transactionInfo": {"transactionId": "tx-1"}, "evse": {"id": 1, "connectorId": 1}, **more,
    }  # fmt: skip


@both
async def test_a_gap_is_asked_about_and_marked_when_nothing_is_left_to_come(version: str) -> None:
    queue = [True, False]

    def status(payload: dict[str, Any]) -> dict[str, Any]:
        assert payload == {"transactionId": "tx-1"}
        return {"messagesInQueue": queue.pop(0), "ongoingIndicator": False}

    answers = {**QUIET, "GetTransactionStatus": status}
    async with ocpp_box() as box, teller(box, version, answers) as told:
        await inventoried(told)
        await told.call("TransactionEvent", event("Started", 0))
        await told.call("TransactionEvent", event("Ended", 3))
        await told.call("Heartbeat", {})
        assert told.count("GetTransactionStatus") == 0
        box.clock.advance(GRACE_S)
        await told.call("Heartbeat", {})
        await until(lambda: told.count("GetTransactionStatus") == 1)
        (transaction,) = box.journal.state.transactions.values()
        assert not transaction.incomplete
        await told.call("Heartbeat", {})  # the answer before it was taken
        box.clock.advance(QUEUE_AGAIN_S)
        await told.call("Heartbeat", {})
        await until(lambda: box.events(TransactionIncomplete))
        (transaction,) = box.journal.state.transactions.values()
        assert (transaction.incomplete, transaction.missing_events) == (True, 2)
        await told.call("TransactionEvent", event("Updated", 1))
        await told.call("TransactionEvent", event("Updated", 2))
        (transaction,) = box.journal.state.transactions.values()
        assert (transaction.incomplete, transaction.missing_events) == (False, 0)


async def test_a_transaction_that_is_over_when_the_station_comes_back_is_closed_until_its_end_is_told() -> None:
    over = {**QUIET, "GetTransactionStatus": {"messagesInQueue": False, "ongoingIndicator": False}}
    async with ocpp_box() as box:
        async with teller(box, "2.0.1", dict(QUIET)) as told:
            await inventoried(told)
            await told.call("TransactionEvent", event("Started", 0))
        async with teller(box, "2.0.1", over, boot={}) as told:
            await until(lambda: told.count("GetTransactionStatus") == 1)
            await until(lambda: box.events(TransactionIncomplete))
            (transaction,) = box.journal.state.transactions.values()
            assert (transaction.reason, transaction.incomplete) == (UNTOLD, True)
            ended = event("Ended", 1, transactionInfo={"transactionId": "tx-1", "stoppedReason": "EVDisconnected"})
            await told.call("TransactionEvent", ended)
        (transaction,) = box.journal.state.transactions.values()
        assert (transaction.reason, transaction.incomplete) == ("EVDisconnected", False)


async def test_a_transaction_that_goes_on_is_left_alone() -> None:
    going = {**QUIET, "GetTransactionStatus": {"messagesInQueue": False, "ongoingIndicator": True}}
    async with ocpp_box() as box:
        async with teller(box, "2.0.1", dict(QUIET)) as told:
            await inventoried(told)
            await told.call("TransactionEvent", event("Started", 0))
        async with teller(box, "2.0.1", going, boot={}) as told:
            await until(lambda: told.count("GetTransactionStatus") == 1)
            await told.call("Heartbeat", {})
        (transaction,) = box.journal.state.transactions.values()
        assert transaction.open
        assert not transaction.incomplete


# ---- what calls by hand change ----


@both
async def test_a_charging_profile_that_was_set_is_read_back_and_a_second_one_like_it_refused(version: str) -> None:
    answers: dict[str, Any] = {**QUIET, "SetChargingProfile": ACCEPTED, "GetChargingProfiles": ACCEPTED}
    async with ocpp_box() as box, teller(box, version, answers) as told:
        await inventoried(told)
        said = profile()
        assert await box.server.call(KEY, "SetChargingProfile", {"evseId": 1, "chargingProfile": said}) == ACCEPTED
        await until(lambda: told.count("GetChargingProfiles") == 1)
        asked = told.last("GetChargingProfiles")
        assert asked["chargingProfile"] == {"chargingLimitSource": list(SOURCES)}
        for number, tbc in ((1, True), (2, False)):
            report = {
                "requestId": asked["requestId"], "chargingLimitSource": "CSO", "evseId": number,
                "chargingProfile": [said], "tbc": tbc,
            }  # fmt: skip
            await told.call("ReportChargingProfiles", report)
        assert set(items(box, ReportKind.CHARGING_PROFILES)) == {"1/1", "2/1"}
        with pytest.raises(CallInvalid) as refused:
            await box.server.call(KEY, "SetChargingProfile", {"evseId": 1, "chargingProfile": {**said, "id": 5}})
        assert refused.value.fields["where"] == "chargingProfile/stackLevel"
        answers["GetChargingProfiles"] = {"status": "NoProfiles"}
        answers["ClearChargingProfile"] = ACCEPTED
        await box.server.call(KEY, "ClearChargingProfile", {"chargingProfileId": 1})
        await until(lambda: items(box, ReportKind.CHARGING_PROFILES) == {})


@both
async def test_monitors_are_read_back_and_give_events_their_severity(version: str) -> None:
    named = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Temperature"}}
    monitor = {"value": 80, "type": "UpperThreshold", "severity": 4, **named}
    answers = {
        **QUIET, "GetMonitoringReport": ACCEPTED,
        "SetVariableMonitoring": {"setMonitoringResult": [
            {"id": 9, "status": "Accepted", "type": "UpperThreshold", "severity": 4, **named}]},
    }  # fmt: skip
    async with ocpp_box() as box, teller(box, version, answers) as told:
        await inventoried(told)
        await box.server.call(KEY, "SetVariableMonitoring", {"setMonitoringData": [monitor]})
        await until(lambda: told.count("GetMonitoringReport") == 1)
        known = {"id": 9, "transaction": False, "value": 80, "type": "UpperThreshold", "severity": 4}
        report = {
            "requestId": told.last("GetMonitoringReport")["requestId"], "seqNo": 0, "generatedAt": TIME,
            "monitor": [{**named, "variableMonitoring": [known]}],
        }  # fmt: skip
        await told.call("NotifyMonitoringReport", report)
        assert items(box, ReportKind.MONITORING)["9"]["component"] == "EVSE"
        happened = {
            "eventId": 1, "timestamp": TIME, "trigger": "Alerting", "actualValue": "85", "variableMonitoringId": 9,
            "eventNotificationType": "CustomMonitor", **named,
        }  # fmt: skip
        for _ in range(2):
            assert (await told.call("NotifyEvent", {"generatedAt": TIME, "seqNo": 0, "eventData": [happened]}))[2] == {}
        (event_,) = items(box, ReportKind.EVENTS).values()
        assert (event_["severity"], event_["value"], event_["evse"]) == (4, "85", 1)
        assert len([e for e in box.events(StationNoted) if e.kind is ReportKind.EVENTS]) == 1


async def test_reservations_are_shown_masked_until_they_go() -> None:
    answers = {**QUIET, "ReserveNow": ACCEPTED, "CancelReservation": ACCEPTED}
    async with ocpp_box() as box, teller(box, "2.0.1", answers) as told:
        await inventoried(told)
        for number in (1, 2):
            token = {"idToken": "DRIVER0123456789", "type": "ISO14443"}
            reserve = {"id": number, "expiryDateTime": TIME, "idToken": token}
            await box.server.call(KEY, "ReserveNow", reserve)
        kept = items(box, ReportKind.RESERVATIONS)
        assert set(kept) == {"1", "2"}
        assert "DRIVER0123456789" not in repr(kept)
        await told.call("ReservationStatusUpdate", {"reservationId": 1, "reservationUpdateStatus": "Expired"})
        await box.server.call(KEY, "CancelReservation", {"reservationId": 2})
        assert items(box, ReportKind.RESERVATIONS) == {}


async def test_the_profile_of_a_transaction_ends_with_it() -> None:
    async with ocpp_box() as box, teller(box, "2.0.1", QUIET) as told:
        await inventoried(told)
        profiles = [
            {"id": 1, "stackLevel": 0, "chargingProfilePurpose": "TxProfile", "transactionId": "tx-1"},
            {"id": 2, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile"},
            {"id": 3, "stackLevel": 0, "chargingProfilePurpose": "TxProfile", "transactionId": "tx-2"},
        ]
        known = {f"1/{each['id']}": {"evse": 1, "profile": each} for each in profiles}
        await box.desk.listed(KEY, ListReport(ReportKind.CHARGING_PROFILES, known, "GetChargingProfiles"))
        event = {
            "timestamp": TIME, "triggerReason": "Authorized", "transactionInfo": {"transactionId": "tx-1"},
            "evse": {"id": 1, "connectorId": 1},
        }  # fmt: skip
        await told.call("TransactionEvent", {**event, "eventType": "Started", "seqNo": 0})
        assert set(items(box, ReportKind.CHARGING_PROFILES)) == set(known)
        await told.call("TransactionEvent", {**event, "eventType": "Ended", "seqNo": 1})
        assert set(items(box, ReportKind.CHARGING_PROFILES)) == {"1/2", "1/3"}


async def test_customer_information_is_masked_in_memory_and_forgotten() -> None:
    async with ocpp_box() as box, teller(box, "2.0.1", {**QUIET, "CustomerInformation": ACCEPTED}) as told:
        await inventoried(told)
        asked = {"requestId": 5, "report": True, "clear": False, "customerIdentifier": "X"}
        await box.server.call(KEY, "CustomerInformation", asked)
        text = "name: Jo, mail: jo@example.org, card: 04A2B3C4D5"
        said = {"data": text, "seqNo": 0, "generatedAt": TIME, "requestId": 5}
        await told.call("NotifyCustomerInformation", said)
        kept = box.server.customer_information(KEY)
        assert kept is not None
        assert "jo@example.org" not in repr(kept)
        assert "04A2B3C4D5" not in repr(kept)
        assert "04A2B3C4D5" not in repr(box.ops())
        assert "jo@example.org" not in repr(box.server.frames(KEY))
        box.clock.advance(PERSONAL_FOR_S)
        assert box.server.customer_information(KEY) is None


async def test_a_station_is_sent_elsewhere_only_out_of_service_and_with_nothing_left_to_tell() -> None:
    where = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "NetworkConfigurationPriority"}}
    move = {"setVariableData": [{**where, "attributeValue": "2"}]}
    answers: dict[str, Any] = {
        **QUIET, "GetTransactionStatus": {"messagesInQueue": True},
        "SetVariables": {"setVariableResult": [{**where, "attributeStatus": "RebootRequired"}]},
    }  # fmt: skip
    async with ocpp_box() as box, teller(box, "2.0.1", answers) as told:
        await inventoried(told, variable("OCPPCommCtrlr", "NetworkConfigurationPriority", "1"))

        async def refused_at() -> str:
            with pytest.raises(CallInvalid) as refused:
                await box.server.call(KEY, "SetVariables", move)
            return str(refused.value.fields["where"])

        assert await refused_at() == "out_of_service"
        status = {"timestamp": TIME, "connectorStatus": "Unavailable", "evseId": 1, "connectorId": 1}
        await told.call("StatusNotification", status)
        assert await refused_at() == "messagesInQueue"
        answers["GetTransactionStatus"] = {"messagesInQueue": False}
        await box.server.call(KEY, "SetVariables", move)
        (moved,) = variables_of(items(box, ReportKind.INVENTORY))
        assert moved.value == "2"
        assert box.known().reboot_needed == ("NetworkConfigurationPriority",)


async def test_long_calls_are_cut_to_what_the_station_takes() -> None:
    def values(payload: dict[str, Any]) -> dict[str, Any]:
        said = [{**each, "attributeStatus": "Accepted", "attributeValue": "1"} for each in payload["getVariableData"]]
        return {"getVariableResult": said}

    async with ocpp_box() as box, teller(box, "2.0.1", {**QUIET, "GetVariables": values}) as told:
        await inventoried(told, variable("DeviceDataCtrlr", "ItemsPerMessage", "2", instance="GetVariables"))
        asked = [{"component": {"name": "A"}, "variable": {"name": f"V{number}"}} for number in range(5)]
        answer = await box.server.call(KEY, "GetVariables", {"getVariableData": asked})
        assert [each["variable"]["name"] for each in answer["getVariableResult"]] == ["V0", "V1", "V2", "V3", "V4"]
        assert [len(payload["getVariableData"]) for action, payload in told.asked if action == "GetVariables"] == [
            2,
            2,
            1,
        ]
