"""The JSON schemas of OCPP 1.6, 2.0.1 and 2.1, compiled into Python checks when they are first needed.

The schemas come with the `ocpp` package and are read as files: importing its classes costs seconds on a small box.
`conforms` is the compiled check; only where it says no does `jsonschema` say exactly what is wrong, and which OCPP
error code that is. Not here: leniency towards stations (`v16`, `v2x`). Start at `Schemas.check_call`.
"""

import json
import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.charge_points.rpc import ErrorCode
from sitelink.errors import CallInvalid

Check = Callable[[Any], bool]


class Violation(msgspec.Struct, frozen=True):
    """Where and how a payload differs from its schema, and the code OCPP-J has for it (1.6 §4.2.3, Part 4 §4.3)."""

    code: ErrorCode
    where: str
    problem: str


class Schemas:
    """Of one version. `folder` is its folder in the `ocpp` package, `request` what its requests' names end in.

    `from_station` are the actions a station may send; DataTransfer goes both ways.
    """

    def __init__(self, version: str, folder: str, request: str, from_station: frozenset[str]) -> None:
        self.version = version
        self.from_station = from_station
        self._folder = resources.files("ocpp") / folder / "schemas"
        self._request = request
        self._compiled: dict[str, Check] = {}

    @cached_property
    def actions(self) -> frozenset[str]:
        """Every action this version knows, in either direction."""
        names = (each.name for each in self._folder.iterdir())
        return frozenset(name[: -len("Response.json")] for name in names if name.endswith("Response.json"))

    @property
    def from_box(self) -> frozenset[str]:
        """Every action a central system may send."""
        return (self.actions - self.from_station) | {"DataTransfer"}

    def conforms(self, message: str, payload: Any) -> bool:
        """Whether `payload` fits the schema of `message`, an action or an action followed by "Response"."""
        check = self._compiled.get(message)
        if check is None:
            schema = self.schema(message)
            check = self._compiled[message] = _compile(schema, schema)
        return check(payload)

    def violation(self, message: str, payload: Any) -> Violation | None:
        """The first thing wrong with `payload`, exactly. Slow: for the case that something is wrong."""
        import jsonschema

        checker = jsonschema.FormatChecker(formats=())
        checker.checks("date-time")(is_date_time)
        validator = jsonschema.Draft4Validator(self.schema(message), format_checker=checker)
        try:
            errors = list(validator.iter_errors(_with_decimals(payload)))
        except InvalidOperation:
            return Violation(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "", "a number is too large")
        if not errors:
            return None
        found = min(
            errors, key=lambda error: (len(error.absolute_path), error.validator != "type", str(error.validator))
        )
        where = "/".join(map(str, found.absolute_path))
        problem = _DECIMAL.sub(r"\1", found.message)[:200]
        return Violation(_CODES.get(str(found.validator), ErrorCode.FORMATION_VIOLATION), where, problem)

    def check_call(self, action: str, payload: Any) -> None:
        """Raises CallInvalid when a call of ours is none this version knows, or does not fit its schema."""
        if action not in self.from_box:
            raise CallInvalid(action=action, where="action", problem="unknown_action")
        if self.conforms(action, payload):
            return
        found = self.violation(action, payload)
        where, problem = (found.where, found.problem) if found else ("", "does not fit")
        raise CallInvalid(action=action, where=where or "payload", problem=problem)

    def schema(self, message: str) -> dict[str, Any]:
        name = message if message.endswith("Response") or message in SENDS else message + self._request
        return _read(str(self._folder / f"{name}.json"))


SENDS = frozenset({"NotifyPeriodicEventStream"})
"""Messages of OCPP 2.1 that are never answered (type 6): their schema has no ending."""


