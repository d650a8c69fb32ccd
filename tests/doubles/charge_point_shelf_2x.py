"""What a virtual OCPP 2.x charge point holds for the central system: messages, monitors, event streams, customers.

Pure. Monitors look at the device model after every step of time and tell what crossed a threshold, moved, or is due; in
2.1 a periodic monitor may open a stream instead, told with messages nobody answers. Survives reboots. Source:
OCPP 2.0.1 part 2, N02 to N09, O01 to O06; OCPP 2.1 N11 to N15. Start at `Shelf` and `step`.
"""

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.doubles.charge_point_frames import Payload
from tests.doubles.charge_point_model_2x import ITEMS_PER_MESSAGE, Variable, parts
from tests.doubles.charge_point_tongue import Reply

if TYPE_CHECKING:
    from tests.doubles.charge_point_tongue_2x import Tongue2x

MAX_MESSAGES = 10
_CRITERIA = {
    "ThresholdMonitoring": {"UpperThreshold", "LowerThreshold"},
    "DeltaMonitoring": {"Delta", "TargetDelta", "TargetDeltaRelative"},
    "PeriodicMonitoring": {"Periodic", "PeriodicClockAligned"},
}
_TYPES = frozenset().union(*_CRITERIA.values()) - {"TargetDelta", "TargetDeltaRelative"}


@dataclass(slots=True)
class Monitor:
    number: int
    variable: Variable
    kind: str
    value: float
    severity: int
    transaction: bool = False
    custom: bool = True
    last: str | None = None
    """The value last told, or first seen."""
    exceeded: bool = False
    left_s: float = 0.0
    stream: Payload | None = None
    """2.1: told as a stream with these parameters (`interval`, `values`)."""

    def report(self, version: str) -> Payload:
        found: Payload = {
            "id": self.number,
            "transaction": self.transaction,
            "value": self.value,
            "type": self.kind,
            "severity": self.severity,
        }
        if version == "2.1":
            found["eventNotificationType"] = "CustomMonitor" if self.custom else "PreconfiguredMonitor"
        return found


@dataclass(slots=True)
class Stream:
    """2.1: values of one monitor, sent together when `values` are there or `interval` is over."""

    number: int
    monitor: Monitor
    interval_s: float
    values: int
    points: list[tuple[float, str]] = field(default_factory=list)
    left_s: float = 0.0
    clock_s: float = 0.0


@dataclass(slots=True)
class Shelf:
    messages: dict[int, Payload] = field(default_factory=dict)
    monitors: dict[int, Monitor] = field(default_factory=dict)
    streams: dict[int, Stream] = field(default_factory=dict)
    level: int = 9
    """Events of a higher severity number are not told."""
    customers: dict[str, str] = field(default_factory=dict)
    """Personal data by id token."""
    numbers: Any = field(default_factory=lambda: itertools.count(1))


def step(tongue: "Tongue2x", seconds: float) -> None:
    """Let every monitor look, and tell what it saw."""
    shelf = tongue.shelf
    events = [event for monitor in list(shelf.monitors.values()) for event in _look(tongue, monitor, seconds)]
    told = [event for event, severity in events if severity <= shelf.level]
    if told and tongue.station.accepted:
        tongue.notify_events(told)
    for stream in list(shelf.streams.values()):
        _flow(tongue, stream, seconds)


def _look(tongue: "Tongue2x", monitor: Monitor, seconds: float) -> list[tuple[Payload, int]]:
    if monitor.stream is not None:
        return []
    value, before = monitor.variable.current(), monitor.last
    if before is None:
        monitor.last = before = value
    cleared = False
    match monitor.kind:
        case "UpperThreshold" | "LowerThreshold":
            number = _number(value)
            over = number > monitor.value if monitor.kind == "UpperThreshold" else number < monitor.value
            if over == monitor.exceeded:
                return []
            monitor.exceeded, cleared, trigger = over, not over, "Alerting"
        case "Delta":
            if not _moved(before, value, monitor.value):
                return []
            trigger = "Delta"
        case _:
            monitor.left_s -= seconds
            if monitor.left_s > 0:
                return []
            monitor.left_s, trigger = monitor.value, "Periodic"
    monitor.last = value
    return [(_event(tongue, monitor, trigger, value, cleared=cleared), monitor.severity)]


