"""Whoever sends a call by hand begins with one that fits."""

from datetime import UTC, datetime

import pytest

from edge_agent.charge_points.actions import action_of, actions_of
from edge_agent.charge_points.dialects import dialect_of
from sitelink.states import Registration

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
ALL = [(version, name) for version in ("1.6", "2.0.1", "2.1") for name in actions_of(version)]


@pytest.mark.parametrize(("version", "name"), ALL)
def test_the_example_of_every_call_of_every_version_fits(version: str, name: str) -> None:
    example, dialect = action_of(version, name, NOW).example, dialect_of(version)
    dialect.schemas.check_call(name, example)
    assert dialect.not_now(name, example, Registration.ACCEPTED) is None, "and breaks no rule"


def test_every_version_has_its_calls() -> None:
    counts = {version: sum(each == version for each, _ in ALL) for version in ("1.6", "2.0.1", "2.1")}
    assert counts["1.6"] >= 19
    assert counts["2.0.1"] > counts["1.6"]
    assert counts["2.1"] > counts["2.0.1"]


@pytest.mark.parametrize(
    ("version", "name", "example"),
    [
        ("1.6", "Reset", {"type": "Soft"}),
        ("1.6", "RemoteStartTransaction", {"connectorId": 1, "idTag": "TEST"}),
        ("2.0.1", "UnlockConnector", {"evseId": 1, "connectorId": 1}),
        ("2.0.1", "Reset", {"type": "OnIdle"}),
        (
            "2.0.1",
            "TriggerMessage",
            {"evse": {"id": 1, "connectorId": 1}, "requestedMessage": "StatusNotification"},
        ),
        (
            "2.1",
            "GetVariables",
            {"getVariableData": [{"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}]},
        ),
        ("1.6", "TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1}),
    ],
)
def test_an_example_asks_for_what_one_mostly_wants(version: str, name: str, example: object) -> None:
    assert action_of(version, name, NOW).example == example


def test_times_in_an_example_are_of_now() -> None:
    example = action_of("1.6", "ReserveNow", NOW).example
    assert example["expiryDate"] == "2026-11-25T10:00:00.000Z"


def test_what_the_version_does_not_have_has_no_example() -> None:
    with pytest.raises(KeyError):
        action_of("1.6", "Heartbeat", NOW)
