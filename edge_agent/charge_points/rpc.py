"""OCPP-J framing: a frame in, what it says out; an answer in, its text out.

Pure: no I/O, no clock, no log. `decode` never raises: what cannot be read is described, with the id of the call where
one can still be found, so that it can be answered. Not here: what a message means (`v16`, `v2x`), which types a version
has (`dialect`), who waits for an answer (`session`). Sources: OCPP-J 1.6 §4.1 and §4.2 with errata; OCPP 2.0.1 and 2.1
Part 4 §4; OCPP.md §8.1 R4 to R8; SECURITY §7.1 for the limits. Start at `decode`.
"""

import json
import math
import re
from enum import StrEnum
from typing import Any, NoReturn

import msgspec
from msgspec.structs import astuple

CALL, CALL_RESULT, CALL_ERROR, CALL_RESULT_ERROR, SEND = 2, 3, 4, 5, 6
"""CALLRESULTERROR (our answer could not be used) and SEND (never answered) are OCPP 2.1's alone."""

MAX_DEPTH = 32
MAX_NODES = 200_000
"""Keys and values. No meter data that fits into a frame has so many: a long session's StopTransaction is answered."""
MAX_STRING = 256 * 1024
"""Generous: signed meter data in a StopTransaction must not cost its `.conf` (OCPP 1.6 §4.10)."""
MAX_DIGITS = 19
MESSAGE_ID_MAX = 36
"""OCPP-J 1.6 §4.1.4; what stations send is accepted up to MESSAGE_ID_ACCEPTED."""
MESSAGE_ID_ACCEPTED = 64
MAX_BYTES = 1024 * 1024
DESCRIPTION_MAX = 255
_HEAD_CHARACTERS = 512


class ErrorCode(StrEnum):
    """OCPP-J 1.6 §4.2.3, in its own spelling; the two at the end are OCPP 2.x's. `dialect` spells them by version."""

    NOT_IMPLEMENTED = "NotImplemented"
    """An action we do not know."""
    NOT_SUPPORTED = "NotSupported"
    """An action we know and do not offer."""
    INTERNAL_ERROR = "InternalError"
    PROTOCOL_ERROR = "ProtocolError"
    SECURITY_ERROR = "SecurityError"
    FORMATION_VIOLATION = "FormationViolation"
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    OCCURENCE_CONSTRAINT_VIOLATION = "OccurenceConstraintViolation"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"
    GENERIC_ERROR = "GenericError"
    MESSAGE_TYPE_NOT_SUPPORTED = "MessageTypeNotSupported"
    RPC_FRAMEWORK_ERROR = "RpcFrameworkError"


class Call(msgspec.Struct, frozen=True):
    """`flaws` are codes of what had to be put right to read it."""

    message_id: str
    action: str
    payload: dict[str, Any]
    flaws: tuple[str, ...] = ()


class CallResult(msgspec.Struct, frozen=True):
    """`payload` is as it came; an answer that is no object is the caller's to judge."""

    message_id: str
    payload: Any
    flaws: tuple[str, ...] = ()


class CallError(msgspec.Struct, frozen=True):
    message_id: str
    code: str
    description: str = ""
    details: Any = None
    flaws: tuple[str, ...] = ()


class CallResultError(msgspec.Struct, frozen=True):
    """Our answer to a call of theirs could not be used (OCPP 2.1 Part 4 §4.2.4)."""

    message_id: str
    code: str
    description: str = ""
    flaws: tuple[str, ...] = ()


class Send(msgspec.Struct, frozen=True):
    """A message that gets no answer, whatever it says (OCPP 2.1 Part 4 §4.2.5)."""

    message_id: str
    action: str
    payload: dict[str, Any]
    flaws: tuple[str, ...] = ()


class Unreadable(msgspec.Struct, frozen=True):
    """`problem` is a code. With `message_id` and `message_type` 2 it can be answered, with `code`."""

    problem: str
    message_type: int | None = None
    message_id: str | None = None
    code: ErrorCode = ErrorCode.FORMATION_VIOLATION


class Ignored(msgspec.Struct, frozen=True):
    """A message type of no version. What is done with it depends on the version (OCPP.md §8.1 R5)."""

    message_type: Any
    message_id: str | None = None


Frame = Call | CallResult | CallError | CallResultError | Send | Unreadable | Ignored


def decode(data: str | bytes, max_bytes: int = MAX_BYTES) -> Frame:
    """What a frame says. Never raises."""
    plain = _plain(data) if type(data) is bytes and len(data) <= min(max_bytes, PLAIN_MAX) else None
    if plain is not None:
        return _plain_call(plain) or _message(plain, [])
    flaws: list[str] = []
    text = _text_of(data, flaws)
    problem = _too_much(data, text, max_bytes)
    if problem:
        return _found_in_head(text, problem, ErrorCode.GENERIC_ERROR if problem == "too_large" else None)
    try:
        value = _DECODER.decode(text)
        _check_size(value, text)
    except _Broken as error:
        return _found_in_head(text, error.problem)
    except (ValueError, RecursionError):
        return _found_in_head(text, "not_json")
    if not isinstance(value, list) or not value:
        return Unreadable("not_an_array")
    return _message(value, flaws)


