"""Settings from above: the last one in the log counts, and none puts the box's own back."""

from sitelink import events as e
from tests.sitelink.builders import OPERATOR, Site


def test_the_last_value_counts_and_none_takes_it_back():
    site = Site()
    site.record("setting:authorisation.unknown", e.SettingSet("reject"), author=OPERATOR)
    site.record("setting:authorisation.unknown", e.SettingSet("accept"), author=OPERATOR)
    assert site.state.settings["authorisation.unknown"].value == "accept"
    assert site.state.settings["authorisation.unknown"].by == OPERATOR
    site.record("setting:authorisation.unknown", e.SettingSet(None), author=OPERATOR)
    assert site.state.settings == {}
