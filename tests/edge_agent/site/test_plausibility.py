"""Whether what a meter says can be."""

from datetime import datetime, timedelta

import pytest

from edge_agent.site.plausibility import REGISTER, flags_of, flags_of_stop
from sitelink.events import MeterSample
from sitelink.ids import StationKey, TransactionId
from sitelink.model import Readings, Transaction
from tests.doubles.clock import FakeClock

NOON = FakeClock().now()
STATION = StationKey("cp001")


def register(wh: float, **more: str) -> MeterSample:
    return MeterSample(measurand=REGISTER, unit="Wh", value=wh, **more)


def before(wh: float, at: datetime = NOON) -> Readings:
    return Readings(station=STATION, connector=1, at=at, samples={REGISTER: register(wh)})


@pytest.mark.parametrize(
    ("wh", "flags"),
    [
        (1000, ()), (1000.5, ()), (999.5, ()), (900, ("energy_went_back",)), (-1, ("energy_negative",)),
        (1500, ()), (900_000, ("energy_jumped",)),
    ],
)  # fmt: skip
def test_a_register_only_grows_and_not_faster_than_power_allows(wh: float, flags: tuple[str, ...]) -> None:
    assert flags_of([register(wh)], NOON + timedelta(minutes=1), before(1000), None) == flags


def test_without_a_reading_before_or_later_nothing_is_compared() -> None:
    assert flags_of([register(5)], NOON, None, None) == ()
    assert flags_of([register(5)], NOON - timedelta(hours=1), before(1000), None) == ()


def test_another_measurand_or_one_phase_is_not_the_register() -> None:
    samples = [register(1, phase="L1"), register(2, location="Inlet"), MeterSample("Voltage", "V", -3)]
    assert flags_of(samples, NOON + timedelta(minutes=1), before(1000), None) == ()


def test_session_energy_may_begin_anew_with_a_charge_and_not_within_one() -> None:
    later = NOON + timedelta(minutes=10)
    fresh = Transaction(id=TransactionId(1), station=STATION, connector=1, started_at=NOON + timedelta(minutes=9))
    old = Transaction(id=TransactionId(1), station=STATION, connector=1, started_at=NOON - timedelta(minutes=9))
    assert flags_of([register(5)], later, before(1000), fresh, session_energy=True) == ()
    assert flags_of([register(5)], later, before(1000), old, session_energy=True) == ("energy_went_back",)
    assert flags_of([register(5)], later, before(1000), fresh) == ("energy_went_back",)


@pytest.mark.parametrize(
    ("stop_wh", "flags"),
    [(None, ()), (1000, ()), (2000, ()), (500, ("energy_went_back",)), (-4, ("energy_negative",))],
)
def test_a_charge_ends_above_its_beginning(stop_wh: float | None, flags: tuple[str, ...]) -> None:
    begun = Transaction(id=TransactionId(1), station=STATION, connector=1, started_at=NOON, meter_start_wh=1000)
    assert flags_of_stop(begun, stop_wh) == flags
    assert flags_of_stop(None, 5) == ()