def encode_call(message_id: str, action: str, payload: dict[str, Any]) -> str:
    return msgspec.json.encode([CALL, message_id, action, payload]).decode()


def encode_result(message_id: str, payload: dict[str, Any]) -> str:
    return msgspec.json.encode([CALL_RESULT, message_id, payload]).decode()


def encode_result_error(message_id: str, code: str, description: str = "") -> str:
    """The station's answer `message_id` could not be used (OCPP 2.1)."""
    return msgspec.json.encode([CALL_RESULT_ERROR, message_id, str(code), description[:DESCRIPTION_MAX], {}]).decode()


def encode_error(message_id: str, code: str, description: str = "", details: dict[str, Any] | None = None) -> str:
    return msgspec.json.encode(
        [CALL_ERROR, message_id, str(code), description[:DESCRIPTION_MAX], details or {}]
    ).decode()


# ---- the frame as it should be, in one pass ----

PLAIN_MAX = 64 * 1024
"""Bytes. No string and no number of nodes in so few can be too much."""


_CLASSES = bytes(48 if 48 <= byte < 58 else 91 if byte in b"[{" else 0 for byte in range(256))
"""Every digit a 0, every opening bracket a [, all else nothing."""
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_LONG_NUMBER = b"0" * MAX_DIGITS
"""So long it may be too long, or more than 64 bits hold."""


def _plain(data: bytes) -> list[Any] | None:
    """The array, where nothing about the frame is odd; None: the careful way must look at it.

    A key that came twice is once in what was decoded. What is the same when it is encoded again has none; else, without
    a backslash, every quotation mark begins or ends a string, and there would be fewer of them.
    """
    classes = data.translate(_CLASSES)
    if b"\\" in data or _LONG_NUMBER in classes:
        return None
    try:
        value = _decode(data)
        if type(value) is not list or not value:
            return None
        again = _encode(value)
        if again != data and again.count(b'"') != data.count(b'"'):
            return None
    except (ValueError, OverflowError, RecursionError):
        return None
    if classes.count(b"[") > MAX_DEPTH and _is_deep(value, MAX_DEPTH):
        return None
    return value


def _plain_call(value: list[Any]) -> Call | None:
    """A call, where nothing about it is odd."""
    if len(value) != 4:
        return None
    kind, id_, action, payload = value
    if kind != CALL or type(kind) is not int or type(id_) is not str or not 1 <= len(id_) <= MESSAGE_ID_MAX:
        return None
    if type(action) is not str or not action or type(payload) is not dict or not id_.isascii():
        return None
    return Call(id_, action, payload)


def _is_deep(value: Any, limit: int) -> bool:
    """Whether lists and objects nest deeper; `value` is one."""
    if limit == 0:
        return True
    for each in value.values() if type(value) is dict else value:
        if (type(each) is dict or type(each) is list) and _is_deep(each, limit - 1):
            return True
    return False


# ---- the text ----


def _text_of(data: str | bytes, flaws: list[str]) -> str:
    """The frame as text. Latin-1 umlauts, byte order marks and C string ends are known faults of stations."""
    if isinstance(data, str):
        text = data
        if not text.isascii() and _is_broken_unicode(text):
            text = text.encode("utf-8", "replace").decode("utf-8")
            flaws.append("not_utf8")
    else:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = data.decode("utf-8", "replace")
            flaws.append("not_utf8")
    if text[-1:] == "\x00":
        text = text.rstrip("\x00")
        flaws.append("ends_with_nul")
    if text[:1] == "\ufeff":
        text = text[1:]
        flaws.append("byte_order_mark")
    return text


def _is_broken_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _too_much(data: str | bytes, text: str, max_bytes: int) -> str | None:
    size = len(data) if isinstance(data, bytes) or text.isascii() else len(text.encode("utf-8", "replace"))
    if size > max_bytes:
        return "too_large"
    return "too_deep" if is_deeper_than(text, MAX_DEPTH) else None


_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)
"""A string, to its end or the text's (so that no part of it is looked at twice), or a bracket."""


def is_deeper_than(text: str, limit: int) -> bool:
    """Whether arrays and objects nest deeper, in time linear in the text and before anything is parsed."""
    if text.count("[") + text.count("{") <= limit:
        return False
    depth = 0
    for found in _BRACKETS.finditer(text):
        character = text[found.start()]
        if character in "[{":
            depth += 1
            if depth > limit:
                return True
        elif character != '"':
            depth -= 1
    return False


