"""Endpoints as people change them: secrets shown once, everything audited, nobody else's."""

from typing import Any

import pytest

from cloud_relay.fleet import outbox, webhooks
from cloud_relay.fleet.ids import DeliveryId, TeamId, WebhookId
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.teams import add_team
from cloud_relay.fleet.webhook_records import TEST, Attempt, DeliveryState, Webhook
from cloud_relay.fleet.webhooks import Draft
from cloud_relay.store.store import Store
from sitelink.errors import NotFound, RequestInvalid
from tests.cloud_relay.hooks import URL, deliveries, hook, sealed
from tests.cloud_relay.made import ACT, NOW


def team(store: Store, name: str = "Acme") -> TeamId:
    return store.write_now(lambda books: add_team(books, ACT, name)).id


def made(store: Store, of: TeamId, **fields: Any) -> tuple[Webhook, str]:
    draft = Draft(**{"url": URL, "kinds": ("job.completed",), **fields})
    return store.write_now(lambda books: webhooks.add_webhook(books, ACT, of, draft, seal=sealed, allow_http=False))


def audited(store: Store, of: TeamId) -> list[str]:
    entries = store.read_now(lambda books: books.audit.page(of, limit=50))
    assert "gh1_" not in str(entries)
    assert "sealed" not in str(entries)
    return [each.kind for each in entries if each.kind.startswith("webhook.")]


def test_a_secret_is_shown_once_and_kept_sealed(store: Store) -> None:
    acme = team(store)
    one, secret = made(store, acme)
    assert secret.startswith("gh1_")
    assert (one.secret, one.name, one.enabled) == (f"sealed {len(secret)} of {one.id}", "example.com", True)
    changed, other = store.write_now(lambda books: webhooks.rotate_secret(books, ACT, acme, one.id, seal=sealed))
    assert other != secret
    assert store.read_now(lambda books: webhooks.find_webhook(books, acme, one.id)) == changed
    assert audited(store, acme) == ["webhook.secret_rotated", "webhook.created"]


@pytest.mark.parametrize(
    ("fields", "where", "problem"),
    [
        ({"url": "http://example.com"}, "url", "not_https"), ({"url": None}, "url", "empty"),
        ({"kinds": ()}, "events", "empty"), ({"kinds": ("job.made",)}, "events", "not_allowed"),
        ({"name": "x" * 201}, "name", "too_long"),
    ],
)  # fmt: skip
def test_an_endpoint_that_is_none_is_refused(store: Store, fields: dict[str, Any], where: str, problem: str) -> None:
    acme = team(store)
    with pytest.raises(RequestInvalid) as refused:
        made(store, acme, **fields)
    assert (refused.value.fields["where"], refused.value.fields["problem"]) == (where, problem)
    assert store.read_now(lambda books: webhooks.webhooks_of(books, acme)) == []


def test_a_team_has_so_many_and_no_more(store: Store) -> None:
    acme = team(store)
    for _ in range(webhooks.OF_A_TEAM_MAX):
        hook(store, acme)
    with pytest.raises(RequestInvalid):
        made(store, acme)


def test_turning_it_on_ends_a_pause(store: Store) -> None:
    acme = team(store)
    one, _ = made(store, acme)

    def change(**fields: Any) -> Webhook:
        draft = Draft(**fields)
        return store.write_now(lambda books: webhooks.change_webhook(books, ACT, acme, one.id, draft, allow_http=False))

    assert change() == one, "nothing was asked for"
    off = change(enabled=False, name="Ours", kinds=("*",))
    assert (off.enabled, off.name, off.wants("anything.new"), off.url) == (False, "Ours", True, URL)
    paused = Webhook(
        **{**{f: getattr(off, f) for f in Webhook.__struct_fields__}, "paused_at": NOW, "failing_since": NOW}
    )
    store.write_now(lambda books: books.webhooks.put(paused))
    assert change(url="https://example.com/b").paused_at == NOW
    on = change(enabled=True)
    assert (on.paused_at, on.failing_since, on.enabled) == (None, None, True)
    assert audited(store, acme) == ["webhook.changed"] * 3 + ["webhook.created"]


def test_a_test_goes_out_even_while_it_is_off_and_something_old_can_be_sent_again(store: Store) -> None:
    acme = team(store)
    one, _ = made(store, acme, enabled=False)
    test = store.write_now(lambda books: webhooks.send_test(books, ACT, acme, one.id))
    assert test.kind == TEST
    ((taken, _),) = store.write_now(lambda books: outbox.take(books, NOW, "n", 9))
    store.write_now(lambda books: outbox.note_attempt(books, taken, Attempt(NOW, 1, 200), NOW, lambda: 0.5))
    assert deliveries(store, one)[0].state is DeliveryState.DELIVERED
    again = store.write_now(lambda books: webhooks.resend(books, ACT, acme, one.id, test.id))
    assert (again.id, again.state, again.next_try_at, len(again.attempts)) == (test.id, DeliveryState.WAITING, NOW, 1)
    assert audited(store, acme)[:2] == ["webhook.resent", "webhook.tested"]


def test_deliveries_are_read_page_by_page(store: Store) -> None:
    acme = team(store)
    one, _ = made(store, acme)
    for _ in range(3):
        store.write_now(lambda books: webhooks.send_test(books, ACT, acme, one.id))

    def page(**more: Any) -> list[Any]:
        return list(store.read_now(lambda books: webhooks.deliveries_of(books, acme, one.id, **more)))

    first = page(limit=2)
    rest = page(limit=2, before=(first[-1].created_at.isoformat(), first[-1].id))
    assert len({each.id for each in (*first, *rest)}) == 3
    assert page(state="delivered") == []
    with pytest.raises(RequestInvalid):
        page(state="lost")


def test_what_another_team_has_is_not_there(store: Store) -> None:
    acme, beta = team(store), team(store, "Beta")
    one, _ = made(store, acme)
    test = store.write_now(lambda books: webhooks.send_test(books, ACT, acme, one.id))
    tried: list[Any] = [
        lambda books: webhooks.find_webhook(books, beta, one.id),
        lambda books: webhooks.change_webhook(books, ACT, beta, one.id, Draft(), allow_http=False),
        lambda books: webhooks.remove_webhook(books, ACT, beta, one.id),
        lambda books: webhooks.rotate_secret(books, ACT, beta, one.id, seal=sealed),
        lambda books: webhooks.send_test(books, ACT, beta, one.id),
        lambda books: webhooks.deliveries_of(books, beta, one.id),
        lambda books: webhooks.resend(books, ACT, beta, one.id, test.id),
        lambda books: webhooks.resend(books, ACT, acme, one.id, DeliveryId("none")),
        lambda books: webhooks.find_webhook(books, acme, WebhookId("none")),
    ]
    for work in tried:
        with pytest.raises(NotFound):
            store.write_now(work)
    assert len(deliveries(store, one)) == 1


def test_what_is_removed_goes_with_all_that_was_on_its_way(store: Store) -> None:
    acme = team(store)
    one, _ = made(store, acme)

    def work(books: Books) -> None:
        webhooks.send_test(books, ACT, acme, one.id)
        webhooks.remove_webhook(books, ACT, acme, one.id)

    store.write_now(work)
    assert deliveries(store, one) == []
    assert audited(store, acme)[0] == "webhook.removed"
