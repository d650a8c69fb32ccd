"""Orders about files in both tongues, held against the schemas, and what stations say of files."""

from datetime import UTC, datetime
from typing import Any

import pytest

from edge_agent.charge_points import file_calls, v2x, v16
from edge_agent.charge_points.readings import Found
from edge_agent.charge_points.schemas import OCPP_16, OCPP_21, OCPP_201
from sitelink.commands import FetchLog, Order, ReadTransferMethods, Reset, UpdateFirmware
from sitelink.states import TransferKind

NOW = datetime(2026, 11, 23, 12, 0, 0, 123000, tzinfo=UTC)
AT = "2026-11-23T12:00:00.123Z"
DIAGNOSTICS, LOG, FIRMWARE = TransferKind
RETRIES = {"retries": 3, "retryInterval": 60}
SIGNED = {"signature": "c2ln", "signingCertificate": "PEM"}
UPDATE = UpdateFirmware(7, "http://b/fw.bin", NOW)
SIGNED_UPDATE = UpdateFirmware(7, "http://b/fw.bin", NOW, install_at=NOW, signature="c2ln", certificate="PEM")


@pytest.mark.parametrize(
    ("order", "action", "payload"),
    [
        (FetchLog(DIAGNOSTICS, 7, "ftp://u:p@192.0.2.1/"), "GetDiagnostics",
         {"location": "ftp://u:p@192.0.2.1/", **RETRIES}),
        (FetchLog(DIAGNOSTICS, 7, "http://b/", oldest=NOW, latest=NOW), "GetDiagnostics",
         {"location": "http://b/", "startTime": AT, "stopTime": AT, **RETRIES}),
        (FetchLog(LOG, 7, "http://b/", oldest=NOW, latest=NOW), "GetLog",
         {"logType": "SecurityLog", "requestId": 7, **RETRIES,
          "log": {"remoteLocation": "http://b/", "oldestTimestamp": AT, "latestTimestamp": AT}}),
        (UPDATE, "UpdateFirmware", {"location": "http://b/fw.bin", "retrieveDate": AT, **RETRIES}),
        (SIGNED_UPDATE, "SignedUpdateFirmware",
         {"requestId": 7, **RETRIES,
          "firmware": {"location": "http://b/fw.bin", "retrieveDateTime": AT, "installDateTime": AT, **SIGNED}}),
    ],
)  # fmt: skip
def test_orders_become_calls_of_16(order: Order, action: str, payload: dict[str, Any]) -> None:
    assert v16.call_for(order) == (action, payload)
    OCPP_16.check_call(action, payload)


@pytest.mark.parametrize(
    ("order", "action", "payload"),
    [
        (FetchLog(DIAGNOSTICS, 7, "http://b/"), "GetLog",
         {"logType": "DiagnosticsLog", "requestId": 7, "log": {"remoteLocation": "http://b/"}, **RETRIES}),
        (FetchLog(LOG, 7, "http://b/", oldest=NOW), "GetLog",
         {"logType": "SecurityLog", "requestId": 7, **RETRIES,
          "log": {"remoteLocation": "http://b/", "oldestTimestamp": AT}}),
        (UPDATE, "UpdateFirmware",
         {"requestId": 7, "firmware": {"location": "http://b/fw.bin", "retrieveDateTime": AT}, **RETRIES}),
        (SIGNED_UPDATE, "UpdateFirmware",
         {"requestId": 7, **RETRIES,
          "firmware": {"location": "http://b/fw.bin", "retrieveDateTime": AT, "installDateTime": AT, **SIGNED}}),
    ],
)  # fmt: skip
def test_orders_become_calls_of_2x(order: Order, action: str, payload: dict[str, Any]) -> None:
    assert v2x.call_for(order) == (action, payload)
    for schemas in (OCPP_201, OCPP_21):
        schemas.check_call(action, payload)


def test_other_orders_are_none_of_its_business() -> None:
    for call in (file_calls.call_16, file_calls.call_2x):
        assert call(Reset()) is None
    for answer in (file_calls.answer_16, file_calls.answer_2x):
        assert answer(Reset(), {"status": "Accepted"}) is None


