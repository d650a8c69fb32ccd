"""Every state of a meter has words, and stands in the document."""

import re
from pathlib import Path

from edge_agent.meters.poller import PROBLEM_BY_TROUBLE
from edge_agent.meters.profiles import bundled
from web_ui.meter_words import METERS
from web_ui.wording import full

OWN = {"not_read", "elsewhere", "other_model", "unknown_profile", "bad_transport", "other_speed", "failed"}
FIELDS = {"transport": "tcp://192.0.2.7:502", "unit_id": 3, "profile": "abb-b23", "exception": 2}


def test_every_problem_has_words_with_fields_and_without() -> None:
    for code in {*PROBLEM_BY_TROUBLE.values(), *OWN}:
        assert f"meter_{code}" in METERS, code
        assert "{" not in full(f"meter_{code}", FIELDS)
        assert "{" not in full(f"meter_{code}", {})


def test_what_must_be_set_at_a_meter_has_words() -> None:
    for profile in bundled().values():
        assert all(f"meter_{need.problem}" in METERS for need in profile.require), profile.id


def test_the_document_names_every_state() -> None:
    text = Path("docs/meters.md").read_text("utf-8")
    told = set(re.findall(r"`([a-z_]+)`", text.partition("## What it says when")[2].partition("## Models")[0]))
    assert {*PROBLEM_BY_TROUBLE.values(), *OWN} <= told
