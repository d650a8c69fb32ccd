"""What may be said from above."""

from typing import Any

import pytest

from sitelink.box_settings import EDITABLE, decide_clear, decide_set, value_of
from sitelink.errors import SettingInvalid
from sitelink.events import SettingSet
from tests.sitelink.builders import OPERATOR, Site


def test_a_setting_is_said_once_and_taken_back_once() -> None:
    site = Site()
    (fact,) = decide_set("ocpp.heartbeat_interval_s", 300, OPERATOR)(site).facts
    assert (fact.entity, fact.event) == ("setting:ocpp.heartbeat_interval_s", SettingSet(300))
    site.record(fact.entity, fact.event, author=OPERATOR)
    assert value_of(site.state, "ocpp.heartbeat_interval_s") == 300
    assert decide_set("ocpp.heartbeat_interval_s", 300, OPERATOR)(site).facts == ()
    (fact,) = decide_clear("ocpp.heartbeat_interval_s", OPERATOR)(site).facts
    site.record(fact.entity, fact.event, author=OPERATOR)
    assert value_of(site.state, "ocpp.heartbeat_interval_s") is None
    assert decide_clear("ocpp.heartbeat_interval_s", OPERATOR)(site).facts == ()


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("authorisation.unknown", "perhaps", "not_allowed"), ("authorisation.unknown", 1, "not_allowed"),
        ("ocpp.heartbeat_interval_s", 9, "not_allowed"), ("ocpp.heartbeat_interval_s", 86_401, "not_allowed"),
        ("ocpp.heartbeat_interval_s", True, "not_allowed"), ("ocpp.heartbeat_interval_s", "60", "not_allowed"),
        ("ocpp.security", "open", "unknown"), ("data_dir", "/", "unknown"),
    ],
)  # fmt: skip
def test_what_is_not_right_is_refused_with_what_is_allowed(key: str, value: Any, problem: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        decide_set(key, value, OPERATOR)
    assert refused.value.fields["problem"] == problem
    assert refused.value.fields["allowed"]


def test_a_key_nobody_knows_can_be_taken_back_only_where_it_stands() -> None:
    site = Site()
    with pytest.raises(SettingInvalid):
        decide_clear("from.tomorrow", OPERATOR)(site)
    site.record("setting:from.tomorrow", SettingSet(7), author=OPERATOR)
    assert value_of(site.state, "from.tomorrow") is None
    assert len(decide_clear("from.tomorrow", OPERATOR)(site).facts) == 1


def test_all_of_them_are_settings_of_the_box() -> None:
    from edge_agent.config import Settings

    for key in EDITABLE:
        section, _, name = key.partition(".")
        assert EDITABLE[key].admits(getattr(getattr(Settings(), section), name)), key
