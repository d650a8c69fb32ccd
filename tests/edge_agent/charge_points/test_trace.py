"""What a person sees of the last frames."""

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
