"""Every reason why a webhook was not taken has words."""

from tests.house.files import codes_returned_by
from web_ui.webhook_words import PROBLEMS


def test_every_problem_has_a_sentence() -> None:
    known = codes_returned_by("cloud_relay/console/webhook_sender.py", "_problem") | {"status", "redirect"}
    assert known == set(PROBLEMS)
    assert all(each.endswith(".") for each in PROBLEMS.values())
