"""A station of OCPP 2.0.1 or 2.1 over a real socket."""

from typing import Any

import pytest

from edge_agent.charge_points.schemas import OCPP_21
from sitelink.events import MeterValuesReported, StationMessage
from sitelink.ids import StationKey
from sitelink.states import ConnectorStatus, ReportKind
from tests.doubles.ocpp_box import Socket, ocpp_box, until
from tests.edge_agent.charge_points.test_v2x import BOOT, EVENT, TIME

both = pytest.mark.parametrize("version", ["2.0.1", "2.1"])


async def booted(station: Socket) -> None:
    assert (await station.call("BootNotification", BOOT))[2]["status"] == "Accepted"


@both
async def test_a_charge_is_recorded_under_the_stations_own_id(version: str) -> None:
    async with ocpp_box() as box, box.station(offer=[f"ocpp{version}"]) as station:
        await booted(station)
        await station.call(
            "StatusNotification", {"timestamp": TIME, "connectorStatus": "Occupied", "evseId": 2, "connectorId": 1}
        )
        for stage, number in (("Started", 0), ("Updated", 1), ("Ended", 2)):
            answer = await station.call("TransactionEvent", {**EVENT, "eventType": stage, "seqNo": number})
            assert answer[2]["idTokenInfo"]["status"] == "Invalid"
        (transaction,) = box.journal.state.transactions.values()
        assert (transaction.name, transaction.connector, transaction.missing_events) == ("tx-1", 2, 0)
        assert box.known().connectors[2].status is ConnectorStatus.OCCUPIED


@both
async def test_a_station_of_1_6_on_a_socket_of_2x_may_tell_of_its_files(version: str) -> None:
    async with ocpp_box() as box, box.station(offer=[f"ocpp{version}"]) as station:
        await booted(station)
        for action, word in (
            ("DiagnosticsStatusNotification", "Uploading"), ("SignedFirmwareStatusNotification", "Downloading"),
        ):  # fmt: skip
            assert (await station.call(action, {"status": word}))[2] == {}
        assert [each.action for each in box.events(StationMessage)] == [
            "DiagnosticsStatusNotification", "SignedFirmwareStatusNotification",
        ]  # fmt: skip


def availability(word: Any, component: dict[str, Any], variable: str = "AvailabilityState") -> dict[str, Any]:
    told = {
        "eventId": 1,
        "timestamp": TIME,
        "trigger": "Delta",
        "actualValue": word,
        "eventNotificationType": "HardWiredNotification",
        "component": component,
        "variable": {"name": variable},
    }
    return {"generatedAt": TIME, "seqNo": 0, "eventData": [told]}


@both
async def test_a_status_may_come_as_an_event(version: str) -> None:
    """A station of 2.x may tell its connectors' states by NotifyEvent alone (G01)."""
    async with ocpp_box() as box, box.station(offer=[f"ocpp{version}"]) as station:
        await booted(station)
        plug: dict[str, Any] = {"name": "Connector", "evse": {"id": 2, "connectorId": 1}}
        for told in (
            availability("Occupied", plug), availability("Faulted", {"name": "ChargingStation"}),
            availability("1", plug, "Problem"), availability("Available", {"name": "EVSE", "evse": {"id": 2}}),
            availability("Available", {"name": "Connector"}), availability(None, plug),
        ):  # fmt: skip
            assert (await station.call("NotifyEvent", told))[2] == {}
        places = {place: (each.status, each.plugs) for place, each in box.known().connectors.items()}
        assert places == {
            0: (ConnectorStatus.FAULTED, {}), 2: (ConnectorStatus.OCCUPIED, {1: ConnectorStatus.OCCUPIED}),
        }  # fmt: skip


@both
async def test_an_evse_with_two_plugs_is_free_while_one_is(version: str) -> None:
    async with ocpp_box() as box, box.station(offer=[f"ocpp{version}"]) as station:
        await booted(station)

        async def status(plug: int, word: str) -> ConnectorStatus:
            said = {"timestamp": TIME, "connectorStatus": word, "evseId": 1, "connectorId": plug}
            assert (await station.call("StatusNotification", said))[2] == {}
            return box.known().connectors[1].status

        assert await status(1, "Faulted") is ConnectorStatus.FAULTED
        assert await status(2, "Available") is ConnectorStatus.AVAILABLE
        assert await status(2, "Occupied") is ConnectorStatus.OCCUPIED
        assert box.known().connectors[1].plugs == {1: ConnectorStatus.FAULTED, 2: ConnectorStatus.OCCUPIED}


