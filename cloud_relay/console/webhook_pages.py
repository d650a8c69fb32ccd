"""A team's webhooks for people: endpoints, what was sent to each, and how it went. Start at `get_webhooks`."""

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from cloud_relay.console.caller import STORE
from cloud_relay.console.drawing import drawn, gone_to, team_path
from cloud_relay.console.members import caller_here, form_of
from cloud_relay.console.operator_api import cursor_of, page_of
from cloud_relay.console.webhook_sender import ALLOW_HTTP, WEBHOOK_SECRETS, WEBHOOKS
from cloud_relay.fleet import webhooks
from cloud_relay.fleet.ids import DeliveryId, WebhookId
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.webhook_records import EVERYTHING, KINDS, Delivery, Webhook
from sitelink.errors import RequestInvalid
from web_ui import webhook_words
from web_ui.routes import Route

SHOWN = 30
FIELDS = ("url", "name", "events")


async def get_webhooks(request: web.Request) -> web.Response:
    caller = caller_here(request)
    found = await request.app[STORE].read(lambda books: webhooks.webhooks_of(books, caller.team))
    return drawn(request, "webhooks", here="webhooks", hooks=found)


async def get_new(request: web.Request) -> web.Response:
    return _form(request, webhooks.Draft("", "", (EVERYTHING,)))


async def post_new(request: web.Request) -> web.Response:
    """The secret is shown in the answer and nowhere else."""
    caller, draft = caller_here(request), _draft(request)
    seal, allow_http = request.app[WEBHOOK_SECRETS].seal, request.app[ALLOW_HTTP]

    def work(books: Books) -> tuple[Webhook, str]:
        return webhooks.add_webhook(books, caller.act, caller.team, draft, seal=seal, allow_http=allow_http)

    try:
        hook, secret = await request.app[STORE].write(work)
    except RequestInvalid as error:
        return _form(request, draft, error)
    return await _page(request, hook.id, made_secret=secret)


async def get_webhook(request: web.Request) -> web.Response:
    return await _page(request, _id(request))


async def post_change(request: web.Request) -> web.Response:
    caller, draft, id_, allow_http = caller_here(request), _draft(request), _id(request), request.app[ALLOW_HTTP]

    def work(books: Books) -> Webhook:
        return webhooks.change_webhook(books, caller.act, caller.team, id_, draft, allow_http=allow_http)

    try:
        await request.app[STORE].write(work)
    except RequestInvalid as error:
        return await _page(request, id_, draft, error)
    return _back(request)


async def post_enabled(request: web.Request) -> web.Response:
    """On, which also ends a pause, or off."""
    caller, id_ = caller_here(request), _id(request)
    draft = webhooks.Draft(enabled="on" in form_of(request))
    allow_http = request.app[ALLOW_HTTP]
    await request.app[STORE].write(
        lambda books: webhooks.change_webhook(books, caller.act, caller.team, id_, draft, allow_http=allow_http)
    )
    return _back(request)


async def post_rotate(request: web.Request) -> web.Response:
    """The new secret is shown in the answer and nowhere else."""
    caller, id_, seal = caller_here(request), _id(request), request.app[WEBHOOK_SECRETS].seal
    _, secret = await request.app[STORE].write(
        lambda books: webhooks.rotate_secret(books, caller.act, caller.team, id_, seal=seal)
    )
    return await _page(request, id_, made_secret=secret)


async def post_test(request: web.Request) -> web.Response:
    caller, id_ = caller_here(request), _id(request)
    await request.app[STORE].write(lambda books: webhooks.send_test(books, caller.act, caller.team, id_))
    return _back(request)


async def post_resend(request: web.Request) -> web.Response:
    caller, id_, delivery = caller_here(request), _id(request), DeliveryId(request.match_info["delivery"])
    await request.app[STORE].write(lambda books: webhooks.resend(books, caller.act, caller.team, id_, delivery))
    return _back(request)


async def post_remove(request: web.Request) -> web.Response:
    caller, id_ = caller_here(request), _id(request)
    await request.app[STORE].write(lambda books: webhooks.remove_webhook(books, caller.act, caller.team, id_))
    return gone_to(team_path(request, "/webhooks"))


def _id(request: web.Request) -> WebhookId:
    return WebhookId(request.match_info["webhook"])


def _back(request: web.Request) -> web.Response:
    request.app[WEBHOOKS].hurry()
    return gone_to(team_path(request, f"/webhooks/{_id(request)}"))


def _draft(request: web.Request) -> webhooks.Draft:
    form = form_of(request)
    kinds = (EVERYTHING,) if "everything" in form else tuple(kind for kind in KINDS if f"kind {kind}" in form)
    return webhooks.Draft(form.get("url", "").strip(), form.get("name", ""), kinds)


def _form(request: web.Request, typed: webhooks.Draft, problem: RequestInvalid | None = None) -> web.Response:
    return drawn(request, "webhook_new", here="webhooks", typed=typed, kinds=KINDS, **_wrong(problem))


async def _page(
    request: web.Request, id_: WebhookId, typed: webhooks.Draft | None = None, problem: RequestInvalid | None = None,
    made_secret: str = "",
) -> web.Response:  # fmt: skip
    """Raises NotFound."""
    caller, (_, before) = caller_here(request), page_of(request)

    def work(books: Books) -> tuple[Webhook, list[Delivery]]:
        hook = webhooks.find_webhook(books, caller.team, id_)
        found = webhooks.deliveries_of(books, caller.team, id_, before=before, limit=SHOWN + 1)
        return hook, list(found)

    hook, found = await request.app[STORE].read(work)
    shown, following = found[:SHOWN], ""
    if len(found) > SHOWN:
        cursor = cursor_of(shown[-1].created_at.isoformat(), shown[-1].id)
        following = f"{team_path(request, f'/webhooks/{id_}')}?{urlencode({'cursor': cursor})}"
    draft = typed or webhooks.Draft(hook.url, hook.name, sorted(hook.kinds))
    return drawn(
        request, "webhook", here="webhooks", hook=hook, deliveries=shown, following=following, typed=draft, kinds=KINDS,
        made_secret=made_secret, problems=webhook_words.PROBLEMS, **_wrong(problem),
    )  # fmt: skip


def _wrong(problem: RequestInvalid | None) -> dict[str, Any]:
    if problem is None:
        return {"wrong": "", "problem": None, "fields": {}}
    where = str(problem.fields.get("where", ""))
    return {
        "wrong": where if where in FIELDS else "url", "problem": problem.code, "fields": problem.fields,
        "status": problem.http_status,
    }  # fmt: skip


def _route(method: str, path: str, handler: Any, summary: str) -> Route:
    return Route(
        method, f"/t/{{team}}/webhooks{path}", handler, summary, media="text/html", auth="member",
        scope="webhooks:write",
    )  # fmt: skip


ROUTES = (
    _route("GET", "", get_webhooks, "The team's webhooks."),
    _route("GET", "/new", get_new, "A form for a new one."),
    _route("POST", "/new", post_new, "Make it."),
    _route("GET", "/{webhook}", get_webhook, "A webhook, and what was sent to it."),
    _route("POST", "/{webhook}", post_change, "Change it."),
    _route("POST", "/{webhook}/enabled", post_enabled, "On or off."),
    _route("POST", "/{webhook}/rotate-secret", post_rotate, "A new secret."),
    _route("POST", "/{webhook}/test", post_test, "Send a test."),
    _route("POST", "/{webhook}/remove", post_remove, "Remove it."),
    _route("POST", "/{webhook}/deliveries/{delivery}/resend", post_resend, "Send once more."),
)
