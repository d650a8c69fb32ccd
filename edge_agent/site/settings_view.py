"""The settings that can be changed from above, as they hold on this box, and who said so. Pure.

Start at `setting_views`. What the cloud said and this version does not take is set aside: the box's own file decides,
and the page says so.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from sitelink.box_settings import EDITABLE, is_good
from sitelink.model import SiteState


class Origin(StrEnum):
    """Who decided."""

    BOX = "box"
    CLOUD = "cloud"


class SettingView(msgspec.Struct, frozen=True):
    """`value` holds now. `set_aside`: what the cloud said and is not taken here. `value` null: not known here."""

    key: str
    value: Any
    origin: Origin
    at: datetime | None = None
    by: str | None = None
    set_aside: Any = None


def setting_views(state: SiteState, own: Mapping[str, Any]) -> list[SettingView]:
    """`own`: what the box's file says, by key; all of EDITABLE."""
    unknown = [key for key in state.settings if key not in EDITABLE]
    return [_view(state, key, own.get(key)) for key in (*EDITABLE, *sorted(unknown))]


def _view(state: SiteState, key: str, own: Any) -> SettingView:
    said = state.settings.get(key)
    if said is None:
        return SettingView(key, own, Origin.BOX)
    if is_good(key, said.value):
        return SettingView(key, said.value, Origin.CLOUD, said.at, said.by.name)
    return SettingView(key, own, Origin.BOX, said.at, said.by.name, set_aside=said.value)