@cache
def _read(file: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(Path(file).read_text("utf-8-sig"), parse_float=Decimal)
    return schema


OCPP_16 = Schemas(
    "1.6", "v16", "",
    frozenset(
        {
            "Authorize", "BootNotification", "DataTransfer", "DiagnosticsStatusNotification",
            "FirmwareStatusNotification", "Heartbeat", "LogStatusNotification", "MeterValues",
            "SecurityEventNotification", "SignCertificate", "SignedFirmwareStatusNotification", "StartTransaction",
            "StatusNotification", "StopTransaction",
        }
    ),
)  # fmt: skip
"""OCPP 1.6 §4 and the security whitepaper."""

_FROM_STATION_201 = frozenset(
    {
        "Authorize", "BootNotification", "ClearedChargingLimit", "DataTransfer", "FirmwareStatusNotification",
        "Get15118EVCertificate", "GetCertificateStatus", "Heartbeat", "LogStatusNotification", "MeterValues",
        "NotifyChargingLimit", "NotifyCustomerInformation", "NotifyDisplayMessages", "NotifyEVChargingNeeds",
        "NotifyEVChargingSchedule", "NotifyEvent", "NotifyMonitoringReport", "NotifyReport",
        "PublishFirmwareStatusNotification", "ReportChargingProfiles", "ReservationStatusUpdate",
        "SecurityEventNotification", "SignCertificate", "StatusNotification", "TransactionEvent",
    }
)  # fmt: skip
OCPP_201 = Schemas("2.0.1", "v201", "Request", _FROM_STATION_201)
OCPP_21 = Schemas(
    "2.1", "v21", "Request",
    _FROM_STATION_201 | {
        "BatterySwap", "ClosePeriodicEventStream", "GetCertificateChainStatus", "NotifyDERAlarm", "NotifyDERStartStop",
        "NotifyPriorityCharging", "NotifySettlement", "OpenPeriodicEventStream",
        "PullDynamicScheduleUpdate", "ReportDERControl", "VatNumberValidation",
    },
)  # fmt: skip


_DECIMAL = re.compile(r"Decimal\('([^']*)'\)")
_DECIMALS_END = 1e15
"""Above it a float has no tenths left."""
_CODES = {
    "type": ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    "required": ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
    "minItems": ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
    "maxItems": ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
    "maxLength": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    "minimum": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    "maximum": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    "enum": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    "format": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    "multipleOf": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
}


def _with_decimals(value: Any) -> Any:
    """21.4 is a multiple of 0.1 only in decimal arithmetic."""
    if isinstance(value, float) and math.isfinite(value):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {key: _with_decimals(each) for key, each in value.items()}
    return [_with_decimals(each) for each in value] if isinstance(value, list) else value


# ---- the compiler: one closure a schema, for the words these schemas use ----


def _compile(schema: dict[str, Any], root: dict[str, Any]) -> Check:
    if "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rpartition("/")[2]]
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, root)
    if kind == "array":
        return _array(schema, root)
    if kind == "string":
        return _string(schema)
    if kind == "integer":
        least, most = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
        return lambda value: type(value) is int and least <= value <= most
    if kind == "number":
        return _number(schema)
    if kind == "boolean":
        return lambda value: type(value) is bool
    if kind is None:
        return lambda _value: True
    raise ValueError(f"a schema this compiler does not know: {schema}")


def _object(schema: dict[str, Any], root: dict[str, Any]) -> Check:
    properties = {name: _compile(each, root) for name, each in schema.get("properties", {}).items()}
    required = tuple(schema.get("required", ()))
    closed = schema.get("additionalProperties") is False

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return False
        for name in required:
            if name not in value:
                return False
        for name, each in value.items():
            known = properties.get(name)
            if known is None:
                if closed:
                    return False
            elif not known(each):
                return False
        return True

    return check


def _array(schema: dict[str, Any], root: dict[str, Any]) -> Check:
    item = _compile(schema["items"], root)
    least, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
    return lambda value: isinstance(value, list) and least <= len(value) <= most and _all(item, value)


def _all(check: Check, values: Iterable[Any]) -> bool:
    return all(check(each) for each in values)


def _string(schema: dict[str, Any]) -> Check:
    if "enum" in schema:
        words = frozenset(schema["enum"])
        return lambda value: isinstance(value, str) and value in words
    if schema.get("format") == "date-time":
        return lambda value: isinstance(value, str) and is_date_time(value)
    longest = schema.get("maxLength", math.inf)
    return lambda value: isinstance(value, str) and len(value) <= longest


def _number(schema: dict[str, Any]) -> Check:
    step: Decimal | None = schema.get("multipleOf")
    least, most = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)

    def check(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return False
        if not least <= value <= most:
            return False
        return step is None or (abs(value) < _DECIMALS_END and Decimal(repr(value)) % step == 0)

    return check


_DATE_TIME = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
)


def is_date_time(value: object) -> bool:
    """RFC 3339 as we write it. Any other type is not this format's business (JSON Schema validation §7)."""
    return not isinstance(value, str) or _DATE_TIME.fullmatch(value) is not None
