"""The site's id tokens as a table in CSV: read whole or not at all, written so that no spreadsheet runs a cell. Pure.

Start at `entries_of` and `table_of`; what the second writes the first reads back. A cell that a spreadsheet would take
for a formula gets an apostrophe in front, which reading takes away again (OWASP ASVS 1.2.10, CWE-1236).
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sitelink.errors import IdTokenInvalid, IdTokenListInvalid
from sitelink.events import IdTokenListed
from sitelink.id_token_rules import TokenEntry, checked
from sitelink.ids import IdTokenKey
from sitelink.model import IdToken
from sitelink.states import IdTokenSource

COLUMNS = ("token", "status", "type", "expires", "parent", "charge_points", "note")
LINES_NAMED = 20
"""So many wrong lines are told; how many there are is told too."""
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")
_GUARDED = (*_RUNS, "'")
_BETWEEN = ";"
"""Stands between charge points in one cell."""


def entries_of(text: str, source: IdTokenSource = IdTokenSource.CSV) -> list[tuple[IdTokenKey, IdTokenListed]]:
    """Every line of the table, checked. Raises IdTokenListInvalid naming the lines that are wrong.

    The first line names the columns, in any order; only `token` is needed. Commas or semicolons divide.
    """
    text = text.removeprefix("\ufeff")
    rows = _rows(text)
    number, head = next(rows, (1, []))
    columns = [name.strip().casefold() for name in head]
    wrong = _wrong_head(columns)
    if wrong:
        raise IdTokenListInvalid(lines=[{"line": number, **wrong}], count=1)
    found: dict[IdTokenKey, IdTokenListed] = {}
    problems: list[dict[str, Any]] = []
    for number, cells in rows:
        try:
            key, event = checked(_entry(columns, cells), source)
            if key in found:
                raise IdTokenInvalid(where="token", problem="twice")
        except IdTokenInvalid as error:
            problems.append({"line": number, **error.fields})
        else:
            found[key] = event
    if problems:
        raise IdTokenListInvalid(lines=problems[:LINES_NAMED], count=len(problems))
    return list(found.items())


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of the lines that are not empty. A record over several lines is named by its last one."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    divider = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=divider, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        problem = {"line": reader.line_num, "where": "line", "problem": "not_csv"}
        raise IdTokenListInvalid(lines=[problem], count=1) from error


def _wrong_head(columns: list[str]) -> dict[str, Any] | None:
    allowed = ", ".join(COLUMNS)
    if "token" not in columns:
        return {"where": "token", "problem": "column_missing", "allowed": allowed}
    strange = next((name for name in columns if name not in COLUMNS), None)
    if strange is not None:
        return {"where": strange[:40], "problem": "column_unknown", "allowed": allowed}
    if len(set(columns)) < len(columns):
        return {"where": "columns", "problem": "twice", "allowed": allowed}
    return None


def _entry(columns: list[str], cells: list[str]) -> TokenEntry:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        raise IdTokenInvalid(where="line", problem="too_many_cells", allowed=len(columns))
    given = {name: _unguarded(cell) for name, cell in zip(columns, cells, strict=False)}
    places = [each.strip() for each in given.get("charge_points", "").split(_BETWEEN)]
    return TokenEntry(
        token=given.get("token", ""), status=given.get("status") or "Accepted", type=given.get("type"),
        expires=given.get("expires"), parent=given.get("parent"), charge_points=[each for each in places if each],
        note=given.get("note", ""),
    )  # fmt: skip


def table_of(tokens: Iterable[IdToken]) -> str:
    """One line a token, the columns' names first. Ends every line with CR LF, as CSV does (RFC 4180)."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for token in tokens:
        cells = _cells(token)
        writer.writerow([_guarded(cells[name]) for name in COLUMNS])
    return out.getvalue()


def _cells(token: IdToken) -> Mapping[str, str]:
    return {
        "token": token.id_token,
        "status": token.status.value,
        "type": token.type.value if token.type else "",
        "expires": token.expires.isoformat().replace("+00:00", "Z") if token.expires else "",
        "parent": token.group or "",
        "charge_points": _BETWEEN.join(token.charge_points),
        "note": token.note,
    }


def _guarded(cell: str) -> str:
    """An apostrophe in front of what a spreadsheet would run, and of what looks as if it had one already."""
    runs = cell.startswith(_RUNS) or (cell.startswith("'") and cell[1:].startswith(_GUARDED))
    return f"'{cell}" if runs else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_GUARDED) else cell
