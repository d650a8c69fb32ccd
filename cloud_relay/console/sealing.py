"""What must be kept so that it can be read again, encrypted: AES-256-GCM, by a key derived from the cloud's own secret.

What this protects from, and what not: docs/adr/0014. Start at `Sealing`. Sources: RFC 5869, NIST SP 800-38D.
"""

import base64
import os

from aiohttp import web
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECOND_FACTORS: web.AppKey["Sealing"] = web.AppKey("second_factors")
"""Seals the secrets of second factors."""
NONCE_BYTES = 12


class Sealing:
    """`secret`: what all nodes of the cloud share; `purpose` keeps apart what must not be taken for one another."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._cipher = AESGCM(HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(secret))

    def seal(self, content: bytes, of: str) -> str:
        """In letters of base 64, 4 for 3 bytes, 28 bytes longer than `content`. `of`: whose it is."""
        nonce = os.urandom(NONCE_BYTES)
        return base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, content, of.encode())).decode()

    def unseal(self, sealed: str, of: str) -> bytes | None:
        """None: nothing that was sealed here for `of`."""
        try:
            raw = base64.b64decode(sealed.encode(), b"-_", validate=True)
            return self._cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], of.encode())
        except (InvalidTag, ValueError):
            return None
