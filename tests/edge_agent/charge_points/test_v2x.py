"""OCPP 2.0.1 and 2.1 payloads as reports and back."""

from datetime import UTC, datetime
from typing import Any

import pytest

from edge_agent.charge_points import v2x
from edge_agent.charge_points.dialect import Unusable
from edge_agent.charge_points.dialects import dialect_of
from edge_agent.charge_points.readings import Found
from edge_agent.charge_points.rules_2x import not_now
from edge_agent.charge_points.schemas import OCPP_21, OCPP_201, Schemas
from edge_agent.site.reports import BootAnswer, TransactionStage, Verdict
from sitelink.commands import (
    Order,
    ReadConfiguration,
    RemoteStart,
    RemoteStop,
    Reset,
    SetAvailability,
    Trigger,
    UnlockConnector,
)
from sitelink.errors import CallInvalid
from sitelink.ids import TransactionId
from sitelink.states import AuthorizationStatus, ConnectorStatus, Registration

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TIME = "2026-11-23T12:00:00Z"
BOOT = {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "P2", "serialNumber": "S1"}}
EVENT: dict[str, Any] = {
    "eventType": "Updated", "timestamp": TIME, "triggerReason": "MeterValuePeriodic", "seqNo": 3,
    "transactionInfo": {"transactionId": "tx-1", "chargingState": "SuspendedEV", "remoteStartId": 7},
    "evse": {"id": 2, "connectorId": 1}, "idToken": {"idToken": "DRIVER1", "type": "ISO14443"},
    "meterValue": [{"timestamp": TIME, "sampledValue": [
        {"value": 1.5, "measurand": "Energy.Active.Import.Register", "unitOfMeasure": {"unit": "Wh", "multiplier": 3}},
        {"value": 7, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "kW"}, "phase": "L1"},
    ]}],
}  # fmt: skip
both = pytest.mark.parametrize("schemas", [OCPP_201, OCPP_21], ids=lambda each: each.version)


def test_a_boot_is_read_also_in_the_shape_of_1_6() -> None:
    report = v2x.boot_report(BOOT, [])
    assert (report.vendor, report.model, report.serial) == ("Acme", "P2", "S1")
    found: Found = []
    old = v2x.boot_report({"chargePointVendor": "Acme", "chargePointModel": "P2", "chargeBoxSerialNumber": "S2"}, found)
    assert (old.vendor, old.serial) == ("Acme", "S2")
    assert found == ["boot:shaped_as_in_1.6"]
    assert v2x.boot_report({"chargingStation": 5}, []).vendor == ""


def test_a_status_is_of_a_plug_of_a_place() -> None:
    said = {"timestamp": TIME, "connectorStatus": "Occupied", "evseId": 2, "connectorId": 1}
    report = v2x.connector_report(said, [])
    assert (report.connector, report.plug, report.status) == (2, 1, ConnectorStatus.OCCUPIED)
    found: Found = []
    old = v2x.connector_report({"connectorId": 2, "status": "Charging", "errorCode": "NoError"}, found)
    assert (old.connector, old.plug, old.status) == (2, None, ConnectorStatus.CHARGING)
    assert found == ["status:named_as_in_1.6", "evseId:missing"]
    for wrong in ({"evseId": 1}, {**said, "evseId": 101}, {**said, "connectorId": -1}):
        with pytest.raises(Unusable):
            v2x.connector_report(wrong, [])


def test_a_transaction_event_is_read_whole() -> None:
    found: Found = []
    report = v2x.transaction_report(EVENT, found)
    assert found == []
    assert (report.stage, report.name, report.seq_no) == (TransactionStage.UPDATED, "tx-1", 3)
    assert (report.connector, report.plug, report.remote_start) == (2, 1, 7)
    assert (report.charging, report.id_token, report.token_type) == (
        ConnectorStatus.SUSPENDED_EV,
        "DRIVER1",
        "ISO14443",
    )
    assert [(each.unit, each.value) for each in report.groups[0].samples] == [("Wh", 1500), ("W", 7000)]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"eventType": "Begun"}, ["eventType:unknown"]),
        ({"seqNo": "3"}, ["seqNo:text_for_number"]),
        ({"seqNo": None}, ["seqNo:missing"]),
        ({"seqNo": -4}, ["seqNo:missing"]),
        ({"idToken": "DRIVER1"}, ["idToken:not_an_object"]),
        ({"idToken": {"idToken": "", "type": "ISO14443"}}, ["idToken:empty"]),
        ({"evse": 2}, ["evse:not_an_object"]),
        ({"evse": {"id": 0}}, ["evse:out_of_range"]),
        ({"transactionInfo": {"transactionId": "tx-1", "chargingState": "Sleeping"}}, ["chargingState:unknown"]),
        ({"transactionInfo": None, "transactionId": "tx-1"}, ["transactionInfo:not_an_object"]),
        ({"meterValue": {"timestamp": TIME, "sampledValue": [{"value": 5}]}}, ["meterValue:not_a_list"]),
    ],
)
def test_what_is_odd_in_an_event_is_put_right_and_named(changes: dict[str, Any], found: list[str]) -> None:
    named: Found = []
    assert v2x.transaction_report({**EVENT, **changes}, named).name == "tx-1"
    assert named == found


def test_an_event_told_offline_is_known_as_such_also_by_a_word() -> None:
    found: Found = []
    assert v2x.transaction_report({**EVENT, "offline": "true"}, found).offline
    assert not v2x.transaction_report({**EVENT, "offline": "false"}, found).offline
    assert found == ["offline:text_for_switch"] * 2


