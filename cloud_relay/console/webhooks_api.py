"""The operator API of webhooks and their deliveries. Start at `ROUTES`."""

from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from cloud_relay.console.caller import STORE, Caller, caller_of
from cloud_relay.console.operator_api import cursor_of, page_of
from cloud_relay.console.webhook_sender import ALLOW_HTTP, WEBHOOK_SECRETS, WEBHOOKS
from cloud_relay.fleet import webhooks
from cloud_relay.fleet.ids import DeliveryId, WebhookId
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.webhook_records import Attempt, Delivery, DeliveryState, Webhook
from sitelink.errors import NotFound, RequestInvalid
from web_ui.bodies import read_json
from web_ui.job_api import answer
from web_ui.routes import Route

RIGHT = "webhooks:write"


class NewWebhook(msgspec.Struct, forbid_unknown_fields=True):
    """`events`: kinds of docs/webhooks.md, or "*" for all there are and will be."""

    url: str
    events: list[str]
    name: str | None = None
    enabled: bool = True


class ChangedWebhook(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out stays. `enabled` true also ends a pause."""

    url: str | None = None
    events: list[str] | None = None
    name: str | None = None
    enabled: bool | None = None


class WebhookView(msgspec.Struct):
    """`failing_since`: since when nothing went well; `paused_at`: nothing is sent until it is enabled again."""

    id: str
    url: str
    name: str
    events: list[str]
    enabled: bool
    created_by: str
    created_at: datetime
    failing_since: datetime | None
    paused_at: datetime | None


class NewWebhookAnswer(msgspec.Struct):
    """The secret is shown only here."""

    webhook: WebhookView
    secret: str


class WebhookList(msgspec.Struct):
    items: list[WebhookView]
    next: str | None = None


class DeliveryView(msgspec.Struct):
    """`attempts`: the newest, oldest first; `body`: what is sent, byte for byte."""

    id: str
    event: str
    state: DeliveryState
    created_at: datetime
    next_try_at: datetime | None
    tries: int
    attempts: list[Attempt]
    body: str


class DeliveryList(msgspec.Struct):
    items: list[DeliveryView]
    next: str | None = None


async def get_webhooks(request: web.Request) -> web.Response:
    """In the order in which they were made."""
    caller = await caller_of(request, RIGHT)
    found = await request.app[STORE].read(lambda books: webhooks.webhooks_of(books, caller.team))
    return answer(WebhookList([_view(each) for each in found]))


async def post_webhook(request: web.Request) -> web.Response:
    caller = await caller_of(request, RIGHT)
    body = await read_json(request, NewWebhook)
    draft = webhooks.Draft(body.url, body.name, body.events, body.enabled)
    seal, allow_http = request.app[WEBHOOK_SECRETS].seal, request.app[ALLOW_HTTP]

    def work(books: Books) -> tuple[Webhook, str]:
        return webhooks.add_webhook(books, caller.act, caller.team, draft, seal=seal, allow_http=allow_http)

    hook, secret = await request.app[STORE].write(work)
    return answer(NewWebhookAnswer(_view(hook), secret), status=201)


async def get_webhook(request: web.Request) -> web.Response:
    caller, id_ = await _asked(request)
    return answer(_view(await request.app[STORE].read(lambda books: webhooks.find_webhook(books, caller.team, id_))))


async def patch_webhook(request: web.Request) -> web.Response:
    caller, id_ = await _asked(request)
    body = await read_json(request, ChangedWebhook)
    draft, allow_http = webhooks.Draft(body.url, body.name, body.events, body.enabled), request.app[ALLOW_HTTP]

    def work(books: Books) -> Webhook:
        return webhooks.change_webhook(books, caller.act, caller.team, id_, draft, allow_http=allow_http)

    changed = await request.app[STORE].write(work)
    request.app[WEBHOOKS].hurry()
    return answer(_view(changed))


async def delete_webhook(request: web.Request) -> web.Response:
    """With what was on its way to it."""
    caller, id_ = await _asked(request)
    await request.app[STORE].write(lambda books: webhooks.remove_webhook(books, caller.act, caller.team, id_))
    return web.Response(status=204)


async def post_rotate(request: web.Request) -> web.Response:
    """Everything from now on is signed with the new secret alone, also what waits."""
    caller, id_ = await _asked(request)
    seal = request.app[WEBHOOK_SECRETS].seal
    hook, secret = await request.app[STORE].write(
        lambda books: webhooks.rotate_secret(books, caller.act, caller.team, id_, seal=seal)
    )
    return answer(NewWebhookAnswer(_view(hook), secret))


async def post_test(request: web.Request) -> web.Response:
    """It goes out also while the endpoint is off; how it went stands in its deliveries."""
    caller, id_ = await _asked(request)
    sent = await request.app[STORE].write(lambda books: webhooks.send_test(books, caller.act, caller.team, id_))
    request.app[WEBHOOKS].hurry()
    return answer(_delivery(sent), status=202)


async def get_deliveries(request: web.Request) -> web.Response:
    """Newest first; `state` narrows the list."""
    caller, id_ = await _asked(request)
    limit, before = page_of(request)
    state = request.query.get("state", "")

    def work(books: Books) -> list[Delivery]:
        return list(webhooks.deliveries_of(books, caller.team, id_, before=before, limit=limit + 1, state=state))

    found = await request.app[STORE].read(work)
    last = found[limit - 1] if len(found) > limit else None
    following = cursor_of(last.created_at.isoformat(), last.id) if last is not None else None
    return answer(DeliveryList([_delivery(each) for each in found[:limit]], following))


async def post_resend(request: web.Request) -> web.Response:
    """Once more, under the same id."""
    caller, id_ = await _asked(request)
    delivery = DeliveryId(request.match_info["delivery"])
    again = await request.app[STORE].write(lambda books: webhooks.resend(books, caller.act, caller.team, id_, delivery))
    request.app[WEBHOOKS].hurry()
    return answer(_delivery(again), status=202)


async def _asked(request: web.Request) -> tuple[Caller, WebhookId]:
    return await caller_of(request, RIGHT), WebhookId(request.match_info["webhook"])


def _view(hook: Webhook) -> WebhookView:
    return WebhookView(
        hook.id, hook.url, hook.name, sorted(hook.kinds), hook.enabled, hook.created_by, hook.created_at,
        hook.failing_since, hook.paused_at,
    )  # fmt: skip


def _delivery(delivery: Delivery) -> DeliveryView:
    return DeliveryView(
        delivery.id, delivery.kind, delivery.state, delivery.created_at, delivery.next_try_at, delivery.tries,
        list(delivery.attempts), delivery.body,
    )  # fmt: skip


def _route(method: str, path: str, handler: Any, summary: str, **more: Any) -> Route:
    errors = (NotFound, RequestInvalid) if path else (RequestInvalid,)
    return Route(
        method, f"/api/v1/webhooks{path}", handler, summary, auth="team", scope=RIGHT, errors=errors, **more
    )  # fmt: skip


_ONE = "/{webhook}"
ROUTES = (
    _route("GET", "", get_webhooks, "The team's endpoints.", answer=WebhookList),
    _route("POST", "", post_webhook, "A new endpoint.", body=NewWebhook, answer=NewWebhookAnswer, status=201),
    _route("GET", _ONE, get_webhook, "An endpoint.", answer=WebhookView),
    _route("PATCH", _ONE, patch_webhook, "Change an endpoint.", body=ChangedWebhook, answer=WebhookView),
    _route("DELETE", _ONE, delete_webhook, "Remove an endpoint.", status=204),
    _route("POST", f"{_ONE}/rotate-secret", post_rotate, "A new secret.", answer=NewWebhookAnswer),
    _route("POST", f"{_ONE}/test", post_test, "Send a test.", answer=DeliveryView, status=202),
    _route("GET", f"{_ONE}/deliveries", get_deliveries, "What was sent, and how it went.", answer=DeliveryList,
           query=("limit", "cursor", "state")),
    _route("POST", f"{_ONE}/deliveries/{{delivery}}/resend", post_resend, "Send once more.", answer=DeliveryView,
           status=202),
)  # fmt: skip
