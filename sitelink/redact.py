"""What is secret and how it looks in a log. Pure.

Start at `redact`: every log line and every shown frame passes through it.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

MASK = "***"
_SECRET_KEYS = frozenset(
    {"authorization", "authorizationkey", "basicauthpassword", "password", "token", "token_sha256", "cookie"}
    | {"set-cookie", "csrf", "secret", "test_token", "credentials", "verifier"}
)
_SECRET_WORDS = ("password", "passphrase", "passwd", "passcode", "secret", "privatekey", "private_key", "presharedkey")
"""In a key of any maker's own making: WifiPassword, client_secret."""
_SECRET_ENDS = ("pin", "psk", "apikey", "api_key", "vpnkey", "wpakey", "wifikey")
_PERSONAL_KEYS = frozenset({"customeridentifier", "vatnumber"})
"""Who a customer is (OCPP 2.0.1 N09, 2.1 VatNumberValidation)."""
_ID_TOKEN_KEYS = frozenset(
    {"idtag", "id_tag", "id_token", "idtoken", "parentidtag", "groupidtoken", "additionalidtoken"}
)
_KEY_CODE = "keycode"
"""The type of an id token that is a secret a person types: not even its ends are shown (OCPP 2.0.1 C04.FR.04)."""
_VALUE_KEYS = frozenset({"value", "attributevalue", "actualvalue"})
"""Where OCPP says the value of a variable that is named beside it."""
_USER_INFO = re.compile(r"://[^\s\"'<>]*@")
_QUERY_SECRET = re.compile(
    r"([?&;](?:[\w-]*(?:token|signature|key|password|passwd|pwd|secret)|sig|auth|code)=)[^&;\s\"'<>]+", re.IGNORECASE
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*", re.DOTALL)
_LINK_TOKEN = re.compile(r"\b(g[a-z]1_)[A-Za-z0-9_-]{8,}")
_FILE_NAME = re.compile(r"(/files/(?:up|fw)/)[A-Za-z0-9_-]{8,}")
"""The random name under which a charge point brings or fetches a file is all that is needed for it."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
VALUE_MAX_CHARACTERS = 1024
NAME_CHARACTERS = 50
"""What is asked about longer names is not remembered."""


def mask_id_token(id_token: str) -> str:
    """The first two and the last character: enough to tell two cards apart, not enough to copy one."""
    return MASK if len(id_token) < 6 else f"{id_token[:2]}{MASK}{id_token[-1]}"


def mask_text(text: str) -> str:
    """Tokens, passwords in addresses and private keys masked, unseen characters made visible, length capped."""
    if "1_" in text:
        text = _LINK_TOKEN.sub(rf"\1{MASK}", text)
    if "/files/" in text:
        text = _FILE_NAME.sub(rf"\1{MASK}", text)
    if "://" in text:
        text = _QUERY_SECRET.sub(rf"\1{MASK}", _USER_INFO.sub(_without_password, text))
    if "PRIVATE KEY" in text:
        text = _PRIVATE_KEY.sub(MASK, text)
    if not text.isprintable():
        text = _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
    return text if len(text) <= VALUE_MAX_CHARACTERS else text[:VALUE_MAX_CHARACTERS] + "…"


def redact(value: Any, key: str = "") -> Any:
    """A copy fit for a log: secrets under known keys masked at any depth, texts cleaned."""
    lowered = key.casefold()
    if _is_secret(lowered) and value not in (None, "", False, True):
        return MASK
    if isinstance(value, (bytes, bytearray)):
        value = value.decode("utf-8", "backslashreplace")
    if lowered in _ID_TOKEN_KEYS and isinstance(value, (str, int)) and not isinstance(value, bool):
        return mask_id_token(str(value))
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        if _names_a_secret(value):
            value = _without_values(value)
        if lowered == "vpn":
            value = {k: MASK if str(k).casefold() == "key" else v for k, v in value.items()}
        if _is_key_code(value):
            value = _masked_tokens(value)
        return {mask_text(str(k)): redact(v, str(k)) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact(item, key) for item in value]
    return value


def without_key_codes(value: Any) -> Any:
    """A copy without the id tokens whose type says that they are secrets: fit to be kept."""
    if isinstance(value, dict):
        if _is_key_code(value):
            value = _masked_tokens(value)
        return {k: without_key_codes(v) for k, v in value.items()}
    return [without_key_codes(item) for item in value] if isinstance(value, list) else value


def _is_key_code(value: Mapping[Any, Any]) -> bool:
    return str(value.get("type", "")).casefold() == _KEY_CODE


def _masked_tokens(value: Mapping[Any, Any]) -> dict[Any, Any]:
    return {k: MASK if str(k).casefold() in _ID_TOKEN_KEYS and isinstance(v, str) else v for k, v in value.items()}


def is_secret_name(name: str) -> bool:
    """Whether what goes by this name is never kept or shown."""
    return _is_secret(name.casefold())


def _is_secret(lowered_key: str) -> bool:
    return _is_known_secret(lowered_key) if len(lowered_key) <= NAME_CHARACTERS else _sounds_secret(lowered_key)


@lru_cache(maxsize=1024)
def _is_known_secret(lowered_key: str) -> bool:
    return _sounds_secret(lowered_key)


def _sounds_secret(lowered_key: str) -> bool:
    return (
        lowered_key in _SECRET_KEYS
        or lowered_key in _PERSONAL_KEYS
        or lowered_key.endswith(_SECRET_ENDS)
        or any(word in lowered_key for word in _SECRET_WORDS)
    )


def _names_a_secret(mapping: Mapping[Any, Any]) -> bool:
    """A configuration key (OCPP 1.6 §7.29) or a variable (OCPP 2.0.1 §2.47) whose value is a secret."""
    for key, value in mapping.items():
        lowered = str(key).casefold()
        name = value.get("name") if lowered == "variable" and isinstance(value, Mapping) else value
        if lowered in ("key", "variable") and isinstance(name, str) and _is_secret(name.casefold()):
            return True
    return False


def _without_values(value: Any) -> Any:
    """Whatever stands as a value is masked, at any depth; the names stay."""
    if isinstance(value, Mapping):
        return {
            k: MASK if str(k).casefold() in _VALUE_KEYS and v not in (None, "") else _without_values(v)
            for k, v in value.items()
        }
    return [_without_values(each) for each in value] if isinstance(value, (list, tuple)) else value


def _without_password(found: re.Match[str]) -> str:
    user, colon, _ = found[0][3:-1].partition(":")
    return f"://{user}:{MASK}@" if colon else f"://{MASK}@"
