"""What values mean on a site: sign, ratio, and flags; nothing is invented."""

import math

from edge_agent.meters.readings import Installed, reading_of

GOOD = {"voltage_v.l1": 231.0, "current_a.l1": 10.0, "power_w.l1": 2300.0, "power_w.total": 2300.0,
        "frequency_hz.total": 50.0, "energy_import_wh.total": 5000.0, "energy_export_wh.total": 10.0}  # fmt: skip


def test_a_plain_installation_changes_nothing() -> None:
    reading = reading_of(GOOD, Installed(), GOOD)
    assert (reading.values, reading.flags) == (GOOD, {})


def test_a_meter_the_other_way_round_swaps_what_flows() -> None:
    values = reading_of(GOOD, Installed(reversed=True)).values
    assert values["power_w.total"] == -2300
    assert (values["energy_import_wh.total"], values["energy_export_wh.total"]) == (10, 5000)
    assert (values["voltage_v.l1"], values["current_a.l1"]) == (231, 10)


def test_a_ratio_counts_for_what_runs_through_the_transformers() -> None:
    values = reading_of(GOOD, Installed(ratio=40)).values
    assert (values["current_a.l1"], values["power_w.l1"], values["energy_import_wh.total"]) == (400, 92_000, 200_000)
    assert (values["voltage_v.l1"], values["frequency_hz.total"]) == (231, 50)


def test_what_cannot_be_right_is_flagged_and_shown() -> None:
    for key, value, flag in (
        ("voltage_v.l1", 2310.0, "implausible"), ("frequency_hz.total", 500.0, "implausible"),
        ("current_a.l1", 20_000.0, "implausible"), ("energy_import_wh.total", -1.0, "implausible"),
        ("energy_import_wh.total", 4000.0, "went_back"), ("power_w.l1", 9000.0, "more_than_volts_times_amps"),
    ):  # fmt: skip
        reading = reading_of({**GOOD, key: value}, Installed(), GOOD)
        assert reading.values[key] == value
        assert reading.flags == {key: flag}, key


def test_a_phase_without_voltage_is_not_odd() -> None:
    assert reading_of({"voltage_v.l2": 0.0, "current_a.l2": 0.0, "power_w.l2": 0.0}, Installed()).flags == {}


def test_what_is_no_number_is_no_value() -> None:
    assert reading_of({"power_w.l1": math.nan, "power_w.l2": math.inf}, Installed()).values == {}
