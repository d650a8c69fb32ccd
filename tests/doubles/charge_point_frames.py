"""OCPP-J frames as a charge point writes and reads them, and a strict judge of what the central system sends.

No line of the product is used here, so that a mistake there cannot hide behind the same mistake here.
Pure but for reading the schema files. Source: OCPP-J 1.6 §4.2; the JSON schemas of OCPP 1.6 that come with `ocpp`.
Start at `read_frame` and `faults_of_result`.
"""

import importlib.util
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator

Payload = dict[str, Any]

CALL, RESULT, ERROR = 2, 3, 4
MAX_MESSAGE_ID = 36
ERROR_CODES = frozenset(
    {
        "NotImplemented",
        "NotSupported",
        "InternalError",
        "ProtocolError",
        "SecurityError",
        "FormationViolation",
        "PropertyConstraintViolation",
        "OccurenceConstraintViolation",
        "OccurrenceConstraintViolation",
        "TypeConstraintViolation",
        "GenericError",
    }
)
_TIMES = frozenset({"currentTime", "expiryDate", "retrieveDate", "startTime", "stopTime", "validFrom", "validTo"})
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z")


class BadFrame(Exception):
    """What came is no OCPP-J frame; the text says why."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`action` only with CALL; `code` and `description` only with ERROR; `payload` is the details there."""

    kind: int
    message_id: str
    payload: Payload
    action: str = ""
    code: str = ""
    description: str = ""


def read_frame(text: str | bytes) -> Frame:
    """Raises BadFrame with the reason; nothing is forgiven."""
    if isinstance(text, bytes):
        raise BadFrame("binary frame")
    try:
        parts = json.loads(text)
    except ValueError as exc:
        raise BadFrame(f"not JSON: {text[:80]!r}") from exc
    if not isinstance(parts, list) or len(parts) < 3 or not isinstance(parts[1], str):
        raise BadFrame(f"not a frame: {text[:80]!r}")
    kind, message_id = parts[0], parts[1]
    if not 0 < len(message_id) <= MAX_MESSAGE_ID:
        raise BadFrame(f"message id of {len(message_id)} characters")
    match kind, parts[2:]:
        case 2, [str(action), dict(payload)]:
            return Frame(CALL, message_id, payload, action=action)
        case 3, [dict(payload)]:
            return Frame(RESULT, message_id, payload)
        case 4, [str(code), str(description), dict(payload)]:
            return Frame(ERROR, message_id, payload, code=code, description=description)
    raise BadFrame(f"wrong parts for type {kind!r}: {text[:80]!r}")


def call_text(message_id: str, action: str, payload: Payload) -> str:
    return json.dumps([CALL, message_id, action, payload], separators=(",", ":"))


def result_text(message_id: str, payload: Payload) -> str:
    return json.dumps([RESULT, message_id, payload], separators=(",", ":"))


def error_text(message_id: str, code: str, description: str) -> str:
    return json.dumps([ERROR, message_id, code, description, {}], separators=(",", ":"))


@lru_cache
def validator(schema: str) -> Draft4Validator | None:
    """By the name of a schema file, such as "RemoteStartTransaction" or "StopTransactionResponse"; None if unknown."""
    spec = importlib.util.find_spec("ocpp")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("the ocpp package brings the schemas and is not installed")
    file = Path(spec.submodule_search_locations[0]) / "v16" / "schemas" / f"{schema}.json"
    return Draft4Validator(json.loads(file.read_text("utf-8"))) if file.exists() else None


def faults_of_call(action: str, payload: Payload) -> list[str]:
    """What is wrong with a CALL of the central system, strictly by the schema; empty when nothing is."""
    return _faults_of(action, payload)


def faults_of_result(action: str, payload: Payload) -> list[str]:
    """The same for its answer to our `action`."""
    return _faults_of(f"{action}Response", payload)


def _faults_of(schema: str, payload: Payload) -> list[str]:
    judge = validator(schema)
    if judge is None:
        return [f"{schema}: no such message in OCPP 1.6"]
    found = [f"{schema}: {error.message}" for error in judge.iter_errors(payload)]
    found += [
        f"{schema}: {name} is not UTC with Z and at most milliseconds: {value!r}" for name, value in _bad_times(payload)
    ]
    return found


def _bad_times(payload: Payload) -> list[tuple[str, object]]:
    bad: list[tuple[str, object]] = []
    for name, value in payload.items():
        if isinstance(value, dict):
            bad += _bad_times(value)
        elif name in _TIMES and not (isinstance(value, str) and _UTC.fullmatch(value)):
            bad.append((name, value))
    return bad


def with_strings_for_numbers(payload: Payload) -> Payload:
    """The payload as a careless firmware writes it: every integer as a string."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: changed(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [changed(inner) for inner in value]
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    return {key: changed(value) for key, value in payload.items()}
