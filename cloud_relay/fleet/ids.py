"""The identities of the cloud, as distinct types. Start at `new_id`."""

import uuid
from typing import NewType

TeamId = NewType("TeamId", str)
UserId = NewType("UserId", str)
SessionId = NewType("SessionId", str)
TokenId = NewType("TokenId", str)
InvitationId = NewType("InvitationId", str)
SiteId = NewType("SiteId", str)
GatewayId = NewType("GatewayId", str)
AlertId = NewType("AlertId", str)
WebhookId = NewType("WebhookId", str)
DeliveryId = NewType("DeliveryId", str)


def new_id() -> str:
    """A random UUID, RFC 9562 §5.4."""
    return str(uuid.uuid4())


def key_of(text: str) -> str:
    """The form in which names and mail addresses are compared: without regard to case and blanks around."""
    return text.strip().casefold()
