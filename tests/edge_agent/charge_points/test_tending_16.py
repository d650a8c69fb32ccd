"""What is asked of OCPP 1.6 stations on request, and what calls by hand change."""

from typing import Any

import pytest

from edge_agent.charge_points.quirks import Quirks
from edge_agent.charge_points.tending_16 import cleared_by, replaced_by
from sitelink.errors import CallInvalid
from sitelink.ids import StationKey
from sitelink.inventory import variables_of
from sitelink.states import ReportKind
from tests.doubles.listed import Answer, teller
from tests.doubles.ocpp_box import BOOT, OcppBox, ocpp_box, until

KEY = StationKey("cp001")
KNOWN = {
    "NumberOfConnectors": "2",
    "HeartbeatInterval": "300",
    "AuthorizationKey": "4141",
    "GetConfigurationMaxKeys": "7",
}


def configuration(payload: dict[str, Any]) -> dict[str, Any]:
    keys = payload.get("key") or list(KNOWN)
    found = [{"key": key, "readonly": False, "value": KNOWN[key]} for key in keys if key in KNOWN]
    return {"configurationKey": found, "unknownKey": [key for key in keys if key not in KNOWN]}


def only_by_name(payload: dict[str, Any]) -> dict[str, Any] | None:
    return configuration(payload) if payload.get("key") else {}


def quiet(**more: Answer) -> dict[str, Answer]:
    return {"TriggerMessage": {"status": "Accepted"}, "GetConfiguration": configuration, **more}


def inventory(box: OcppBox) -> dict[str, str | None]:
    report = box.journal.state.report_of(KEY, ReportKind.INVENTORY)
    return {each.name: each.value for each in variables_of(report.items)} if report is not None else {}


async def test_the_whole_configuration_is_read_on_request_and_not_by_itself() -> None:
    async with ocpp_box() as box, teller(box, "1.6", quiet(), boot=BOOT) as told:
        await until(lambda: told.count("TriggerMessage") == 1)
        assert told.count("GetConfiguration") == 1
        box.server.take_stock(KEY)
        await until(lambda: inventory(box))
        assert inventory(box) == {**KNOWN, "AuthorizationKey": None}
        assert told.last("GetConfiguration") == {}
        newer = {**BOOT, "firmwareVersion": "2"}
        await told.call("BootNotification", newer)
        await until(lambda: told.count("GetConfiguration") == 4)


async def test_a_station_that_does_not_tell_all_is_asked_by_name_in_portions_it_takes() -> None:
    async with ocpp_box() as box, teller(box, "1.6", quiet(GetConfiguration=only_by_name), boot=BOOT) as told:
        await until(lambda: told.count("TriggerMessage") == 1)
        box.server.take_stock(KEY)
        await until(lambda: inventory(box))
        assert inventory(box) == {name: value for name, value in KNOWN.items() if name != "AuthorizationKey"}
        sizes = [len(payload.get("key", ())) for action, payload in told.asked if action == "GetConfiguration"]
        assert max(sizes[3:]) == 7


async def test_a_key_that_hurts_a_station_is_never_asked_for() -> None:
    async with ocpp_box() as box, teller(box, "1.6", quiet(), boot=BOOT) as told:
        await until(lambda: told.count("TriggerMessage") == 1)
        _quirk(box, Quirks(configuration_keys_not_asked=("MeterValuesSampledData",), configuration_keys_at_once=1))
        box.server.take_stock(KEY)
        await until(lambda: inventory(box))
        asked = [key for action, payload in told.asked if action == "GetConfiguration" for key in payload["key"]]
        assert "MeterValuesSampledData" not in asked
        assert all(len(payload["key"]) == 1 for action, payload in told.asked if action == "GetConfiguration")
        with pytest.raises(CallInvalid):
            await box.server.call(KEY, "GetConfiguration", {"key": ["MeterValuesSampledData"]})


def _quirk(box: OcppBox, quirks: Quirks) -> None:
    serving = box.server._places.serving(KEY)
    assert serving is not None
    serving.quirks = serving.errands.quirks = quirks