def _event(tongue: "Tongue2x", monitor: Monitor, trigger: str, value: str, *, cleared: bool) -> Payload:
    event: Payload = {
        "eventId": next(tongue.event_ids),
        "timestamp": tongue.station.stamp(),
        "trigger": trigger,
        "actualValue": value,
        "variableMonitoringId": monitor.number,
        "eventNotificationType": "CustomMonitor" if monitor.custom else "PreconfiguredMonitor",
        **monitor.variable.names(),
    }
    if cleared:
        event["cleared"] = True
    if tongue.version == "2.1":
        event["severity"] = monitor.severity
    return event


def _flow(tongue: "Tongue2x", stream: Stream, seconds: float) -> None:
    """A periodic monitor with a stream reads its variable every `value` seconds."""
    stream.clock_s += seconds
    stream.left_s -= seconds
    monitor = stream.monitor
    monitor.left_s -= seconds
    if monitor.left_s <= 0:
        monitor.left_s = monitor.value
        stream.points.append((stream.clock_s, monitor.variable.current()))
    if stream.points and (len(stream.points) >= stream.values or stream.left_s <= 0):
        data = [{"t": round(at - stream.points[0][0], 3), "v": value} for at, value in stream.points]
        payload = {"id": stream.number, "pending": 0, "basetime": tongue.station.stamp(), "data": data}
        stream.points.clear()
        stream.left_s = stream.interval_s
        tongue.station.work(tongue.station.stream("NotifyPeriodicEventStream", payload))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _moved(before: str, value: str, delta: float) -> bool:
    """Numbers by at least `delta`, anything else at all."""
    try:
        return abs(float(value) - float(before)) >= delta
    except ValueError:
        return value != before


# monitoring


def _set_monitors(tongue: "Tongue2x", payload: Payload) -> Reply:
    items = payload["setMonitoringData"]
    if len(items) > ITEMS_PER_MESSAGE:
        return Reply({}, code="OccurrenceConstraintViolation")
    opened: list[Monitor] = []
    results = [_set_monitor(tongue, item, opened) for item in items]
    return Reply({"setMonitoringResult": results}, partial(_open_streams, tongue, opened))


def _set_monitor(tongue: "Tongue2x", item: Payload, opened: list[Monitor]) -> Payload:
    result = {"component": item["component"], "variable": item["variable"], "type": item["type"]}
    result["severity"] = item["severity"]
    shelf = tongue.shelf
    variable, problem = tongue.model.find(item)
    number = item.get("id")
    if variable is None:
        return {**result, "status": problem}
    if item["type"] not in _TYPES:
        return {**result, "status": "UnsupportedMonitorType"}
    if not 0 <= item["severity"] <= 9 or not variable.readable or (number is not None and number not in shelf.monitors):
        return {**result, "status": "Rejected"}
    for each in shelf.monitors.values():
        same = each.variable is variable and each.kind == item["type"] and each.severity == item["severity"]
        if same and each.number != number:
            return {**result, "status": "Duplicate"}
    made = Monitor(
        next(shelf.numbers) if number is None else number, variable, item["type"], item["value"], item["severity"],
        item.get("transaction", False), stream=item.get("periodicEventStream"),
    )  # fmt: skip
    shelf.monitors[made.number] = made
    if made.stream is not None:
        opened.append(made)
    return {**result, "status": "Accepted", "id": made.number}


def _open_streams(tongue: "Tongue2x", monitors: list[Monitor]) -> None:
    for monitor in monitors:
        tongue.station.work(_open_stream(tongue, monitor))


async def _open_stream(tongue: "Tongue2x", monitor: Monitor) -> None:
    params = {"interval": 60, "values": 10, **(monitor.stream or {})}
    data = {"id": monitor.number, "variableMonitoringId": monitor.number, "params": params}
    answer = await tongue.station.ask("OpenPeriodicEventStream", {"constantStreamData": data})
    if answer is not None and answer.get("status") == "Accepted":
        stream = Stream(monitor.number, monitor, params["interval"], params["values"], left_s=params["interval"])
        tongue.shelf.streams[monitor.number] = stream
    else:
        monitor.stream = None


async def _close_stream(tongue: "Tongue2x", number: int) -> None:
    await tongue.station.ask("ClosePeriodicEventStream", {"id": number})


