"""What the books hold of webhooks, and what is told by them, as frozen records."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from cloud_relay.fleet.ids import DeliveryId, TeamId, WebhookId

EVERYTHING = "*"
"""In place of kinds: all there are, and those of later versions."""
TEST = "webhook.test"
KINDS = (
    "job.created", "job.completed", "job.reopened", "job.archived", "job.cancelled",
    "charge_point.connected", "charge_point.disconnected", "charge_point.state_changed", "charge_point.activated",
    "charge_point.deactivated", "note.written", "conflict.begun", "conflict.ended", "gateway.online",
    "gateway.offline", "transaction.started", "transaction.stopped", "alert.opened", "alert.closed",
)  # fmt: skip
"""What an endpoint can ask for. docs/webhooks.md says what each means."""


class Happening(msgspec.Struct, frozen=True):
    """Something that somebody outside may want to hear of. `at`: when it happened, by the clock of where it did.

    `key` names what caused it: the same cause told twice is the same happening. `data` holds no secret.
    """

    kind: str
    key: str
    at: datetime
    data: dict[str, Any]


class Webhook(msgspec.Struct, frozen=True):
    """An endpoint of a team. `secret` is sealed. `failing_since`: of its tries, the first that failed after the last
    that did not. `paused_at`: nothing is sent any more until somebody turns it on again.
    """

    id: WebhookId
    team: TeamId
    url: str
    name: str
    kinds: frozenset[str]
    secret: str
    created_by: str
    created_at: datetime
    enabled: bool = True
    failing_since: datetime | None = None
    paused_at: datetime | None = None

    def wants(self, kind: str) -> bool:
        return kind in self.kinds or EVERYTHING in self.kinds


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One try. `status` of HTTP, None where none came; `problem` a code, "" where it went well; `answer` the first of
    what came back, masked.
    """

    at: datetime
    duration_ms: int
    status: int | None = None
    problem: str = ""
    answer: str = ""


class DeliveryState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class Delivery(msgspec.Struct, frozen=True):
    """An event on its way to one endpoint. `body` is what is sent, byte for byte, at every try.

    `since`: from when the day counts after which it is given up. `taken_by`: the node that is trying it until
    `next_try_at`. `attempts`: the newest, oldest first.
    """

    id: DeliveryId
    webhook: WebhookId
    team: TeamId
    event: str
    kind: str
    created_at: datetime
    since: datetime
    body: str
    state: DeliveryState = DeliveryState.WAITING
    next_try_at: datetime | None = None
    taken_by: str = ""
    tries: int = 0
    attempts: tuple[Attempt, ...] = ()
