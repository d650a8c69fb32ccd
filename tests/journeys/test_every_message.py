"""Every message of every version, made from its schema: one answer each, and one that fits its own schema.

Over a real socket against the whole OCPP port. Valid and mutated payloads alike leave the session alive, and nothing a
station says ever is a fault of ours. Whatever we ask of a station fits its schema too. What is made of a message is
told elsewhere.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from edge_agent.charge_points.dialects import VERSIONS, dialect_of
from edge_agent.charge_points.rpc import ErrorCode
from edge_agent.charge_points.schemas import SENDS
from scripts.message_table import clerk_of, routine_calls
from sitelink.errors import CallInvalid
from tests.doubles.ocpp_box import OcppBox, Socket, ocpp_box
from tests.doubles.orders import ORDERS
from tests.doubles.payloads import Message, calls, example, faults, message, mutated, valid

CLOSED_FROM = 4_000_000
"""Characters: a larger frame closes the socket, whatever is in it; lists of lists can grow so large."""
FROM_STATION = [
    each for version in VERSIONS for each in calls(version)
    if each.action in dialect_of(version).schemas.from_station and each.action not in SENDS
]  # fmt: skip
TO_STATION = [
    each for version in VERSIONS for each in calls(version)
    if each.action not in dialect_of(version).schemas.from_station | SENDS
]  # fmt: skip
BOOTS = {
    "1.6": {"chargePointVendor": "Acme", "chargePointModel": "Post 2", "chargePointSerialNumber": "SN-1"},
    "2.x": {
        "reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Post 2", "serialNumber": "SN-1"},
    },
}  # fmt: skip


@asynccontextmanager
async def talking(version: str) -> AsyncIterator[tuple[OcppBox, Socket]]:
    async with ocpp_box() as box, box.station(offer=[f"ocpp{version}"]) as station:
        assert station.subprotocol == f"ocpp{version}"
        answer = await station.call("BootNotification", BOOTS["1.6" if version == "1.6" else "2.x"])
        assert answer[2]["status"] == "Accepted"
        yield box, station


async def answers_to(station: Socket, kind: int, action: str, payload: Any) -> list[list[Any]]:
    """Everything that came back for it before a Heartbeat behind it was answered."""
    id_ = station.fresh_id()
    await station.send([kind, id_, action, payload])
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
        assert answer[2] in {dialect_of(of.version).spell(code) for code in ErrorCode}
        assert answer[2] != ErrorCode.INTERNAL_ERROR, answer
        return str(answer[2])
    assert faults(message(of.version, of.action, answer=True), answer[2]) == []
    return ""


def refusal_of(of: Message) -> str:
    """The code it is refused with, whatever it says; "" where it is handled."""
    dialect = dialect_of(of.version)
    clerk = clerk_of(dialect)
    handled = of.action == "BootNotification" or of.action in clerk.handlers
    return "" if handled else dialect.spell(clerk.unknown(of.action).code)


@pytest.mark.parametrize("full", [False, True], ids=["minimal", "full"])
@pytest.mark.parametrize("of", FROM_STATION, ids=str)
async def test_a_message_that_fits_gets_an_answer_that_fits(of: Message, full: bool) -> None:
    async with talking(of.version) as (box, station):
        answers = await answers_to(station, 2, of.action, example(of, full=full))
        assert judge(of, answers) == refusal_of(of)
        assert box.server.counts["faults"] == 0


@pytest.mark.parametrize("of", TO_STATION, ids=str)
async def test_a_message_that_only_we_may_send_is_refused(of: Message) -> None:
    async with talking(of.version) as (_, station):
        code = judge(of, await answers_to(station, 2, of.action, example(of)))
        assert code in ("NotSupported", "NotImplemented")


@pytest.mark.parametrize("full", [False, True], ids=["minimal", "full"])
@pytest.mark.parametrize("action", sorted(SENDS))
async def test_a_send_is_never_answered(action: str, full: bool) -> None:
    async with talking("2.1") as (box, station):
        assert await answers_to(station, 6, action, example(message("2.1", action), full=full)) == []
        assert await answers_to(station, 6, action, {}) == []
        assert box.server.counts["faults"] == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_every_order_is_a_call_that_fits(version: str) -> None:
    dialect = dialect_of(version)
    sent = 0
    for order in (order for examples in ORDERS.values() for order in examples):
        try:
            action, payload = dialect.call_for(order)
        except CallInvalid:
            continue
        sent += 1
        assert action in dialect.schemas.from_box
        assert faults(message(version, action), payload) == [], order
    assert sent > 5


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_asked_of_a_station_by_itself_fits(version: str) -> None:
    asked = routine_calls(dialect_of(version))
    assert asked
    for action, payload in asked:
        assert faults(message(version, action), payload) == []


@pytest.mark.parametrize("of", [each for version in VERSIONS for each in calls(version)], ids=str)
def test_our_own_check_agrees_with_the_schema(of: Message) -> None:
    """What is checked before it is sent by hand is what `jsonschema` says, for examples and for what is missing."""
    schemas = dialect_of(of.version).schemas
    for full in (False, True):
        payload = example(of, full=full)
        assert schemas.conforms(of.action, payload)
        for key in payload:
            cut = {name: value for name, value in payload.items() if name != key}
            assert schemas.conforms(of.action, cut) == (faults(of, cut) == [])


@pytest.fixture(scope="module")
async def conversations() -> AsyncIterator[dict[str, tuple[OcppBox, Socket]]]:
    async with talking("1.6") as one, talking("2.0.1") as two, talking("2.1") as three:
        yield {"1.6": one, "2.0.1": two, "2.1": three}


@settings(max_examples=600, suppress_health_check=list(HealthCheck))
@given(st.data())
async def test_whatever_a_station_says_it_gets_one_answer_and_the_session_lives(
    conversations: dict[str, tuple[OcppBox, Socket]], data: st.DataObject
) -> None:
    of = data.draw(st.sampled_from(FROM_STATION), "message")
    box, station = conversations[of.version]
    payload = data.draw(valid(of) | mutated(of), "payload")
    assume(len(json.dumps(payload)) < CLOSED_FROM)
    judge(of, await answers_to(station, 2, of.action, payload))
    assert box.server.counts["faults"] == 0
