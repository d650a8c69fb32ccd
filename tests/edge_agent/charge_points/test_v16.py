"""OCPP 1.6 payloads as reports and back; the oddities of real stations stand in tests/corpus/ocpp16."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.charge_points import rpc, v16
from edge_agent.charge_points.dialect import Unusable
from edge_agent.charge_points.dialects import dialect_of
from edge_agent.charge_points.readings import Found
from edge_agent.charge_points.rpc import Call, ErrorCode, Unreadable
from edge_agent.charge_points.schemas import OCPP_16
from edge_agent.site.reports import BootAnswer, StartAnswer, Verdict
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

CORPUS = sorted(
    file
    for file in (Path(__file__).parents[2] / "corpus" / "ocpp16").glob("*.json")
    if '"counted"' not in file.read_text()
)
"""Those whose report is looked at here; all are replayed through a session in tests/journeys/test_corpus.py."""
READERS: dict[str, Any] = {
    "Authorize": v16.id_token_of, "BootNotification": v16.boot_report, "MeterValues": v16.meter_report,
    "StartTransaction": v16.start_report, "StatusNotification": v16.connector_report,
    "StopTransaction": v16.stop_report, "Heartbeat": lambda _payload, _found: None,
}  # fmt: skip


@pytest.mark.parametrize("file", CORPUS, ids=lambda path: path.stem)
def test_what_real_stations_send(file: Path) -> None:
    case = json.loads(file.read_text("utf-8"))
    assert {"vendor", "firmware", "source", "note"} <= case.keys()
    text = case["frame"] if isinstance(case["frame"], str) else json.dumps(case["frame"])
    frame, expect = rpc.decode(text), case["expect"]
    if expect["answer"] != "result":
        assert isinstance(frame, Unreadable)
        assert (frame.code.value, frame.message_id) == (expect["answer"], "1")
        return
    assert isinstance(frame, Call)
    found: Found = []
    report = READERS[frame.action](frame.payload, found)
    dialect_of("1.6").extra_properties(frame.action, frame.payload, found)
    assert found == expect["corrections"]
    for name in ("status", "error_code", "vendor_error_code", "text", "connector", "transaction", "reason", "serial"):
        if name in expect:
            assert getattr(report, name) == expect[name], name
    if "value" in expect:
        assert (report if isinstance(report, str) else report.id_token) == expect["value"]
    if "at" in expect:
        at = report.groups[0].at if frame.action == "MeterValues" else report.at
        assert (at.isoformat() if at else None) == expect["at"]
    if "samples" in expect:
        samples = [[s.measurand, s.unit, s.value, s.phase] for group in report.groups for s in group.samples]
        assert samples == expect["samples"]
    if "kept" in expect:
        assert report.groups[0].payload is not None


def test_the_corpus_is_there() -> None:
    assert len(CORPUS) >= 25


NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 10**19 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(["-1", "1e400", "24:00", "\x00", "1970"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["value", "values", "unit", "timestamp", "sampledValue", "measurand", "format", "phase"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.sampled_from(sorted(READERS)), st.data())
def test_no_payload_is_fatal_and_every_report_can_be_written(action: str, data: st.DataObject) -> None:
    names = sorted(v16.NAMES[action]) or ["x"]
    payload = data.draw(st.dictionaries(st.sampled_from(names), NONSENSE, max_size=len(names)))
    found: Found = []
    try:
        report = READERS[action](payload, found)
    except Unusable as unusable:
        assert action in ("Authorize", "StatusNotification"), "starts, stops and values are never refused"
        assert unusable.code in ErrorCode  # noqa: PT017 (either way is right)
    else:
        written = msgspec.json.encode(report)
        assert b"NaN" not in written
        assert len(written) < 64 * 1024
    assert all(len(each) < 120 for each in found)


def test_a_plain_status_is_read_without_a_correction() -> None:
    found: Found = []
    payload = {
        "connectorId": 2, "status": "Faulted", "errorCode": "GroundFailure", "info": "RCD", "vendorId": "acme",
        "vendorErrorCode": "E-017", "timestamp": "2026-11-23T13:00:00.5+01:00",
    }  # fmt: skip
    report = v16.connector_report(payload, found)
    assert (report.connector, report.status, report.error_code) == (2, ConnectorStatus.FAULTED, "GroundFailure")
    assert report.at == datetime(2026, 11, 23, 12, 0, 0, 500_000, tzinfo=UTC)
    assert report.station_time == "2026-11-23T13:00:00.5+01:00"
    assert found == []


@pytest.mark.parametrize("connector", [-1, 101, 10**6])
def test_an_impossible_connector_has_no_status_and_yet_a_start(connector: int) -> None:
    with pytest.raises(Unusable):
        v16.connector_report({"connectorId": connector, "status": "Available"}, [])
    found: Found = []
    assert v16.start_report({"connectorId": connector, "idTag": "A"}, found).connector == 0
    assert found == ["connectorId:out_of_range"]


def test_the_closing_values_of_a_stop_are_read_and_not_kept_twice() -> None:
    group = {"timestamp": "2026-11-23T12:00:00Z", "sampledValue": [{"value": "5", "context": "Transaction.End"}]}
    stop = {"transactionId": 3, "meterStop": 5, "timestamp": "2026-11-23T12:00:00Z", "transactionData": [group] * 3}
    report = v16.stop_report(stop, [])
    assert [each.samples[0].value for each in report.groups] == [5.0, 5.0, 5.0]
    assert report.payload == {"transactionId": 3, "meterStop": 5, "timestamp": "2026-11-23T12:00:00Z"}
    nested = {**stop, "transactionData": [{"values": [group]}]}
    assert len(v16.stop_report(nested, []).groups) == 1, "one level more, as in OCPP 1.5"


def test_configuration_is_read_without_its_secrets() -> None:
    payload = {
        "configurationKey": [
            {"key": "NumberOfConnectors", "readonly": True, "value": 2}, {"key": "Empty", "readonly": False},
            {"key": "AuthorizationKey", "readonly": False, "value": "c0ffee"}, "nonsense", {"value": "no key"},
        ]
    }  # fmt: skip
    assert v16.configuration_of(payload, []) == {"NumberOfConnectors": "2", "Empty": None}
    assert v16.configuration_of(None, []) == {}
    assert v16.configuration_of({"configurationKey": {"key": "A", "value": "1"}}, []) == {"A": "1"}


NOW = datetime(2026, 11, 23, 12, 0, 0, 123_456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        ("BootNotificationResponse", v16.boot_answer(BootAnswer(Registration.ACCEPTED, 60), NOW)),
        ("BootNotificationResponse", v16.boot_answer(BootAnswer(Registration.PENDING, 20, "unknown_identity"), NOW)),
        ("BootNotificationResponse", v16.boot_answer(BootAnswer(Registration.NONE, 20), NOW)),
        ("HeartbeatResponse", v16.heartbeat_answer(NOW)),
        ("AuthorizeResponse", v16.authorize_answer(Verdict(AuthorizationStatus.BLOCKED))),
        ("AuthorizeResponse", v16.authorize_answer(Verdict(AuthorizationStatus.ACCEPTED, "FLEET", NOW, (1,)))),
        ("AuthorizeResponse", v16.authorize_answer(Verdict(AuthorizationStatus.ACCEPTED, "G" * 21))),
        (
            "StartTransactionResponse",
            v16.start_answer(StartAnswer(TransactionId(7), Verdict(AuthorizationStatus.ACCEPTED))),
        ),
        ("StopTransactionResponse", v16.stop_answer(Verdict(AuthorizationStatus.INVALID))),
        ("StopTransactionResponse", v16.stop_answer(None)),
        ("StatusNotificationResponse", {}),
        ("MeterValuesResponse", {}),
        ("DataTransferResponse", {"status": "UnknownVendorId"}),
    ],
)
def test_what_we_answer_fits_the_schema(message: str, payload: dict[str, Any]) -> None:
    assert OCPP_16.violation(message, payload) is None
    assert OCPP_16.conforms(message, payload)


@pytest.mark.parametrize("status", AuthorizationStatus)
def test_every_verdict_has_a_word_of_1_6(status: AuthorizationStatus) -> None:
    answer = v16.authorize_answer(Verdict(status))
    assert OCPP_16.violation("AuthorizeResponse", answer) is None
    assert (answer["idTagInfo"]["status"] == "Accepted") is (status is AuthorizationStatus.ACCEPTED)


def test_parent_and_expiry_go_with_the_verdict() -> None:
    answer = v16.authorize_answer(Verdict(AuthorizationStatus.ACCEPTED, "FLEET", NOW))
    assert answer["idTagInfo"] == {
        "status": "Accepted", "parentIdTag": "FLEET", "expiryDate": "2026-11-23T12:00:00.123Z",
    }  # fmt: skip
    assert "parentIdTag" not in v16.authorize_answer(Verdict(AuthorizationStatus.ACCEPTED, "G" * 21))["idTagInfo"]


def test_our_time_is_utc_with_milliseconds() -> None:
    assert v16.heartbeat_answer(NOW) == {"currentTime": "2026-11-23T12:00:00.123Z"}


@pytest.mark.parametrize(
    ("order", "action", "payload"),
    [
        (RemoteStart(2, "TEST1042"), "RemoteStartTransaction", {"connectorId": 2, "idTag": "TEST1042"}),
        (RemoteStop(TransactionId(7)), "RemoteStopTransaction", {"transactionId": 7}),
        (UnlockConnector(1), "UnlockConnector", {"connectorId": 1}),
        (Reset(), "Reset", {"type": "Soft"}),
        (Reset(hard=True), "Reset", {"type": "Hard"}),
        (Trigger("StatusNotification"), "TriggerMessage", {"requestedMessage": "StatusNotification"}),
        (Trigger("MeterValues", 1), "TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1}),
        (SetAvailability(operative=False), "ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}),
        (SetAvailability(operative=True, connector=2), "ChangeAvailability", {"connectorId": 2, "type": "Operative"}),
        (ReadConfiguration(("A", "B")), "GetConfiguration", {"key": ["A", "B"]}),
    ],
)
def test_orders_become_calls_that_fit_the_schema(order: Order, action: str, payload: dict[str, Any]) -> None:
    assert v16.call_for(order) == (action, payload)
    OCPP_16.check_call(action, payload)


@pytest.mark.parametrize("order", [Reset(connector=1), SetAvailability(operative=True, connector=1, plug=2)])
def test_what_1_6_has_no_call_for_is_refused(order: Order) -> None:
    with pytest.raises(CallInvalid):
        v16.call_for(order)


def test_every_order_has_a_call() -> None:
    assert {each.__name__ for each in Order.__subclasses__()} == {
        "RemoteStart", "RemoteStop", "UnlockConnector", "Reset", "SetAvailability", "Trigger", "ReadConfiguration",
        "ReadListLimits", "SendLocalList", "GetLocalListVersion", "ClearCache", "SetKey",
        "RequestCertificate", "HandOverCertificate", "InstallRoot", "ReadRoots", "DeleteRoot", "FetchLog",
        "ReadTransferMethods", "UpdateFirmware",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "word", "accepted"),
    [
        ({"status": "Accepted"}, "Accepted", True),
        ({"status": "ACCEPTED"}, "Accepted", True),
        ({"status": "Unlocked"}, "Unlocked", True),
        ({"status": "UnlockFailed"}, "UnlockFailed", False),
        ({"status": "NotSupported"}, "NotSupported", False),
        ({"status": "versionmismatch"}, "VersionMismatch", False),
        ({"status": "Perhaps"}, "Perhaps", False),
        ({}, "FormationViolation", False),
        (None, "FormationViolation", False),
        ([], "FormationViolation", False),
        ({"status": {}}, "FormationViolation", False),
    ],
)
def test_answers_keep_the_stations_word(payload: Any, word: str, accepted: bool) -> None:
    answer = v16.order_answer(UnlockConnector(1), payload)
    assert (answer.word, answer.accepted) == (word, accepted)


@pytest.mark.parametrize(
    ("action", "payload", "registration", "where"),
    [
        ("TriggerMessage", {"requestedMessage": "BootNotification"}, Registration.ACCEPTED, "requestedMessage"),
        ("TriggerMessage", {"requestedMessage": "BootNotification"}, Registration.PENDING, None),
        ("TriggerMessage", {"requestedMessage": "MeterValues"}, Registration.ACCEPTED, None),
        ("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 0}, Registration.PENDING, "connectorId"),
        ("UnlockConnector", {"connectorId": 0}, Registration.ACCEPTED, "connectorId"),
        ("ChangeAvailability", {"connectorId": 0, "type": "Operative"}, Registration.ACCEPTED, None),
        ("ChangeAvailability", {"connectorId": -1, "type": "Operative"}, Registration.ACCEPTED, "connectorId"),
        ("RemoteStartTransaction", {"idTag": "A"}, Registration.ACCEPTED, None),
        (
            "RemoteStartTransaction",
            {"idTag": "A", "chargingProfile": {"chargingProfilePurpose": "TxProfile", "transactionId": 1}},
            Registration.ACCEPTED, "chargingProfile",
        ),
        (
            "RemoteStartTransaction",
            {"idTag": "A", "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}},
            Registration.ACCEPTED, "chargingProfile",
        ),
    ],
)  # fmt: skip
def test_what_fits_the_schema_and_breaks_a_rule(
    action: str, payload: dict[str, Any], registration: Registration, where: str | None
) -> None:
    assert v16.not_now(action, payload, registration) == where


def test_an_authorization_key_is_not_read_back() -> None:
    secret = {"key": "AuthorizationKey", "readonly": False, "value": "0123456789abcdef0123"}
    plain = {"key": "HeartbeatInterval", "readonly": False, "value": "60"}
    shown = v16.shown_answer("GetConfiguration", {"configurationKey": [secret, plain], "unknownKey": []})
    assert shown == {"configurationKey": [{**secret, "value": "***"}, plain], "unknownKey": []}
    assert v16.shown_answer("ClearCache", {"status": "Accepted"}) == {"status": "Accepted"}