class _Broken(ValueError):
    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs) and any(made[key] != value for key, value in pairs):
        raise _Broken("duplicate_key")
    return made


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS or (value := int(digits)) < -(2**63):
        raise _Broken("number_too_long")
    return value


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _Broken("number_too_large")
    return value


def _no_number(_name: str) -> NoReturn:
    raise _Broken("not_a_number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_finite, parse_constant=_no_number, strict=False
)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _check_size(value: Any, text: str) -> None:
    """Raises _Broken on too many nodes, a string too long, a lone surrogate. Looks inside only where one can be."""
    surrogates = _SURROGATE.search(text) is not None
    if not surrogates and len(text) <= MAX_STRING and text.count(",") < MAX_NODES // 2:
        return
    nodes = 0
    rest: list[Any] = [value]
    while rest:
        nodes += 1
        if nodes > MAX_NODES:
            raise _Broken("too_many_nodes")
        each = rest.pop()
        if isinstance(each, dict):
            rest += each.keys()
            rest += each.values()
        elif isinstance(each, list):
            rest += each
        elif isinstance(each, str):
            if len(each) > MAX_STRING:
                raise _Broken("string_too_long")
            if surrogates and _is_broken_unicode(each):
                raise _Broken("lone_surrogate")


_HEAD = re.compile(r'\s*\[\s*"?([2-6])"?\s*,\s*(?:"((?:[^"\\\x00-\x1f]|\\.){1,256})"|(\d{1,19})\b)')


def _found_in_head(text: str, problem: str, code: ErrorCode | None = None) -> Unreadable:
    """An unreadable frame, with its type and id where its beginning still says them."""
    head = _HEAD.match(text[:_HEAD_CHARACTERS])
    if head is None:
        return Unreadable(problem)
    try:
        id_: Any = json.loads(f'"{head[2]}"') if head[2] is not None else head[3]
    except ValueError:
        id_ = None
    return Unreadable(problem, int(head[1]), _message_id(id_, []), code or ErrorCode.FORMATION_VIOLATION)


# ---- the message ----


def _message(value: list[Any], flaws: list[str]) -> Frame:
    kind = _message_type(value[0], flaws)
    id_ = _message_id(value[1] if len(value) > 1 else None, flaws)
    if kind is None or not CALL <= kind <= SEND:
        return Ignored(value[0] if isinstance(value[0], (int, float, str)) else None, id_)
    if id_ is None:
        return Unreadable("no_message_id", kind)
    if kind == CALL:
        return _call(id_, value, flaws)
    if kind == SEND:
        sent = _call(id_, value, flaws)
        return Send(*astuple(sent)) if isinstance(sent, Call) else Unreadable(sent.problem, SEND, id_)
    if kind == CALL_RESULT:
        return CallResult(id_, value[2] if len(value) > 2 else None, tuple(flaws))
    code, description, details = (*value[2:5], *(None,) * 3)[:3]
    code = code if isinstance(code, str) and code else ErrorCode.GENERIC_ERROR.value
    description = description if isinstance(description, str) else ""
    if kind == CALL_RESULT_ERROR:
        return CallResultError(id_, code, description, tuple(flaws))
    return CallError(id_, code, description, details, tuple(flaws))


def _message_type(value: Any, flaws: list[str]) -> int | None:
    if type(value) is int:
        return value
    if isinstance(value, str) and value.strip() in ("2", "3", "4", "5", "6"):
        flaws.append("message_type_not_a_number")
        return int(value)
    return int(value) if isinstance(value, float) and value in (2.0, 3.0, 4.0, 5.0, 6.0) else None


def _message_id(value: Any, flaws: list[str]) -> str | None:
    """As it may be echoed, or None. Numbers are taken as their text."""
    if type(value) is int:
        flaws.append("message_id_not_a_text")
        value = str(value)
    if not isinstance(value, str) or not 1 <= len(value) <= MESSAGE_ID_ACCEPTED:
        return None
    if not value.isascii() and _is_broken_unicode(value):
        return None
    if len(value) > MESSAGE_ID_MAX:
        flaws.append("message_id_too_long")
    return value


def _call(id_: str, value: list[Any], flaws: list[str]) -> Call | Unreadable:
    action = value[2] if len(value) > 2 else None
    if not isinstance(action, str) or not action:
        return Unreadable("no_action", CALL, id_)
    payload = value[3] if len(value) > 3 else None
    if payload is None or payload in ("", []):
        payload = {}
        flaws.append("payload_missing")
    if not isinstance(payload, dict):
        return Unreadable("payload_not_an_object", CALL, id_)
    if len(value) > 4:
        flaws.append("extra_elements")
    return Call(id_, action, payload, tuple(flaws))
