"""A curve as a drawing: lines, grid and labels, all placed. Pure. Start at `drawing_of`.

Each panel is drawn on 1000 × 100 and stretched to its place, so that the same drawing fits a desk and a phone; what is
written is placed in percent of the width and in pixels of the height.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from cloud_relay.fleet.curve import Curve, CurvePoint, thinned
from web_ui import wording
from web_ui.plots import PANEL_HEIGHT, Line, Tick, grid_of, nice, ticks_of

POWER_TOP = 44
ENERGY_TOP = 218
ROWS_MAX = 120


class Panel(msgspec.Struct, frozen=True):
    """`line` and `area` are SVG point lists on 1000 × 100; "" where nothing was told."""

    title: str
    top: int
    line: str
    area: str
    grid: tuple[Line, ...]


class Row(msgspec.Struct, frozen=True):
    """The same in a table."""

    at: datetime
    power: str
    energy: str


class Drawing(msgspec.Struct, frozen=True):
    """`summary` says in words what is drawn."""

    power: Panel
    energy: Panel
    ticks: tuple[Tick, ...]
    height: int
    rows: tuple[Row, ...]
    summary: str
    derived: bool


def drawing_of(curve: Curve) -> Drawing | None:
    """None: fewer than two moments are known, which is no curve."""
    points = curve.points
    if len(points) < 2 or points[0].at >= points[-1].at:
        return None
    power = _panel("Power, kW", POWER_TOP, points, lambda each: each.power_w)
    energy = _panel("Energy, kWh", ENERGY_TOP, points, lambda each: each.energy_wh)
    rows = [Row(each.at, _kilo(each.power_w), _kilo(each.energy_wh, 2)) for each in thinned(points, ROWS_MAX)]
    ticks = tuple(ticks_of(points[0].at, points[-1].at))
    return Drawing(
        power, energy, ticks, ENERGY_TOP + PANEL_HEIGHT + 30, tuple(rows), _summary(points),
        curve.derived,
    )  # fmt: skip


def _summary(points: Sequence[CurvePoint]) -> str:
    powers = [each.power_w for each in points if each.power_w is not None]
    energies = [each.energy_wh for each in points if each.energy_wh is not None]
    said = []
    if energies:
        said.append(f"{wording.energy(energies[-1])} in {_minutes(points[-1].at - points[0].at)}")
    if powers:
        said.append(f"{wording.power(max(powers))} at most")
    return f"{', '.join(said)}." if said else "Nothing was told."


def _minutes(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"


def _panel(
    title: str, top: int, points: Sequence[CurvePoint], of: Callable[[CurvePoint], float | None]
) -> Panel:  # fmt: skip
    known = [(each.at, value / 1000) for each in points if (value := of(each)) is not None]
    most = nice(max((value for _, value in known), default=0.0))
    begin, whole = points[0].at, (points[-1].at - points[0].at).total_seconds()
    placed = [((at - begin).total_seconds() / whole * 1000, 100 - max(0.0, value) / most * 100) for at, value in known]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    area = f"{placed[0][0]:.1f},100 {line} {placed[-1][0]:.1f},100" if len(placed) > 1 else ""
    return Panel(title, top, line if len(placed) > 1 else "", area, grid_of(0.0, most, top))


def _kilo(value: float | None, digits: int = 1) -> str:
    return "" if value is None else f"{value / 1000:.{digits}f}"
