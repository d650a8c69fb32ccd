"""Calls by hand: what was typed, and what became of it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web_ui.hand_calls import hand_call_views, indented, parsed

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)


def call(**facts: object) -> dict[str, object]:
    return {
        "id": 1, "action": "Reset", "payload": {"type": "Soft"}, "at": NOW, "state": "sent", "answered_at": None,
        "result": None, "error": None, **facts,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "text", "answer"),
    [
        ({}, "Waiting for the answer.", ""),
        ({"state": "answered", "result": {"status": "Accepted"}}, "Answered.", '{\n  "status": "Accepted"\n}'),
        ({"state": "answered", "result": {}}, "Answered.", "{}"),
        ({"state": "refused", "error": {"code": "No"}}, "Answered with an error.", '{\n  "code": "No"\n}'),
        ({"state": "late", "result": {}}, "Answered late.", "{}"),
        ({"state": "no_answer"}, "No answer within 30 s; one that comes late is shown here.", ""),
        ({"state": "link_lost"}, "The connection broke before the answer.", ""),
    ],
)  # fmt: skip
def test_how_a_call_ended(facts: dict[str, object], text: str, answer: str) -> None:
    (view,) = hand_call_views([call(**facts)])
    assert (view.state_text, view.answer, view.payload) == (text, answer, '{\n  "type": "Soft"\n}')


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ('{"type": }', "line 1, column 10"), ("{\n  nope}", "line 2, column 3"), ("[]", "not an object"),
        ("[" * 100_000, "too deep|line 1"),
    ],
)  # fmt: skip
def test_what_is_no_payload_is_told_with_its_place(typed: str, place: str) -> None:
    with pytest.raises(ValueError, match=place):
        parsed(typed)


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()))
def test_what_is_shown_can_be_sent_again(payload: dict[str, object]) -> None:
    assert parsed(indented(payload)) == payload


def test_nothing_typed_is_an_empty_payload() -> None:
    assert parsed("") == {}
