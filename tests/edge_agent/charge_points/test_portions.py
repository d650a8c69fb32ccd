"""Long calls are cut to what a station takes, and nothing of them is lost."""

import json

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.charge_points.portions import joined, portions, too_long


@given(st.lists(st.text("ab", max_size=20), min_size=1, max_size=40), st.integers(1, 10), st.integers(30, 400))
def test_everything_goes_out_once_in_order_and_within_the_limits(names, items, size):
    payload = {"getVariableData": [{"component": {"name": name}, "variable": {"name": name}} for name in names]}
    pieces = portions("GetVariables", payload, {"items GetVariables": items, "bytes GetVariables": size})
    assert [each for piece in pieces for each in piece["getVariableData"]] == payload["getVariableData"]
    for piece in pieces:
        assert len(piece["getVariableData"]) <= items
        alone = len(piece["getVariableData"]) == 1
        assert alone or len(json.dumps(piece, separators=(",", ":")).encode()) <= size


def test_a_call_without_a_list_or_a_limit_goes_out_as_it_is():
    assert portions("Reset", {"type": "Immediate"}, {"items Reset": 1}) == [{"type": "Immediate"}]
    assert portions("GetConfiguration", {}, {"items GetConfiguration": 1}) == [{}]
    whole = {"key": ["a", "b", "c"]}
    assert portions("GetConfiguration", whole, {}) == [whole]
    assert portions("GetConfiguration", whole, {"items GetConfiguration": 2}) == [{"key": ["a", "b"]}, {"key": ["c"]}]


def test_answers_are_joined_as_one():
    assert joined("GetConfiguration", [{"configurationKey": [1], "unknownKey": ["x"]}, {"configurationKey": [2]}]) == {
        "configurationKey": [1, 2], "unknownKey": ["x"],
    }  # fmt: skip
    assert joined("Reset", [{"status": "Accepted"}]) == {"status": "Accepted"}


def test_a_report_cannot_be_cut():
    asked = {"requestId": 1, "componentVariable": [{}, {}, {}]}
    assert too_long("GetReport", asked, {"items GetReport": 2})
    assert not too_long("GetReport", asked, {})
    assert not too_long("GetVariables", asked, {"items GetVariables": 1})
