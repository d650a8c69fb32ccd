"""Every rule has words, and what is known of an alert is said."""

from cloud_relay.fleet.alert_records import RULES as NAMES
from web_ui.alert_words import RULES, says, why


def test_every_rule_has_words() -> None:
    assert set(RULES) == set(NAMES)
    assert says("gateway_offline") == "The box is offline."
    assert says("a rule of later") == "Something is not right here."


def test_what_more_is_known_is_said() -> None:
    assert why({}) == ""
    assert why({"reason": "in_use", "other_team": "Acme"}) == "It belongs to another team: Acme."
    assert why({"reason": "restored"}).startswith("Its disk")
    assert why({"paused": True}).startswith("It is paused")
    assert "password" in why({"explanation": "no_password", "fields": {}})
