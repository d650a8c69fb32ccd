"""Rules of OCPP 2.x beside the schema."""

from typing import Any

import pytest

from edge_agent.charge_points.rules_2x import clashing_profile, moves_station, not_now
from edge_agent.charge_points.schemas import OCPP_201
from sitelink.states import Registration

ACCEPTED = Registration.ACCEPTED


def profile(**changes: Any) -> dict[str, Any]:
    schedule = {
        "id": 1, "chargingRateUnit": "A", "startSchedule": "2026-11-23T12:00:00Z",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}, {"startPeriod": 60, "limit": 8}],
    }  # fmt: skip
    said = {
        "id": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule], **changes,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}


def schedule(**changes: Any) -> dict[str, Any]:
    said = {**profile()["chargingSchedule"][0], **changes}
    return {name: value for name, value in said.items() if value is not None}


@pytest.mark.parametrize(
    ("evse", "said", "where"),
    [
        (1, profile(), None),
        (0, profile(), None),
        (1, profile(chargingProfilePurpose="TxProfile", transactionId="T1"), None),
        (1, profile(chargingProfilePurpose="TxProfile"), "chargingProfile/transactionId"),
        (0, profile(chargingProfilePurpose="TxProfile", transactionId="T1"), "evseId"),
        (1, profile(transactionId="T1"), "chargingProfile/transactionId"),
        (0, profile(chargingProfilePurpose="ChargingStationMaxProfile"), None),
        (1, profile(chargingProfilePurpose="ChargingStationMaxProfile"), "evseId"),
        (1, profile(chargingProfilePurpose="ChargingStationExternalConstraints"),
         "chargingProfile/chargingProfilePurpose"),
        (1, profile(chargingProfileKind="Recurring"), "chargingProfile/recurrencyKind"),
        (1, profile(chargingProfileKind="Relative"), "chargingProfile/chargingSchedule/0/startSchedule"),
        (1, profile(chargingSchedule=[schedule(startSchedule=None)]),
         "chargingProfile/chargingSchedule/0/startSchedule"),
        (1, profile(chargingSchedule=[schedule(chargingSchedulePeriod=[{"startPeriod": 5, "limit": 1}])]),
         "chargingProfile/chargingSchedule/0/chargingSchedulePeriod/0/startPeriod"),
        (1, profile(chargingSchedule=[schedule(chargingSchedulePeriod=[
            {"startPeriod": 0, "limit": 1}, {"startPeriod": 0, "limit": 2}])]),
         "chargingProfile/chargingSchedule/0/chargingSchedulePeriod"),
        (1, profile(chargingSchedule=[schedule(chargingSchedulePeriod=[
            {"startPeriod": 0, "limit": 1, "phaseToUse": 2}])]),
         "chargingProfile/chargingSchedule/0/chargingSchedulePeriod"),
    ],
)  # fmt: skip
def test_charging_profiles(evse, said, where):
    payload = {"evseId": evse, "chargingProfile": said}
    assert OCPP_201.violation("SetChargingProfile", payload) is None
    assert not_now("SetChargingProfile", payload, ACCEPTED) == where


def test_the_profile_of_a_remote_start_names_no_transaction():
    def start(said: dict[str, Any]) -> dict[str, Any]:
        return {"idToken": {"idToken": "A", "type": "Central"}, "remoteStartId": 1, "chargingProfile": said}

    good = profile(chargingProfilePurpose="TxProfile")
    assert not_now("RequestStartTransaction", start(good), ACCEPTED) is None
    for bad in (profile(), {**good, "transactionId": "T"}):
        assert not_now("RequestStartTransaction", start(bad), ACCEPTED) == "chargingProfile"
    late = {**good, "chargingSchedule": [schedule(chargingSchedulePeriod=[{"startPeriod": 1, "limit": 1}])]}
    assert not_now("RequestStartTransaction", start(late), ACCEPTED) is not None


def test_one_variable_is_asked_for_once():
    one = {"component": {"name": "A"}, "variable": {"name": "B"}}
    assert not_now("GetVariables", {"getVariableData": [one, one]}, ACCEPTED) == "getVariableData"
    target = {**one, "attributeType": "Target"}
    assert not_now("GetVariables", {"getVariableData": [one, target]}, ACCEPTED) is None
    actual = {**one, "attributeType": "Actual"}
    assert not_now("GetVariables", {"getVariableData": [one, actual]}, ACCEPTED) == "getVariableData"
    other = {"component": {"name": "A", "evse": {"id": 1}}, "variable": {"name": "B"}}
    assert not_now("SetVariables", {"setVariableData": [one, other]}, ACCEPTED) is None


def test_no_boot_is_asked_for_after_acceptance_and_a_status_needs_a_connector():
    assert not_now("TriggerMessage", {"requestedMessage": "BootNotification"}, ACCEPTED) == "requestedMessage"
    assert not_now("TriggerMessage", {"requestedMessage": "BootNotification"}, Registration.PENDING) is None
    assert not_now("TriggerMessage", {"requestedMessage": "StatusNotification", "evse": {"id": 1}}, ACCEPTED) == "evse"


def test_two_profiles_of_one_purpose_and_level_clash_unless_they_are_the_same():
    known = {"1/1": {"evse": 1, "profile": profile()}}
    assert clashing_profile({"evseId": 1, "chargingProfile": profile(id=2)}, known) == "chargingProfile/stackLevel"
    assert clashing_profile({"evseId": 1, "chargingProfile": profile()}, known) is None
    assert clashing_profile({"evseId": 2, "chargingProfile": profile(id=2)}, known) is None
    assert clashing_profile({"evseId": 1, "chargingProfile": profile(id=2, stackLevel=1)}, known) is None


def test_a_call_that_sends_a_station_elsewhere_is_known():
    where = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "NetworkConfigurationPriority"}}
    assert moves_station("SetVariables", {"setVariableData": [{**where, "attributeValue": "1"}]})
    assert not moves_station("GetVariables", {"getVariableData": [where]})
