"""What charge points measure, in the words of meters."""

from sitelink.events import MeterSample
from sitelink.measurands import values_of


def sample(measurand: str, value: float | None, phase: str | None = None) -> MeterSample:
    return MeterSample(measurand=measurand, unit="", value=value, phase=phase)


def test_quantities_and_phases_have_one_name() -> None:
    assert values_of([
        sample("Power.Active.Import", 7200.0), sample("Current.Import", 10.5, "L1"), sample("Voltage", 231.0, "L2-N"),
        sample("Frequency", 50.0), sample("Energy.Active.Import.Register", 1234.0),
    ]) == {
        "power_w.total": 7200.0, "current_a.l1": 10.5, "voltage_v.l2": 231.0, "frequency_hz.total": 50.0,
        "energy_import_wh.total": 1234.0,
    }  # fmt: skip


def test_what_has_no_place_is_left_out() -> None:
    assert values_of([
        sample("Voltage", 400.0, "L1-L2"), sample("Current.Import", 0.1, "N"), sample("SoC", 50.0),
        sample("Voltage", None, "L1"),
    ]) == {}  # fmt: skip


def test_power_that_flows_out_is_below_zero() -> None:
    assert values_of([sample("Power.Active.Export", 3000.0), sample("Power.Active.Import", 0.0)]) == {
        "power_w.total": -3000.0
    }
    assert values_of([sample("Power.Active.Export", 0.0), sample("Power.Active.Import", 9.0)]) == {"power_w.total": 9.0}
