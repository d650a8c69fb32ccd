"""Charge points out of what people paste."""

import pytest

from cloud_relay.fleet.pasted_rows import rows_of
from sitelink.errors import RowsInvalid


@pytest.mark.parametrize(
    "text",
    [
        "Bay 1,CP001,2,Sprint 22",
        "Bay 1\tCP001\t2\tSprint 22\n",
        "Bay 1; CP001; 2; Sprint 22",
        "\ufeffName;Serial number;Connector;Model\r\nBay 1;CP001;2;Sprint 22\r\n\r\n",
        "model,connector,charge point identity,bay\nSprint 22,2,CP001,Bay 1",
        '"Bay 1","CP001","2","Sprint 22"',
    ],
)
def test_every_usual_form_is_read(text: str) -> None:
    assert rows_of(text) == [{"name": "Bay 1", "identity": "CP001", "connector": 2, "model": "Sprint 22"}]


def test_only_the_name_is_needed() -> None:
    assert rows_of("Bay 1\nBay 2,,,\n") == [
        {"name": name, "identity": None, "connector": 1, "model": None} for name in ("Bay 1", "Bay 2")
    ]
    assert rows_of(" \n\n") == []
    assert rows_of('"Bay 1, left",CP001')[0]["name"] == "Bay 1, left"


def test_a_charge_point_may_be_called_as_a_column_is() -> None:
    assert [row["name"] for row in rows_of("Bay,CP001")] == ["Bay"]
    assert [row["name"] for row in rows_of("Bay,CP001\nName,CP002")] == ["Bay", "Name"]
    assert [row["name"] for row in rows_of("Bay")] == ["Bay"]
    assert [row["name"] for row in rows_of("Name\nBay 1")] == ["Bay 1"]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("Bay 1,CP001,two", 1, "connector"),
        ("Bay 1\n,CP002", 2, "name"),
        ("name,connector\nBay 1,1\nBay 2,101", 3, "connector"),
        ("Bay 1,CP001,1,Sprint,more", 1, "5"),
        ("Bay 1,CP001,²", 1, "connector"),
    ],
)
def test_what_cannot_be_says_where(text: str, line: int, column: str) -> None:
    with pytest.raises(RowsInvalid) as refused:
        rows_of(text)
    assert (refused.value.fields["line"], refused.value.fields["column"]) == (line, column)
