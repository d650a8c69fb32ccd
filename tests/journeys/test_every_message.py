"""Every message a charge point may send, made from its schema: one answer each, and one that fits its own schema.

Over a real socket against the whole OCPP port. Valid and mutated payloads alike leave the session alive, and nothing a
station says ever is a fault of ours. What is made of a message is told elsewhere.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.charge_points.rpc import ErrorCode
from edge_agent.charge_points.schemas import OCPP_16
from tests.doubles.ocpp_box import OcppBox, Socket, ocpp_box
from tests.doubles.payloads import Message, calls, example, faults, message, mutated, valid

NOT_OFFERED = {"1.6": {"SignCertificate"}}
"""Refused as NotSupported though a charge point may send it."""


def from_station(version: str) -> list[Message]:
    return [each for each in calls(version) if each.action in OCPP_16.from_station]


FROM_STATION = [each for version in NOT_OFFERED for each in from_station(version)]
TO_STATION = [
    each for version in NOT_OFFERED for each in calls(version)
    if each.action not in OCPP_16.from_station and each.action != "DataTransfer"
]  # fmt: skip


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[OcppBox, Socket]]:
    async with ocpp_box() as box, box.station() as station:
        assert await station.boot() == "Accepted"
        yield box, station


async def answers_to(station: Socket, of: Message, payload: Any) -> list[list[Any]]:
    """Everything that came back for the call before a Heartbeat behind it was answered."""
    id_ = station.fresh_id()
    await station.send([2, id_, of.action, payload])
    behind = station.fresh_id()
    await station.send([2, behind, "Heartbeat", {}])
    found = []
    while (frame := await station.receive())[1] != behind:
        if frame[0] == 2:
            await station.send([4, frame[1], "NotImplemented", "", {}])
        else:
            assert frame[1] == id_
            found.append(frame)
    assert frame[0] == 3
    return found


def judge(of: Message, answers: list[list[Any]]) -> str:
    """The one answer is right for its version: its CALLERROR code, or "" for a CALLRESULT that fits."""
    assert len(answers) == 1, answers
    [answer] = answers
    if answer[0] == 4:
        assert len(answer) == 5
        assert answer[2] in set(ErrorCode)
        assert answer[2] != ErrorCode.INTERNAL_ERROR, answer
        return str(answer[2])
    assert faults(message(of.version, of.action, answer=True), answer[2]) == []
    return ""


@pytest.mark.parametrize("full", [False, True], ids=["minimal", "full"])
@pytest.mark.parametrize("of", FROM_STATION, ids=str)
async def test_a_message_that_fits_gets_an_answer_that_fits(of: Message, full: bool) -> None:
    async with talking() as (box, station):
        answers = await answers_to(station, of, example(of, full=full))
        expected = "NotSupported" if of.action in NOT_OFFERED[of.version] else ""
        assert judge(of, answers) == expected
        assert box.server.counts["faults"] == 0


@pytest.mark.parametrize("of", TO_STATION, ids=str)
async def test_a_message_that_only_we_may_send_is_not_supported(of: Message) -> None:
    async with talking() as (_, station):
        assert judge(of, await answers_to(station, of, example(of))) == "NotSupported"


@pytest.fixture(scope="module")
async def conversation() -> AsyncIterator[tuple[OcppBox, Socket]]:
    async with talking() as box_and_station:
        yield box_and_station


@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(st.data())
async def test_whatever_a_station_says_it_gets_one_answer_and_the_session_lives(
    conversation: tuple[OcppBox, Socket], data: st.DataObject
) -> None:
    box, station = conversation
    of = data.draw(st.sampled_from(FROM_STATION), "message")
    payload = data.draw(valid(of) | mutated(of), "payload")
    judge(of, await answers_to(station, of, payload))
    assert box.server.counts["faults"] == 0
