"""Random secrets: made, and turned into the form in which they are stored and looked up.

256 random bits need no slow hash (SECURITY §4.1 L1). Each kind has a prefix by which a scanner of secrets, and our own
log (`sitelink.redact`), knows it. Start at `new_token`.
"""

import hashlib
import re
import secrets

API_TOKEN = "gc1_"  # noqa: S105 -- prefixes, no secrets
CLAIM = "gw1_"
INVITATION = "gi1_"
RESET = "gr1_"
SESSION = "gs1_"
WEBHOOK = "gh1_"
RANDOM_BYTES = 32


def new_token(prefix: str) -> str:
    return prefix + secrets.token_urlsafe(RANDOM_BYTES)


def sha256_of(token: str) -> str:
    """The form in which it is kept, hex."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def find(prefix: str, text: str) -> str | None:
    """The token of this kind in whatever was pasted, such as a whole link; None where there is none."""
    found = re.search(rf"{prefix}[A-Za-z0-9_-]{{43}}(?![A-Za-z0-9_-])", text)
    return found.group() if found else None
