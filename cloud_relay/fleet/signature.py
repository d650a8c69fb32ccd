"""How a webhook shows that it comes from here: HMAC-SHA256 over the moment and the body. RFC 2104.

Start at `signature`; docs/webhooks.md shows how a receiver checks it.
"""

import hashlib
import hmac


def signature(secret: str, unix: int, body: bytes) -> str:
    """The value of the header Gatepost-Signature. `unix`: when it is sent, in seconds."""
    made = hmac.new(secret.encode(), f"{unix}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={unix},v1={made}"
