"""What alerts and their rules say to people. Pure. Start at `RULES` and `says`."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from web_ui.wording import full


class RuleWords(NamedTuple):
    """`says`: of an alert. `rule`: of the rule, where its threshold is set."""

    says: str
    rule: str


RULES = {
    "gateway_offline": RuleWords("The box is offline.", "A box is offline"),
    "gateway_alarm": RuleWords("Look at this box.", "A box was restored or copied"),
    "charge_point_offline": RuleWords("The charge point is not connected.", "A charge point is not connected"),
    "charge_point_error": RuleWords("The charge point is in trouble.", "A charge point is in trouble"),
    "serial_conflict": RuleWords("The serial number is disputed.", "A serial number is disputed"),
    "job_idle": RuleWords("Nobody has worked on this job.", "Nobody works on an open job"),
    "webhook_failing": RuleWords("Nothing reaches this webhook.", "Nothing reaches a webhook"),
}
"""By the names of rules."""
_REASONS = {
    "restored": "Its disk went back to an earlier state.",
    "copied": "Two boxes take turns under its name; none is served until somebody has looked.",
    "conflict": "Two people set it apart; choose in the job.",
    "paused": "It is paused: turn it on again when the receiver is well.",
}


def says(rule: str) -> str:
    """What is wrong, in one sentence."""
    return RULES[rule].says if rule in RULES else "Something is not right here."


def why(detail: Mapping[str, Any]) -> str:
    """What more is known of it; "" where nothing is."""
    if detail.get("reason") == "in_use":
        return f"It belongs to another team: {detail.get('other_team', '')}."
    if detail.get("explanation"):
        return full(str(detail["explanation"]), detail.get("fields") or {})
    if detail.get("paused"):
        return _REASONS["paused"]
    return _REASONS.get(str(detail.get("reason", "")), "")
