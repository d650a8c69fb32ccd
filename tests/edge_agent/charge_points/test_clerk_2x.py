"""A station of OCPP 2.0.1 or 2.1 over a real socket."""

from typing import Any

import pytest

from sitelink.events import StationMessage
from sitelink.states import ConnectorStatus
from tests.doubles.ocpp_box import Socket, ocpp_box, until
from tests.edge_agent.charge_points.test_v2x import BOOT, EVENT, TIME

both = pytest.mark.parametrize("version", ["2.0.1", "2.1"])


async def booted(station: Socket) -> None:
    assert (await station.call("BootNotification", BOOT))[2]["status"] == "Accepted"


@both
async def test_a_charge_is_recorded_under_the_stations_own_id(version: str) -> None:
    async with ocpp_box() as box, box.station(offer=[f"ocpp{version}"]) as station:
        await booted(station)
        await station.call(
            "StatusNotification", {"timestamp": TIME, "connectorStatus": "Occupied", "evseId": 2, "connectorId": 1}
        )
        for stage, number in (("Started", 0), ("Updated", 1), ("Ended", 2)):
            answer = await station.call("TransactionEvent", {**EVENT, "eventType": stage, "seqNo": number})
            assert answer[2]["idTokenInfo"]["status"] == "Invalid"
        (transaction,) = box.journal.state.transactions.values()
        assert (transaction.name, transaction.connector, transaction.missing_events) == ("tx-1", 2, 0)
        assert box.known().connectors[2].status is ConnectorStatus.OCCUPIED


@both
async def test_an_evse_with_two_plugs_is_free_while_one_is(version: str) -> None:
    async with ocpp_box() as box, box.station(offer=[f"ocpp{version}"]) as station:
        await booted(station)

        async def status(plug: int, word: str) -> ConnectorStatus:
            said = {"timestamp": TIME, "connectorStatus": word, "evseId": 1, "connectorId": plug}
            assert (await station.call("StatusNotification", said))[2] == {}
            return box.known().connectors[1].status

        assert await status(1, "Faulted") is ConnectorStatus.FAULTED
        assert await status(2, "Available") is ConnectorStatus.AVAILABLE
        assert await status(2, "Occupied") is ConnectorStatus.OCCUPIED
        assert box.known().connectors[1].plugs == {1: ConnectorStatus.FAULTED, 2: ConnectorStatus.OCCUPIED}


@pytest.mark.parametrize(
    ("version", "frame", "answer"),
    [
        ("2.0.1", "hello", [4, "-1", "RpcFrameworkError"]),
        ("2.1", "hello", [4, "-1", "RpcFrameworkError"]),
        ("2.0.1", '[9,"1","X",{}]', [4, "1", "MessageTypeNotSupported"]),
        ("2.0.1", '[6,"1","NotifyPeriodicEventStream",{}]', [4, "1", "MessageTypeNotSupported"]),
        ("2.0.1", '[2,"1","Heartbeat","text"]', [4, "1", "FormatViolation"]),
        ("2.0.1", '[2,"1","TransactionEvent",{}]', [4, "1", "OccurrenceConstraintViolation"]),
        ("2.1", '[2,"1","BatterySwap",{}]', [4, "1", "NotImplemented"]),
        ("2.0.1", '[2,"1","BatterySwap",{}]', [4, "1", "NotImplemented"]),
    ],
)
async def test_errors_are_spelled_as_the_version_spells_them(version: str, frame: str, answer: list[Any]) -> None:
    async with ocpp_box() as box, box.station(offer=[f"ocpp{version}"]) as station:
        await booted(station)
        await station.send(frame)
        assert (await station.receive())[:3] == answer
        assert (await station.call("Heartbeat"))[0] == 3


async def test_unknown_types_are_passed_over_by_2_1() -> None:
    async with ocpp_box() as box, box.station(offer=["ocpp2.1"]) as station:
        await booted(station)
        await station.send('[9,"1","X",{}]')
        assert (await station.call("Heartbeat"))[0] == 3
        assert box.server.counts["frames_ignored"] == 1


async def test_a_send_is_heard_and_never_answered() -> None:
    async with ocpp_box() as box, box.station(offer=["ocpp2.1"]) as station:
        await booted(station)
        await station.send([6, "s1", "NotifyPeriodicEventStream", {"id": 1, "pending": 0, "data": []}])
        await station.send([6, "s2", "NoSuchThing", {}])
        assert (await station.call("Heartbeat"))[1] == "m2"
        await until(lambda: [e.action for e in box.events(StationMessage)] == ["NotifyPeriodicEventStream"])


async def test_an_answer_that_does_not_fit_is_rejected_by_2_1() -> None:
    async with ocpp_box() as box, box.station(offer=["ocpp2.1"]) as station:
        await booted(station)
        question = await station.asked("TriggerMessage")
        await station.send([3, question[1], {"status": 5}])
        rejected = await station.receive()
        assert rejected[:3] == [5, question[1], "TypeConstraintViolation"]
        await station.send([5, "m1", "FormatViolation", "your boot answer is odd", {}])
        await until(lambda: box.server.counts["answers_rejected"] == 1)
