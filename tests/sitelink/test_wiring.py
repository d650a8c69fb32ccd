"""What values and a test charge say of a meter's wires."""

import math

import pytest

from sitelink.wiring import Finding, findings_of, seen_of


def live(*phases: tuple[float, float, float]) -> dict[str, float]:
    """Volts, amps, watts of each phase."""
    values = {}
    for number, (volts, amps, watts) in enumerate(phases, 1):
        values |= {f"voltage_v.l{number}": volts, f"current_a.l{number}": amps, f"power_w.l{number}": watts}
    return values


GOOD = (230.0, 10.0, 2280.0)


@pytest.mark.parametrize(
    ("phases", "found"),
    [
        ((GOOD, GOOD, GOOD), []),
        ((GOOD, (230.0, 10.0, -2280.0), GOOD), [("backwards", "l2")]),
        (((230.0, 10.0, -2280.0),) * 3, [("all_backwards", "")]),
        ((GOOD, (2.0, 0.0, 0.0), GOOD), [("no_voltage", "l2")]),
        ((GOOD, (230.0, 0.1, -10.0), GOOD), []),
        (((0.0, 0.0, 0.0),) * 3, []),
        ((GOOD,), []),
        (((230.0, 10.0, -2280.0),), [("all_backwards", "")]),
    ],
)
def test_live_values(phases: tuple[tuple[float, float, float], ...], found: list[tuple[str, str]]) -> None:
    assert [(each.code, each.phase) for each in findings_of(live(*phases))] == found


def test_clamps_of_two_phases_swapped_show_by_the_angle() -> None:
    """Each then measures a current that is 120 degrees off its voltage."""
    off = 230 * 10 * math.cos(math.radians(120 - 8))
    turned = 230 * 10 * math.cos(math.radians(120 + 8))
    found = findings_of(live((230.0, 10.0, off), (230.0, 10.0, turned), GOOD))
    assert [(each.code, each.phase) for each in found] == [("shifted", "l1"), ("shifted", "l2")]


BEFORE = {"power_w.l1": 400.0, "power_w.l2": 100.0, "power_w.l3": -900.0, "power_w.total": -400.0}


def charged(l1: float = 0.0, l2: float = 0.0, l3: float = 0.0) -> dict[str, float]:
    rises = {"l1": l1, "l2": l2, "l3": l3}
    now = {f"power_w.{phase}": BEFORE[f"power_w.{phase}"] + rise for phase, rise in rises.items()}
    return {**now, "power_w.total": BEFORE["power_w.total"] + l1 + l2 + l3}


def station(**watts: float) -> dict[str, float]:
    return {"power_w.total": sum(watts.values()), **{f"power_w.{phase}": watt for phase, watt in watts.items()}}


@pytest.mark.parametrize(
    ("said", "now", "found"),
    [
        (station(l1=3600.0), charged(l1=3580.0), [Finding("fits")]),
        (station(l1=3600.0), charged(l2=3580.0), [Finding("other_phase", "l1", "l2")]),
        (station(l1=3600.0), charged(l1=-3580.0), [Finding("charge_backwards", "l1")]),
        (station(l1=3600.0), charged(), [Finding("not_seen")]),
        (station(l1=3600.0), charged(l1=720.0), [Finding("wrong_ratio", factor=5.0)]),
        (station(l1=3600.0, l2=3600.0, l3=3600.0), charged(3600.0, 3590.0, 3610.0), [Finding("order_unknown")]),
        (
            station(l1=7000.0, l2=3600.0), charged(l2=7000.0, l3=3600.0),
            [Finding("other_phase", "l1", "l2"), Finding("other_phase", "l2", "l3")],
        ),
        ({"power_w.total": 11_000.0}, charged(3660.0, 3660.0, 3660.0), [Finding("order_unknown")]),
        ({"current_a.l1": 16.0, "voltage_v.l1": 230.0}, charged(l1=3680.0), [Finding("fits")]),
        ({"power_w.total": 3600.0}, charged(l3=3600.0), []),
        (station(l1=3600.0), charged(1500.0, -750.0, -750.0), [Finding("not_seen")]),
    ],
)  # fmt: skip
def test_a_test_charge(said: dict[str, float], now: dict[str, float], found: list[Finding]) -> None:
    seen = seen_of("Bay 1", said, BEFORE, now)
    assert seen is not None
    assert list(seen.findings) == found


def test_a_charge_that_takes_little_says_nothing() -> None:
    assert seen_of("Bay 1", station(l1=300.0), BEFORE, charged(l1=300.0)) is None
    assert seen_of("Bay 1", {}, BEFORE, charged(l1=3000.0)) is None


def test_a_meter_without_phases_is_compared_as_a_whole() -> None:
    seen = seen_of("Bay 1", station(l1=3600.0), {"power_w.total": 100.0}, {"power_w.total": 3700.0})
    assert seen is not None
    assert [each.code for each in seen.findings] == ["order_unknown"]
    seen = seen_of("Bay 1", station(l1=3600.0), {"power_w.total": 100.0}, {"power_w.total": -3500.0})
    assert seen is not None
    assert [each.code for each in seen.findings] == ["charge_backwards"]


def test_order_is_never_a_problem_and_the_rest_is() -> None:
    assert not Finding("other_phase", "l1", "l2").is_problem
    assert Finding("backwards", "l1").is_problem
