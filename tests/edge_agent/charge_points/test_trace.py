"""What a person sees of the last frames."""

import json
from datetime import UTC, datetime

import pytest

from edge_agent.charge_points.trace import CHARACTERS_MAX, FRAME_CHARACTERS_MAX, FRAMES_MAX, Trace

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def shown(frame: str | bytes) -> str:
    trace = Trace()
    trace.add(NOW, "in", frame)
    (entry,) = trace.shown()
    assert (entry.number, entry.direction, entry.at) == (1, "in", NOW)
    return str(entry.frame)


@pytest.mark.parametrize(
    "frame",
    [
        '[2,"1","Authorize",{"idTag":"04A2B3C4D5"}]',
        '[2,"1","Authorize",{"idTag":"04A2B3C4D5",}]',
        "[2,'1','Authorize',{idTag:04A2B3C4D5}]",
        '[2,"1","StopTransaction",{"idTag":"04A2B3C4D5","x":"' + "y" * FRAME_CHARACTERS_MAX + '"}]',
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"04A2B3C4D5"}]',
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"04A2B3C4D5"',
        b'[2,"1","Authorize",{"idTag":"04A2B3C4D5"}]',
    ],
)
def test_secrets_are_masked_in_whole_and_broken_frames(frame: str | bytes) -> None:
    assert "A2B3C4" not in shown(frame)


def test_broken_json_is_shown_as_it_came() -> None:
    assert shown('[2,"1","StopTransaction",{"transactionId":,}]') == '[2,"1","StopTransaction",{"transactionId":,}]'


def test_the_ring_is_bounded_in_count_and_size() -> None:
    trace = Trace()
    for number in range(FRAMES_MAX + 5):
        trace.add(NOW, "in", f"[{number}]")
    assert len(trace.shown()) == FRAMES_MAX
    assert trace.shown()[-1].frame == [FRAMES_MAX + 4]
    assert [trace.shown()[0].number, trace.newest] == [6, FRAMES_MAX + 5]
    for _ in range(100):
        trace.add(NOW, "out", "x" * FRAME_CHARACTERS_MAX)
    assert len(trace.shown()) == CHARACTERS_MAX // FRAME_CHARACTERS_MAX


def variables(name: str) -> str:
    """A SetVariables longer than what is kept of a frame, each value before the name that makes it a secret."""
    one = {"attributeValue": "canary-4711", "component": {"name": "SecurityCtrlr"}, "variable": {"name": name}}
    return json.dumps([2, "77", "SetVariables", {"setVariableData": [one] * 100}])


@pytest.mark.parametrize("lead", range(0, 130, 7))
def test_a_long_frame_hides_its_secrets_wherever_it_is_cut(lead: int) -> None:
    frame = variables("BasicAuthPassword")
    long = frame[:1] + " " * lead + frame[1:]
    assert len(long) > FRAME_CHARACTERS_MAX
    assert "canary" not in shown(long)
    assert "canary" not in shown(long.encode())


def test_a_long_frame_still_says_what_it_is() -> None:
    trace = Trace()
    trace.add(NOW, "out", variables("HeartbeatInterval"))
    trace.add(NOW, "in", '[3,"77",{"setVariableResult":[]}]')
    call, answer = trace.shown()
    assert (call.cut, call.action, answer.action) == (True, "SetVariables", "SetVariables")
