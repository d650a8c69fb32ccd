"""The JSON schemas of OCPP 1.6, compiled once into Python checks.

The schemas come with the `ocpp` package and are read as files: importing its classes costs seconds on a small box.
`conforms` is the compiled check; only where it says no does `jsonschema` say exactly what is wrong, and which OCPP
error code that is. Not here: leniency towards stations (`v16`). Start at `check_call`.
"""

import json
import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from edge_agent.charge_points.rpc import ErrorCode
from sitelink.errors import CallInvalid

Check = Callable[[Any], bool]

FROM_STATION = frozenset(
    {
        "Authorize", "BootNotification", "DataTransfer", "DiagnosticsStatusNotification",
        "FirmwareStatusNotification", "Heartbeat", "LogStatusNotification", "MeterValues",
        "SecurityEventNotification", "SignCertificate", "SignedFirmwareStatusNotification", "StartTransaction",
        "StatusNotification", "StopTransaction",
    }
)  # fmt: skip
"""Actions a charge point may send: OCPP 1.6 §4 and the security whitepaper."""


class Violation(msgspec.Struct, frozen=True):
    """Where and how a payload differs from its schema, and the code OCPP-J 1.6 §4.2.3 has for it."""

    code: ErrorCode
    where: str
    problem: str


@cache
def actions() -> frozenset[str]:
    """Every action OCPP 1.6 knows, in either direction."""
    names = (each.name for each in _folder().iterdir())
    return frozenset(name[: -len("Response.json")] for name in names if name.endswith("Response.json"))


def conforms(message: str, payload: Any) -> bool:
    """Whether `payload` fits the schema of `message`, an action or an action followed by "Response"."""
    return _compiled(message)(payload)


def violation(message: str, payload: Any) -> Violation | None:
    """The first thing wrong with `payload`, exactly. Slow: for the case that something is wrong."""
    import jsonschema

    checker = jsonschema.FormatChecker(formats=())
    checker.checks("date-time")(is_date_time)
    validator = jsonschema.Draft4Validator(_schema(message), format_checker=checker)
    try:
        errors = list(validator.iter_errors(_with_decimals(payload)))
    except InvalidOperation:
        return Violation(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "", "a number is too large")
    if not errors:
        return None
    found = min(errors, key=lambda error: (len(error.absolute_path), str(error.validator)))
    where = "/".join(map(str, found.absolute_path))
    problem = _DECIMAL.sub(r"\1", found.message)[:200]
    return Violation(_CODES.get(str(found.validator), ErrorCode.FORMATION_VIOLATION), where, problem)


def check_call(action: str, payload: Any) -> None:
    """Raises CallInvalid when a call of ours is none OCPP 1.6 knows, or does not fit its schema."""
    offered = (actions() - FROM_STATION) | {"DataTransfer"}
    if action not in offered:
        raise CallInvalid(action=action, where="action", problem="unknown_action")
    if conforms(action, payload):
        return
    found = violation(action, payload)
    where, problem = (found.where, found.problem) if found else ("", "does not fit")
    raise CallInvalid(action=action, where=where or "payload", problem=problem)


_DECIMAL = re.compile(r"Decimal\('([^']*)'\)")
_DECIMALS_END = 1e15
"""Above it a float has no tenths left."""
_CODES = {
    "type": ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    "required": ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
    "minItems": ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
    "maxItems": ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
    "maxLength": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    "enum": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    "format": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    "multipleOf": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
}


def _folder() -> Any:
    return resources.files("ocpp") / "v16" / "schemas"


@cache
def _schema(message: str) -> dict[str, Any]:
    text = (_folder() / f"{message}.json").read_text("utf-8-sig")
    schema: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return schema


def _with_decimals(value: Any) -> Any:
    """21.4 is a multiple of 0.1 only in decimal arithmetic."""
    if isinstance(value, float) and math.isfinite(value):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {key: _with_decimals(each) for key, each in value.items()}
    return [_with_decimals(each) for each in value] if isinstance(value, list) else value


# ---- the compiler: one closure a schema, for the words these schemas use ----


@cache
def _compiled(message: str) -> Check:
    schema = _schema(message)
    return _compile(schema, schema)


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
        return lambda value: type(value) is int
    if kind == "number":
        return _number(schema)
    if kind == "boolean":
        return lambda value: type(value) is bool
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

    def check(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return False
        return step is None or (abs(value) < _DECIMALS_END and Decimal(repr(value)) % step == 0)

    return check


_DATE_TIME = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
)


def is_date_time(value: object) -> bool:
    """RFC 3339 as we write it. Any other type is not this format's business (JSON Schema validation §7)."""
    return not isinstance(value, str) or _DATE_TIME.fullmatch(value) is not None
