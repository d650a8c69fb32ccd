"""What is said to who writes calls and programs."""

from typing import Any

import pytest

from web_ui import wording
from web_ui.call_words import CALLS, PROGRAMS


@pytest.mark.parametrize("code", sorted(CALLS))
def test_every_call_that_is_not_sent_says_what_to_do(code: str) -> None:
    assert wording.WORDS[code].says
    assert wording.WORDS[code].do


@pytest.mark.parametrize(
    ("code", "fields", "step"),
    [
        ("request_invalid", {"where": "limit", "problem": "not_allowed", "allowed": "1 to 9"},
         "Correct limit: not allowed; allowed: 1 to 9."),
        ("request_invalid", {"where": "active", "problem": "Expected `bool`, got `str`"},
         "Correct active: Expected `bool`, got `str`."),
        ("not_found", {"what": "charge_point", "key": "CP_9"},
         "No charge point “CP_9” is known here: check the address."),
        ("not_found", {}, wording.next_step("not_found")),
        ("station_offline", {"identity": "x"}, wording.next_step("station_offline")),
    ],
)  # fmt: skip
def test_a_program_is_told_what_to_change(code: str, fields: dict[str, Any], step: str) -> None:
    assert wording.step_for_program(code, fields) == step


@pytest.mark.parametrize("code", sorted(PROGRAMS))
def test_programs_are_not_told_to_load_a_page(code: str) -> None:
    fields = {"where": "x", "problem": "missing", "what": "job", "key": "1", "allowed": "y"}
    assert "page" not in wording.step_for_program(code, fields)
    assert wording.step_for_program(code, fields) != wording.next_step(code, fields)
