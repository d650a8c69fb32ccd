"""A table of id tokens: read whole or not at all, and safe to open in a spreadsheet."""

import csv
import io
import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitelink.errors import IdTokenListInvalid
from sitelink.events import IdTokenListed
from sitelink.id_token_rules import LISTABLE
from sitelink.id_token_table import COLUMNS, LINES_NAMED, entries_of, table_of
from sitelink.ids import StationKey, id_token_key, station_key
from sitelink.model import IdToken
from sitelink.states import IdTokenSource, IdTokenType

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
printable = st.text(string.ascii_letters + string.digits + "'=+-@*_:|.,;\"ü ", max_size=12).map(str.strip)
names = st.text(string.ascii_lowercase + string.digits + "'=+-@", min_size=1, max_size=8)
moments = st.integers(0, 10**9).map(lambda seconds: NOON + timedelta(seconds=seconds))
tokens = st.builds(
    lambda text, **other: IdToken(
        id=id_token_key(text), id_token=text, changed_at=NOON, source=IdTokenSource.CSV, **other
    ),
    printable.filter(id_token_key),
    status=st.sampled_from(LISTABLE),
    type=st.none() | st.sampled_from([kind for kind in IdTokenType if kind is not IdTokenType.NO_AUTHORIZATION]),
    expires=st.none() | moments,
    group=st.none() | printable.filter(bool),
    charge_points=st.lists(names.map(station_key), max_size=3, unique=True).map(tuple),
    note=printable,
)  # fmt: skip


@given(st.lists(tokens, max_size=6, unique_by=lambda token: token.id))
def test_what_is_written_is_read_back(listed: list[IdToken]) -> None:
    found = entries_of(table_of(listed))
    assert found == [
        (
            token.id,
            IdTokenListed(
                id_token=token.id_token, status=token.status, type=token.type, expires=token.expires,
                group=token.group, charge_points=token.charge_points, note=token.note, source=IdTokenSource.CSV,
            ),
        )
        for token in listed
    ]  # fmt: skip


@given(st.lists(tokens, max_size=6, unique_by=lambda token: token.id))
def test_no_cell_of_ours_is_run_by_a_spreadsheet(listed: list[IdToken]) -> None:
    for line in csv.reader(io.StringIO(table_of(listed))):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in line)


@pytest.mark.parametrize(
    "table",
    [
        "token,status\r\n04A1,Blocked\r\n",
        "\ufeffstatus;token\n Blocked ; 04A1 \n\n;;\n",
        'Token , STATUS\n"04A1","blocked"',
    ],
)
def test_tables_as_spreadsheets_write_them(table: str) -> None:
    ((key, event),) = entries_of(table)
    assert (key, event.id_token, event.status) == ("04a1", "04A1", "Blocked")


def test_a_line_may_leave_out_what_it_does_not_say() -> None:
    ((_, event),) = entries_of("token,status,expires,charge_points\n04A1\n")
    assert event == IdTokenListed(id_token="04A1", source=IdTokenSource.CSV)
    ((_, event),) = entries_of("token,charge_points\n04A1,CP001; cp002;\n")
    assert event.charge_points == (StationKey("cp001"), StationKey("cp002"))


@pytest.mark.parametrize(
    ("table", "line", "where", "problem"),
    [
        ("", 1, "token", "column_missing"),
        ("04A1\n04A2\n", 1, "token", "column_missing"),
        ("token,colour\n04A1,red\n", 1, "colour", "column_unknown"),
        ("token,token\n04A1,04A2\n", 1, "columns", "twice"),
        ("token\n04A1\n\n 04 a1 \n", 4, "token", "twice"),
        ("token,status\n04A1,Accepted\n04A2,Great\n", 3, "status", "not_allowed"),
        ("token,status\n,Accepted\n", 2, "token", "empty"),
        ("token\n04A1,oops\n", 2, "line", "too_many_cells"),
        ('token,note\n04A1,"never ends\n', 2, "line", "not_csv"),
        ("token,expires\n04A1,31.12.2027\n", 2, "expires", "not_a_time"),
    ],
)
def test_a_wrong_line_is_named(table: str, line: int, where: str, problem: str) -> None:
    with pytest.raises(IdTokenListInvalid) as refused:
        entries_of(table)
    (first,) = refused.value.fields["lines"]  # type: ignore[misc]
    assert (first["line"], first["where"], first["problem"]) == (line, where, problem)
    assert refused.value.fields["count"] == 1


def test_of_many_wrong_lines_the_first_are_told_and_no_token_is() -> None:
    table = "token,status\n" + "".join(f"SECRET{n},Great\n" for n in range(50))
    with pytest.raises(IdTokenListInvalid) as refused:
        entries_of(table)
    assert refused.value.fields["count"] == 50
    assert [each["line"] for each in refused.value.fields["lines"]] == list(range(2, 2 + LINES_NAMED))  # type: ignore[attr-defined]
    assert "SECRET" not in str(refused.value)


def test_the_columns_are_those_of_the_api() -> None:
    assert table_of([]).strip() == ",".join(f'"{name}"' for name in COLUMNS)
