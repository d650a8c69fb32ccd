"""What meters say over time: moments, and how they are thinned. Pure; the same on both ends.

Values by quantity and phase, as `power_w.l1`, in V, A, W, Hz and Wh. Start at `Moment` and `thinned`.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

DAY_S = 86_400


class Grade(StrEnum):
    """How fine moments are."""

    SECOND = "second"
    MINUTE = "minute"
    QUARTER = "quarter"

    @property
    def step_s(self) -> int:
        return {"second": 1, "minute": 60, "quarter": 900}[self.value]

    @property
    def kept_s(self) -> int:
        """For so long."""
        return {"second": 3600, "minute": 31 * DAY_S, "quarter": 366 * DAY_S}[self.value]


class Moment(msgspec.Struct, frozen=True):
    """`at_s`: seconds since 1970, the beginning of its step."""

    at_s: int
    values: Mapping[str, float]


def thinned(moments: Iterable[Moment], step_s: int) -> list[Moment]:
    """One moment a step: counters as they stood at its end, else the mean of what was told in it."""
    steps: dict[int, list[Moment]] = {}
    for each in moments:
        steps.setdefault(each.at_s - each.at_s % step_s, []).append(each)
    return [Moment(at_s, _of_step(told)) for at_s, told in sorted(steps.items())]


def _of_step(told: Sequence[Moment]) -> dict[str, float]:
    values: dict[str, list[float]] = {}
    for each in told:
        for key, value in each.values.items():
            values.setdefault(key, []).append(value)
    return {key: found[-1] if key.startswith("energy_") else sum(found) / len(found) for key, found in values.items()}
