"""Each rule of OCPP that keeps a call here has a name, and its name has words."""

import re
from pathlib import Path

import pytest

from edge_agent.charge_points import rules_2x, tending_2x, v16
from edge_agent.charge_points.rule_names import OTHER, RULES, rule_broken
from web_ui.wording import WORDS, next_step, sentence

PLACE = re.compile(r'return f?"((?:[a-zA-Z_]+|\{\w+\}|/|\d)+)"(?: if|  #|$)', re.MULTILINE)
"""In the source of rules: the places they return."""


def places() -> set[str]:
    found = {"getVariableData", "setVariableData", "setMonitoringData"}
    for module, begins in ((rules_2x, "def not_now"), (v16, "def not_now"), (tending_2x, "async def objection")):
        source = Path(module.__file__ or "").read_text("utf-8").partition(begins)[2]
        source = source.partition("_WORDS = {")[0].partition("def customer_information")[0]
        found |= {each for each in PLACE.findall(source) if not each.endswith("}")}
    return found


def test_the_search_finds_places() -> None:
    assert {"out_of_service", "evseId", "csChargingProfiles/transactionId", "recurrencyKind"} <= places()


@pytest.mark.parametrize("where", sorted(places()))
def test_every_place_a_rule_names_has_a_name_of_its_own(where: str) -> None:
    for action in ("SetChargingProfile", "UnlockConnector"):
        assert rule_broken(action, where) in RULES - {OTHER}
    assert rule_broken("Reset", "somewhere/new") == OTHER


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_name_has_words_of_its_own(code: str) -> None:
    assert f"call_invalid.{code}" in WORDS
    fields = {"action": "Reset", "where": "here", "problem": code}
    assert sentence("call_invalid", fields) != sentence("call_invalid", {**fields, "problem": "x"})
    assert next_step("call_invalid", fields)
    assert code not in sentence("call_invalid", fields) + next_step("call_invalid", fields)
