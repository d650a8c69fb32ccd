"""What had to be put right of a charge point's messages, as it is shown. Pure. Start at `corrections_of`."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from sitelink.events import Correction
from sitelink.model import Station
from web_ui import wording


class CorrectionView(msgspec.Struct, frozen=True):
    """`kind` is the action and a code; `text` says it in words, with the number."""

    kind: str
    count: int
    first_at: datetime
    last_at: datetime
    text: str


class OdditiesView(msgspec.Struct, frozen=True):
    """partials/corrections.html: everything that is odd about a charge point."""

    corrections: tuple[CorrectionView, ...]
    total: int
    clock_text: str | None
    """Where its clock is off."""
    reboot_needed: tuple[str, ...]
    rules: tuple[str, ...]


def corrections_of(kinds: Mapping[str, Correction]) -> tuple[CorrectionView, ...]:
    """Most often first."""
    views = [
        CorrectionView(kind, each.count, each.first_at, each.last_at, wording.correction(kind, each.count))
        for kind, each in kinds.items()
    ]
    return tuple(sorted(views, key=lambda view: (-view.count, view.kind)))


def oddities_of(station: Station | None, kinds: Mapping[str, Correction], clock_drift_s: float | None) -> OdditiesView:
    """`station` is None before it first booted."""
    corrections = corrections_of(kinds)
    return OdditiesView(
        corrections, sum(each.count for each in corrections),
        wording.clock_off(clock_drift_s) if clock_drift_s is not None else None,
        station.reboot_needed if station else (), station.traits.rules if station else (),
    )  # fmt: skip
