"""What the virtual charge point keeps for the central system: lists, reservations, profiles, monitors, messages."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.doubles.central_system import CentralSystem, central_system
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_power import Car


@pytest.fixture(params=["1.6", "2.0.1", "2.1"])
async def csms(request: pytest.FixtureRequest) -> AsyncIterator[CentralSystem]:
    async with central_system(request.param) as system:
        yield system


@pytest.fixture(params=["2.0.1", "2.1"])
async def csms2x(request: pytest.FixtureRequest) -> AsyncIterator[CentralSystem]:
    async with central_system(request.param) as system:
        yield system


@pytest.fixture
async def csms21() -> AsyncIterator[CentralSystem]:
    async with central_system("2.1") as system:
        yield system


def station(csms: CentralSystem, **changes: Any) -> VirtualChargePoint:
    changes = {"speed": 200.0, "answer_timeout_s": 0.5, "version": csms.version, **changes}
    return VirtualChargePoint(csms.url, "CP001", **changes)


def soon(seconds: float) -> str:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)  # noqa: TID251 (a real station's clock)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def charging(cp: VirtualChargePoint) -> Any:
    await cp.wait_until(lambda: cp.accepted)
    cp.plug_in(1, Car(wants_wh=90_000))
    assert await cp.present_tag(1, "TAG")
    await cp.wait_until(lambda: cp.transactions and cp.transactions[-1].start_confirmed)
    return cp.transactions[-1].transaction_id


# the local list


def local_list(version: str, number: int, tokens: dict[str, str | None], how: str = "Full") -> dict[str, Any]:
    if version == "1.6":
        entries = [{"idTag": t, **({"idTagInfo": {"status": s}} if s else {})} for t, s in tokens.items()]
        return {"listVersion": number, "localAuthorizationList": entries, "updateType": how}
    entries = [
        {"idToken": {"idToken": t, "type": "ISO14443"}, **({"idTokenInfo": {"status": s}} if s else {})}
        for t, s in tokens.items()
    ]
    return {"versionNumber": number, "localAuthorizationList": entries, "updateType": how}


async def test_the_local_list_is_kept_and_used_offline(csms: CentralSystem) -> None:
    unknown = "AllowOfflineTxForUnknownId" if csms.version == "1.6" else "AuthCtrlr.OfflineTxForUnknownIdEnabled"
    async with station(csms, configuration={unknown: "false"}) as cp:
        await cp.wait_until(lambda: cp.accepted)

        async def send(*args: Any) -> str:
            answer = await csms.call("SendLocalList", local_list(csms.version, *args))
            return str(answer["status"])

        assert await send(5, {"GOOD": "Accepted", "BAD": "Blocked", "OLD": "Accepted"}) == "Accepted"
        assert await send(6, {"OLD": None}, "Differential") == "Accepted"
        assert await send(6, {"NEW": "Accepted"}, "Differential") == "VersionMismatch"
        assert await send(0, {"GOOD": "Accepted"}) == "Failed"
        assert list((await csms.call("GetLocalListVersion", {})).values()) == [6]
        cp.link_down()
        await cp.wait_until(lambda: not cp.connected)
        cp.plug_in(1)
        refused = [await cp.present_tag(1, each) for each in ("BAD", "OLD", "STRANGER")]
        assert refused == [False, False, False]
        assert await cp.present_tag(1, "good")
        cp.link_up()
        await cp.wait_until(lambda: cp.transactions and cp.transactions[0].start_confirmed)
    assert cp.violations == []


async def test_the_cache_remembers_until_it_is_cleared(csms: CentralSystem) -> None:
    unknown = "AllowOfflineTxForUnknownId" if csms.version == "1.6" else "AuthCtrlr.OfflineTxForUnknownIdEnabled"
    async with station(csms, configuration={unknown: "false"}) as cp:
        await charging(cp)
        cp.unplug(1)
        cp.link_down()
        await cp.wait_until(lambda: not cp.connected)
        assert await cp.present_tag(1, "TAG")
        cp.link_up()
        await cp.wait_until(lambda: cp.accepted)
        assert await csms.call("ClearCache", {}) == {"status": "Accepted"}
        cp.link_down()
        await cp.wait_until(lambda: not cp.connected)
        assert not await cp.present_tag(2, "TAG")


# reservations


def reservation(version: str, number: int, place: int, token: str, seconds: float) -> dict[str, Any]:
    if version == "1.6":
        return {"reservationId": number, "connectorId": place, "idTag": token, "expiryDate": soon(seconds)}
    token_of = {"idToken": token, "type": "ISO14443"}
    return {"id": number, "evseId": place, "idToken": token_of, "expiryDateTime": soon(seconds)}


async def test_a_reserved_place_is_for_one_token(csms: CentralSystem) -> None:
    async with station(csms) as cp:
        await cp.wait_until(lambda: cp.accepted)
        assert await csms.call("ReserveNow", reservation(csms.version, 3, 1, "MINE", 60)) == {"status": "Accepted"}
        await cp.wait_until(lambda: cp.status_of(1) == "Reserved")
        other = await csms.call("ReserveNow", reservation(csms.version, 4, 1, "OTHER", 60))
        assert other["status"] == "Occupied"
        cp.plug_in(1)
        assert await cp.present_tag(1, "STRANGER")
        assert cp.transactions == []
        assert await cp.present_tag(1, "MINE")
        await cp.wait_until(lambda: cp.transactions and cp.transactions[0].start_confirmed)
        assert await csms.call("CancelReservation", {"reservationId": 3}) == {"status": "Rejected"}
    start = csms.of("StartTransaction" if csms.version == "1.6" else "TransactionEvent")[0]
    assert start["reservationId"] == 3
    assert cp.violations == []


async def test_a_card_of_the_same_group_takes_a_reservation_and_ends_a_charge(csms: CentralSystem) -> None:
    def of_group(payload: dict[str, Any]) -> dict[str, Any]:
        if csms.version == "1.6":
            group = {} if payload["idTag"] == "STRANGER" else {"parentIdTag": "FLEET"}
            return {"idTagInfo": {"status": "Accepted", **group}}
        stranger = payload["idToken"]["idToken"] == "STRANGER"
        group = {} if stranger else {"groupIdToken": {"idToken": "FLEET", "type": "Central"}}
        return {"idTokenInfo": {"status": "Accepted", **group}}

    csms.answers["Authorize"] = of_group
    async with station(csms) as cp:
        await cp.wait_until(lambda: cp.accepted)
        wish = reservation(csms.version, 3, 1, "OWNER", 60)
        wish |= (
            {"parentIdTag": "FLEET"}
            if csms.version == "1.6"
            else {"groupIdToken": {"idToken": "FLEET", "type": "Central"}}
        )
        assert await csms.call("ReserveNow", wish) == {"status": "Accepted"}
        cp.plug_in(1, Car(wants_wh=90_000))
        assert await cp.present_tag(1, "ONE")
        await cp.wait_until(lambda: cp.transactions and cp.transactions[0].start_confirmed)
        assert not await cp.present_tag(1, "STRANGER")
        assert await cp.present_tag(1, "OTHER")
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed)
    assert cp.transactions[0].reservation_id == 3
    assert cp.violations == []


async def test_a_reservation_nobody_uses_ends(csms: CentralSystem) -> None:
    async with station(csms) as cp:
        await cp.wait_until(lambda: cp.accepted)
        await csms.call("ReserveNow", reservation(csms.version, 3, 2, "MINE", 0.2))
        await cp.wait_until(lambda: cp.status_of(2) == "Reserved")
        await cp.wait_until(lambda: cp.status_of(2) == "Available")
        if csms.version != "1.6":
            await cp.wait_until(lambda: csms.of("ReservationStatusUpdate"))
            assert csms.of("ReservationStatusUpdate")[0]["reservationUpdateStatus"] == "Expired"
    assert cp.violations == []


# smart charging


def profile(version: str, number: int, purpose: str, limit_a: float, level: int = 0, **more: Any) -> dict[str, Any]:
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit_a}]}
    common = {
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative",
        **more,
    }
    if version == "1.6":
        return {"chargingProfileId": number, "chargingSchedule": schedule, **common}
    return {"id": number, "chargingSchedule": [{"id": 1, **schedule}], **common}


def set_profile(version: str, place: int, what: dict[str, Any]) -> dict[str, Any]:
    if version == "1.6":
        return {"connectorId": place, "csChargingProfiles": what}
    return {"evseId": place, "chargingProfile": what}


async def test_profiles_limit_the_current_and_the_higher_level_wins(csms: CentralSystem) -> None:
    async with station(csms) as cp:
        running = await charging(cp)
        await cp.wait_until(lambda: cp.connector(1).outlet.currents_a()[0] > 14)

        async def limit(number: int, place: int, purpose: str, amps: float, level: int = 0, **more: Any) -> str:
            what = profile(csms.version, number, purpose, amps, level, **more)
            answer = await csms.call("SetChargingProfile", set_profile(csms.version, place, what))
            return str(answer["status"])

        assert await limit(1, 1, "TxDefaultProfile", 10) == "Accepted"
        await cp.wait_until(lambda: cp.connector(1).outlet.currents_a()[0] < 10.1)
        assert await limit(2, 1, "TxDefaultProfile", 8, 3) == "Accepted"
        await cp.wait_until(lambda: cp.connector(1).outlet.currents_a()[0] < 8.1)
        assert await limit(3, 1, "TxProfile", 6, transactionId=running) == "Accepted"
        await cp.wait_until(lambda: cp.connector(1).outlet.currents_a()[0] < 6.1)
        assert await limit(4, 1, "TxProfile", 6, 99, transactionId=running) == "Rejected"
        whole = {"evseId": 1} if csms.version != "1.6" else {"connectorId": 1}
        composite = await csms.call("GetCompositeSchedule", {**whole, "duration": 600})
        found = composite["schedule" if csms.version != "1.6" else "chargingSchedule"]
        assert found["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 6.0}]
        assert await limit(5, 1, "TxProfile", 0, transactionId=running) == "Accepted"
        await cp.wait_until(lambda: cp.status_of(1) == "SuspendedEVSE")
        assert await csms.call("ClearChargingProfile", {}) == {"status": "Accepted"}
        await cp.wait_until(lambda: cp.status_of(1) == "Charging")
        assert await csms.call("ClearChargingProfile", {}) == {"status": "Unknown"}
    assert cp.violations == []


async def test_profiles_are_reported(csms2x: CentralSystem) -> None:
    async with station(csms2x) as cp:
        await cp.wait_until(lambda: cp.accepted)
        for place, number in ((1, 11), (2, 12)):
            what = profile(csms2x.version, number, "TxDefaultProfile", 10)
            await csms2x.call("SetChargingProfile", set_profile(csms2x.version, place, what))
        assert await csms2x.call("GetChargingProfiles", {"requestId": 1, "chargingProfile": {"stackLevel": 5}}) == {
            "status": "NoProfiles"
        }
        asked = {"requestId": 2, "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}}
        assert await csms2x.call("GetChargingProfiles", asked) == {"status": "Accepted"}
        await cp.wait_until(lambda: len(csms2x.of("ReportChargingProfiles")) == 2)
    reports = csms2x.of("ReportChargingProfiles")
    assert [(each["evseId"], each["tbc"]) for each in reports] == [(1, True), (2, False)]
    assert cp.violations == []


# monitors, streams


def monitor(kind: str, value: float, **more: Any) -> dict[str, Any]:
    component = {"name": "EVSE", "evse": {"id": 1}}
    return {"component": component, "variable": {"name": "Power"}, "type": kind, "value": value, "severity": 5, **more}


async def test_monitors_tell_what_they_see(csms2x: CentralSystem) -> None:
    async with station(csms2x) as cp:
        await cp.wait_until(lambda: cp.accepted)
        wanted = [
            monitor("UpperThreshold", 5_000),
            monitor("Delta", 2_000),
            monitor("UpperThreshold", 6_000),
            {**monitor("Delta", 1), "variable": {"name": "NoSuch"}},
        ]
        answer = await csms2x.call("SetVariableMonitoring", {"setMonitoringData": wanted})
        statuses = [each["status"] for each in answer["setMonitoringResult"]]
        assert statuses == ["Accepted", "Accepted", "Duplicate", "UnknownVariable"]
        numbers = [each["id"] for each in answer["setMonitoringResult"][:2]]
        await charging(cp)

        def told(trigger: str, **wanted: Any) -> bool:
            events = [each for sent in csms2x.of("NotifyEvent") for each in sent["eventData"]]
            return any(e["trigger"] == trigger and all(e.get(k) == v for k, v in wanted.items()) for e in events)

        await cp.wait_until(lambda: told("Alerting", variableMonitoringId=numbers[0]))
        await cp.wait_until(lambda: told("Delta", variableMonitoringId=numbers[1]))
        cp.unplug(1)
        await cp.wait_until(lambda: told("Alerting", cleared=True))
        report = {"requestId": 8, "monitoringCriteria": ["DeltaMonitoring"]}
        assert await csms2x.call("GetMonitoringReport", report) == {"status": "Accepted"}
        await cp.wait_until(lambda: csms2x.of("NotifyMonitoringReport"))
        (entry,) = csms2x.of("NotifyMonitoringReport")[0]["monitor"]
        assert entry["variableMonitoring"][0]["id"] == numbers[1]
        assert await csms2x.call("SetMonitoringLevel", {"severity": 10}) == {"status": "Rejected"}
        assert await csms2x.call("SetMonitoringLevel", {"severity": 3}) == {"status": "Accepted"}
        cleared = await csms2x.call("ClearVariableMonitoring", {"id": [*numbers, 999]})
        assert [each["status"] for each in cleared["clearMonitoringResult"]] == ["Accepted", "Accepted", "NotFound"]
        assert await csms2x.call("SetMonitoringBase", {"monitoringBase": "FactoryDefault"}) == {"status": "Accepted"}
    assert cp.violations == []


async def test_a_monitor_of_2_1_may_stream(csms21: CentralSystem) -> None:
    async with station(csms21) as cp:
        await cp.wait_until(lambda: cp.accepted)
        wanted = monitor("Periodic", 10, periodicEventStream={"interval": 600, "values": 3})
        await csms21.call("SetVariableMonitoring", {"setMonitoringData": [wanted]})
        await cp.wait_until(lambda: len(csms21.sends) >= 2)
        action, payload = csms21.sends[0]
        assert (action, len(payload["data"])) == ("NotifyPeriodicEventStream", 3)
        streams = await csms21.call("GetPeriodicEventStream", {})
        (stream,) = streams["constantStreamData"]
        change = {"id": stream["id"], "params": {"values": 1}}
        assert await csms21.call("AdjustPeriodicEventStream", change) == {"status": "Accepted"}
        await cp.wait_until(lambda: len(csms21.sends[-1][1]["data"]) == 1)
        await csms21.call("ClearVariableMonitoring", {"id": [stream["variableMonitoringId"]]})
        await cp.wait_until(lambda: csms21.of("ClosePeriodicEventStream"))
        assert await csms21.call("GetPeriodicEventStream", {}) == {}
    assert csms21.of("OpenPeriodicEventStream")[0]["constantStreamData"]["params"] == {"interval": 600, "values": 3}
    assert cp.violations == []


# messages, customers, vendors


async def test_messages_are_shown_listed_and_taken_away(csms2x: CentralSystem) -> None:
    def message(number: int, priority: str = "NormalCycle", form: str = "UTF8", **more: Any) -> dict[str, Any]:
        return {"message": {"id": number, "priority": priority, "message": {"format": form, "content": "Hi"}, **more}}

    async with station(csms2x) as cp:
        await cp.wait_until(lambda: cp.accepted)
        answers = [
            (await csms2x.call("SetDisplayMessage", each))["status"]
            for each in (
                *(message(number) for number in range(1, 6)),
                message(6, form="HTML"),
                message(7, transactionId="nobody"),
            )
        ]
        assert answers == [*["Accepted"] * 5, "NotSupportedMessageFormat", "UnknownTransaction"]
        assert await csms2x.call("GetDisplayMessages", {"requestId": 1}) == {"status": "Accepted"}
        await cp.wait_until(lambda: len(csms2x.of("NotifyDisplayMessages")) == 2)
        assert await csms2x.call("GetDisplayMessages", {"requestId": 2, "id": [77]}) == {"status": "Unknown"}
        assert await csms2x.call("ClearDisplayMessage", {"id": 1}) == {"status": "Accepted"}
        assert await csms2x.call("ClearDisplayMessage", {"id": 1}) == {"status": "Unknown"}
    assert [each["tbc"] for each in csms2x.of("NotifyDisplayMessages")] == [True, False]
    assert cp.violations == []


async def test_what_is_known_of_a_customer_is_told_and_forgotten(csms2x: CentralSystem) -> None:
    async with station(csms2x) as cp:
        running = await charging(cp)
        asked = {"requestId": 5, "report": True, "clear": True, "idToken": {"idToken": "TAG", "type": "ISO14443"}}
        assert await csms2x.call("CustomerInformation", asked) == {"status": "Accepted"}
        await cp.wait_until(lambda: csms2x.of("NotifyCustomerInformation"))
        assert str(running) in csms2x.of("NotifyCustomerInformation")[0]["data"]
        assert cp.local_list.cache == {}
        nobody = {"requestId": 6, "report": True, "clear": False}
        assert (await csms2x.call("CustomerInformation", nobody))["status"] == "Invalid"
        assert await csms2x.call("CostUpdated", {"totalCost": 3.5, "transactionId": running}) == {}
        assert cp.transactions[0].cost == 3.5
    assert cp.violations == []


async def test_what_is_not_offered_is_refused_cleanly(csms: CentralSystem) -> None:
    async with station(csms) as cp:
        await cp.wait_until(lambda: cp.accepted)
        assert (await csms.call("DataTransfer", {"vendorId": "X"}))["status"] == "UnknownVendorId"
        assert (await csms.call("DataTransfer", {"vendorId": "Virtual"}))["status"] == "UnknownMessageId"
        echo = {"vendorId": "Virtual", "messageId": "Echo", "data": "hello"}
        assert (await csms.call("DataTransfer", echo))["data"] == "hello"
        assert cp.violations == []
        assert await csms.call("Dance", {}) == "NotImplemented"
        if csms.version == "2.1":
            assert await csms.call("ClearTariffs", {}) == "NotSupported"
