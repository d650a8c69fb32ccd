"""What had to be put right, in words."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from sitelink.events import Correction, Traits
from sitelink.ids import StationKey
from sitelink.model import Station
from tests.doubles.sites import NOW
from tests.house.files import ROOT
from web_ui import render, wording
from web_ui.corrections import corrections_of, oddities_of

CP001 = StationKey("cp001")


def counted(count: int, ago_s: float = 60) -> Correction:
    return Correction(count, NOW - timedelta(days=1), NOW - timedelta(seconds=ago_s))


@pytest.mark.parametrize(
    ("kind", "count", "text"),
    [
        ("MeterValues unit:does_not_fit_Power.Active.Import", 214, "214 units corrected (MeterValues, unit)"),
        ("MeterValues unit:unknown", 1, "1 units corrected (MeterValues, unit)"),
        ("Authorize extra_property:connectorId", 3, "3 unknown fields passed over (Authorize, “connectorId”)"),
        ("frame binary", 1200, "1,200 binary frames read as text"),
        ("handshake connection_header", 2, "2 handshakes without “Connection: Upgrade” mended"),
        ("SetChargingProfile stackLevel:set_to_0", 1, "1 charging profiles adapted (SetChargingProfile, stackLevel)"),
        ("more", 9, "9 of other kinds"),
        ("Whatever no_such_code", 9, "9 values of a wrong shape (Whatever)"),
    ],
)
def test_a_correction_reads_as_a_number_and_what_it_counts(kind: str, count: int, text: str) -> None:
    assert wording.correction(kind, count) == text


def codes_in_the_source() -> set[str]:
    """Everything after `found.append(`, `flaws.append(` and `found += [` that is a code."""
    codes = set()
    for file in (ROOT / "edge_agent" / "charge_points").glob("*.py"):
        for line in file.read_text("utf-8").splitlines():
            if re.search(r"(found|flaws)(\.append\(| \+= )", line):
                codes |= set(re.findall(r'"([\w.{}]+:[\w.{}\[\]:]*|\w+_\w+)"', line))
    return {re.sub(r"\{[^}]*\}", "x", code) for code in codes}


def test_every_code_that_is_counted_has_words_of_its_own() -> None:
    codes = codes_in_the_source()
    assert {"x:no_zone", "byte_order_mark", "unit:unknown", "extra_property:x"} <= codes
    without = {
        code for code in codes if wording.correction_key(code) == "not_an_object" and "not_an_object" not in code
    }
    assert without == set()


def test_the_most_frequent_comes_first() -> None:
    views = corrections_of({"a x:no_zone": counted(1), "b x:no_zone": counted(5)})
    assert [view.kind for view in views] == ["b x:no_zone", "a x:no_zone"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5, None), (-80, None), (120, "Its clock is 2 min ahead."), (-7200, "Its clock is 2 h behind."),
        (28_860, "Its clock is 8 h 1 min ahead."),
    ],
)  # fmt: skip
def test_a_clock_that_is_off_is_told_in_hours_and_minutes(seconds: float, text: str | None) -> None:
    assert wording.clock_off(seconds) == text


def drawn(station: Station | None, kinds: dict[str, Correction], drift: float | None) -> str:
    return render.partial("corrections", oddities=oddities_of(station, kinds, drift), now=NOW)


def test_a_station_that_does_as_it_should_is_told_so() -> None:
    assert "Nothing had to be put right" in drawn(None, {}, None)


def test_everything_odd_about_a_station_is_shown_and_nothing_of_it_is_believed_to_be_html() -> None:
    station = Station(
        id=CP001, identity="CP001", reboot_needed=("<b>Key</b>",), traits=Traits(rules=("teison-slow-return",))
    )
    kinds = {"Authorize extra_property:<script>alert(1)</script>": counted(3), "MeterValues unit:unknown": counted(211)}
    html = drawn(station, kinds, 7200)
    assert "214 things put right" in html
    assert "211 units corrected" in html
    assert "Its clock is 2 h ahead." in html
    assert "teison-slow-return" in html
    assert "<script>" not in html
    assert "<b>Key" not in html


def test_the_partial_is_there_for_the_details_page() -> None:
    assert Path(ROOT / "web_ui" / "templates" / "partials" / "corrections.html").is_file()