@pytest.mark.parametrize(
    ("version", "frame", "answer"),
    [
        ("2.0.1", "hello", [4, "-1", "RpcFrameworkError"]),
        ("2.1", "hello", [4, "-1", "RpcFrameworkError"]),
        ("2.0.1", '[9,"1","X",{}]', [4, "1", "MessageTypeNotSupported"]),
        ("2.0.1", '[6,"1","NotifyPeriodicEventStream",{}]', [4, "1", "MessageTypeNotSupported"]),
        ("2.0.1", '[2,"1","Heartbeat","text"]', [4, "1", "FormatViolation"]),
        ("2.0.1", '[2,"1","TransactionEvent",{}]', [4, "1", "OccurrenceConstraintViolation"]),
        ("2.1", '[2,"1","BatterySwap",{}]', [4, "1", "NotImplemented"]),
        ("2.0.1", '[2,"1","BatterySwap",{}]', [4, "1", "NotImplemented"]),
    ],
)
async def test_errors_are_spelled_as_the_version_spells_them(version: str, frame: str, answer: list[Any]) -> None:
    async with ocpp_box() as box, box.station(offer=[f"ocpp{version}"]) as station:
        await booted(station)
        await station.send(frame)
        assert (await station.receive())[:3] == answer
        assert (await station.call("Heartbeat"))[0] == 3


async def test_unknown_types_are_passed_over_by_2_1() -> None:
    async with ocpp_box() as box, box.station(offer=["ocpp2.1"]) as station:
        await booted(station)
        await station.send('[9,"1","X",{}]')
        assert (await station.call("Heartbeat"))[0] == 3
        assert box.server.counts["frames_ignored"] == 1


async def test_a_send_is_heard_and_never_answered() -> None:
    async with ocpp_box() as box, box.station(offer=["ocpp2.1"]) as station:
        await booted(station)
        await station.send([6, "s1", "NotifyPeriodicEventStream", {"id": 1, "pending": 0, "data": []}])
        await station.send([6, "s2", "NoSuchThing", {}])
        assert (await station.call("Heartbeat"))[1] == "m2"
        await until(lambda: [e.action for e in box.events(StationMessage)] == ["NotifyPeriodicEventStream"])


async def test_an_answer_that_does_not_fit_is_rejected_by_2_1() -> None:
    async with ocpp_box() as box, box.station(offer=["ocpp2.1"]) as station:
        await booted(station)
        question = await station.asked("TriggerMessage")
        await station.send([3, question[1], {"status": 5}])
        rejected = await station.receive()
        assert rejected[:3] == [5, question[1], "TypeConstraintViolation"]
        await station.send([5, "m1", "FormatViolation", "your boot answer is odd", {}])
        await until(lambda: box.server.counts["answers_rejected"] == 1)


BEFORE = {
    "TransactionEvent": {**EVENT, "eventType": "Started", "seqNo": 0},
    "StatusNotification": {"timestamp": TIME, "connectorStatus": "Available", "evseId": 1, "connectorId": 1},
    "NotifyReport": {"requestId": 1, "generatedAt": TIME, "seqNo": 0},
    "Heartbeat": {},
}


@both
async def test_before_acceptance_facts_are_stored_and_anything_else_is_not_answered(version: str) -> None:
    """B02.FR.09; DESIGN §7 (11)."""
    async with ocpp_box(import_job=False) as box, box.station(offer=[f"ocpp{version}"]) as station:
        assert (await station.call("BootNotification", BOOT))[2]["status"] == "Pending"
        for action, payload in BEFORE.items():
            assert (await station.call(action, payload))[0] == 3, action
        assert len(box.journal.state.transactions) == 1
        for action in ("Authorize", "NotifyEVChargingNeeds", "DataTransfer", "ReservationStatusUpdate"):
            assert (await station.call(action, {}))[2] == "SecurityError", action
        assert (await station.call("NoSuchThing", {}))[2] == "NotImplemented"


