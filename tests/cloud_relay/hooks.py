"""Webhooks for tests of the cloud. Start at `hook`."""

from cloud_relay.fleet.ids import TeamId
from cloud_relay.fleet.ports import Store
from cloud_relay.fleet.webhook_records import EVERYTHING, Delivery, Webhook
from cloud_relay.fleet.webhooks import Draft, add_webhook
from tests.cloud_relay.made import ACT

URL = "https://example.com/hook"


def sealed(secret: bytes, of: str) -> str:
    """As good as sealing for who does not open it."""
    return f"sealed {len(secret)} of {of}"


def hook(store: Store, team: TeamId, *kinds: str, url: str = URL) -> Webhook:
    """An endpoint that wants these kinds; none: everything."""
    draft = Draft(url=url, kinds=kinds or (EVERYTHING,))
    return store.write_now(lambda books: add_webhook(books, ACT, team, draft, seal=sealed, allow_http=True)[0])


def deliveries(store: Store, webhook: Webhook) -> list[Delivery]:
    """In the order of their kinds."""
    found = store.read_now(lambda books: books.webhooks.deliveries(webhook.id, before=None, limit=99))
    return sorted(found, key=lambda each: (each.kind, each.id))


def kinds_told(store: Store, webhook: Webhook) -> list[str]:
    return [each.kind for each in deliveries(store, webhook)]
