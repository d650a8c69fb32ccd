"""The commissioning record as a table and as a page to print. Pure: from plain data to text.

Empty values read "not recorded". Texts come from devices and people: escaped in HTML, and in CSV guarded against being
taken for formulas (OWASP ASVS 1.2.10, CWE-1236). Start at `csv_of` and `html_of`.
"""

import csv
import html
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from web_ui import wording

NOT_RECORDED = "not recorded"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_COLUMNS: tuple[tuple[str, str], ...] = (
    ("name", "Charge point"),
    ("identity", "Charge Point Identity"),
    ("connector", "Connector"),
    ("status", "Status"),
    ("active", "Active"),
    ("vendor", "Vendor"),
    ("model", "Model"),
    ("serial", "Serial"),
    ("firmware", "Firmware"),
    ("version", "OCPP version"),
    ("security_profile", "Security profile"),
    ("last_boot_at", "Last boot"),
    ("test.started_at", "Test started"),
    ("test.stopped_at", "Test stopped"),
    ("test.meter_start_wh", "Test meter start (Wh)"),
    ("test.meter_stop_wh", "Test meter stop (Wh)"),
    ("notes", "Notes"),
)
_METER_COLUMNS = ("Meter", "Profile", "Transport", "Address", "Ratio", "Reversed", "Wiring checked at", "Wiring",
                  "Rise during a test charge", "Compared with the charge point")  # fmt: skip


def csv_of(record: Mapping[str, Any]) -> str:
    """One line a charge point, the job's own facts repeated in front; every value quoted, lines end in CRLF."""
    completion = record.get("completion") or {}
    job = [record.get("number"), record["site"].get("name"), record.get("status"), completion.get("at")]
    return table_csv(
        ["Job", "Site", "Job status", "Completed at", *(title for _, title in _COLUMNS)],
        ([*job, *(_value(row, key) for key, _ in _COLUMNS)] for row in record["charge_points"]),
    )


def table_csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Every value quoted, none taken for a formula, lines end in CRLF (RFC 4180)."""
    return lines_csv([head]) + lines_csv(rows)


def lines_csv(rows: Iterable[Sequence[Any]]) -> str:
    """The lines of a `table_csv`, without its head."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def html_of(record: Mapping[str, Any]) -> str:
    """A page without script or style, so that it prints the same everywhere."""
    completion = record.get("completion") or {}
    facts = (
        ("Site", record["site"].get("name")), ("Address", record["site"].get("address")),
        ("Status", record.get("status")), ("Description", record.get("description")),
        ("Record made at", record.get("made_at")), ("Completed at", completion.get("at")),
        ("Completed by", completion.get("name")), ("Reason given", completion.get("reason")),
    )  # fmt: skip
    lines = "".join(f"<dt>{html.escape(name)}</dt><dd>{_shown(value)}</dd>" for name, value in facts)
    heads = "".join(f'<th scope="col">{html.escape(title)}</th>' for _, title in _COLUMNS)
    rows = "".join(
        "<tr>" + "".join(f"<td>{_shown(_value(row, key))}</td>" for key, _ in _COLUMNS) + "</tr>"
        for row in record["charge_points"]
    )
    meters = "".join(
        "<tr>" + "".join(f"<td>{_shown(value)}</td>" for value in _meter_cells(meter)) + "</tr>"
        for meter in record.get("meters") or ()
    )
    meter_heads = "".join(f'<th scope="col">{html.escape(title)}</th>' for title in _METER_COLUMNS)
    title = html.escape(f"Commissioning record of job {record.get('number')}")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title></head><body><h1>{title}</h1><dl>{lines}</dl>"
        f'<table border="1"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        + (
            f'<h2>Meters</h2><table border="1"><thead><tr>{meter_heads}</tr></thead><tbody>{meters}</tbody></table>'
            if meters
            else ""
        )
        + "</body></html>"
    )


def _meter_cells(meter: Mapping[str, Any]) -> Iterable[Any]:
    wiring = meter.get("wiring") or {}
    charge = wiring.get("charge") or {}
    yield from (meter["name"], meter["profile"], meter["transport"], meter["unit_id"], meter["ratio"])
    yield meter["reversed"]
    yield wiring.get("at")
    yield " ".join(_finding(each) for each in wiring.get("findings", ())) or ("nothing odd" if wiring else None)
    rises = (f"{key.partition('.')[2].upper()} {value:,.0f} W" for key, value in charge.get("rise", {}).items()
             if key.startswith("power_w."))  # fmt: skip
    yield f"{charge['charge_point']}: {', '.join(rises)}" if charge else None
    yield " ".join(_finding(each) for each in charge.get("findings", ())) or None


def _finding(finding: Mapping[str, Any]) -> str:
    fields = {"phase": finding["phase"].upper(), "other": finding["other"].upper(), "factor": f"{finding['factor']:g}"}
    return wording.sentence(f"wiring_{finding['code']}", fields)


def file_name(record: Mapping[str, Any]) -> str:
    """A name for the download, from a short list of ASCII characters."""
    return "job-" + (re.sub(r"[^A-Za-z0-9_-]+", "-", str(record.get("number", "")))[:40].strip("-") or "record")


def _value(row: Mapping[str, Any], key: str) -> Any:
    outer, _, inner = key.partition(".")
    value = row.get(outer)
    if inner:
        return (value or {}).get(inner)
    if outer == "security_profile" and value == 0:
        return "0: WITHOUT A PASSWORD" + (" (encrypted)" if row.get("encrypted") else "")
    if outer == "notes":
        return " | ".join(f"{note['at']} {note['side']}: {note['text']}" for note in value or []) or None
    return value


def _text(value: Any) -> str:
    if value is None or value == "":
        return NOT_RECORDED
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _cell(value: Any) -> str:
    """Numbers of ours stay numbers."""
    text = _text(value)
    return formula_safe(text) if isinstance(value, str) else text


def formula_safe(text: str) -> str:
    """A text that a spreadsheet would run gets an apostrophe in front."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _shown(value: Any) -> str:
    """Escaped, and with places to break: one long word must not make the table wider than paper."""
    parts = (html.escape(part) for part in _LONG_RUN.split(_text(value)))
    return "<wbr>".join(part for part in parts if part).replace("\n", "<br>")


_LONG_RUN = re.compile(r"(\S{16})(?=\S)")
