"""Times, numbers and values as stations write them (OCPP.md §4.3)."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.charge_points.readings import (
    SAMPLES_MAX,
    Found,
    _plain_2x,
    _plain_16,
    integer_of,
    is_true,
    kept,
    meter_groups,
    number_of,
    sample_2x,
    sample_16,
    text_of,
    time_of,
)


@pytest.mark.parametrize(
    ("text", "iso", "found"),
    [
        ("2026-11-23T12:00:00Z", "2026-11-23T12:00:00+00:00", []),
        ("2026-11-23T12:00:00.123Z", "2026-11-23T12:00:00.123000+00:00", []),
        ("2026-11-23T12:00:00.123456789Z", "2026-11-23T12:00:00.123456+00:00", []),
        ("2026-11-23T12:00:00+03:00", "2026-11-23T09:00:00+00:00", []),
        ("2026-11-23T12:00:00+03", "2026-11-23T09:00:00+00:00", ["timestamp:unusual_form"]),
        ("2026-11-23T12:00:00-0330", "2026-11-23T15:30:00+00:00", ["timestamp:unusual_form"]),
        ("2026-11-23T12:00:00", "2026-11-23T12:00:00+00:00", ["timestamp:no_zone"]),
        ("2026-11-23 12:00:00", "2026-11-23T12:00:00+00:00", ["timestamp:no_zone"]),
        ("2026-11-23T12:00Z", "2026-11-23T12:00:00+00:00", ["timestamp:unusual_form"]),
        ("2026-11-23T24:00:00Z", "2026-11-24T00:00:00+00:00", ["timestamp:unusual_form"]),
        ("2026-11-23T23:59:60Z", "2026-11-23T23:59:59+00:00", ["timestamp:unusual_form"]),
        ("2026-1-2T3:04:05Z", "2026-01-02T03:04:05+00:00", ["timestamp:unusual_form"]),
        ("2026-11-23T12:00:00,5Z", "2026-11-23T12:00:00.500000+00:00", ["timestamp:unusual_form"]),
        (1795435200, "2026-11-23T12:00:00+00:00", ["timestamp:epoch"]),
        ("1795435200000", "2026-11-23T12:00:00+00:00", ["timestamp:epoch"]),
        ("1970-01-01T00:00:12Z", None, ["timestamp:year_out_of_range"]),
        ("0001-01-01T00:00:00+23:59", None, ["timestamp:not_a_time"]),
        ("222222017-01-01T00:00:00Z", None, ["timestamp:not_a_time"]),
        ("2026-13-45T00:00:00Z", None, ["timestamp:not_a_time"]),
        ("9999-12-31T23:59:59-23:59", None, ["timestamp:not_a_time"]),
        ("yesterday", None, ["timestamp:not_a_time"]),
        ("", None, ["timestamp:not_a_time"]),
        ({"a": 1}, None, ["timestamp:not_a_time"]),
    ],
)
def test_times(text: Any, iso: str | None, found: Found) -> None:
    said: Found = []
    at, raw = time_of({"timestamp": text}, said)
    assert (at.isoformat() if at else None) == iso
    assert said == found
    assert raw == (str(text) if text and not isinstance(text, dict) else None)


@given(st.text() | st.datetimes().map(lambda at: at.isoformat()))
def test_any_text_gives_an_aware_time_in_range_or_none(text: str) -> None:
    at, _ = time_of({"timestamp": text}, [])
    assert at is None or (at.tzinfo is UTC and 2000 <= at.year < 2100)


@given(
    st.integers(946_900_000, 4_102_300_000),
    st.integers(0, 999_999),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_a_right_time_is_read_exactly(seconds: int, microseconds: int, zone: timezone) -> None:
    said: Found = []
    at = datetime.fromtimestamp(seconds, zone).replace(microsecond=microseconds)
    assert time_of({"timestamp": at.isoformat()}, said)[0] == at
    assert said == []


@pytest.mark.parametrize(
    ("value", "number", "whole"),
    [
        (5, 5, 5), (5.0, 5.0, 5), (5.5, 5.5, None), ("5", 5.0, 5), (" 5.0 ", 5.0, 5), ("5,5", 5.5, None),
        ("-1", -1, -1), ("", None, None), ("x", None, None), ("nan", None, None), ("inf", None, None),
        ("1e400", None, None), (True, None, None), (None, None, None), ([], None, None), ({}, None, None),
        ("1_000", None, None), ("٣", None, None), (10**18, 1e18, None), ("1,000,000", None, None),
    ],
)  # fmt: skip
def test_numbers(value: Any, number: float | None, whole: int | None) -> None:
    assert number_of({"x": value}, "x", []) == number
    assert integer_of({"x": value}, "x", []) == whole


@pytest.mark.parametrize(
    ("value", "yes", "found"),
    [
        (True, True, []), (False, False, []), (None, False, []), ("true", True, ["x:text_for_switch"]),
        ("False", False, ["x:text_for_switch"]), (" 1 ", True, ["x:text_for_switch"]),
        (1, True, ["x:number_for_switch"]), (0, False, ["x:number_for_switch"]), (2, False, ["x:not_a_switch"]),
        ("perhaps", False, ["x:not_a_switch"]), ([], False, ["x:not_a_switch"]), ({}, False, ["x:not_a_switch"]),
    ],
)  # fmt: skip
def test_switches(value: Any, yes: bool, found: Found) -> None:
    said: Found = []
    assert is_true({"x": value}, "x", said) is yes
    assert said == found


@pytest.mark.parametrize(
    ("value", "text", "found"),
    [
        ("abc", "abc", []),
        ("  abc ", "abc", []),
        ("abc\x00\x00", "abc", ["x:control_characters"]),
        ("a\u202eb", "ab", ["x:control_characters"]),
        (5, "5", ["x:number_for_text"]),
        ("", None, []),
        ("\x00", None, ["x:control_characters"]),
        (True, None, ["x:not_a_text"]),
        ([], None, ["x:not_a_text"]),
        ("x" * 600, "x" * 500, ["x:too_long"]),
        ("Müller 充电", "Müller 充电", []),
    ],
)
def test_texts(value: Any, text: str | None, found: Found) -> None:
    said: Found = []
    assert text_of({"x": value}, "x", said) == text
    assert said == found


@pytest.mark.parametrize(
    ("sample", "unit", "value"),
    [
        ({"value": "1.5", "unit": "kWh"}, "Wh", 1500.0),
        ({"value": "1.5", "unit": "KWH"}, "Wh", 1500.0),
        ({"value": "1.5", "unit": "kW"}, "Wh", 1500.0),
        ({"value": "1.5", "unit": "bananas"}, "Wh", 1.5),
        ({"value": "2", "unit": "kVA", "measurand": "Power.Active.Import"}, "VA", 2000.0),
        ({"value": "2", "unit": "kvarh", "measurand": "Energy.Reactive.Import.Register"}, "varh", 2000.0),
        ({"value": "300", "unit": "K", "measurand": "Temperature"}, "°C", 26.85),
        ({"value": "212", "unit": "Fahrenheit", "measurand": "Temperature"}, "°C", 100.0),
        ({"value": "80", "unit": "Percent", "measurand": "SoC"}, "%", 80.0),
        ({"value": "0.99", "measurand": "Power.Factor"}, "", 0.99),
        ({"value": "16000", "unit": "mA", "measurand": "Current.Import"}, "A", 16.0),
        ({"value": "5", "unit": "furlongs", "measurand": "Made.Up"}, "furlongs", 5.0),
        ({"value": 230.1, "measurand": "Voltage"}, "V", 230.1),
        ({"value": "1e3"}, "Wh", 1000.0),
    ],
)
def test_units(sample: dict[str, Any], unit: str, value: float) -> None:
    (group,) = meter_groups([{"timestamp": "2026-11-23T12:00:00Z", "sampledValue": [sample]}], [])
    assert (group.samples[0].unit, group.samples[0].value) == (unit, value)


def test_what_is_clean_is_not_kept_twice_and_what_was_corrected_is_kept_as_it_came() -> None:
    clean = {"timestamp": "2026-11-23T12:00:00Z", "sampledValue": [{"value": "1"}]}
    odd = {"timestamp": "2026-11-23T12:00:00", "sampledValue": [{"value": "1"}]}
    first, second = meter_groups([clean, odd], [])
    assert first.payload is None
    assert second.payload == odd


def test_samples_are_limited() -> None:
    found: Found = []
    groups = meter_groups([{"sampledValue": [{"value": "1"}] * (SAMPLES_MAX // 2)}] * 3, found)
    assert sum(len(group.samples) for group in groups) == SAMPLES_MAX
    assert "meterValue:too_many_samples" in found


def test_what_is_kept_has_a_bounded_size() -> None:
    assert kept({"a": "x" * 600})["a"] == "x" * 500 + "…"
    assert set(kept({str(n): "x" * 400 for n in range(100)})) == {"cut"}
    assert kept({"a": [1, 2]}) == {"a": [1, 2]}


WORDS = st.sampled_from(["Wh", "kWh", "W", "A", "Celcius", "", " V ", "L1", "Outlet", "nonsense", "Raw"]) | st.text(
    max_size=5
)
NUMBERS = st.sampled_from(["1", " 2.5 ", "1,5", "1_0", "nan", "inf", "-1e3", "", "١", "1e999", "0x1"])
SAMPLES = st.fixed_dictionaries(
    {"value": NUMBERS | st.floats().map(str) | st.integers() | st.none()},
    optional={
        "measurand": st.sampled_from(["Power.Active.Import", "SoC", "Temperature"]) | WORDS, "unit": WORDS,
        "phase": WORDS, "location": WORDS, "context": WORDS | st.none(),
        "format": st.sampled_from(["Raw", "SignedData"]) | WORDS,
    },
)  # fmt: skip


@given(st.lists(SAMPLES, max_size=4))
def test_the_quick_way_through_a_group_reads_what_the_careful_way_reads(samples: list[dict[str, Any]]) -> None:
    quick = _plain_16(samples)
    found: Found = []
    careful = [sample for sample in (sample_16(each, found) for each in samples) if sample is not None]
    if quick is not None:
        assert quick == careful
        assert found == []


UNITS = st.none() | st.fixed_dictionaries({}, optional={"unit": WORDS | st.none(), "multiplier": st.integers(-3, 3)})
SAMPLES_2X = st.fixed_dictionaries(
    {"value": st.floats() | st.integers() | NUMBERS | st.booleans() | st.none()},
    optional={
        "measurand": st.sampled_from(["Power.Active.Import", "SoC", "Temperature"]) | WORDS,
        "unitOfMeasure": UNITS | WORDS, "unit": WORDS, "phase": WORDS, "location": WORDS, "context": WORDS | st.none(),
        "signedMeterValue": st.just({"signedMeterData": "x"}),
    },
)  # fmt: skip


@given(st.lists(SAMPLES_2X, max_size=4))
def test_and_so_it_is_in_2_x(samples: list[dict[str, Any]]) -> None:
    quick = _plain_2x(samples)
    found: Found = []
    careful = [sample for sample in (sample_2x(each, found) for each in samples) if sample is not None]
    if quick is not None:
        assert quick == careful
        assert found == []
