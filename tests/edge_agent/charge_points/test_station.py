"""One connection over a real socket: every frame answered as OCPP.md §8.1 says, with the socket kept open."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect

from edge_agent.charge_points.station import CALLS_WAITING_MAX, Connection
from edge_agent.charge_points.station_socket import TURN_BYTES
from edge_agent.site.desk import StationDesk
from sitelink import events as e
from sitelink.ids import StationKey
from tests.doubles.ocpp_box import ocpp_box

START = {"connectorId": 1, "idTag": "A", "meterStart": 100, "timestamp": "2026-11-23T12:00:00Z"}
DEEP = '[2,"1","DataTransfer",{"vendorId":' + "[" * 2000 + "]" * 2000 + "}]"


@pytest.mark.parametrize(
    ("frame", "id_", "code"),
    [
        ([2, "1", "NoSuchAction", {}], "1", "NotImplemented"),
        ([2, "1", "__class__", {}], "1", "NotImplemented"),
        ([2, "1", "Reset", {"type": "Soft"}], "1", "NotSupported"),
        ([2, "1", "TriggerMessage", {"requestedMessage": "Heartbeat"}], "1", "NotSupported"),
        ([2, "1", "Authorize", {}], "1", "OccurenceConstraintViolation"),
        ([2, "1", "Authorize", {"idTag": ["x"]}], "1", "TypeConstraintViolation"),
        ([2, "1", "StatusNotification", {"connectorId": 1}], "1", "OccurenceConstraintViolation"),
        ([2, "1", "StatusNotification", {"connectorId": 101, "status": "x"}], "1", "PropertyConstraintViolation"),
        ([2, "1", "Heartbeat", "text"], "1", "FormationViolation"),
        ([2, "1", ["Heartbeat"], {}], "1", "FormationViolation"),
        ('[2,"1","StopTransaction",{"transactionId":,}]', "1", "FormationViolation"),
        ('[2,"1","Authorize",{"idTag":NaN}]', "1", "FormationViolation"),
        (DEEP, "1", "FormationViolation"),
    ],
)  # fmt: skip
async def test_a_call_that_cannot_be_served_gets_its_exact_error_and_the_socket_stays_open(
    frame: Any, id_: str, code: str
) -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        await station.send(frame)
        answer = await station.answer_to(id_)
        assert answer[0] == 4
        assert answer[2] == code
        assert len(answer) == 5
        assert (await station.call("Heartbeat"))[0] == 3


@pytest.mark.parametrize(
    "frame",
    ["", "hello", "{}", "[]", "[", "null", '[2,"","Heartbeat",{}]', '[9,"1","Heartbeat",{}]', '[6,"1","X",{}]',
     '[3,"nobody-asked",{}]', '[4,"nobody-asked","InternalError","",{}]', "[" * 100_000, '[2,{"a":1},"Heartbeat",{}]'],
)  # fmt: skip
async def test_what_cannot_be_answered_is_counted_and_passed_over(frame: str) -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        for _ in range(3):
            await station.send(frame)
        assert (await station.call("Heartbeat"))[0] == 3
        counts = box.server.counts
        assert counts["frames_unreadable"] + counts["frames_ignored"] + counts["answers_nobody_asked_for"] == 3
        assert counts["faults"] == 0


async def test_an_oversized_frame_is_refused_and_a_huge_one_closes_the_socket() -> None:
    async with ocpp_box(max_message_bytes=10_000) as box, box.station() as station:
        await station.boot()
        answer = await station.call("DataTransfer", {"vendorId": "x", "data": "x" * 12_000})
        assert answer[0] == 4
        assert (await station.call("Heartbeat"))[0] == 3
        await station.send("x" * 50_000)
        assert await station.closed() == 1009


async def test_a_frame_of_a_mebibyte_is_taken() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        values = [{"timestamp": "2026-11-23T12:00:00Z", "sampledValue": [{"value": "1", "context": "x" * 900}]}] * 1000
        stop = {"transactionId": 1, "meterStop": 5, "timestamp": "2026-11-23T12:00:00Z", "transactionData": values}
        assert len(json.dumps([2, "m", "StopTransaction", stop])) < 1024 * 1024
        assert (await station.call("StopTransaction", stop))[0] == 3
        (stopped,) = box.events(e.TransactionStopped)
        assert len(json.dumps(stopped.payload)) < 16_000
        assert box.events(e.MeterValuesReported)


@pytest.mark.parametrize("data", [b'[2,"b","Heartbeat",{}]', [b'[2,"b",', b'"Heartbeat",{}]']])
async def test_binary_and_fragmented_frames_are_read(data: Any) -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        await station.socket.send(data)
        assert (await station.answer_to("b"))[0] == 3
        assert box.server.corrections[StationKey("cp001")]["frame binary"] == 1


async def test_invalid_utf8_costs_a_character_and_not_the_socket() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        frame = b'[2,"u","StatusNotification",{"connectorId":1,"status":"Available","info":"T\xfcr"}]'
        await station.socket.send(frame, text=True)
        assert (await station.answer_to("u"))[0] == 3
        assert box.known().connectors[1].info == "T�r"


async def test_the_same_start_under_the_same_id_is_answered_again_and_executed_once() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        first = await station.call("StartTransaction", START, "same")
        assert await station.call("StartTransaction", START, "same") == first
        assert (await station.call("StartTransaction", START, "other"))[2] == first[2]
        assert len(box.events(e.TransactionStarted)) == 1
        later = {**START, "timestamp": "2026-11-23T13:00:00Z"}
        assert (await station.call("StartTransaction", later, "same"))[2] != first[2]
        assert len(box.events(e.TransactionStarted)) == 2


async def test_a_station_that_numbers_everything_one_is_served_right() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        for status in ("Available", "Preparing", "Available"):
            payload = {"connectorId": 1, "status": status, "errorCode": "NoError"}
            assert (await station.call("StatusNotification", payload, "1"))[0] == 3
            assert box.known().connectors[1].status.value == status
        first = await station.call("Heartbeat", {}, "1")
        box.clock.advance(60)
        assert (await station.call("Heartbeat", {}, "1"))[2] != first[2]


async def test_every_call_gets_exactly_one_answer() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        calls = [
            [2, f"c{n}", *each]
            for n, each in enumerate(
                [
                    ("Heartbeat", {}),
                    ("Authorize", {"idTag": "A"}),
                    ("StatusNotification", {"connectorId": 0, "status": "Nonsense", "errorCode": 7}),
                    ("StartTransaction", {}),
                    ("StopTransaction", {}),
                    ("MeterValues", {}),
                    ("DataTransfer", {}),
                    ("FirmwareStatusNotification", {"status": "Idle"}),
                    ("DiagnosticsStatusNotification", {"status": "Idle"}),
                    ("SecurityEventNotification", {"type": "x", "timestamp": "y"}),
                    ("Nonsense", {}),
                    ("BootNotification", {}),
                ]
            )
        ]
        for call in calls:
            await station.send(call)
        answers: list[Any] = []
        while len(answers) < len(calls):
            frame = await station.receive()
            if frame[0] in (3, 4):
                answers.append(frame)
            else:
                await station.send([4, frame[1], "NotSupported", "", {}])
        assert [answer[1] for answer in answers] == [call[1] for call in calls]
        assert [answer[0] for answer in answers] == [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 3]
        assert box.server.counts["faults"] == 0


async def test_a_data_transfer_is_kept_and_its_vendor_is_unknown() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        answer = await station.call("DataTransfer", {"vendorId": "x", "data": "y"})
        assert answer[2] == {"status": "UnknownVendorId"}
        (kept,) = box.events(e.StationMessage)
        assert kept.payload == {"vendorId": "x", "data": "y"}


async def test_a_station_that_stops_reading_does_not_hold_up_the_others() -> None:
    async with ocpp_box() as box, box.station("CP002") as other:
        await other.boot()
        async with connect(f"ws://127.0.0.1:{box.port}/CP001", subprotocols=["ocpp1.6"]) as deaf:  # type: ignore[list-item]
            deaf.transport.pause_reading()
            for number in range(200):
                await deaf.send(json.dumps([2, str(number), "Heartbeat", {}]))
            assert (await other.call("Heartbeat"))[0] == 3
            deaf.transport.abort()
        assert (await other.call("Heartbeat"))[0] == 3


async def test_of_who_sends_much_at_once_only_so_much_waits_as_was_read_in_one_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[int] = []
    put = Connection._put

    def counted(self: Connection, call: Any) -> None:
        put(self, call)
        waited.append(len(self._calls))

    monkeypatch.setattr(Connection, "_put", counted)
    async with ocpp_box(desk=_Unhurried) as box, box.station() as station:
        await station.boot()
        calls = [f'[2,"{number:06}","Authorize",{{"idTag":"A"}}]' for number in range(600)]
        for call in calls:
            await station.send(call)
        for call in calls:
            await station.answer_to(call[4:10])
    assert max(waited) <= CALLS_WAITING_MAX + TURN_BYTES // len(calls[0])


class _Unhurried:
    """A desk that takes a moment to say who may charge."""

    def __init__(self, desk: StationDesk) -> None:
        self._desk = desk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)

    async def authorize(self, *arguments: Any) -> Any:
        await asyncio.sleep(0.001)
        return await self._desk.authorize(*arguments)
