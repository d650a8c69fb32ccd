"""What a meter's values mean on this site, and which of them cannot be right. Pure. Start at `reading_of`.

Nothing is invented: a value that cannot be right is shown and flagged, and none is made from others.
Source: METERS §6.2 "sign conventions", "sanity fixes".
"""

import math
from collections.abc import Mapping

import msgspec

BOUNDS = {"voltage_v": (80.0, 300.0), "frequency_hz": (44.0, 66.0), "current_a": (0.0, 10_000.0)}
"""What values of a mains lie between, where they are not zero."""
FREE_VA = 100.0
"""Volts times amps may be so much less than the power, and a tenth: they are not of one moment."""
PHASES = ("l1", "l2", "l3")
_SWAPPED = {"energy_import_wh": "energy_export_wh", "energy_export_wh": "energy_import_wh"}
_BY_CURRENT = ("current_a", "power_w", "energy_import_wh", "energy_export_wh")

Values = Mapping[str, float]
"""By quantity and phase, as `power_w.l1`."""


class Installed(msgspec.Struct, frozen=True):
    """How the meter is built in. `reversed`: what flows to the site counts as export there. `ratio`: of current
    transformers that the meter does not know."""

    reversed: bool = False
    ratio: float = 1.0


class Reading(msgspec.Struct, frozen=True):
    """`values` as they are on this site; `flags` name values that cannot be right, and why."""

    values: dict[str, float]
    flags: dict[str, str] = {}


def reading_of(values: Values, installed: Installed, before: Values | None = None) -> Reading:
    """`before`: the values of the last reading, on this site too."""
    found: dict[str, float] = {}
    for key, value in values.items():
        if not math.isfinite(value):
            continue
        quantity, _, phase = key.partition(".")
        if installed.reversed:
            quantity = _SWAPPED.get(quantity, quantity)
            value = -value if quantity == "power_w" and value else value
        if quantity in _BY_CURRENT and installed.ratio != 1:
            value = round(value * installed.ratio, 6)
        found[f"{quantity}.{phase}"] = value
    return Reading(found, _flags(found, before or {}))


def _flags(values: Values, before: Values) -> dict[str, str]:
    flags = {key: flag for key, value in values.items() if (flag := _flag(key, value, before.get(key, 0.0)))}
    for phase in PHASES:
        volts, amps, watts = (values.get(f"{name}.{phase}") for name in ("voltage_v", "current_a", "power_w"))
        if volts is None or amps is None or watts is None:
            continue
        if abs(watts) > abs(volts * amps) * 1.1 + FREE_VA:
            flags[f"power_w.{phase}"] = "more_than_volts_times_amps"
    return flags


def _flag(key: str, value: float, before: float) -> str:
    quantity = key.partition(".")[0]
    if quantity in BOUNDS:
        low, high = BOUNDS[quantity]
        return "" if value == 0 or low <= abs(value) <= high else "implausible"
    if quantity.startswith("energy_"):
        return "implausible" if value < 0 else "went_back" if value < before else ""
    return ""
