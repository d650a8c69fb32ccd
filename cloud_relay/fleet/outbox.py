"""The outbox of webhooks: what happened is put into it by the transaction that stores why, and sent afterwards.

Told at least once, in no particular order. Who tries a delivery takes it first, for `TAKEN_FOR`: of several nodes one
sends. A node that dies between sending and noting it sends again, under the same id. Start at `tell`, then `take` and
`note_attempt`.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from cloud_relay.fleet.acts import SYSTEM, Act
from cloud_relay.fleet.audit import note
from cloud_relay.fleet.ids import DeliveryId, SiteId, TeamId, WebhookId
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.webhook_records import Attempt, Delivery, DeliveryState, Happening, Webhook

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=2)
GIVEN_UP_AFTER = timedelta(days=1)
PAUSED_AFTER = timedelta(days=3)
"""So long nothing went well before an endpoint is paused."""
TAKEN_FOR = timedelta(minutes=1)
KEPT_FOR = timedelta(days=30)
ATTEMPTS_KEPT = 20
OF_EACH = 4
"""Deliveries to one endpoint at a time: one that is slow does not hold up others."""
_NAMES = uuid.UUID("b1a6b2c4-6f0e-5b0a-9d60-6a1f3c5e7d21")


def tell(
    books: Books, listening: Sequence[Webhook], what: Iterable[Happening], *, site: SiteId | None, now: datetime
) -> None:
    """Put what happened into the outbox of every endpoint that wants it; told again, nothing is added."""
    wanted = [(each, hook) for each in what for hook in listening if hook.wants(each.kind)]
    if not wanted:
        return
    where = _site(books, wanted[0][1].team, site)
    books.webhooks.deliver([delivery_of(hook, each, where, now) for each, hook in wanted])


def delivery_of(hook: Webhook, what: Happening, site: dict[str, str] | None, now: datetime) -> Delivery:
    """Event and delivery have ids that follow from what caused them, and from whom it is told to."""
    event = str(uuid.uuid5(_NAMES, f"{hook.team}/{what.key}"))
    body: dict[str, Any] = {
        "id": event, "event": what.kind, "at": what.at, "recorded_at": now, "team": hook.team, "site": site,
        "data": what.data,
    }  # fmt: skip
    return Delivery(
        id=DeliveryId(str(uuid.uuid5(_NAMES, f"{event}/{hook.id}"))), webhook=hook.id, team=hook.team, event=event,
        kind=what.kind, created_at=now, since=now, body=msgspec.json.encode(body).decode(), next_try_at=now,
    )  # fmt: skip


def _site(books: Books, team: TeamId, id_: SiteId | None) -> dict[str, str] | None:
    site = books.sites.of(team, id_) if id_ is not None else None
    return {"id": site.id, "name": site.name} if site is not None else None


def take(
    books: Books, now: datetime, node: str, limit: int, busy: Collection[WebhookId] = ()
) -> Sequence[tuple[Delivery, Webhook]]:
    """Those that are due, taken by `node`; none to endpoints that are `busy`."""
    taken = []
    for delivery in books.webhooks.due(now, limit=limit, of_each=OF_EACH, but=busy):
        hook = books.webhooks.with_id(delivery.webhook)
        if hook is not None:
            mine = msgspec.structs.replace(delivery, taken_by=node, next_try_at=now + TAKEN_FOR)
            books.webhooks.put_delivery(mine)
            taken.append((mine, hook))
    return taken


def note_attempt(
    books: Books, delivery: Delivery, attempt: Attempt, now: datetime, spread: Callable[[], float]
) -> None:
    """How a try went. `spread`: a random number of 0 to 1, by which pauses differ. Nothing is noted where another node
    has taken it meanwhile, or somebody has removed the endpoint.
    """
    known = books.webhooks.delivery(delivery.webhook, delivery.id)
    hook = books.webhooks.with_id(delivery.webhook)
    if known is None or hook is None or (known.taken_by, known.state) != (delivery.taken_by, DeliveryState.WAITING):
        return
    tried = msgspec.structs.replace(
        known, tries=known.tries + 1, taken_by="", attempts=(*known.attempts, attempt)[-ATTEMPTS_KEPT:]
    )
    if not attempt.problem:
        books.webhooks.put_delivery(msgspec.structs.replace(tried, state=DeliveryState.DELIVERED, next_try_at=None))
        if hook.failing_since is not None:
            books.webhooks.put(msgspec.structs.replace(hook, failing_since=None))
        return
    books.webhooks.put_delivery(_later(tried, now, spread()))
    _note_failing(books, hook, attempt, now)


def _later(delivery: Delivery, now: datetime, spread: float) -> Delivery:
    """Again after a pause, half of it by chance; given up where that would be after its day."""
    pause = min(FIRST_PAUSE * 2 ** min(delivery.tries - 1, 20), LONGEST_PAUSE) * (0.5 + spread)
    if now + pause > delivery.since + GIVEN_UP_AFTER:
        return msgspec.structs.replace(delivery, state=DeliveryState.GIVEN_UP, next_try_at=None)
    return msgspec.structs.replace(delivery, next_try_at=now + pause)


def _note_failing(books: Books, hook: Webhook, attempt: Attempt, now: datetime) -> None:
    if hook.failing_since is None:
        books.webhooks.put(msgspec.structs.replace(hook, failing_since=now))
    elif now - hook.failing_since >= PAUSED_AFTER and hook.paused_at is None:
        books.webhooks.put(msgspec.structs.replace(hook, paused_at=now))
        after = {"failing_since": hook.failing_since.isoformat(), "problem": attempt.problem}
        note(books, Act(SYSTEM, now), "webhook.paused", hook.team, "webhook", hook.id, hook.name, after=after)
