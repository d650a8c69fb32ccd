"""Our calls to a station, over a real socket: one at a time, with patience, late answers and lost links."""

import asyncio

import pytest

from sitelink.commands import OrderAnswer, Reset, Trigger, UnlockConnector
from sitelink.errors import NoAnswer, StationOffline
from sitelink.ids import StationKey
from tests.doubles.ocpp_box import ocpp_box, until

CP001 = StationKey("cp001")


async def test_a_callerror_is_an_answer() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        asking = asyncio.ensure_future(box.server.send(CP001, Trigger("Heartbeat")))
        question = await station.asked("TriggerMessage")
        await station.send([4, question[1], "NotImplemented", "no", {}])
        answer = await asking
        assert (answer.word, answer.accepted) == ("NotImplemented", False)


async def test_no_answer_is_said_soon_and_the_late_one_is_kept() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        late: list[OrderAnswer] = []

        async def came_late(answer: OrderAnswer) -> None:
            late.append(answer)

        asking = asyncio.ensure_future(box.server.send(CP001, Reset(), came_late))
        question = await station.asked("Reset")
        with pytest.raises(NoAnswer):
            await asking
        await station.send([3, question[1], {"status": "Accepted"}])
        await until(lambda: late)
        assert late[0].accepted
        await station.send([3, question[1], {"status": "Accepted"}])
        await until(lambda: box.server.counts["answers_nobody_asked_for"] == 1)
        assert len(late) == 1


async def test_only_one_call_is_outstanding_and_the_slot_is_freed_in_the_end() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        await station.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
        first = asyncio.ensure_future(box.server.send(CP001, Reset()))
        await station.asked("Reset")
        second = asyncio.ensure_future(box.server.send(CP001, UnlockConnector(1)))
        with pytest.raises(NoAnswer):
            await first
        with pytest.raises(NoAnswer):
            await second
        third = asyncio.ensure_future(box.server.send(CP001, UnlockConnector(2)))
        question = await station.asked("UnlockConnector")
        assert question[3] == {"connectorId": 2}, "what was given up before it was sent is never sent"
        await station.send([3, question[1], {"status": "Unlocked"}])
        assert (await third).accepted


async def test_a_link_that_drops_after_the_order_says_that_it_was_sent() -> None:
    async with ocpp_box() as box:
        async with box.station() as station:
            await station.boot()
            asking = asyncio.ensure_future(box.server.send(CP001, Reset()))
            await station.asked("Reset")
        with pytest.raises(StationOffline) as lost:
            await asking
        assert lost.value.fields["sent"] is True


async def test_an_answer_is_taken_while_calls_wait() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.send([2, "b", "BootNotification", {"chargePointVendor": "A", "chargePointModel": "B"}])
        assert (await station.receive())[1] == "b"
        question = await station.asked("GetConfiguration")
        for number in range(40):
            await station.send([2, f"m{number}", "Heartbeat", {}])
        values = [{"key": "NumberOfConnectors", "value": 4}]
        await station.send([3, question[1], {"configurationKey": values}])
        for number in range(40):
            assert (await station.receive())[1] == f"m{number}", "calls are answered in their order"
        await until(lambda: box.known().connector_count == 4)
