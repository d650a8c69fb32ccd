"""What a person sees of a frame, and what stands in the address."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitelink.errors import RequestInvalid
from sitelink.frames import Direction, Filter, Kept, frames_of
from web_ui.frame_views import csv_of, filter_of, frames_view, json_lines, query_of

NOW = datetime(2026, 11, 25, 10, 0, 0, 5000, tzinfo=UTC)
FRAMES = frames_of(
    [
        Kept(1, NOW, "in", '[2,"a","Heartbeat",{}]', True),
        Kept(2, NOW + timedelta(milliseconds=12), "out", '[3,"a",{"currentTime":"2026-11-25T10:00:00Z"}]', True),
        Kept(3, NOW + timedelta(seconds=2), "out", '[2,"b","Reset",{"type":"Soft"}]', True),
        Kept(4, NOW + timedelta(seconds=5), "in", '[4,"b","NotSupported","",{}]', True),
        Kept(5, NOW + timedelta(seconds=6), "in", "=cmd|' /C calc'!A0", True),
    ]
)


def test_the_newest_stands_first_with_how_long_the_answer_took() -> None:
    view = frames_view(FRAMES, Filter())
    assert [(each.number, each.type_text, each.action, each.took, each.error) for each in view.frames] == [
        (5, "Unreadable", "", "", True), (4, "Error", "Reset", "3.0 s", True), (3, "Call", "Reset", "", False),
        (2, "Answer", "Heartbeat", "12 ms", False), (1, "Call", "Heartbeat", "", False),
    ]  # fmt: skip
    assert view.frames[-1].time.endswith(":00.005")
    assert json.loads(view.frames[2].pretty) == [2, "b", "Reset", {"type": "Soft"}]
    assert (view.kept, view.actions, view.narrowed) == (5, ("Heartbeat", "Reset"), False)


@given(
    st.builds(
        Filter, direction=st.sampled_from([None, *Direction]), action=st.text(max_size=20).map(str.strip),
        message_id=st.text(max_size=20).map(str.strip), errors=st.booleans(), text=st.text(max_size=20).map(str.strip),
        since=st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    )
)  # fmt: skip
def test_a_filter_comes_back_from_its_address(filter_: Filter) -> None:
    query = query_of(filter_)
    assert filter_of(dict(parse_qsl(query, keep_blank_values=True))) == filter_
    assert (query == "") == (filter_ == Filter())


@pytest.mark.parametrize("query", [{"direction": "up"}, {"limit": "1001"}, {"since": "2026-11-25T10:00:00"}])
def test_a_wrong_field_is_named(query: dict[str, str]) -> None:
    with pytest.raises(RequestInvalid) as caught:
        filter_of(query)
    assert caught.value.fields["where"] == next(iter(query))


def test_files_hold_the_same() -> None:
    lines = [json.loads(line) for line in json_lines(FRAMES).splitlines()]
    rows = list(csv.DictReader(io.StringIO(csv_of(FRAMES))))
    assert [line["action"] or "" for line in lines] == [row["action"] for row in rows]
    assert rows[4]["frame"].startswith("'=")
