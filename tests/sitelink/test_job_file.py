"""The job file: what is wrong is said with its place."""

from typing import Any

import pytest

from sitelink.errors import JobFileInvalid
from sitelink.job_file import job_file_of

GOOD: dict[str, Any] = {
    "number": "1042", "site": {"name": "Harbour Garage", "address": "Quay 1"}, "description": "Fit 14",
    "charge_points": [{"name": "Bay 1", "identity": " CP001 ", "connector": 1, "model": "Post"},
                      {"name": "Bay 2", "identity": None}],
    "meters": [{"name": "Main", "profile": "eastron-sdm630", "transport": "tcp://127.0.0.1:1502", "unit_id": 1}],
    "activate_by_default": True, "open_pairing": True,
}  # fmt: skip


def test_a_job_file_is_read_with_its_defaults() -> None:
    job = job_file_of(GOOD)
    assert [row.identity for row in job.charge_points] == ["CP001", ""]
    assert job.charge_points[1].connector == 1
    assert job.charge_points[1].integration == "ocpp"
    assert job.contact is None


def test_a_number_may_be_a_number() -> None:
    assert job_file_of({**GOOD, "number": 1042}).number == "1042"


@pytest.mark.parametrize(("change", "where"), [
    ({"number": ""}, "$.number"),
    ({"site": {}}, "$.site"),
    ({"colour": "red"}, "$"),
    ({"charge_points": [{"name": "A", "identity": "x/y"}]}, "$.charge_points[0].identity"),
    ({"charge_points": [{"name": "A", "connector": 0}]}, "$.charge_points[0].connector"),
    ({"charge_points": [{"name": "A"}, {"name": "A"}]}, "$.charge_points[1].name"),
    ({"charge_points": [{"name": "A", "identity": "x"}, {"name": "B", "identity": "X"}]},
     "$.charge_points[1].identity"),
])  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(change: dict[str, Any], where: str) -> None:
    with pytest.raises(JobFileInvalid) as caught:
        job_file_of({**GOOD, **change})
    assert caught.value.fields["where"] == where
    assert caught.value.fields["problem"]
