"""What the core needs of the books about webhooks. Start at `Webhooks`."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from cloud_relay.fleet.ids import DeliveryId, TeamId, WebhookId
from cloud_relay.fleet.webhook_records import Delivery, Webhook


class Webhooks(Protocol):
    """Endpoints of teams, and what is on its way to them."""

    def add(self, webhook: Webhook) -> None: ...
    def put(self, webhook: Webhook) -> None: ...
    def remove(self, id_: WebhookId) -> None:
        """With its deliveries."""
        ...

    def of(self, team: TeamId, id_: WebhookId) -> Webhook | None: ...
    def with_id(self, id_: WebhookId) -> Webhook | None: ...
    def of_team(self, team: TeamId) -> Sequence[Webhook]:
        """In the order in which they were made."""
        ...

    def listening(self, team: TeamId) -> Sequence[Webhook]:
        """Those that are enabled and not paused."""
        ...

    def deliver(self, deliveries: Sequence[Delivery]) -> int:
        """Add those that are not there; how many those were."""
        ...

    def put_delivery(self, delivery: Delivery) -> None: ...
    def delivery(self, webhook: WebhookId, id_: DeliveryId) -> Delivery | None: ...
    def deliveries(
        self, webhook: WebhookId, *, before: tuple[str, str] | None, limit: int, state: str = ""
    ) -> Sequence[Delivery]:
        """Newest first, those behind (created_at, id)."""
        ...

    def is_due(self, now: datetime) -> bool:
        """Whether `due` may have any."""
        ...

    def due(self, now: datetime, *, limit: int, of_each: int, but: Collection[WebhookId] = ()) -> Sequence[Delivery]:
        """To endpoints that listen (tests to any), the longest due first, at most `of_each` of one endpoint. They stay
        so until the transaction ends.
        """
        ...

    def forget_before(self, created_at: datetime) -> None:
        """Deliveries that are older."""
        ...
