"""Device keys: Ed25519, the public half in base64 as the box sends it. Start at `verify`. Source: RFC 8032."""

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY_BYTES = 32


def is_key(text: str) -> bool:
    """Whether it is a public key."""
    return _raw(text, KEY_BYTES) is not None


def verify(device_key: str, signed: bytes, signature: str) -> bool:
    key, given = _raw(device_key, KEY_BYTES), _raw(signature, 64)
    if key is None or given is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(given, signed)
    except InvalidSignature:
        return False
    return True


def _raw(text: str, size: int) -> bytes | None:
    try:
        raw = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        return None
    return raw if len(raw) == size else None