@pytest.mark.parametrize("changes", [{"transactionInfo": {}}, {"transactionInfo": None}])
def test_an_event_of_no_transaction_cannot_be_used(changes: dict[str, Any]) -> None:
    with pytest.raises(Unusable):
        v2x.transaction_report({**EVENT, **changes}, [])


def test_a_group_goes_as_far_as_the_version_carries_it() -> None:
    verdict = Verdict(AuthorizationStatus.ACCEPTED, "G" * 37)
    for version, told in (("2.0.1", False), ("2.1", True)):
        answer = v2x.transaction_answer(verdict, dialect_of(version).clerk.id_token_max)  # type: ignore[attr-defined]
        assert ("groupIdToken" in answer["idTokenInfo"]) is told
        schemas = dialect_of(version).schemas
        assert schemas.violation("TransactionEventResponse", answer) is None


def test_a_token_may_be_none_at_all() -> None:
    assert v2x.authorize_report({"idToken": {"idToken": "", "type": "NoAuthorization"}}, []) == ("", "NoAuthorization")
    found: Found = []
    assert v2x.authorize_report({"idTag": "A"}, found) == ("A", None)
    assert found == ["idToken:named_as_in_1.6", "idToken:not_an_object"]
    with pytest.raises(Unusable):
        v2x.authorize_report({}, [])


@both
def test_what_we_answer_fits_the_schema(schemas: Schemas) -> None:
    for message, payload in [
        ("BootNotificationResponse", v2x.boot_answer(BootAnswer(Registration.NONE, 20), NOW)),
        ("HeartbeatResponse", v2x.heartbeat_answer(NOW)),
        *(
            ("AuthorizeResponse", v2x.authorize_answer(Verdict(each, "FLEET", NOW, (1, 2))))
            for each in AuthorizationStatus
        ),
        ("TransactionEventResponse", v2x.transaction_answer(Verdict(AuthorizationStatus.ACCEPTED))),
        ("TransactionEventResponse", v2x.transaction_answer(None)),
        ("DataTransferResponse", {"status": "UnknownVendorId"}),
    ]:
        assert schemas.violation(message, payload) is None
        assert schemas.conforms(message, payload)


ORDERS: list[tuple[Order, str]] = [
    (RemoteStart(2, "TEST1042", 7), "RequestStartTransaction"),
    (RemoteStop(TransactionId(7), "tx-1"), "RequestStopTransaction"),
    (UnlockConnector(1, 2), "UnlockConnector"),
    (Reset(), "Reset"),
    (Reset(hard=True), "Reset"),
    (Reset(connector=2), "Reset"),
    (SetAvailability(operative=False), "ChangeAvailability"),
    (SetAvailability(operative=True, connector=2, plug=1), "ChangeAvailability"),
    (Trigger("MeterValues"), "TriggerMessage"),
    (Trigger("StatusNotification", 1), "TriggerMessage"),
]


@both
@pytest.mark.parametrize(("order", "action"), ORDERS, ids=lambda each: str(each)[:40])
def test_orders_become_calls_that_fit_the_schema(schemas: Schemas, order: Order, action: str) -> None:
    made, payload = v2x.call_for(order)
    assert made == action
    schemas.check_call(action, payload)
    assert not_now(action, payload, Registration.ACCEPTED) is None


def test_an_order_without_a_call_in_this_version_is_refused() -> None:
    with pytest.raises(CallInvalid):
        v2x.call_for(ReadConfiguration(("A",)))


@pytest.mark.parametrize(
    ("action", "payload", "registration", "where"),
    [
        ("TriggerMessage", {"requestedMessage": "BootNotification"}, Registration.ACCEPTED, "requestedMessage"),
        ("TriggerMessage", {"requestedMessage": "BootNotification"}, Registration.PENDING, None),
        ("TriggerMessage", {"requestedMessage": "StatusNotification"}, Registration.ACCEPTED, "evse"),
        (
            "RequestStartTransaction", {"chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}},
            Registration.ACCEPTED, "chargingProfile",
        ),
    ],
)  # fmt: skip
def test_what_fits_the_schema_and_breaks_a_rule(
    action: str, payload: dict[str, Any], registration: Registration, where: str | None
) -> None:
    assert not_now(action, payload, registration) == where


@pytest.mark.parametrize(
    ("payload", "word", "accepted"),
    [
        ({"status": "accepted"}, "Accepted", True),
        ({"status": "Scheduled"}, "Scheduled", True),
        ({"status": "OngoingAuthorizedTransaction"}, "OngoingAuthorizedTransaction", False),
        ({}, "FormationViolation", False),
        (None, "FormationViolation", False),
    ],
)
def test_answers_keep_the_stations_word(payload: Any, word: str, accepted: bool) -> None:
    answer = v2x.order_answer(UnlockConnector(1), payload)
    assert (answer.word, answer.accepted) == (word, accepted)


def test_meter_values_are_of_a_place() -> None:
    report = v2x.meter_report({"evseId": 1, "meterValue": EVENT["meterValue"]}, [])
    assert (report.connector, len(report.groups)) == (1, 1)
    assert v2x.meter_report({"meterValue": EVENT["meterValue"]}, []).connector == 0


def test_secrets_are_not_read_back() -> None:
    shown = v2x.shown_answer("GetVariables", {"getVariableResult": [{"attributeValue": "x", "password": "y"}]})
    assert shown == {"getVariableResult": [{"attributeValue": "x", "password": "***"}]}


def test_a_key_code_is_read_and_not_kept() -> None:
    report = v2x.transaction_report({**EVENT, "idToken": {"idToken": "4711", "type": "KeyCode"}}, [])
    assert (report.id_token, report.token_type) == ("4711", "KeyCode")
    assert "4711" not in str(report.payload)
