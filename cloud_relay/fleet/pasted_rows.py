"""Charge points as they are pasted into a form: lines of a table or a CSV file. Pure. Start at `rows_of`."""

import csv
from typing import Any

from sitelink.errors import RowsInvalid

COLUMNS = ("name", "identity", "connector", "model")
HEADS = {
    "name": "name", "bay": "name", "charge point": "name", "identity": "identity", "serial": "identity",
    "serial number": "identity", "serialnumber": "identity", "charge point identity": "identity",
    "connector": "connector", "model": "model",
}  # fmt: skip
"""What a first line may call the columns; then they may stand in any order."""
SEPARATORS = "\t;,"


def rows_of(text: str) -> list[dict[str, Any]]:
    """Rows as in a job file: {"name", "identity", "connector", "model"}. Without lines: none.

    Raises RowsInvalid (line, column, problem) for the first line that cannot be.
    """
    lines = [(number, line) for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1) if line.strip()]
    separator = max(SEPARATORS, key=lambda each: (text.count(each), -SEPARATORS.index(each)))
    parsed = [(number, next(csv.reader([line], delimiter=separator, skipinitialspace=True))) for number, line in lines]
    columns = _columns(parsed[0][1]) if len(parsed) > 1 else None
    return [_row(cells, columns or list(COLUMNS), number) for number, cells in (parsed[1:] if columns else parsed)]


def _columns(cells: list[str]) -> list[str] | None:
    """What a first line calls the columns; None where it is no such line: a cell that is no head is a value."""
    found = [HEADS.get(cell.strip().casefold()) for cell in cells]
    named = [each for each in found if each]
    return named if len(named) == len(set(named)) == len(cells) and "name" in named else None


def _row(cells: list[str], columns: list[str], line: int) -> dict[str, Any]:
    if len(cells) > len(columns):
        raise RowsInvalid(line=line, column=str(len(columns) + 1), problem="more columns than there are fields")
    values = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if column}
    if not values.get("name"):
        raise RowsInvalid(line=line, column="name", problem="it is empty")
    connector = values.get("connector") or "1"
    if not (connector.isascii() and connector.isdecimal() and 1 <= int(connector) <= 100):
        raise RowsInvalid(line=line, column="connector", problem="it is no number from 1 to 100")
    return {
        "name": values["name"], "identity": values.get("identity") or None, "connector": int(connector),
        "model": values.get("model") or None,
    }  # fmt: skip