def _clear_monitors(tongue: "Tongue2x", payload: Payload) -> Reply:
    if len(payload["id"]) > ITEMS_PER_MESSAGE:
        return Reply({}, code="OccurrenceConstraintViolation")
    results, closed = [], []
    for number in payload["id"]:
        monitor = tongue.shelf.monitors.get(number)
        if monitor is None:
            results.append({"id": number, "status": "NotFound"})
            continue
        results.append({"id": number, "status": "Accepted"})
        closed += _remove(tongue.shelf, number)
    return Reply({"clearMonitoringResult": results}, partial(_close_streams, tongue, closed))


def _remove(shelf: Shelf, number: int) -> list[int]:
    """Forget a monitor; the number of its stream, if it had one."""
    del shelf.monitors[number]
    return [number] if shelf.streams.pop(number, None) is not None else []


def _close_streams(tongue: "Tongue2x", numbers: list[int]) -> None:
    for number in numbers:
        tongue.station.work(_close_stream(tongue, number))


def _monitoring_report(tongue: "Tongue2x", payload: Payload) -> Reply:
    kinds = {kind for each in payload.get("monitoringCriteria", []) for kind in _CRITERIA[each]}
    wanted = payload.get("componentVariable", [])
    chosen = [
        monitor
        for monitor in tongue.shelf.monitors.values()
        if (not kinds or monitor.kind in kinds) and (not wanted or _named(monitor.variable, wanted))
    ]
    if not chosen:
        return Reply({"status": "EmptyResultSet"})
    by_variable: dict[Any, list[Monitor]] = {}
    for monitor in chosen:
        by_variable.setdefault(monitor.variable.key, []).append(monitor)
    entries = [
        {**same[0].variable.names(), "variableMonitoring": [each.report(tongue.version) for each in same]}
        for same in by_variable.values()
    ]
    messages = parts(payload["requestId"], tongue.station.stamp(), entries, "monitor")
    return Reply({"status": "Accepted"}, partial(_send_all, tongue, "NotifyMonitoringReport", messages))


def _named(variable: Variable, wanted: list[Payload]) -> bool:
    names = variable.names()
    return any(
        each["component"]["name"] == variable.component
        and each["component"].get("evse", names["component"].get("evse")) == names["component"].get("evse")
        and each.get("variable", {}).get("name", variable.name) == variable.name
        for each in wanted
    )


def _monitoring_base(tongue: "Tongue2x", payload: Payload) -> Reply:
    shelf, base = tongue.shelf, payload["monitoringBase"]
    closed: list[int] = []
    if base != "All":
        for number, monitor in list(shelf.monitors.items()):
            if monitor.custom or base == "HardWiredOnly":
                closed += _remove(shelf, number)
    if base == "FactoryDefault" and not shelf.monitors:
        variable = tongue.model.at("ChargingStation.AvailabilityState")
        number = next(shelf.numbers)
        shelf.monitors[number] = Monitor(number, variable, "Delta", 1, 5, custom=False)
    tongue.model.put("MonitoringCtrlr.ActiveMonitoringBase", base)
    return Reply({"status": "Accepted"}, partial(_close_streams, tongue, closed))


def _monitoring_level(tongue: "Tongue2x", payload: Payload) -> Reply:
    if not 0 <= payload["severity"] <= 9:
        return Reply({"status": "Rejected"})
    tongue.shelf.level = payload["severity"]
    tongue.model.put("MonitoringCtrlr.ActiveMonitoringLevel", str(payload["severity"]))
    return Reply({"status": "Accepted"})


def _get_streams(tongue: "Tongue2x", payload: Payload) -> Reply:
    found = [
        {
            "id": each.number,
            "variableMonitoringId": each.monitor.number,
            "params": {"interval": int(each.interval_s), "values": each.values},
        }
        for each in tongue.shelf.streams.values()
    ]
    return Reply({"constantStreamData": found} if found else {})


def _adjust_stream(tongue: "Tongue2x", payload: Payload) -> Reply:
    stream = tongue.shelf.streams.get(payload["id"])
    if stream is None:
        return Reply({"status": "Rejected"})
    stream.interval_s = payload["params"].get("interval", stream.interval_s)
    stream.values = payload["params"].get("values", stream.values)
    return Reply({"status": "Accepted"})


# display messages


