"""Settings of a box that its operator may change from above: which they are, and what they may be.

Pure. The cloud refuses what is not right; a box passes over what it does not understand (another version of the cloud
may know more) and says so. Keys and meaning are those of docs/settings.md. Start at `EDITABLE` and `value_of`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from sitelink.decisions import Decide, Decision, Sight
from sitelink.errors import SettingInvalid
from sitelink.events import SettingSet
from sitelink.model import SiteState
from sitelink.ops import Author, Fact


class Choice(msgspec.Struct, frozen=True):
    """One of these words."""

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return ", ".join(self.words)

    def admits(self, value: object) -> bool:
        return isinstance(value, str) and value in self.words


class Whole(msgspec.Struct, frozen=True):
    """A whole number from `least` to `most`."""

    least: int
    most: int

    @property
    def allowed(self) -> str:
        return f"{self.least} to {self.most}"

    def admits(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most


Rule = Choice | Whole
EDITABLE: Mapping[str, Rule] = {
    "authorisation.unknown": Choice(("accept", "reject")),
    "authorisation.concurrent": Choice(("accept", "reject")),
    "authorisation.local_list": Choice(("off", "on")),
    "ocpp.heartbeat_interval_s": Whole(10, 86_400),
    "ocpp.retry_interval_s": Whole(5, 3_600),
}
"""None of them opens a box to strangers: who is served, and how it is reached, is decided on site."""


def value_of(state: SiteState, key: str) -> Any | None:
    """What holds from above; None: nothing does, and the box's own file decides."""
    setting = state.settings.get(key)
    return setting.value if setting is not None and is_good(key, setting.value) else None


def is_good(key: str, value: object) -> bool:
    """Whether this version knows the setting and takes the value."""
    rule = EDITABLE.get(key)
    return rule is not None and rule.admits(value)


def decide_set(key: str, value: Any, author: Author) -> Decide[None]:
    """From now on `value` holds in place of what the box's file says. Nothing is written where it does already.

    Raises SettingInvalid.
    """
    rule = _rule(key)
    if not rule.admits(value):
        raise SettingInvalid(key=key, problem="not_allowed", found=str(value)[:60], allowed=rule.allowed)

    def decide(sight: Sight) -> Decision[None]:
        known = sight.state.settings.get(key)
        if known is not None and known.value == value:
            return Decision((), None)
        return Decision((Fact(f"setting:{key}", SettingSet(value), author),), None)

    return decide


def decide_clear(key: str, author: Author) -> Decide[None]:
    """What the box's own file says holds again. Raises SettingInvalid for a setting nobody knows."""

    def decide(sight: Sight) -> Decision[None]:
        if key not in sight.state.settings:
            _rule(key)
            return Decision((), None)
        return Decision((Fact(f"setting:{key}", SettingSet(None), author),), None)

    return decide


def _rule(key: str) -> Rule:
    rule = EDITABLE.get(key)
    if rule is None:
        raise SettingInvalid(key=key[:60], problem="unknown", allowed=", ".join(EDITABLE))
    return rule
