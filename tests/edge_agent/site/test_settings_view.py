"""Whose word holds on a box."""

from typing import Any

from edge_agent.site.settings_view import Origin, setting_views
from sitelink.box_settings import EDITABLE
from sitelink.events import SettingSet
from tests.sitelink.builders import OPERATOR, Site

OWN: dict[str, Any] = dict.fromkeys(EDITABLE, "accept")


def test_the_clouds_word_holds_and_what_is_not_taken_is_set_aside() -> None:
    site = Site()
    for key, value in {"authorisation.unknown": "reject", "ocpp.retry_interval_s": -1, "from.tomorrow": 7}.items():
        site.record(f"setting:{key}", SettingSet(value), author=OPERATOR)
    found = {each.key: each for each in setting_views(site.state, OWN)}
    assert list(found) == [*EDITABLE, "from.tomorrow"]
    unknown = found["authorisation.unknown"]
    assert (unknown.value, unknown.origin, unknown.set_aside) == ("reject", Origin.CLOUD, None)
    assert unknown.by == OPERATOR.name
    wrong = found["ocpp.retry_interval_s"]
    assert (wrong.value, wrong.origin, wrong.set_aside) == ("accept", Origin.BOX, -1)
    assert (found["from.tomorrow"].value, found["from.tomorrow"].set_aside) == (None, 7)
    quiet = found["authorisation.concurrent"]
    assert (quiet.value, quiet.origin, quiet.at) == ("accept", Origin.BOX, None)
