"""What a station is asked, in the way it can take it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.charge_points.conduct import by_connector, calls_of, together, why_not
from edge_agent.charge_points.quirks import NONE, Quirks
from edge_agent.charge_points.schemas import OCPP_16

PROFILE: dict[str, Any] = {
    "chargingProfileId": 1, "stackLevel": 3, "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute", "validFrom": "2026-11-23T12:00:00Z",
    "chargingSchedule": {
        "chargingRateUnit": "A", "startSchedule": "2026-11-23T12:00:00Z", "minChargingRate": 6.0,
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 16.0}, {"startPeriod": 60, "limit": 10.0, "numberPhases": 1},
        ],
    },
}  # fmt: skip
SET = {"connectorId": 1, "csChargingProfiles": PROFILE}


def test_a_station_of_no_rule_is_asked_as_it_was_meant() -> None:
    found: list[str] = []
    for action, payload in [("SetChargingProfile", SET), ("ChangeAvailability", {"connectorId": 0}), ("Reset", {})]:
        (sent,) = calls_of(NONE, action, payload, [1, 2], found)
        assert sent is payload
        assert why_not(NONE, action, payload) is None
    assert found == []


@given(st.lists(st.text(min_size=1, max_size=20), max_size=30), st.integers(1, 7))
def test_many_keys_are_asked_a_few_at_a_time_and_answered_as_one(keys: list[str], most: int) -> None:
    quirks = Quirks(configuration_keys_at_once=most)
    parts = calls_of(quirks, "GetConfiguration", {"key": keys}, [], [])
    assert all(len(part["key"]) <= most for part in parts)
    answers = [{"configurationKey": [{"key": key} for key in part["key"]], "unknownKey": []} for part in parts]
    assert [each["key"] for each in together("GetConfiguration", answers)["configurationKey"]] == keys


@pytest.mark.parametrize(
    ("quirks", "action", "payload", "where"),
    [
        (Quirks(configuration_keys_not_asked=("A",)), "GetConfiguration", {"key": ["b", "a"]}, "key"),
        (Quirks(configuration_keys_not_asked=("A",)), "GetConfiguration", {}, "key"),
        (Quirks(configuration_keys_not_asked=("A",)), "GetConfiguration", {"key": ["b"]}, None),
        (Quirks(unlock=False), "UnlockConnector", {"connectorId": 1}, "action"),
        (Quirks(trigger_meter_values=False), "TriggerMessage", {"requestedMessage": "MeterValues"}, "requestedMessage"),
        (Quirks(trigger_meter_values=False), "TriggerMessage", {"requestedMessage": "Heartbeat"}, None),
    ],
)
def test_what_would_do_harm_or_nothing_is_not_sent(
    quirks: Quirks, action: str, payload: dict[str, Any], where: str | None
) -> None:
    assert why_not(quirks, action, payload) == where


def test_availability_of_the_whole_station_goes_to_each_connector() -> None:
    found: list[str] = []
    payload = {"connectorId": 0, "type": "Inoperative"}
    sent = calls_of(Quirks(availability_per_connector=True), "ChangeAvailability", payload, [0, 2, 1], found)
    assert sent == [{"connectorId": 1, "type": "Inoperative"}, {"connectorId": 2, "type": "Inoperative"}]
    assert found == ["connectorId:one_by_one"]
    assert by_connector(payload, [], []) == [{"connectorId": 1, "type": "Inoperative"}]
    assert by_connector({"connectorId": 2}, [1, 2], []) == [{"connectorId": 2}]


@pytest.mark.parametrize(
    ("statuses", "all_"),
    [(["Accepted", "Scheduled"], "Scheduled"), (["Rejected", "Accepted"], "Rejected"), (["Accepted"] * 2, "Accepted")],
)
def test_of_several_answers_the_worst_stands_for_all(statuses: list[str], all_: str) -> None:
    assert together("ChangeAvailability", [{"status": each} for each in statuses]) == {"status": all_}


def test_a_profile_is_put_into_the_form_the_station_follows() -> None:
    found: list[str] = []
    quirks = Quirks(stack_level_zero_only=True, relative_profile=True, profile_unit="W")
    (sent,) = calls_of(quirks, "SetChargingProfile", SET, [], found)
    profile = sent["csChargingProfiles"]
    assert (profile["stackLevel"], profile["chargingProfileKind"]) == (0, "Relative")
    schedule = profile["chargingSchedule"]
    assert schedule["chargingRateUnit"] == "W"
    assert [each["limit"] for each in schedule["chargingSchedulePeriod"]] == [11040.0, 2300.0]
    assert "startSchedule" not in schedule
    assert OCPP_16.conforms("SetChargingProfile", sent)
    assert found == ["stackLevel:set_to_0", "chargingProfileKind:set_to_Relative", "chargingRateUnit:set_to_W"]
    assert PROFILE["stackLevel"] == 3, "what was handed in stays as it is"


def test_a_profile_of_2_x_has_several_schedules() -> None:
    profile = {**PROFILE, "chargingSchedule": [PROFILE["chargingSchedule"], PROFILE["chargingSchedule"]]}
    (sent,) = calls_of(Quirks(profile_unit="W"), "SetChargingProfile", {"chargingProfile": profile}, [], [])
    assert [each["chargingRateUnit"] for each in sent["chargingProfile"]["chargingSchedule"]] == ["W", "W"]


def test_a_profile_that_fits_is_left_alone() -> None:
    found: list[str] = []
    quirks = Quirks(profile_unit="A")
    (sent,) = calls_of(quirks, "SetChargingProfile", SET, [], found)
    assert (sent, found) == (SET, [])
