"""OCPP-J frames as a charge point writes and reads them, and a strict judge of what either side sends.

No line of the product is used here, so that a mistake there cannot hide behind the same mistake here.
Pure but for reading the schema files. Source: OCPP-J 1.6 §4.2; OCPP 2.0.1 and 2.1 part 4 §4.2 (message types 5 and 6
are those of 2.1); the JSON schemas of the three versions that come with `ocpp`. Start at `read_frame` and
`faults_of_result`.
"""

import importlib.util
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from jsonschema import Draft4Validator
from jsonschema.validators import validator_for

Payload = dict[str, Any]
Version = Literal["1.6", "2.0.1", "2.1"]

CALL, RESULT, ERROR, RESULT_ERROR, SEND = 2, 3, 4, 5, 6
MAX_MESSAGE_ID = 36
_COMMON_CODES = {
    "NotImplemented",
    "NotSupported",
    "InternalError",
    "ProtocolError",
    "SecurityError",
    "PropertyConstraintViolation",
    "OccurrenceConstraintViolation",
    "TypeConstraintViolation",
    "GenericError",
}
_CODES_2X = _COMMON_CODES | {"FormatViolation", "MessageTypeNotSupported", "RpcFrameworkError"}
ERROR_CODES: dict[Version, frozenset[str]] = {
    "1.6": frozenset(_COMMON_CODES | {"FormationViolation", "OccurenceConstraintViolation"}),
    "2.0.1": frozenset(_CODES_2X),
    "2.1": frozenset(_CODES_2X),
}
_FOLDERS: dict[Version, str] = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}
_TIMES = frozenset(
    {
        *("cacheExpiryDateTime", "currentTime", "endDateTime", "expiryDate", "expiryDateTime", "installDateTime"),
        *("latestTimestamp", "oldestTimestamp", "retrieveDate", "retrieveDateTime", "startDateTime", "startSchedule"),
        *("startTime", "stopTime", "validFrom", "validTo"),
    }
)
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z")


class BadFrame(Exception):
    """What came is no OCPP-J frame; the text says why."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`action` with CALL and SEND; `code` and `description` with ERROR and RESULT_ERROR, `payload` is the details."""

    kind: int
    message_id: str
    payload: Payload
    action: str = ""
    code: str = ""
    description: str = ""


def read_frame(text: str | bytes, version: Version = "1.6") -> Frame:
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
        case 5, [str(code), str(description), dict(payload)] if version == "2.1":
            return Frame(RESULT_ERROR, message_id, payload, code=code, description=description)
        case 6, [str(action), dict(payload)] if version == "2.1":
            return Frame(SEND, message_id, payload, action=action)
    raise BadFrame(f"wrong parts for type {kind!r}: {text[:80]!r}")


def call_text(message_id: str, action: str, payload: Payload) -> str:
    return json.dumps([CALL, message_id, action, payload], separators=(",", ":"))


def result_text(message_id: str, payload: Payload) -> str:
    return json.dumps([RESULT, message_id, payload], separators=(",", ":"))


def error_text(message_id: str, code: str, description: str) -> str:
    return json.dumps([ERROR, message_id, code, description, {}], separators=(",", ":"))


def send_text(message_id: str, action: str, payload: Payload) -> str:
    """A message of 2.1 that nobody answers."""
    return json.dumps([SEND, message_id, action, payload], separators=(",", ":"))


def result_error_text(message_id: str, code: str, description: str) -> str:
    """What 2.1 says about a CALLRESULT it cannot take."""
    return json.dumps([RESULT_ERROR, message_id, code, description, {}], separators=(",", ":"))


@lru_cache(maxsize=512)
def validator(version: Version, schema: str) -> Any:
    """By the name of a schema file, such as "RemoteStartTransaction" or "ResetResponse"; None if unknown.

    Of the draft that the file names: 1.6 mixes two.
    """
    spec = importlib.util.find_spec("ocpp")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("the ocpp package brings the schemas and is not installed")
    file = Path(spec.submodule_search_locations[0]) / _FOLDERS[version] / "schemas" / f"{schema}.json"
    if not file.exists():
        return None
    content = json.loads(file.read_text("utf-8-sig"), parse_float=Decimal)
    return validator_for(content, default=Draft4Validator)(content)


def faults_of_call(version: Version, action: str, payload: Payload, *, times: bool = True) -> list[str]:
    """What is wrong with a CALL, strictly by the schema; empty when nothing is. `times`: judge how they are written."""
    names = [action] if version == "1.6" else [f"{action}Request", action]
    name = next((each for each in names if validator(version, each) is not None), action)
    return _faults_of(version, name, payload, times=times)


def faults_of_result(version: Version, action: str, payload: Payload, *, times: bool = True) -> list[str]:
    """The same for an answer to `action`."""
    return _faults_of(version, f"{action}Response", payload, times=times)


def _faults_of(version: Version, schema: str, payload: Payload, *, times: bool) -> list[str]:
    judge = validator(version, schema)
    if judge is None:
        return [f"{schema}: no such message in OCPP {version}"]
    found = [f"{schema}: {error.message}" for error in judge.iter_errors(_with_decimals(payload))]
    if times:
        found += [
            f"{schema}: {name} is not UTC with Z and at most milliseconds: {value!r}"
            for name, value in _bad_times(payload)
        ]
    return found


def _with_decimals(value: Any) -> Any:
    """21.4 is a multiple of 0.1 in decimal arithmetic only."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {key: _with_decimals(each) for key, each in value.items()}
    return [_with_decimals(each) for each in value] if isinstance(value, list) else value


def _bad_times(payload: Payload) -> list[tuple[str, object]]:
    bad: list[tuple[str, object]] = []
    for name, value in payload.items():
        inside = value if isinstance(value, list) else [value]
        bad += [fault for each in inside if isinstance(each, dict) for fault in _bad_times(each)]
        if name in _TIMES and not (isinstance(value, str) and _UTC.fullmatch(value)):
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
