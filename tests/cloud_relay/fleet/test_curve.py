"""Power and energy over a charge, however its station tells them."""

from datetime import timedelta
from typing import Any

import pytest

from cloud_relay.fleet.curve import ENERGY, POINTS_MAX, POWER, CurvePoint, curve_of, thinned
from sitelink.events import MeterSample, MeterValuesReported
from sitelink.ids import StationKey, TransactionId
from sitelink.model import Transaction
from tests.cloud_relay.made import NOW


def charge(**more: Any) -> Transaction:
    values: dict[str, Any] = {"started_at": NOW, "meter_start_wh": 1000.0, **more}
    return Transaction(id=TransactionId(1), station=StationKey("cp"), connector=1, **values)


def told(minute: float, *samples: MeterSample, transaction: int | None = 1, connector: int = 1) -> MeterValuesReported:
    at = NOW + timedelta(minutes=minute)
    of = TransactionId(transaction) if transaction is not None else None
    return MeterValuesReported(connector=connector, at=at, samples=samples, content="", transaction=of)


def energy(value: float | None) -> MeterSample:
    return MeterSample(ENERGY, "Wh", value)


def test_it_begins_at_nothing_and_ends_with_what_the_stop_says() -> None:
    ended = charge(stopped_at=NOW + timedelta(minutes=30), meter_stop_wh=3000.0)
    curve = curve_of(ended, [told(20, energy(2000), MeterSample(POWER, "W", 4000)), told(10, energy(1500))])
    assert [(each.at, each.energy_wh) for each in curve.points] == [
        (NOW + timedelta(minutes=minute), value) for minute, value in ((0, 0), (10, 500), (20, 1000), (30, 2000))
    ]
    assert [each.power_w for each in curve.points] == [None, None, 4000, None]
    assert not curve.derived


def test_power_by_phases_is_their_sum_unless_the_whole_is_told() -> None:
    phases = [MeterSample(POWER, "W", 1000, phase=phase) for phase in ("L1", "L2", "L3", "N")]
    assert curve_of(charge(), [told(1, *phases)]).points[-1].power_w == 3000
    assert curve_of(charge(), [told(1, *phases, MeterSample(POWER, "W", 2900))]).points[-1].power_w == 2900


def test_power_that_is_not_told_comes_from_the_energy() -> None:
    curve = curve_of(charge(), [told(6, energy(2000)), told(12, energy(2500))])
    assert curve.derived
    assert [each.power_w for each in curve.points] == [None, pytest.approx(10_000), pytest.approx(5_000)]


def test_values_of_other_charges_and_times_are_left_out() -> None:
    ended = charge(stopped_at=NOW + timedelta(minutes=30))
    values = [
        told(1, energy(1100)), told(2, energy(1), transaction=2), told(3, energy(1300), transaction=None),
        told(4, energy(1400), transaction=None, connector=2), told(40, energy(1500), transaction=None),
        told(5, energy(None)),
    ]  # fmt: skip
    assert [each.energy_wh for each in curve_of(ended, values).points] == [0, 100, 300]


def test_nothing_told_is_a_straight_line_or_nothing() -> None:
    assert curve_of(charge(), []).points == ()
    ended = charge(stopped_at=NOW + timedelta(hours=1), meter_stop_wh=3000.0)
    curve = curve_of(ended, [])
    assert ([each.energy_wh for each in curve.points], curve.derived) == ([0, 2000], True)
    assert curve_of(charge(meter_start_wh=None), [told(1, energy(5))]).points == ()


def test_many_values_are_thinned_and_both_ends_stay() -> None:
    points = [CurvePoint(NOW + timedelta(seconds=number), 1.0, None) for number in range(5000)]
    found = thinned(points, POINTS_MAX)
    assert (len(found), found[0], found[-1]) == (POINTS_MAX, points[0], points[-1])
    assert thinned(points[:3], POINTS_MAX) == points[:3]
