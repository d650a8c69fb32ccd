"""A curve as a drawing."""

from datetime import timedelta

from cloud_relay.console.curve_views import drawing_of
from cloud_relay.fleet.curve import Curve, CurvePoint
from tests.cloud_relay.made import NOW


def curve(*values: tuple[float, float | None, float | None]) -> Curve:
    return Curve(tuple(CurvePoint(NOW + timedelta(minutes=at), power, energy) for at, power, energy in values))


def test_points_lie_where_their_values_are() -> None:
    drawing = drawing_of(curve((0, 0, 0), (30, 10_000, 2500), (60, 5_000, 8000)))
    assert drawing is not None
    assert drawing.power.line == "0.0,100.0 500.0,0.0 1000.0,50.0"
    assert drawing.power.area == "0.0,100 0.0,100.0 500.0,0.0 1000.0,50.0 1000.0,100"
    assert [line.label for line in drawing.energy.grid] == ["0", "4", "8"]
    assert drawing.summary == "8.00 kWh in 1 h 00 min, 10.0 kW at most."
    assert [(row.power, row.energy) for row in drawing.rows][1] == ("10.0", "2.50")
    assert all(0 < float(tick.x.rstrip("%")) < 100 for tick in drawing.ticks)
    assert 3 <= len(drawing.ticks) <= 7


def test_what_was_not_told_is_not_drawn() -> None:
    drawing = drawing_of(curve((0, None, 0), (60, None, 8000)))
    assert drawing is not None
    assert (drawing.power.line, drawing.energy.line != "") == ("", True)
    assert drawing.rows[0].power == ""


def test_one_moment_is_no_curve() -> None:
    assert drawing_of(curve((0, 1.0, 1.0))) is None
    assert drawing_of(curve((0, 1.0, 1.0), (0, 2.0, 2.0))) is None
    assert drawing_of(Curve(())) is None


def test_a_long_charge_has_days_below_it() -> None:
    drawing = drawing_of(curve((0, 1.0, 0), (60 * 24 * 5, 1.0, 9.0)))
    assert drawing is not None
    assert len(drawing.ticks) >= 4
    assert ":" not in drawing.ticks[0].label
