"""Webhooks and deliveries come out of the books as they went in."""

from datetime import timedelta

import msgspec

from cloud_relay.fleet.ids import DeliveryId
from cloud_relay.fleet.webhook_records import Attempt, Delivery, DeliveryState
from cloud_relay.store.store import Store
from tests.cloud_relay.hooks import deliveries, hook
from tests.cloud_relay.made import NOW, site


def test_they_are_kept_whole(store: Store) -> None:
    place, _ = site(store)
    one = hook(store, place.team, "job.created", "job.completed")
    full = msgspec.structs.replace(one, failing_since=NOW, paused_at=NOW, enabled=False)
    store.write_now(lambda books: books.webhooks.put(full))
    assert store.read_now(lambda books: books.webhooks.of(place.team, one.id)) == full
    assert store.read_now(lambda books: books.webhooks.of_team(place.team)) == [full]
    sent = Delivery(
        DeliveryId("d1"), one.id, place.team, "e1", "job.created", NOW, NOW, '{"ä": 1}', DeliveryState.GIVEN_UP, NOW,
        "n", 3, (Attempt(NOW, 5, None, "timeout"), Attempt(NOW, 7, 500, "status", "ö")),
    )  # fmt: skip
    assert store.write_now(lambda books: books.webhooks.deliver([sent])) == 1
    assert store.write_now(lambda books: books.webhooks.deliver([sent])) == 0
    assert deliveries(store, one) == [sent]


def test_old_ones_are_forgotten(store: Store) -> None:
    place, _ = site(store)
    one = hook(store, place.team)
    days = [
        Delivery(DeliveryId(f"d{n}"), one.id, place.team, "e", "job.created", NOW - timedelta(days=n), NOW, "{}")
        for n in range(3)
    ]
    store.write_now(lambda books: books.webhooks.deliver(days))
    store.write_now(lambda books: books.webhooks.forget_before(NOW - timedelta(hours=30)))
    assert [each.id for each in deliveries(store, one)] == ["d0", "d1"]
    assert not store.read_now(lambda books: books.webhooks.is_due(NOW)), "none has a time"