@pytest.mark.parametrize(
    ("order", "payload", "word", "accepted", "file"),
    [
        (FetchLog(DIAGNOSTICS, 7, "x"), {"fileName": "d.zip"}, "Accepted", True, "d.zip"),
        (FetchLog(DIAGNOSTICS, 7, "x"), {}, "Accepted", True, None),
        (FetchLog(DIAGNOSTICS, 7, "x"), None, "FormationViolation", False, None),
        (FetchLog(LOG, 7, "x"), {"status": "Accepted", "filename": "l"}, "Accepted", True, "l"),
        (FetchLog(LOG, 7, "x"), {"status": "AcceptedCanceled"}, "AcceptedCanceled", True, None),
        (FetchLog(LOG, 7, "x"), {}, "FormationViolation", False, None),
        (UPDATE, {}, "Accepted", True, None),
        (SIGNED_UPDATE, {"status": "Accepted"}, "Accepted", True, None),
        (SIGNED_UPDATE, {"status": "invalidcertificate"}, "InvalidCertificate", False, None),
        (SIGNED_UPDATE, {}, "FormationViolation", False, None),
    ],
)
def test_answers_of_16_are_read(order: Order, payload: Any, word: str, accepted: bool, file: str | None) -> None:
    answer = v16.order_answer(order, payload)
    assert (answer.word, answer.accepted, answer.file) == (word, accepted, file)


@pytest.mark.parametrize(
    ("order", "payload", "word", "accepted", "file"),
    [
        (FetchLog(DIAGNOSTICS, 7, "x"), {"status": "Accepted", "filename": "d.zip"}, "Accepted", True, "d.zip"),
        (FetchLog(DIAGNOSTICS, 7, "x"), {}, "FormationViolation", False, None),
        (UPDATE, {"status": "Rejected"}, "Rejected", False, None),
        (UPDATE, [], "FormationViolation", False, None),
        (SIGNED_UPDATE, {"status": "RevokedCertificate"}, "RevokedCertificate", False, None),
    ],
)
def test_answers_of_2x_are_read(order: Order, payload: Any, word: str, accepted: bool, file: str | None) -> None:
    answer = v2x.order_answer(order, payload)
    assert (answer.word, answer.accepted, answer.file) == (word, accepted, file)


@pytest.mark.parametrize(
    ("action", "payload", "word", "number", "mended"),
    [
        ("DiagnosticsStatusNotification", {"status": "Uploading"}, "Uploading", None, 0),
        ("LogStatusNotification", {"status": "Uploaded", "requestId": 7}, "Uploaded", 7, 0),
        ("LogStatusNotification", {"status": "Uploaded", "requestId": "7"}, "Uploaded", 7, 1),
        ("FirmwareStatusNotification", {"status": "Installed"}, "Installed", None, 0),
        ("SignedFirmwareStatusNotification", {}, "", None, 1),
    ],
)
def test_what_is_told_of_a_file_is_read(
    action: str, payload: dict[str, Any], word: str, number: int | None, mended: int
) -> None:
    found: Found = []
    report = file_calls.report(action, payload, found)
    assert (report.action, report.word, report.request, report.payload) == (action, word, number, payload)
    assert len(found) == mended


SAYS_16, SAYS_2X = "SupportedFileTransferProtocols", "OCPPCommCtrlr.FileTransferProtocols"


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"configurationKey": [{"key": SAYS_16, "readonly": True, "value": "FTP,HTTP"}]}, "FTP,HTTP"),
        ({"configurationKey": [{"key": SAYS_16, "readonly": True}]}, None),
        ({"unknownKey": [SAYS_16]}, None),
        ({"configurationKey": ["odd"]}, None),
        (None, None),
    ],
)
def test_how_a_station_of_16_sends_files_is_asked_and_read(payload: Any, said: str | None) -> None:
    assert v16.call_for(ReadTransferMethods()) == ("GetConfiguration", {"key": [SAYS_16]})
    assert v16.order_answer(ReadTransferMethods(), payload).payload == {SAYS_16: said}


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"getVariableResult": [{"attributeStatus": "Accepted", "attributeValue": "HTTPS,FTPS"}]}, "HTTPS,FTPS"),
        ({"getVariableResult": [{"attributeStatus": "UnknownVariable"}]}, None),
        ({"getVariableResult": []}, None),
        ([], None),
    ],
)
def test_how_a_station_of_2x_sends_files_is_asked_and_read(payload: Any, said: str | None) -> None:
    action, call = v2x.call_for(ReadTransferMethods())
    OCPP_201.check_call(action, call)
    assert v2x.order_answer(ReadTransferMethods(), payload).payload == {SAYS_2X: said}
