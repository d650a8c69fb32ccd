"""Whatever a central system may send by the schemas, the virtual charge point answers by the schemas, and lives on."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_frames import Version
from tests.doubles.charge_point_link import ERROR_CODES
from tests.doubles.directions import FROM_STATION_ALONE, NOT_OFFERED, VERSIONS
from tests.doubles.payloads import Message, calls, example, faults, message, valid

TO_STATION = [each for version in VERSIONS for each in calls(version) if each.action not in FROM_STATION_ALONE]


def station(version: Version) -> VirtualChargePoint:
    """Not connected; a car is in and somebody charges."""
    cp = VirtualChargePoint("ws://127.0.0.1:1", "CP001", version=version)
    cp.plug_in(1)
    cp.authorise(1, "TAG")
    return cp


def judge(of: Message, cp: VirtualChargePoint, payload: dict[str, Any]) -> str:
    """The code of its error, or "" after an answer that fits; what follows the answer is done too."""
    reply = cp.tongue.answer(of.action, payload)
    if reply.code:
        assert reply.code in ERROR_CODES[cp.version]
        return reply.code
    assert faults(message(of.version, of.action, answer=True), reply.payload) == []
    if reply.then is not None:
        reply.then()
    cp.advance(1.0)
    return ""


@pytest.mark.parametrize("full", [False, True], ids=["minimal", "full"])
@pytest.mark.parametrize("of", TO_STATION, ids=str)
async def test_every_call_of_every_version_is_answered(of: Message, full: bool) -> None:
    code = judge(of, station(of.version), example(of, full=full))  # type: ignore[arg-type]
    assert code == ("NotSupported" if of.action in NOT_OFFERED else "")


@pytest.mark.parametrize("of", [each for each in TO_STATION if each.action not in NOT_OFFERED], ids=str)
def test_no_payload_of_the_schema_stops_it(of: Message) -> None:
    async def answered(payload: dict[str, Any]) -> None:
        judge(of, station(of.version), payload)  # type: ignore[arg-type]

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def try_some(data: st.DataObject) -> None:
        asyncio.run(answered(data.draw(valid(of))))

    try_some()
