"""A frame of OCPP as a person may see it: secrets are masked, also where it is no JSON or was cut off. Pure.

What is secret by its name stands in `sitelink.redact`; here is what only a frame knows: which message it is, JSON that
stands in a text, free words of an error, and frames that cannot be read. Those are shown up to the first thing that
might be secret. Sources: SECURITY §7.1; OCPP 1.6 §9.1; OCPP 2.0.1 part 2, C04 and N09. Start at `masked`.
"""

import json
import re
from typing import Any

from sitelink.redact import MASK, mask_text, redact

CALL, RESULT, ERROR, RESULT_ERROR, SEND = 2, 3, 4, 5, 6
_ERRORS = (ERROR, RESULT_ERROR)
_PERSONAL = frozenset({"NotifyCustomerInformation"})
"""Messages whose `data` is about a customer."""
_NAMES_A_SECRET = re.compile(
    r"authorizationkey|password|passphrase|passwd|passcode|secret|private.?key|sim.?pin|_pin\b|\bpin\b|vpn|credential"
    r"|customer.?information",
    re.IGNORECASE,
)
_NAMES_A_TOKEN = re.compile(r"id.?tag|token|customer.?identifier|rfid|emaid|\buid\b|vat.?number", re.IGNORECASE)
_VALUE = re.compile(r"""(?:attribute|actual)?value["']?\s*:|\bdata["']?\s*:""", re.IGNORECASE)
_ADDRESS = re.compile(r"://|PRIVATE KEY")
_ESCAPED = re.compile(r"\\u00([2-7][0-9a-fA-F])")
_HEAD = re.compile(r"""^\s*\[\s*(\d)\s*,\s*["']([^"']{1,64})["'](?:\s*,\s*["'](\w{1,64})["'])?""")
_IS_ERROR = re.compile(r"\s*\[\s*[45]\b")
_TELLING = re.compile(r"[\w.:-]*\d[\w.:-]*")
_NESTED_MAX = 4


def masked(text: str, whole: bool) -> Any:
    """The frame as JSON with its secrets masked; as a text where it is no JSON, or not all of it is there."""
    if whole:
        try:
            frame = json.loads(text)
        except (ValueError, RecursionError):
            pass
        else:
            return _of_frame(frame)
    return _of_text(text)


def head_of(text: str) -> tuple[int, str, str | None] | None:
    """Message type, id and action of a frame that cannot be read as JSON, by its first characters."""
    found = _HEAD.match(text)
    if found is None:
        return None
    return int(found[1]), found[2], found[3] if int(found[1]) in (CALL, SEND) else None


def _of_frame(frame: Any) -> Any:
    if not isinstance(frame, list) or not frame:
        return redact(_unpacked(frame, in_error=False))
    in_error = frame[0] in _ERRORS
    parts = [*frame[:2], *(_unpacked(part, in_error=in_error) for part in frame[2:])]
    if len(parts) > 3 and parts[2] in _PERSONAL and isinstance(parts[3], dict) and parts[3].get("data"):
        parts[3] = {**parts[3], "data": MASK}
    return [redact(part) for part in parts]


def _unpacked(value: Any, *, in_error: bool, depth: int = 0) -> Any:
    """With JSON that stands in texts masked like any other, and the free words of errors guarded."""
    if isinstance(value, dict):
        return {key: _unpacked(each, in_error=in_error, depth=depth) for key, each in value.items()}
    if isinstance(value, list):
        return [_unpacked(each, in_error=in_error, depth=depth) for each in value]
    if not isinstance(value, str):
        return value
    if value.lstrip()[:1] in ("{", "[", '"') and depth < _NESTED_MAX:
        try:
            inner = json.loads(value)
        except (ValueError, RecursionError):
            return _of_text(value)
        return json.dumps(redact(_unpacked(inner, in_error=in_error, depth=depth + 1)), ensure_ascii=False)
    if "{" in value:
        return _of_text(value)
    return _of_words(value) if in_error else value


def _of_words(text: str) -> str:
    """A sentence of a charge point's or of ours, which may quote what it complains of."""
    if _NAMES_A_SECRET.search(text):
        return f"{MASK} (a text that names a secret)"
    found = _NAMES_A_TOKEN.search(text)
    return _TELLING.sub(MASK, text[: found.end()]) + MASK if found else text


def _of_text(text: str) -> str:
    """Up to the first id token or address; only its head where a secret is named or may be quoted.

    The last value is left out too: it may be a secret whose name is missing.
    """
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text.replace("\x00", ""))
    if _NAMES_A_SECRET.search(text) or _IS_ERROR.match(text):
        head = _HEAD.match(text)
        return f"{mask_text(head[0]) if head else ''}{MASK} (not shown: it is no JSON, and may tell a secret)"
    values = list(_VALUE.finditer(text))
    limits = (_NAMES_A_TOKEN.search(text), _ADDRESS.search(text), values[-1] if values else None)
    ends = [each.end() for each in limits if each is not None]
    return mask_text(text[: min(ends)] + MASK if ends else text)
