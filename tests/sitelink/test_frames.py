"""Frames paired with their answers, and every filter."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from sitelink.frames import Direction, Filter, FrameType, Kept, frames_of, text_of

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)


def kept(*frames):
    """(direction, frame) a second apart."""
    return [
        Kept(number, NOW + timedelta(seconds=number), way, each if isinstance(each, str) else json.dumps(each), True)
        for number, (way, each) in enumerate(frames, 1)
    ]


def story():
    return frames_of(
        kept(
            ("in", [2, "a", "BootNotification", {"chargePointVendor": "Acme"}]),
            ("out", [3, "a", {"status": "Accepted"}]),
            ("out", [2, "a", "GetConfiguration", {}]),
            ("in", [2, "b", "Heartbeat", {}]),
            ("in", [4, "a", "NotSupported", "", {}]),
            ("in", "[2,"),
            ("in", [6, "s", "NotifyPeriodicEventStream", {}]),
        )
    )


def test_an_answer_belongs_to_the_call_of_the_other_side():
    frames = story()
    assert [(each.type.value, each.action, each.duration_ms) for each in frames] == [
        ("call", "BootNotification", None), ("result", "BootNotification", 1000), ("call", "GetConfiguration", None),
        ("call", "Heartbeat", None), ("error", "GetConfiguration", 2000), ("unreadable", None, None),
        ("send", "NotifyPeriodicEventStream", None),
    ]  # fmt: skip


def test_what_was_read_before_is_not_read_again():
    all_kept = kept(("in", [2, "a", "Heartbeat", {}]), ("out", [3, "a", {}]), ("in", [2, "b", "Heartbeat", {}]))
    before = frames_of(all_kept[:1])
    later = frames_of(all_kept[1:], before)
    again = frames_of(all_kept, [*before, *later])
    assert again[0] is before[0]
    assert [each.action for each in frames_of(all_kept, before)] == ["Heartbeat"] * 3


def test_an_answer_to_a_call_that_is_no_longer_kept_has_no_action():
    (answer,) = frames_of(kept(("out", [3, "zz", {}])))
    assert (answer.type, answer.message_id, answer.action, answer.duration_ms) == (FrameType.RESULT, "zz", None, None)


def test_a_clock_that_went_back_gives_no_duration():
    call, answer = kept(("in", [2, "a", "Heartbeat", {}]), ("out", [3, "a", {}]))
    assert frames_of([call, answer._replace(at=NOW - timedelta(hours=1))])[1].duration_ms is None


FILTERS = [
    (Filter(), [1, 2, 3, 4, 5, 6, 7]),
    (Filter(direction=Direction.OUT), [2, 3]),
    (Filter(action="bootnotification"), [1, 2]),
    (Filter(message_id="a"), [1, 2, 3, 5]),
    (Filter(errors=True), [5, 6]),
    (Filter(text="ACME"), [1]),
    (Filter(since=NOW + timedelta(seconds=6)), [6, 7]),
    (Filter(after=5), [6, 7]),
    (Filter(limit=2), [6, 7]),
    (Filter(limit=0), []),
    (Filter(direction=Direction.IN, message_id="a", limit=1), [5]),
]


@pytest.mark.parametrize(("filter_", "numbers"), FILTERS)
def test_a_filter_takes_what_fits_and_of_that_the_newest(filter_, numbers):
    assert [each.number for each in filter_.of(story())] == numbers


def test_a_search_does_not_find_out_what_is_masked():
    frames = frames_of(kept(("in", [2, "1", "Authorize", {"idTag": "04A1B2C3D4"}])))
    assert Filter(text="A1B2").of(frames) == []
    assert len(Filter(text="04***4").of(frames)) == 1
    assert text_of(frames[0]) == '[2,"1","Authorize",{"idTag":"04***4"}]'


@pytest.mark.parametrize(
    "odd", ["7", "null", "{}", "[]", '[true,"1"]', "[2]", '[2,5,"Heartbeat",{}]', '[9,"1","X",{}]']
)
def test_odd_frames_are_shown_too(odd):
    (frame,) = frames_of(kept(("in", odd)))
    assert frame.type in (FrameType.UNREADABLE, FrameType.CALL)


def test_a_frame_that_was_cut_says_so_and_is_no_error():
    long = json.dumps([2, "9", "NotifyReport", {"reportData": ["x" * 20]}])
    (frame,) = frames_of([Kept(1, NOW, "in", long[:40], False)])
    assert (frame.cut, frame.error, frame.action, frame.message_id) == (True, False, "NotifyReport", "9")