@both
async def test_what_a_vendor_of_its_own_sends_is_kept_and_told_apart(version: str) -> None:
    async with ocpp_box() as box, box.station(offer=[f"ocpp{version}"]) as station:
        await booted(station)
        for vendor, status in (
            ("com.example", "UnknownVendorId"),
            ("org.openchargealliance.costmsg", "UnknownMessageId"),
        ):
            assert (await station.call("DataTransfer", {"vendorId": vendor, "data": 1}))[2] == {"status": status}
        assert len(box.events(StationMessage)) == 2


NEEDS = {"evseId": 1, "chargingNeeds": {"requestedEnergyTransfer": "AC_three_phase"}}


@pytest.mark.parametrize(("version", "status"), [("2.0.1", "Rejected"), ("2.1", "NoChargingProfile")])
async def test_a_cars_needs_are_kept_and_the_answer_promises_nothing(version: str, status: str) -> None:
    async with ocpp_box() as box, box.station(offer=[f"ocpp{version}"]) as station:
        await booted(station)
        assert (await station.call("NotifyEVChargingNeeds", NEEDS))[2] == {"status": status}
        kept = box.journal.state.report_of(StationKey("cp001"), ReportKind.CHARGING_NEEDS)
        assert kept is not None
        assert kept.items == {"1": {"evse": 1, "chargingNeeds": NEEDS["chargingNeeds"]}}


async def test_limits_come_and_go() -> None:
    async with ocpp_box() as box, box.station(offer=["ocpp2.1"]) as station:
        await booted(station)
        limit = {"chargingLimitSource": "EMS", "isGridCritical": True}
        await station.call("NotifyChargingLimit", {"evseId": 1, "chargingLimit": limit})
        await station.call("NotifyChargingLimit", {"chargingLimit": limit})
        kept = box.journal.state.report_of(StationKey("cp001"), ReportKind.CHARGING_LIMITS)
        assert kept is not None
        assert set(kept.items) == {"1/EMS", "0/EMS"}
        await station.call("ClearedChargingLimit", {"chargingLimitSource": "EMS", "evseId": 1})
        kept = box.journal.state.report_of(StationKey("cp001"), ReportKind.CHARGING_LIMITS)
        assert kept is not None
        assert set(kept.items) == {"0/EMS"}


async def test_what_2_1_tells_besides_is_read() -> None:
    more = {
        "preconditioningStatus": "Ready", "evseSleep": True, "numberOfPhasesUsed": 3, "cableMaxCurrent": 32,
        "transactionInfo": {
            "transactionId": "tx-1", "operationMode": "ChargingOnly", "transactionLimit": {"maxEnergy": 5000},
            "timeSpentCharging": 60,
        },
        "costDetails": {
            "totalCost": {"currency": "EUR", "typeOfCost": "NormalCost", "total": {"exclTax": 2.0, "inclTax": 2.5}},
            "totalUsage": {"energy": 4.5, "chargingTime": 60, "idleTime": 0},
        },
    }  # fmt: skip
    async with ocpp_box() as box, box.station(offer=["ocpp2.1"]) as station:
        await booted(station)
        event = {**EVENT, **more}
        assert OCPP_21.violation("TransactionEvent", event) is None
        await station.call("TransactionEvent", {**event, "eventType": "Started", "seqNo": 0})
        await station.call("TransactionEvent", {**event, "evseSleep": False, "seqNo": 1})
        (transaction,) = box.journal.state.transactions.values()
        assert transaction.extras == {
            "preconditioning": "Ready", "evse_asleep": False, "phases": 3, "cable_a": 32,
            "operation_mode": "ChargingOnly", "limit": {"maxEnergy": 5000}, "charging_s": 60,
            "cost": {"currency": "EUR", "type": "NormalCost", "excl_tax": 2.0, "incl_tax": 2.5, "energy": 4.5,
                     "chargingTime": 60, "idleTime": 0},
        }  # fmt: skip


@both
async def test_signed_values_are_kept_to_the_last_character(version: str) -> None:
    signed = {"signedMeterData": "A" * 2500, "signingMethod": "", "encodingMethod": "OCMF", "publicKey": "B" * 2000}
    values = [{"timestamp": TIME, "sampledValue": [{"value": 1.0, "signedMeterValue": signed}]}]
    async with ocpp_box() as box, box.station(offer=[f"ocpp{version}"]) as station:
        await booted(station)
        await station.call("MeterValues", {"evseId": 1, "meterValue": values})
        (event,) = box.events(MeterValuesReported)
        assert event.payload == values[0]
