"""The outbox: nothing missed, nothing doubled, tried by one node at a time, given up in the end."""

import json
from datetime import datetime, timedelta

import msgspec
import pytest

from cloud_relay.fleet import outbox
from cloud_relay.fleet.ids import SiteId, TeamId
from cloud_relay.fleet.webhook_records import Attempt, Delivery, DeliveryState, Happening, Webhook
from cloud_relay.store.store import Store
from sitelink.ids import ChargePointId, JobId
from sitelink.job_rules import decide_note
from sitelink.ops import encode_op
from tests.cloud_relay.hooks import deliveries, hook, kinds_told
from tests.cloud_relay.made import NOW, OPERATOR, at, imported, site

GOOD = Attempt(NOW, 12, 200)
BAD = Attempt(NOW, 12, 500, "status", "oops")


def told(store: Store, hooks: list[Webhook], *keys: str, site: SiteId | None = None) -> None:
    what = [Happening("job.created", key, NOW, {"n": key}) for key in keys]
    store.write_now(lambda books: outbox.tell(books, hooks, what, site=site, now=NOW))


def taken(store: Store, now: datetime, node: str = "n", limit: int = 20, busy: tuple[str, ...] = ()) -> list[Delivery]:
    return [each for each, _ in store.write_now(lambda books: outbox.take(books, now, node, limit, busy))]  # type: ignore[arg-type]


def tried(store: Store, delivery: Delivery, attempt: Attempt, now: datetime, spread: float = 0.5) -> Delivery:
    store.write_now(lambda books: outbox.note_attempt(books, delivery, attempt, now, lambda: spread))
    found = store.read_now(lambda books: books.webhooks.delivery(delivery.webhook, delivery.id))
    assert found is not None
    return found


def kept(store: Store, webhook: Webhook) -> Webhook:
    found = store.read_now(lambda books: books.webhooks.with_id(webhook.id))
    assert found is not None
    return found


def test_what_is_told_twice_is_there_once_and_says_where(store: Store) -> None:
    place, _ = site(store)
    all_, some = hook(store, place.team), hook(store, place.team, "job.completed")
    told(store, [all_, some], "a", site=place.site)
    told(store, [all_, some], "a", "b", site=place.site)
    assert (len(deliveries(store, all_)), deliveries(store, some)) == (2, [])
    body = json.loads(deliveries(store, all_)[0].body)
    assert body["site"] == {"id": place.site, "name": "Site of Acme"}
    assert (body["event"], body["team"], body["at"]) == ("job.created", place.team, "2026-11-26T09:30:00Z")
    assert body["id"] == deliveries(store, all_)[0].event


def test_an_op_is_told_in_its_own_transaction_and_not_again(store: Store) -> None:
    place, gateway = site(store)
    listening = hook(store, place.team)
    made = imported("CP001")
    for _ in range(2):
        at(store, place, lambda desk: desk.books.logs.known(desk.site, [made.op_id])
           or desk.bring(made, encode_op(made)), gateway)  # fmt: skip
    at(store, place, lambda desk: desk.decide(
        decide_note(JobId("j1"), ChargePointId("j1-1"), OPERATOR, "hi", by_operator=True)))  # fmt: skip
    assert kinds_told(store, listening) == ["job.created", "note.written"]

    def fails(desk: object) -> None:
        desk.decide(decide_note(JobId("j1"), ChargePointId("j1-1"), OPERATOR, "no", by_operator=True))  # type: ignore[attr-defined]
        desk.flush()  # type: ignore[attr-defined]
        raise ValueError

    with pytest.raises(ValueError):
        at(store, place, fails)
    assert len(kinds_told(store, listening)) == 2, "what did not happen is not told"


def test_one_node_has_a_delivery_until_it_noted_how_it_went_or_died(store: Store) -> None:
    place, _ = site(store)
    listening = hook(store, place.team)
    told(store, [listening], "a")
    (mine,) = taken(store, NOW, "one")
    assert taken(store, NOW, "two") == []
    later = NOW + outbox.TAKEN_FOR
    (theirs,) = taken(store, later, "two")
    assert theirs.id == mine.id
    assert tried(store, mine, BAD, later).tries == 0, "it is another node's now"
    done = tried(store, theirs, GOOD, later)
    assert (done.state, done.next_try_at, done.tries) == (DeliveryState.DELIVERED, None, 1)
    assert done.attempts == (GOOD,)
    assert taken(store, later + timedelta(days=2)) == []


def test_what_fails_is_tried_less_and_less_often_and_then_given_up(store: Store) -> None:
    place, _ = site(store)
    listening = hook(store, place.team)
    told(store, [listening], "a")
    now, pauses = NOW, []
    while True:
        (mine,) = taken(store, now)
        found = tried(store, mine, BAD, now)
        if found.next_try_at is None:
            break
        pauses.append((found.next_try_at - now).total_seconds())
        now = found.next_try_at
    assert pauses[:4] == [10, 20, 40, 80]
    assert max(pauses) == 7200
    assert (found.state, len(found.attempts)) == (DeliveryState.GIVEN_UP, outbox.ATTEMPTS_KEPT)
    assert timedelta(hours=21) < now - NOW <= outbox.GIVEN_UP_AFTER


def test_pauses_differ_by_chance(store: Store) -> None:
    place, _ = site(store)
    listening = hook(store, place.team)
    told(store, [listening], "a", "b")
    one, other = taken(store, NOW)
    assert tried(store, one, BAD, NOW, 0.0).next_try_at == NOW + timedelta(seconds=5)
    assert tried(store, other, BAD, NOW, 1.0).next_try_at == NOW + timedelta(seconds=15)


def test_an_endpoint_that_fails_for_days_is_paused_and_hears_nothing_more(store: Store) -> None:
    place, _ = site(store)
    listening = hook(store, place.team)
    told(store, [listening], "a", "b", "c")
    one, other, third = taken(store, NOW)
    tried(store, one, BAD, NOW)
    assert kept(store, listening).failing_since == NOW
    tried(store, other, GOOD, NOW)
    assert kept(store, listening).failing_since is None
    store.write_now(lambda books: books.webhooks.put(msgspec.structs.replace(listening, failing_since=NOW)))
    tried(store, third, BAD, NOW + outbox.PAUSED_AFTER)
    assert kept(store, listening).paused_at == NOW + outbox.PAUSED_AFTER
    assert store.read_now(lambda books: books.webhooks.listening(place.team)) == []
    assert taken(store, NOW + timedelta(days=9)) == []
    assert store.read_now(lambda books: books.audit.page(place.team, limit=1))[0].kind == "webhook.paused"


def test_a_slow_endpoint_holds_up_nobody_else(store: Store) -> None:
    place, _ = site(store)
    slow, other = hook(store, place.team), hook(store, place.team, "job.created")
    told(store, [slow], *(f"s{n}" for n in range(30)))
    told(store, [other], "a")
    found = taken(store, NOW)
    assert {each.webhook for each in found} == {slow.id, other.id}
    assert len(found) == outbox.OF_EACH + 1
    told(store, [other], "b")
    assert [each.webhook for each in taken(store, NOW, busy=(slow.id,))] == [other.id]


def test_nobody_is_told_what_another_team_does(store: Store) -> None:
    place, _ = site(store)
    other, _ = site(store, "Beta")
    theirs = hook(store, other.team)
    at(store, place, lambda desk: desk.bring(imported("CP001"), encode_op(imported("CP001"))))
    assert kinds_told(store, theirs) == []
    assert TeamId(theirs.team) == other.team
