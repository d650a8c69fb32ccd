"""What stations say they have, read into variables."""

from typing import Any

import pytest

from edge_agent.charge_points.inventory import (
    FEW,
    KEYS_16,
    asked_for,
    facts_of,
    updated,
    variables_of_configuration,
    variables_of_report,
    variables_of_results,
    variables_set,
)
from edge_agent.charge_points.schemas import OCPP_201
from sitelink.inventory import items_of, variables_of


def variable(component: str, name: str, value: str | None = None, **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "component": {"name": component}, "variable": {"name": name},
        "variableAttribute": [{"value": value, "mutability": "ReadWrite"}] if value is not None else [{}],
        "variableCharacteristics": {"dataType": "string", "supportsMonitoring": True},
    }  # fmt: skip
    for key, each in more.items():
        if key == "evse":
            said["component"]["evse"] = each
        elif key == "instance":
            said["variable"]["instance"] = each
        elif key == "mutability":
            said["variableAttribute"][0]["mutability"] = each
    return said


def test_a_report_becomes_variables_and_secrets_stay_out():
    report = {
        "reportData": [
            variable("SecurityCtrlr", "BasicAuthPassword", "very secret", mutability="WriteOnly"),
            variable("WifiCtrlr", "Passphrase", "also secret"),
            variable("OCPPCommCtrlr", "HeartbeatInterval", "300"),
            variable("EVSE", "Power", "0", evse={"id": 2, "connectorId": 1}),
            {"component": {"name": "Nameless"}},
            "nonsense",
        ]
    }
    found: list[str] = []
    read = variables_of_report(report, found)
    assert [each.name for each in read] == ["BasicAuthPassword", "Passphrase", "HeartbeatInterval", "Power"]
    assert "secret" not in repr(items_of(read)).replace("'secret': True", "")
    assert [each.attributes["Actual"].secret for each in read] == [True, True, False, False]
    assert (read[3].evse, read[3].connector) == (2, 1)
    assert "reportData:nameless" in found
    assert variables_of(items_of(read)) == read


def test_facts_tell_how_many_evses_there_are_and_what_fits_into_a_call():
    facts = facts_of(
        variables_of_report(
            {
                "reportData": [
                    variable("DeviceDataCtrlr", "ItemsPerMessage", "4", instance="GetVariables"),
                    variable("DeviceDataCtrlr", "BytesPerMessage", "1000", instance="SetVariables"),
                    variable("OCPPCommCtrlr", "HeartbeatInterval", "300"),
                    variable("OCPPCommCtrlr", "MessageTimeout", "x30"),
                    variable("EVSE", "AvailabilityState", "Available", evse={"id": 3}),
                    variable("EVSE", "AvailabilityState", "Available", evse={"id": 100000}),
                ]
            },
            [],
        )
    )
    assert facts == {
        "items GetVariables": 4, "bytes SetVariables": 1000, "heartbeat_interval_s": 300, "connectors": 3,
    }  # fmt: skip


def test_configuration_keys_of_1_6_are_variables_of_no_component():
    read = variables_of_configuration(
        {
            "configurationKey": [
                {"key": "NumberOfConnectors", "readonly": True, "value": "2"},
                {"key": "AuthorizationKey", "readonly": False, "value": "4141"},
                {"readonly": True},
            ]
        },
        [],
    )
    assert [(each.key, each.value) for each in read] == [
        ("|||NumberOfConnectors|", "2"),
        ("|||AuthorizationKey|", None),
    ]
    assert facts_of(read)["connectors"] == 2


@pytest.mark.parametrize(("most", "facts"), [(500, {"list entries": 500}), (0, {}), (None, {}), ("many", {})])
def test_facts_tell_how_many_tokens_the_list_may_hold_not_how_many_it_holds(most: Any, facts: dict[str, int]):
    entries = variable("LocalAuthListCtrlr", "Entries", "3")
    entries["variableCharacteristics"]["maxLimit"] = most
    assert facts_of(variables_of_report({"reportData": [entries]}, [])) == facts


def test_values_that_were_read_or_set_change_what_is_known_and_nothing_else():
    known = items_of(
        variables_of_report({"reportData": [variable("A", "Interval", "10"), variable("A", "Other", "1")]}, [])
    )
    named = {"component": {"name": "A"}, "variable": {"name": "Interval"}}
    read = variables_of_results(
        {"getVariableResult": [{**named, "attributeStatus": "Accepted", "attributeValue": "20"},
                               {**named, "attributeStatus": "Rejected"}]}, []
    )  # fmt: skip
    (newer,) = updated(known, read)
    assert newer.value == "20"
    assert newer.attributes["Actual"].mutability == "ReadWrite"
    assert newer.monitorable
    changed = variables_set(
        {"setVariableData": [{**named, "attributeValue": "30"}]},
        {"setVariableResult": [{**named, "attributeStatus": "RebootRequired"}]},
    )
    assert [each.value for each in changed] == ["30"]


def test_a_password_that_was_set_is_not_kept():
    named = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    changed = variables_set(
        {"setVariableData": [{**named, "attributeValue": "0123456789abcdef"}]},
        {"setVariableResult": [{**named, "attributeStatus": "Accepted"}]},
    )
    assert "0123456789" not in repr(items_of(changed))


def test_the_few_that_are_asked_for_by_name_are_a_call_that_fits():
    assert OCPP_201.violation("GetVariables", asked_for(FEW)) is None
    assert len(set(KEYS_16)) == len(KEYS_16)
