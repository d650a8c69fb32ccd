"""Lines over time as drawings: axes that read well, ticks at whole hours, everything placed. Pure.

A panel is drawn on 1000 × 100 and stretched to its place, so that the same drawing fits a desk and a phone; what is
written is placed in percent of the width and in pixels of the height. Start at `power_plot` and `ticks_of`.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec

from sitelink.meter_values import Moment, thinned
from web_ui import wording

PANEL_HEIGHT = 120
POINTS_MAX = 400
ROWS_MAX = 24
GAP_STEPS = 5
"""After so many steps of silence a line is broken: nothing is drawn of what nobody told."""
CLOSE = 0.12
"""A line this near to that of zero, as a part of the whole, is left out."""
PHASES = (("total", "Total"), ("l1", "L1"), ("l2", "L2"), ("l3", "L3"))
_STEPS = tuple(timedelta(minutes=each) for each in (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440))
_TICKS_MAX = 6


class Line(msgspec.Struct, frozen=True):
    """A line of the grid. `y`: pixels from the top of the drawing; `text` stands above it."""

    y: float
    text_y: float
    label: str


class Tick(msgspec.Struct, frozen=True):
    x: str
    label: str


class Trace(msgspec.Struct, frozen=True):
    """A value over time: SVG point lists on 1000 × 100, one for each stretch without a gap."""

    key: str
    name: str
    stretches: tuple[str, ...]


class Row(msgspec.Struct, frozen=True):
    """The same in a table."""

    at: datetime
    values: tuple[str, ...]


class Plot(msgspec.Struct, frozen=True):
    """`zero_y` where the axis goes below it. `summary` says in words what is drawn."""

    title: str
    traces: tuple[Trace, ...]
    grid: tuple[Line, ...]
    ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]
    summary: str
    top: int
    height: int


def power_plot(moments: Sequence[Moment], begin: datetime, end: datetime, title: str, top: int = 16) -> Plot | None:
    """None: fewer than two moments told any power."""
    span_s = (end - begin).total_seconds()
    step_s = max(1, math.ceil(span_s / POINTS_MAX))
    told = [each for each in thinned(moments, step_s) if any(f"power_w.{phase}" in each.values for phase, _ in PHASES)]
    if len(told) < 2:
        return None
    phases = [each for each in PHASES if any(f"power_w.{each[0]}" in moment.values for moment in told)]
    values = [
        moment.values[f"power_w.{phase}"]
        for moment in told
        for phase, _ in phases
        if f"power_w.{phase}" in moment.values
    ]
    low, high = axis(min(values) / 1000, max(values) / 1000)
    gap_s = GAP_STEPS * max(step_s, _usual_step_s(told))
    traces = tuple(_trace(told, phase, name, begin, span_s, low, high, gap_s) for phase, name in phases)
    return Plot(
        title, traces, grid_of(low, high, top), tuple(ticks_of(begin, end)),
        tuple(_rows(moments, span_s, phases)), _summary(told), top, top + PANEL_HEIGHT + 24,
    )  # fmt: skip


def _usual_step_s(told: Sequence[Moment]) -> int:
    steps = sorted(after.at_s - before.at_s for before, after in pairwise(told))
    return steps[len(steps) // 2]


def _trace(
    told: Sequence[Moment], phase: str, name: str, begin: datetime, span_s: float, low: float, high: float, gap_s: int
) -> Trace:
    stretches: list[list[str]] = [[]]
    before_s = None
    for each in told:
        value = each.values.get(f"power_w.{phase}")
        if value is None:
            continue
        if before_s is not None and each.at_s - before_s > gap_s:
            stretches.append([])
        before_s = each.at_s
        x = (each.at_s - begin.timestamp()) / span_s * 1000
        stretches[-1].append(f"{x:.1f},{100 - (value / 1000 - low) / (high - low) * 100:.1f}")
    return Trace(phase, name, tuple(" ".join(points) for points in stretches if len(points) > 1))


def _rows(moments: Sequence[Moment], span_s: float, phases: Iterable[tuple[str, str]]) -> Iterable[Row]:
    for each in thinned(moments, max(1, round(span_s / ROWS_MAX))):
        values = (each.values.get(f"power_w.{phase}") for phase, _ in phases)
        shown = tuple("–" if value is None else f"{value / 1000:.2f}".replace("-", "−") for value in values)
        yield Row(datetime.fromtimestamp(each.at_s, UTC), shown)


def _summary(told: Sequence[Moment]) -> str:
    powers = [each.values["power_w.total"] for each in told if "power_w.total" in each.values]
    if not powers:
        powers = [sum(v for k, v in each.values.items() if k.startswith("power_w.")) for each in told]
    mean, least, most = sum(powers) / len(powers), min(powers), max(powers)
    return f"{wording.power(mean)} on average, between {wording.power(least)} and {wording.power(most)}."


# ---- axes ----


def axis(least: float, most: float) -> tuple[float, float]:
    """Ends of an axis that has zero on it and that all values fit on."""
    high = nice(most) if most > 0 else 0.0
    low = -nice(-least) if least < 0 else 0.0
    return (low, high) if high > low else (0.0, 1.0)


def nice(value: float) -> float:
    """The end of an axis that `value` fits on: a step that halves well, of a power of ten."""
    if value <= 0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(value))
    return next(step * unit for step in (1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10) if step * unit >= value * 0.999999)


def grid_of(low: float, high: float, top: int) -> tuple[Line, ...]:
    """Zero, both ends, and the middle where the axis has one side."""
    marks = {low, 0.0, high} if low < 0 < high else {low, (low + high) / 2, high}
    lines = []
    for mark in sorted(mark for mark in marks if not mark or abs(mark) > CLOSE * (high - low)):
        y = top + PANEL_HEIGHT * (1 - (mark - low) / (high - low))
        lines.append(Line(y, y - 4, f"{mark:g}".replace("-", "−")))
    return tuple(lines)


def ticks_of(begin: datetime, end: datetime) -> list[Tick]:
    begin, end = begin.astimezone(), end.astimezone()
    step = next((each for each in _STEPS if (end - begin) / each <= _TICKS_MAX), _STEPS[-1])
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + math.ceil((begin - midnight) / step) * step
    found = []
    while at <= end:
        x = (at - begin) / (end - begin) * 100
        if 4 < x < 96:
            found.append(Tick(f"{x:.2f}%", f"{at:%H:%M}" if step < _STEPS[-1] else f"{at.day} {at:%b}"))
        at += step
    return found