def _set_message(tongue: "Tongue2x", payload: Payload) -> Reply:
    message = payload["message"]
    shelf, transaction = tongue.shelf, message.get("transactionId")
    if message["message"]["format"] not in {"ASCII", "UTF8"}:
        return Reply({"status": "NotSupportedMessageFormat"})
    if transaction is not None and tongue.station.running(transaction) is None:
        return Reply({"status": "UnknownTransaction"})
    if message["id"] not in shelf.messages and len(shelf.messages) >= MAX_MESSAGES:
        return Reply({"status": "Rejected"})
    if message["priority"] == "AlwaysFront":
        shelf.messages = {key: each for key, each in shelf.messages.items() if each["priority"] != "AlwaysFront"}
    shelf.messages[message["id"]] = message
    return Reply({"status": "Accepted"})


def _get_messages(tongue: "Tongue2x", payload: Payload) -> Reply:
    chosen = [
        each
        for each in tongue.shelf.messages.values()
        if ("id" not in payload or each["id"] in payload["id"])
        and payload.get("priority", each["priority"]) == each["priority"]
        and payload.get("state", each.get("state")) == each.get("state")
    ]
    if not chosen:
        return Reply({"status": "Unknown"})
    halves = [chosen[start : start + 4] for start in range(0, len(chosen), 4)]
    messages = [
        {"requestId": payload["requestId"], "tbc": number + 1 < len(halves), "messageInfo": half}
        for number, half in enumerate(halves)
    ]
    return Reply({"status": "Accepted"}, partial(_send_all, tongue, "NotifyDisplayMessages", messages))


def _clear_message(tongue: "Tongue2x", payload: Payload) -> Reply:
    known = tongue.shelf.messages.pop(payload["id"], None)
    return Reply({"status": "Unknown" if known is None else "Accepted"})


# customers


def _customer_information(tongue: "Tongue2x", payload: Payload) -> Reply:
    """What the station remembers of an id token: the cache, the list, and its own charges here (N09, N10)."""
    named = [each for each in ("customerCertificate", "idToken", "customerIdentifier") if each in payload]
    if len(named) != 1 and payload["report"]:
        return Reply({"status": "Invalid"})
    token = str((payload.get("idToken") or {}).get("idToken") or payload.get("customerIdentifier", ""))
    text = _known_of(tongue, token)
    if payload["clear"] and token:
        tongue.station.local_list.cache.pop(token.casefold(), None)
        tongue.shelf.customers.pop(token, None)
    when = tongue.station.stamp()
    chunks = [text[start : start + 500] for start in range(0, len(text), 500)] or [""]
    messages: list[Payload] = [
        {
            "requestId": payload["requestId"],
            "generatedAt": when,
            "seqNo": number,
            "tbc": number + 1 < len(chunks),
            "data": chunk,
        }
        for number, chunk in enumerate(chunks)
    ]
    wanted = messages if payload["report"] else []
    return Reply({"status": "Accepted"}, partial(_send_all, tongue, "NotifyCustomerInformation", wanted))


def _known_of(tongue: "Tongue2x", token: str) -> str:
    if not token:
        return ""
    station = tongue.station
    lines = [f"cache: {station.local_list.cache.get(token.casefold(), 'nothing')}"]
    lines += [
        f"charge {each.transaction_id} at {each.connector}" for each in station.transactions if each.id_tag == token
    ]
    lines.append(f"digest: {hashlib.sha256(token.encode()).hexdigest()}")
    return "; ".join(lines)


def _send_all(tongue: "Tongue2x", action: str, messages: list[Payload]) -> None:
    async def send() -> None:
        for message in messages:
            await tongue.station.ask(action, message)

    tongue.station.work(send())


SHELF_HANDLERS: dict[str, Callable[["Tongue2x", Payload], Reply]] = {
    "ClearDisplayMessage": _clear_message,
    "ClearVariableMonitoring": _clear_monitors,
    "CustomerInformation": _customer_information,
    "GetDisplayMessages": _get_messages,
    "GetMonitoringReport": _monitoring_report,
    "SetDisplayMessage": _set_message,
    "SetMonitoringBase": _monitoring_base,
    "SetMonitoringLevel": _monitoring_level,
    "SetVariableMonitoring": _set_monitors,
}
STREAM_HANDLERS: dict[str, Callable[["Tongue2x", Payload], Reply]] = {
    "AdjustPeriodicEventStream": _adjust_stream,
    "GetPeriodicEventStream": _get_streams,
}
"""Of 2.1 alone."""
