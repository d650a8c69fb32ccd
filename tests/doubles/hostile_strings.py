"""A station that puts one text into every field it may fill, in every version of OCPP. Start at `say_everything`."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

VERSIONS = ("1.6", "2.0.1", "2.1")
FILE = Path(__file__).parents[1] / "corpus" / "hostile_strings.json"
T = "2026-11-23T12:00:00Z"
ANSWERED_WITHIN_S = 20


def strings() -> list[str]:
    return [each["text"] for each in json.loads(FILE.read_text("utf-8"))]


def messages(version: str, text: str) -> list[tuple[str, dict[str, Any]]]:
    """Every message with a text in it; the boot first, and a fault last, so that the page shows it."""
    return _messages_16(text) if version == "1.6" else _messages_2x(version, text)


def _messages_16(s: str) -> list[tuple[str, dict[str, Any]]]:
    sample = {"value": s, "context": s, "format": s, "measurand": s, "phase": s, "location": s, "unit": s}
    group = {"timestamp": s, "sampledValue": [sample, {**sample, "value": "5"}]}
    return [
        ("BootNotification", {
            "chargePointVendor": s, "chargePointModel": s, "chargePointSerialNumber": s, "chargeBoxSerialNumber": s,
            "firmwareVersion": s, "iccid": s, "imsi": s, "meterType": s, "meterSerialNumber": s, s: s,
        }),
        ("Authorize", {"idTag": s}),
        ("StartTransaction", {"connectorId": 1, "idTag": s, "meterStart": 0, "timestamp": s}),
        ("MeterValues", {"connectorId": 1, "transactionId": s, "meterValue": [group]}),
        ("StopTransaction", {"transactionId": s, "idTag": s, "meterStop": s, "timestamp": s, "reason": s,
                             "transactionData": [group]}),
        ("DataTransfer", {"vendorId": s, "messageId": s, "data": s}),
        ("DiagnosticsStatusNotification", {"status": s}),
        ("FirmwareStatusNotification", {"status": s}),
        ("LogStatusNotification", {"status": s, "requestId": 1}),
        ("SecurityEventNotification", {"type": s, "timestamp": s, "techInfo": s}),
        ("SignedFirmwareStatusNotification", {"status": s, "requestId": 1}),
        ("SignCertificate", {"csr": s}),
        (s, {s: s}),
        ("StatusNotification", {"connectorId": 2, "errorCode": s, "status": s, "info": s, "timestamp": s,
                                "vendorId": s, "vendorErrorCode": s}),
        ("StatusNotification", {"connectorId": 1, "errorCode": "OtherError", "status": "Faulted", "info": s,
                                "vendorId": s, "vendorErrorCode": s}),
    ]  # fmt: skip


def _messages_2x(version: str, s: str) -> list[tuple[str, dict[str, Any]]]:
    token = {"idToken": s, "type": s, "additionalInfo": [{"additionalIdToken": s, "type": s}]}
    sample = {
        "value": 5, "context": s, "measurand": s, "phase": s, "location": s, "unitOfMeasure": {"unit": s},
        "signedMeterValue": {"signedMeterData": s, "encodingMethod": s},
    }  # fmt: skip
    group = {"timestamp": s, "sampledValue": [sample]}
    named = {"component": {"name": s, "instance": s}, "variable": {"name": s, "instance": s}}
    more: list[tuple[str, dict[str, Any]]] = [
        ("NotifySettlement", {"pspRef": s, "status": s}),
        ("NotifyWebPaymentStarted", {"evseId": 1, "timeout": 1}),
    ]
    return [
        ("BootNotification", {"reason": s, "chargingStation": {
            "vendorName": s, "model": s, "serialNumber": s, "firmwareVersion": s, "modem": {"iccid": s, "imsi": s}}}),
        ("Authorize", {"idToken": token, "certificate": s}),
        ("TransactionEvent", {"eventType": "Started", "timestamp": s, "triggerReason": s, "seqNo": 0,
                              "transactionInfo": {"transactionId": s, "chargingState": s, "stoppedReason": s},
                              "idToken": token, "evse": {"id": 1}, "meterValue": [group]}),
        ("TransactionEvent", {"eventType": "Ended", "timestamp": T, "triggerReason": s, "seqNo": 1,
                              "transactionInfo": {"transactionId": s, "stoppedReason": s}, "evse": {"id": 1}}),
        ("MeterValues", {"evseId": 1, "meterValue": [group]}),
        ("DataTransfer", {"vendorId": s, "messageId": s, "data": s}),
        ("FirmwareStatusNotification", {"status": s, "requestId": 1}),
        ("LogStatusNotification", {"status": s, "requestId": 1}),
        ("NotifyReport", {"requestId": 1, "generatedAt": T, "seqNo": 0, "tbc": False, "reportData": [
            {**named, "variableAttribute": [{"value": s}],
             "variableCharacteristics": {"unit": s, "dataType": "string", "valuesList": s}}]}),
        ("NotifyEvent", {"generatedAt": T, "seqNo": 0, "eventData": [
            {"eventId": 1, "timestamp": T, "trigger": "Alerting", "actualValue": s, "techCode": s, "techInfo": s,
             "eventNotificationType": "CustomMonitor", **named}]}),
        ("NotifyMonitoringReport", {"requestId": 1, "seqNo": 0, "generatedAt": T, "monitor": [
            {**named, "variableMonitoring": []}]}),
        ("NotifyDisplayMessages", {"requestId": 1, "messageInfo": [
            {"id": 1, "priority": "NormalCycle", "message": {"format": "HTML", "content": s, "language": s}}]}),
        ("NotifyCustomerInformation", {"data": s, "seqNo": 0, "generatedAt": T, "requestId": 1}),
        ("SecurityEventNotification", {"type": s, "timestamp": s, "techInfo": s}),
        ("SignCertificate", {"csr": s, "certificateType": s}),
        *(more if version == "2.1" else []),
        (s, {s: s}),
        ("StatusNotification", {"timestamp": s, "connectorStatus": s, "evseId": 2, "connectorId": 1}),
        ("StatusNotification", {"timestamp": T, "connectorStatus": "Faulted", "evseId": 1, "connectorId": 1}),
    ]  # fmt: skip


async def say_everything(stack: AsyncExitStack, ocpp: str, identity: str, version: str, text: str) -> list[str]:
    """Connect and say all of it; what each message was answered: "result" or the error's code.

    The connection stays until the stack is left. Raises TimeoutError where a message gets no answer.
    """
    offered = [Subprotocol(f"ocpp{version}")]
    socket = await stack.enter_async_context(
        connect(
            f"{ocpp}/{path_of(identity)}", subprotocols=offered, compression=None, open_timeout=ANSWERED_WITHIN_S,
            max_size=None, ping_interval=None, close_timeout=0.5,
        )
    )  # fmt: skip
    verdicts = []
    for number, (action, payload) in enumerate(messages(version, text)):
        await socket.send(json.dumps([2, f"m{number}", action, payload]))
        verdicts.append(await _answer(socket, f"m{number}"))
    return verdicts


def path_of(identity: str) -> str:
    """Percent-encoded, halves of characters as their bytes."""
    return quote(identity.encode("utf-8", "surrogatepass")[:300], safe="")


async def fill(stack: AsyncExitStack, ocpp: str) -> dict[str, list[str]]:
    """Every text said by a station of its own in every version (`identities`), and one that calls itself so."""
    verdicts: dict[str, list[str]] = {}
    limit = asyncio.Semaphore(8)

    async def say(identity: str, version: str, text: str) -> None:
        async with limit:
            verdicts[f"{identity} {version}"] = await say_everything(stack, ocpp, identity, version, text)

    async with asyncio.TaskGroup() as group:
        for identity, (version, text) in identities().items():
            group.create_task(say(identity, version, text))
    for text in strings():
        async with AsyncExitStack() as short:
            await say_everything(short, ocpp, text, "1.6", text)
    return verdicts


def identities() -> dict[str, tuple[str, str]]:
    return {
        f"HS{number:02}-{version.replace('.', '')}": (version, text)
        for number, text in enumerate(strings()) for version in VERSIONS
    }  # fmt: skip


async def _answer(socket: Any, id_: str) -> str:
    async with asyncio.timeout(ANSWERED_WITHIN_S):
        while True:
            frame = json.loads(await socket.recv())
            if frame[0] in (3, 4) and frame[1] == id_:
                return "result" if frame[0] == 3 else str(frame[2])
            if frame[0] == 2:
                await socket.send(json.dumps([4, frame[1], "NotImplemented", "", {}]))
