"""What the bench's charge points say: three streams, each message with an id, a time and a register value of its own.

`meter_values` and `mixed` are OCPP 1.6, `transaction_events` is 2.0.1. A mixed round of twenty is ten MeterValues, four
Heartbeats, three StatusNotifications, one Authorize, one StartTransaction and one StopTransaction. Start at `STREAMS`.
"""

import json
from collections.abc import Callable
from typing import Any

from bench.wire import Charger, Script

ID_TAG = "BENCH"
_SAMPLES = (
    '{"value":"%d","measurand":"Energy.Active.Import.Register","unit":"Wh"},'
    '{"value":"11021.5","measurand":"Power.Active.Import","unit":"W"},'
    + ",".join(
        f'{{"value":"15.97","measurand":"Current.Import","unit":"A","phase":"L{n}"}},'
        f'{{"value":"230.1","measurand":"Voltage","unit":"V","phase":"L{n}"}}'
        for n in (1, 2, 3)
    )
)
_METER_VALUES = (
    '[2,"m%d","MeterValues",{"connectorId":1,"transactionId":%s,"meterValue":[{"timestamp":"%s","sampledValue":['
    + _SAMPLES
    + "]}]}]"
)
_SAMPLES_2X = (
    '{"value":%d,"measurand":"Energy.Active.Import.Register","unitOfMeasure":{"unit":"Wh"}},'
    '{"value":11021.5,"measurand":"Power.Active.Import","unitOfMeasure":{"unit":"W"}},'
    + ",".join(
        f'{{"value":15.97,"measurand":"Current.Import","unitOfMeasure":{{"unit":"A"}},"phase":"L{n}"}},'
        f'{{"value":230.1,"measurand":"Voltage","unitOfMeasure":{{"unit":"V"}},"phase":"L{n}"}}'
        for n in (1, 2, 3)
    )
)
_EVENT = (
    '[2,"m%d","TransactionEvent",{"eventType":"%s","timestamp":"%s","triggerReason":"%s","seqNo":%d,'
    '"transactionInfo":{"transactionId":"%s"},"evse":{"id":1,"connectorId":1},'
    '"meterValue":[{"timestamp":"%s","sampledValue":[' + _SAMPLES_2X + "]}]}]"
)


def _time(number: int) -> str:
    seconds, milliseconds = divmod(number, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"2026-03-{1 + hours // 24:02}T{hours % 24:02}:{minutes:02}:{seconds:02}.{milliseconds:03}Z"


class _Count:
    """Goes on over rounds: nothing is ever said twice."""

    def __init__(self) -> None:
        self.number = 0
        self.transaction: Any = None

    def next(self) -> int:
        self.number += 1
        return self.number


def meter_values(count: _Count) -> Script:
    while True:
        number = count.next()
        yield (_METER_VALUES % (number, count.transaction, _time(number), 10_000 + number)).encode()


def mixed(count: _Count) -> Script:
    while True:
        yield _call(count, "Heartbeat", {})
        status = {"connectorId": 1, "errorCode": "NoError"}
        yield _call(count, "StatusNotification", {**status, "status": "Preparing", "timestamp": _time(count.number)})
        yield _call(count, "Authorize", {"idTag": ID_TAG})
        start = {"connectorId": 1, "idTag": ID_TAG, "meterStart": count.number, "timestamp": _time(count.number)}
        answer = yield _call(count, "StartTransaction", start)
        transaction = json.loads(answer)[2]["transactionId"]
        yield _call(count, "StatusNotification", {**status, "status": "Charging", "timestamp": _time(count.number)})
        for place in range(10):
            number = count.next()
            yield (_METER_VALUES % (number, transaction, _time(number), 10_000 + number)).encode()
            if place in (2, 5, 8):
                yield _call(count, "Heartbeat", {})
        stop = {"transactionId": transaction, "meterStop": 10_000 + count.number, "timestamp": _time(count.number)}
        yield _call(count, "StopTransaction", stop)
        yield _call(count, "StatusNotification", {**status, "status": "Available", "timestamp": _time(count.number)})


def heartbeats(count: _Count) -> Script:
    while True:
        yield _call(count, "Heartbeat", {})


def transaction_events(count: _Count) -> Script:
    while True:
        number = count.next()
        text = _event(number, "Updated", "MeterValuePeriodic", number, count.transaction)
        yield text.encode()


def _event(number: int, kind: str, reason: str, seq: int, transaction: str) -> str:
    at = _time(number)
    return _EVENT % (number, kind, at, reason, seq, transaction, at, 10_000 + number)


def _call(count: _Count, action: str, payload: dict[str, Any]) -> bytes:
    return json.dumps([2, f"m{count.next()}", action, payload]).encode()


# ---- what comes before the stream ----


async def begin_16(charger: Charger, count: _Count) -> None:
    """Boot, say the state, begin a transaction."""
    boot = {"chargePointVendor": "Bench", "chargePointModel": "B1", "chargePointSerialNumber": charger.identity}
    answer = await charger.call("BootNotification", boot)
    if answer["status"] != "Accepted":
        raise ConnectionError(f"boot {answer['status']}")
    await charger.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"})
    start = {"connectorId": 1, "idTag": ID_TAG, "meterStart": 0, "timestamp": _time(0)}
    count.transaction = (await charger.call("StartTransaction", start))["transactionId"]


async def begin_201(charger: Charger, count: _Count) -> None:
    station = {"vendorName": "Bench", "model": "B1", "serialNumber": charger.identity}
    answer = await charger.call("BootNotification", {"reason": "PowerUp", "chargingStation": station})
    if answer["status"] != "Accepted":
        raise ConnectionError(f"boot {answer['status']}")
    status = {"timestamp": _time(0), "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1}
    await charger.call("StatusNotification", status)
    count.transaction = f"T-{charger.identity}"
    started = json.loads(_event(0, "Started", "CablePluggedIn", 0, count.transaction))
    await charger.call("TransactionEvent", started[3])


Begin = Callable[[Charger, _Count], Any]
STREAMS: dict[str, tuple[str, Begin, Callable[[_Count], Script]]] = {
    "meter_values": ("ocpp1.6", begin_16, meter_values),
    "mixed": ("ocpp1.6", begin_16, mixed),
    "heartbeats": ("ocpp1.6", begin_16, heartbeats),
    "transaction_events": ("ocpp2.0.1", begin_201, transaction_events),
}
"""By name: subprotocol, what comes first, the stream itself."""
Count = _Count
