"""Every setting that can be changed from above has words, and each of its words too."""

from sitelink.box_settings import EDITABLE, Choice
from web_ui.setting_words import SETTINGS


def test_every_setting_and_every_choice_has_words() -> None:
    assert list(SETTINGS) == list(EDITABLE)
    for key, rule in EDITABLE.items():
        words = SETTINGS[key]
        if isinstance(rule, Choice):
            assert words.choices is not None
            assert set(words.choices) == set(rule.words), key
        else:
            assert (words.choices, bool(words.unit)) == (None, True), key
