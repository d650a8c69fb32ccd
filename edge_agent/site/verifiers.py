"""Verifiers: what is kept of a password, so that it can be recognised and not read back. Pure but for randomness.

A key of ours has 160 random bits: SHA-256 with a salt is enough and takes microseconds. Whatever a person or a maker
chose may be guessed, so it gets scrypt, which takes tens of milliseconds and 16 MiB: keep that off the event loop.
The same key may be sent as raw bytes or as their hex digits (OCPP-J 1.6 §6.2.2; OCPP.md §4.1): both are one password
here. Sources: SECURITY §3.1, §3.4 (5); OCPP 2.0.1 A01.FR.08. Start at `matches`.
"""

import hashlib
import hmac
import re
import secrets

KEY_BYTES = 20
"""Of a key of ours: as 40 hex digits it is as long as both versions allow (A00.FR.205, OCPP-J 1.6 §6.2.2)."""
SALT_BYTES = 16
PASSWORD_MAX_BYTES = 256
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**14, 8, 1
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){16,20}")
"""16 to 20 bytes as digits: the lengths an AuthorizationKey may have."""


def new_key() -> str:
    """20 random bytes as hex digits: an AuthorizationKey of 1.6, a BasicAuthPassword of 40 characters for 2.x."""
    return secrets.token_hex(KEY_BYTES).upper()


def canonical(password: bytes) -> bytes:
    """The bytes that count: those that hex digits stand for, where they can be a 1.6 key, else as they came."""
    return bytes.fromhex(password.decode("ascii")) if _HEX.fullmatch(password) else password


def fast_verifier(password: bytes) -> str:
    """Only for a key with all its bits random."""
    salt = secrets.token_bytes(SALT_BYTES)
    return f"sha256${salt.hex()}${_sha256(salt, password).hex()}"


def slow_verifier(password: bytes) -> str:
    """For any password. Takes tens of milliseconds."""
    salt = secrets.token_bytes(SALT_BYTES)
    parameters = SCRYPT_N, SCRYPT_R, SCRYPT_P
    return f"scrypt${'.'.join(map(str, parameters))}${salt.hex()}${_scrypt(salt, password, *parameters).hex()}"


def is_slow(verifier: str) -> bool:
    return verifier.startswith("scrypt$")


def matches(verifier: str, password: bytes) -> bool:
    """Whether it is the password. False for a verifier that is none of ours."""
    try:
        kind, *parts = verifier.split("$")
        if kind == "sha256":
            salt, digest = map(bytes.fromhex, parts)
            return hmac.compare_digest(digest, _sha256(salt, password))
        if kind == "scrypt":
            salt, digest = map(bytes.fromhex, parts[1:])
            n, r, p = map(int, parts[0].split("."))
            return hmac.compare_digest(digest, _scrypt(salt, password, n, r, p))
    except ValueError:
        return False
    return False


def _sha256(salt: bytes, password: bytes) -> bytes:
    return hashlib.sha256(salt + canonical(password)).digest()


def _scrypt(salt: bytes, password: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(canonical(password), salt=salt, n=n, r=r, p=p, maxmem=64 * 1024 * 1024, dklen=32)
