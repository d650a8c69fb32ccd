"""Every call a central system may send in a version, each with an example to begin from. For calls by hand.

An example is made of the schema: what must be there, and little more; it fits the schema. Pure. Start at `actions_of`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from edge_agent.charge_points.dialect import time_text
from edge_agent.charge_points.dialects import dialect_of
from edge_agent.site.ports import Action

_MOMENT = "\x00now"
"""Stands for the time an example is asked for."""
_WISHED: Mapping[str, tuple[str, ...]] = {
    "RemoteStartTransaction": ("connectorId",), "RequestStartTransaction": ("evseId",), "GetConfiguration": ("key",),
    "GetDiagnostics": ("retries",), "ReserveNow": ("evseId",), "TriggerMessage": ("connectorId", "evse"),
    "ExtendedTriggerMessage": ("connectorId",), "GetCompositeSchedule": ("chargingRateUnit",),
}  # fmt: skip
"""Of what may be left out, what one mostly wants to say."""
_WISHED_WITHIN: Mapping[str, tuple[str, ...]] = {"evse": ("connectorId",)}
_NAMED: Mapping[str, str] = {"component": "OCPPCommCtrlr"}
"""Of which component the variable is."""
_WORDS: Mapping[str, Any] = {
    "idTag": "TEST", "idToken": "TEST", "key": "HeartbeatInterval", "value": "300", "connectorId": 1, "evseId": 1,
    "id": 1, "stackLevel": 0, "requestId": 1, "listVersion": 1, "transactionId": 1, "name": "HeartbeatInterval",
    "attributeValue": "300", "location": "ftp://192.0.2.1/", "remoteLocation": "http://192.0.2.1/",
    "vendorId": "com.example",
    "requestedMessage": "StatusNotification", "interval": 300, "duration": 3600, "retries": 1, "startPeriod": 0,
}  # fmt: skip
_PREFERRED = (
    "Inoperative",
    "Soft",
    "OnIdle",
    "StatusNotification",
    "TxDefaultProfile",
    "Relative",
    "Full",
    "A",
    "Central",
)
"""Of enumerations, the value that does least harm or is asked for most."""


def actions_of(version: str) -> Sequence[str]:
    """Their names, in the alphabet's order. Raises KeyError for a version nobody speaks."""
    return sorted(dialect_of(version).schemas.from_box)


def action_of(version: str, name: str, now: datetime) -> Action:
    """Raises KeyError where the version has no such call."""
    schemas = dialect_of(version).schemas
    if name not in schemas.from_box:
        raise KeyError(name)
    return Action(name=name, schema=schemas.schema(name), example=_dated(_example(version, name), time_text(now)))


@cache
def _example(version: str, name: str) -> Any:
    schema = dialect_of(version).schemas.schema(name)
    return _of_object(schema, schema, _WISHED.get(name, ()), 0)


def _of_object(schema: Mapping[str, Any], root: Mapping[str, Any], wished: Sequence[str], depth: int) -> dict[str, Any]:
    properties = schema.get("properties", {})
    wanted = {*schema.get("required", ()), *(name for name in wished if name in properties)}
    return {name: _of(each, root, name, depth + 1) for name, each in properties.items() if name in wanted}


def _of(schema: Mapping[str, Any], root: Mapping[str, Any], name: str, depth: int) -> Any:
    if "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rpartition("/")[2]]
    kind = schema.get("type")
    if kind == "object":
        made = _of_object(schema, root, _WISHED_WITHIN.get(name, ()), depth)
        return {**made, "name": _NAMED[name]} if name in _NAMED else made
    if kind == "array":
        return [_of(schema["items"], root, name, depth) for _ in range(max(1, int(schema.get("minItems", 1))))]
    if kind in ("integer", "number"):
        return _number(schema, name)
    if kind == "boolean":
        return False
    return _text(schema, name)


def _number(schema: Mapping[str, Any], name: str) -> int:
    said = _WORDS.get(name, 1)
    value = said if isinstance(said, int) else 1
    return int(min(max(value, schema.get("minimum", value)), schema.get("maximum", value)))


def _text(schema: Mapping[str, Any], name: str) -> str:
    if "enum" in schema:
        words: list[str] = schema["enum"]
        return next((each for each in _PREFERRED if each in words), words[0])
    if schema.get("format") == "date-time":
        return _MOMENT
    said = _WORDS.get(name, name)
    return (said if isinstance(said, str) else name)[: int(schema.get("maxLength", 1000))]


def _dated(value: Any, now: str) -> Any:
    if isinstance(value, dict):
        return {key: _dated(each, now) for key, each in value.items()}
    if isinstance(value, list):
        return [_dated(each, now) for each in value]
    return now if value == _MOMENT else value
