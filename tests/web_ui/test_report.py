import csv
import io
import re
from typing import Any

import pytest

from web_ui.report import csv_of, file_name, html_of, table_csv


def record(**row: Any) -> dict[str, Any]:
    given = {"name": "Bay 1", "identity": "CP001", "connector": 1, "status": "connected", "active": True, **row}
    return {
        "number": "1042", "status": "open", "site": {"name": "Harbour Garage", "address": None},
        "completion": None, "charge_points": [given],
    }  # fmt: skip


def cells(record_: dict[str, Any]) -> dict[str, str]:
    head, line = csv.reader(io.StringIO(csv_of(record_)))
    return dict(zip(head, line, strict=True))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", '=HYPERLINK("http://evil.example")'])
def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(text: str) -> None:
    assert cells(record(identity=text))["Charge Point Identity"] == f"'{text}"
    assert cells(record(vendor=text))["Vendor"] == f"'{text}"


def test_numbers_stay_numbers_and_every_value_is_quoted() -> None:
    found = record(test={"started_at": None, "stopped_at": None, "meter_start_wh": -5, "meter_stop_wh": 20.5})
    assert cells(found)["Test meter start (Wh)"] == "-5"
    assert csv_of(found).splitlines()[1].startswith('"1042","Harbour Garage"')


def test_what_is_not_known_says_so() -> None:
    row = cells(record())
    assert (row["Serial"], row["Test started"], row["Completed at"]) == ("not recorded",) * 3
    assert row["Active"] == "yes"


def test_quotes_and_line_breaks_stay_in_their_cell() -> None:
    notes = [{"side": "installer", "text": 'said "no",\nthen yes', "at": "2026-11-23T12:00:00Z"}]
    assert cells(record(notes=notes))["Notes"] == '2026-11-23T12:00:00Z installer: said "no",\nthen yes'


def test_foreign_text_is_escaped_on_the_page() -> None:
    page = html_of(record(vendor="<script>alert(1)</script>", model="a\nb"))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "a<br>b" in page


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("1042", "job-1042"),
        ("a/../b", "job-a-b"),
        ('x"\r\n', "job-x"),
        ("…", "job-record"),
        ("9" * 99, "job-" + "9" * 40),
    ],
)
def test_the_name_of_the_download_is_plain(number: str, name: str) -> None:
    assert file_name({"number": number}) == name


def test_a_long_word_can_be_broken_anywhere_and_loses_nothing() -> None:
    page = html_of(record(vendor="x" * 100, model="<b>" * 30, serial="short one"))
    cells = re.findall(r"<td>(.*?)</td>", page)
    vendor = next(cell for cell in cells if cell.startswith("xxx"))
    assert vendor.replace("<wbr>", "") == "x" * 100
    assert max(map(len, vendor.split("<wbr>"))) <= 16
    assert "<b>" not in page
    assert "short one" in cells


def test_a_table_is_written_without_formulas() -> None:
    lines = table_csv(["A", "B"], [["=1", 2], ['say "x"', None]])
    assert lines == '"A","B"\r\n"\'=1","2"\r\n"say ""x""","not recorded"\r\n'
