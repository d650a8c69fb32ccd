"""Endpoints of a team, as its people and programs change them. Start at `add_webhook`.

A secret is shown once, when it is made; the books hold it sealed. What another team has is not there: NotFound.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from cloud_relay.fleet.acts import Act
from cloud_relay.fleet.audit import note
from cloud_relay.fleet.ids import DeliveryId, TeamId, WebhookId, new_id
from cloud_relay.fleet.outbox import delivery_of
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.texts import text_in
from cloud_relay.fleet.tokens import WEBHOOK, new_token
from cloud_relay.fleet.webhook_addresses import url_in
from cloud_relay.fleet.webhook_records import EVERYTHING, KINDS, TEST, Delivery, DeliveryState, Happening, Webhook
from sitelink.errors import NotFound, RequestInvalid

OF_A_TEAM_MAX = 20
Seal = Callable[[bytes, str], str]
"""(what is secret, whose it is) → how it is kept."""


class Draft(msgspec.Struct, frozen=True):
    """What somebody wants of an endpoint; None: as it is, or as usual."""

    url: str | None = None
    name: str | None = None
    kinds: Sequence[str] | None = None
    enabled: bool | None = None


def add_webhook(
    books: Books, act: Act, team: TeamId, draft: Draft, *, seal: Seal, allow_http: bool
) -> tuple[Webhook, str]:
    """The endpoint, and its secret the one time it is shown. Raises RequestInvalid."""
    if len(books.webhooks.of_team(team)) >= OF_A_TEAM_MAX:
        raise RequestInvalid(where="webhooks", problem="too_many", allowed=OF_A_TEAM_MAX)
    id_, secret = WebhookId(new_id()), new_token(WEBHOOK)
    url = url_in(draft.url or "", allow_http=allow_http)
    hook = Webhook(
        id=id_, team=team, url=url, name=_name(draft.name, url), kinds=_kinds(draft.kinds or ()),
        secret=seal(secret.encode(), id_), created_by=act.actor.name[:254], created_at=act.at,
        enabled=draft.enabled is not False,
    )  # fmt: skip
    books.webhooks.add(hook)
    note(books, act, "webhook.created", team, "webhook", hook.id, hook.name, after=_shown(hook))
    return hook, secret


def webhooks_of(books: Books, team: TeamId) -> Sequence[Webhook]:
    """In the order in which they were made."""
    return books.webhooks.of_team(team)


def find_webhook(books: Books, team: TeamId, id_: WebhookId) -> Webhook:
    """Raises NotFound."""
    hook = books.webhooks.of(team, id_)
    if hook is None:
        raise NotFound(what="webhook", key=id_[:64])
    return hook


def change_webhook(books: Books, act: Act, team: TeamId, id_: WebhookId, draft: Draft, *, allow_http: bool) -> Webhook:
    """Turning it on also ends a pause. Raises NotFound, RequestInvalid."""
    hook = find_webhook(books, team, id_)
    url = url_in(draft.url, allow_http=allow_http) if draft.url is not None else hook.url
    changed = msgspec.structs.replace(
        hook, url=url, name=_name(draft.name, url) if draft.name is not None else hook.name,
        kinds=_kinds(draft.kinds) if draft.kinds is not None else hook.kinds,
        enabled=draft.enabled if draft.enabled is not None else hook.enabled,
    )  # fmt: skip
    if draft.enabled and hook.paused_at is not None:
        changed = msgspec.structs.replace(changed, paused_at=None, failing_since=None)
    if changed != hook:
        books.webhooks.put(changed)
        note(books, act, "webhook.changed", team, "webhook", id_, changed.name, _shown(hook), _shown(changed))
    return changed


def remove_webhook(books: Books, act: Act, team: TeamId, id_: WebhookId) -> None:
    """With what was on its way to it. Raises NotFound."""
    hook = find_webhook(books, team, id_)
    books.webhooks.remove(id_)
    note(books, act, "webhook.removed", team, "webhook", id_, hook.name, before=_shown(hook))


def rotate_secret(books: Books, act: Act, team: TeamId, id_: WebhookId, *, seal: Seal) -> tuple[Webhook, str]:
    """A new secret, shown this once; everything from now on is signed with it alone. Raises NotFound."""
    hook, secret = find_webhook(books, team, id_), new_token(WEBHOOK)
    changed = msgspec.structs.replace(hook, secret=seal(secret.encode(), id_))
    books.webhooks.put(changed)
    note(books, act, "webhook.secret_rotated", team, "webhook", id_, hook.name)
    return changed, secret


def send_test(books: Books, act: Act, team: TeamId, id_: WebhookId) -> Delivery:
    """Put a test on its way; it goes out also while the endpoint is off or paused. Raises NotFound."""
    hook = find_webhook(books, team, id_)
    what = Happening(TEST, new_id(), act.at, {"message": "This is a test.", "by": {"name": act.actor.name}})
    delivery = delivery_of(hook, what, None, act.at)
    books.webhooks.deliver((delivery,))
    note(books, act, "webhook.tested", team, "webhook", id_, hook.name)
    return delivery


def deliveries_of(
    books: Books, team: TeamId, id_: WebhookId, *, before: tuple[str, str] | None = None, limit: int = 50,
    state: str = "",
) -> Sequence[Delivery]:  # fmt: skip
    """Newest first, those behind (created_at, id). Raises NotFound, and RequestInvalid for a state there is not."""
    if state and state not in [each.value for each in DeliveryState]:
        raise RequestInvalid(where="state", problem="not_allowed", allowed=", ".join(DeliveryState))
    return books.webhooks.deliveries(find_webhook(books, team, id_).id, before=before, limit=limit, state=state)


def resend(books: Books, act: Act, team: TeamId, id_: WebhookId, delivery: DeliveryId) -> Delivery:
    """Once more, under the same id, and for another day if need be. Raises NotFound."""
    hook = find_webhook(books, team, id_)
    known = books.webhooks.delivery(id_, delivery)
    if known is None:
        raise NotFound(what="delivery", key=delivery[:64])
    again = msgspec.structs.replace(
        known, state=DeliveryState.WAITING, since=act.at, next_try_at=act.at, taken_by="", tries=0
    )
    books.webhooks.put_delivery(again)
    note(books, act, "webhook.resent", team, "webhook", id_, hook.name, after={"delivery": delivery})
    return again


def _name(name: str | None, url: str) -> str:
    return text_in(name or "", "name", needed=False) or url.partition("://")[2].partition("/")[0][:200]


def _kinds(given: Iterable[str]) -> frozenset[str]:
    kinds = frozenset(given)
    if not kinds:
        raise RequestInvalid(where="events", problem="empty")
    unknown = sorted(kinds - {EVERYTHING, *KINDS})
    if unknown:
        raise RequestInvalid(where="events", problem="not_allowed", allowed=", ".join((EVERYTHING, *KINDS)))
    return kinds


def _shown(hook: Webhook) -> dict[str, object]:
    """For the audit log: what may be read of it. A query of the address may be a secret of the receiver's."""
    return {
        "url": hook.url, "name": hook.name, "events": sorted(hook.kinds), "enabled": hook.enabled,
        "paused": hook.paused_at is not None,
    }  # fmt: skip