async def test_what_calls_by_hand_change_is_known_afterwards() -> None:
    answers = quiet(
        ChangeConfiguration={"status": "RebootRequired"}, ReserveNow={"status": "Accepted"},
        CancelReservation={"status": "Accepted"}, SetChargingProfile={"status": "Accepted"},
        ClearChargingProfile={"status": "Accepted"},
        GetCompositeSchedule={"status": "Accepted", "connectorId": 1},
    )  # fmt: skip
    async with ocpp_box() as box, teller(box, "1.6", answers, boot=BOOT) as told:
        await until(lambda: told.count("TriggerMessage") == 1)
        box.server.take_stock(KEY)
        await until(lambda: inventory(box))

        async def call(action: str, **payload: Any) -> None:
            await box.server.call(KEY, action, payload)

        def kept(kind: ReportKind) -> dict[str, Any]:
            report = box.journal.state.report_of(KEY, kind)
            return report.items if report is not None else {}

        await call("ChangeConfiguration", key="HeartbeatInterval", value="60")
        assert inventory(box)["HeartbeatInterval"] == "60"
        assert box.known().reboot_needed == ("HeartbeatInterval",)
        await call(
            "ReserveNow", connectorId=1, expiryDate="2026-11-23T12:00:00Z", idTag="DRIVER0123456789", reservationId=4
        )
        assert "DRIVER0123456789" not in repr(kept(ReportKind.RESERVATIONS)["4"])
        await call("CancelReservation", reservationId=4)
        assert kept(ReportKind.RESERVATIONS) == {}
        await call("GetCompositeSchedule", connectorId=1, duration=60)
        assert kept(ReportKind.COMPOSITE_SCHEDULES)["1"]["schedule"]["status"] == "Accepted"
        profile = {
            "chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative", "chargingSchedule": {
                "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}]},
        }  # fmt: skip
        await call("SetChargingProfile", connectorId=1, csChargingProfiles=profile)
        await call("SetChargingProfile", connectorId=1, csChargingProfiles={**profile, "chargingProfileId": 2})
        assert set(kept(ReportKind.CHARGING_PROFILES)) == {"1/2"}
        _quirk(box, Quirks(stack_level_zero_only=True))
        other = {**profile, "chargingProfileId": 3, "stackLevel": 1}
        await call("SetChargingProfile", connectorId=1, csChargingProfiles=other)
        assert [each["profile"]["stackLevel"] for each in kept(ReportKind.CHARGING_PROFILES).values()] == [0]
        await call("ClearChargingProfile")
        assert kept(ReportKind.CHARGING_PROFILES) == {}


async def test_the_profile_of_a_transaction_ends_with_it() -> None:
    async with (
        ocpp_box() as box,
        teller(box, "1.6", quiet(SetChargingProfile={"status": "Accepted"}), boot=BOOT) as told,
    ):
        await until(lambda: told.count("TriggerMessage") == 1)
        start = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-11-23T12:00:00Z"}
        transaction = (await told.call("StartTransaction", start))[2]["transactionId"]
        schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}]}
        profile = {"stackLevel": 0, "chargingProfileKind": "Relative", "chargingSchedule": schedule}
        for number, more in enumerate(
            ({"chargingProfilePurpose": "TxDefaultProfile"},
             {"chargingProfilePurpose": "TxProfile", "transactionId": transaction})
        ):  # fmt: skip
            call = {"connectorId": 1, "csChargingProfiles": {**profile, "chargingProfileId": number, **more}}
            await box.server.call(KEY, "SetChargingProfile", call)
        report = box.journal.state.report_of(KEY, ReportKind.CHARGING_PROFILES)
        assert report is not None
        assert set(report.items) == {"1/0", "1/1"}
        stop = {"transactionId": transaction, "meterStop": 5, "timestamp": "2026-11-23T12:00:00Z"}
        for _ in range(2):
            await told.call("StopTransaction", stop)
            report = box.journal.state.report_of(KEY, ReportKind.CHARGING_PROFILES)
            assert report is not None
            assert set(report.items) == {"1/0"}


def test_which_profiles_a_new_one_replaces_and_a_clearing_means() -> None:
    def known(place: int, number: int, level: int) -> dict[str, Any]:
        purpose = "TxDefaultProfile"
        return {
            "evse": place,
            "profile": {"chargingProfileId": number, "stackLevel": level, "chargingProfilePurpose": purpose},
        }

    profiles = {"1/1": known(1, 1, 0), "1/2": known(1, 2, 1), "2/3": known(2, 3, 0)}
    assert replaced_by(known(1, 9, 1)["profile"], 1, profiles) == ("1/2",)
    assert cleared_by({"id": 1, "stackLevel": 5}, profiles) == ("1/1",)
    assert cleared_by({"stackLevel": 0}, profiles) == ("1/1", "2/3")
    assert cleared_by({"connectorId": 1, "stackLevel": 0}, profiles) == ("1/1",)
    assert cleared_by({}, profiles) == tuple(profiles)
