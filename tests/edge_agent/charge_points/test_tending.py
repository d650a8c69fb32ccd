"""Errands: in order, bounded, and one that gets no answer ends nothing."""

import asyncio
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.charge_points.dialect import Ask, Payload
from edge_agent.charge_points.dialects import VERSIONS, dialect_of
from edge_agent.charge_points.rpc import CallError, CallResult
from edge_agent.charge_points.tending import ERRANDS_MAX, Tending, status_of
from edge_agent.site.ports import Desk
from sitelink.errors import NoAnswer
from sitelink.ids import StationKey
from tests.doubles.clock import FakeClock
from tests.doubles.payloads import calls, example
from tests.edge_agent.site.test_transactions import booted


class NothingDue:
    def stock_due(self, _station: StationKey, *, first: bool) -> bool:
        return first


def tending() -> Tending:
    return Tending(cast(Desk, NothingDue()), FakeClock(), StationKey("cp001"))


async def nobody(_action: str, _payload: Payload) -> CallResult:
    raise NoAnswer(identity="cp001")


async def test_errands_are_done_in_order_and_silence_ends_one_alone() -> None:
    done: list[int] = []
    here = tending()

    def errand(number: int) -> Any:
        async def do(ask: Ask) -> None:
            done.append(number)
            if number == 1:
                await ask("Heartbeat", {})

        return do

    for number in range(3):
        here.want(errand(number))
    assert here.waiting
    assert await here.round(nobody) is None
    assert done == [0, 1, 2]
    assert not here.waiting


def test_what_is_wanted_is_bounded_and_requests_have_numbers_of_their_own() -> None:
    here = tending()
    for _ in range(100):
        here.want_stock()
    assert len(here._errands) == ERRANDS_MAX
    numbers = [here.next_request() for _ in range(5)]
    assert len(set(numbers)) == 5
    assert all(0 < number < 2**31 for number in numbers)


def test_the_word_of_an_answer() -> None:
    assert status_of(CallResult("1", {"status": "Accepted"})) == "Accepted"
    assert status_of({"status": "Accepted"}) == "Accepted"
    assert status_of(CallError("1", "NotImplemented", "")) == ""
    assert status_of(CallResult("1", [])) == ""
    assert status_of({"status": 5}) == ""


NAMES = (
    "status", "getVariableResult", "setVariableResult", "attributeStatus", "attributeValue", "component", "variable",
    "name", "configurationKey", "key", "value", "schedule", "constantStreamData", "id", "messagesInQueue",
)  # fmt: skip
answers = st.dictionaries(
    st.sampled_from(NAMES),
    st.recursive(
        st.none() | st.integers(-9, 9) | st.sampled_from(("Accepted", "RebootRequired", "EmptyResultSet", "")),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
        max_leaves=10,
    ),
    max_size=5,
)


@pytest.mark.parametrize("version", VERSIONS)
@given(answer=answers)
def test_whatever_a_call_by_hand_is_answered_what_is_known_stays_readable(version: str, answer: dict[str, Any]) -> None:
    async def all_calls() -> None:
        core = await booted()
        here = dialect_of(version).clerk(core.desk, core.clock, StationKey("cp001")).tending
        for each in calls(version):
            payload = example(each)
            here.calling(each.action, payload)
            await here.called(each.action, payload, answer)
        for report in core.journal.state.reports.values():
            assert isinstance(report.items, dict)

    asyncio.run(all_calls())
