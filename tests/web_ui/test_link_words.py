"""Every reason why there is no link has words."""

import pytest

from edge_agent.relay import verdicts
from web_ui.link_words import LINK, said_of_link


@pytest.mark.parametrize("code", [*verdicts._BY_STATUS.values(), "captive_portal", "waits_for_claim", "quarantined"])
def test_a_known_code_has_a_sentence(code: str) -> None:
    assert said_of_link(code) == LINK[code]
    assert LINK[code].endswith(".")


def test_another_is_named() -> None:
    assert "strange_code" in said_of_link("strange_code")
