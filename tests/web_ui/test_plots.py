"""Lines over time, placed."""

from datetime import UTC, datetime, timedelta

import pytest

from sitelink.meter_values import Moment
from web_ui.plots import axis, grid_of, nice, power_plot

BEGIN = datetime(2026, 6, 1, 12, tzinfo=UTC)


def moments(*powers: float | None, every_s: int = 60) -> list[Moment]:
    begin_s = int(BEGIN.timestamp())
    return [
        Moment(begin_s + n * every_s, {"power_w.total": power, "power_w.l2": power / 2})
        for n, power in enumerate(powers)
        if power is not None
    ]


@pytest.mark.parametrize(
    ("value", "end"), [(0, 1), (11, 12), (12, 12), (15.8, 16), (0.003, 0.003), (99, 100), (41, 50), (7.4, 8)]
)
def test_an_axis_ends_a_little_above(value: float, end: float) -> None:
    assert nice(value) == pytest.approx(end)


def test_an_axis_has_zero_on_it() -> None:
    assert axis(2.0, 7.4) == (0.0, 8.0)
    assert axis(-3.4, 7.4) == (-4.0, 8.0)
    assert axis(-3.4, -1.0) == (-4.0, 0.0)
    assert axis(0.0, 0.0) == (0.0, 1.0)
    assert [line.label for line in grid_of(-4.0, 8.0, 0)] == ["−4", "0", "8"]
    assert [line.label for line in grid_of(-0.1, 8.0, 0)] == ["0", "8"]
    assert [line.label for line in grid_of(0.0, 8.0, 0)] == ["0", "4", "8"]


def test_values_lie_where_they_are_and_phases_beside_the_total() -> None:
    plot = power_plot(moments(0, 8000, -4000), BEGIN, BEGIN + timedelta(minutes=2), "Two minutes")
    assert plot is not None
    assert [trace.name for trace in plot.traces] == ["Total", "L2"]
    assert plot.traces[0].stretches == ("0.0,66.7 500.0,0.0 1000.0,100.0",)
    assert plot.summary == "1.3 kW on average, between −4.0 kW and 8.0 kW."
    assert [row.values for row in plot.rows] == [("0.00", "0.00"), ("8.00", "4.00"), ("−4.00", "−2.00")]


def test_nothing_is_drawn_of_what_nobody_told() -> None:
    told = moments(1000, 1100, *[None] * 20, 1200, 1300)
    plot = power_plot(told, BEGIN, BEGIN + timedelta(hours=1), "An hour")
    assert plot is not None
    assert [len(stretch.split()) for stretch in plot.traces[0].stretches] == [2, 2]
    assert power_plot(moments(1000), BEGIN, BEGIN + timedelta(hours=1), "An hour") is None
    assert power_plot([], BEGIN, BEGIN + timedelta(hours=1), "An hour") is None


def test_many_moments_are_few_points() -> None:
    plot = power_plot(moments(*range(3600), every_s=1), BEGIN, BEGIN + timedelta(hours=1), "An hour")
    assert plot is not None
    assert len(plot.traces[0].stretches[0].split()) <= 400
    assert len(plot.rows) == 24
