"""Coming in and leaving: mail address and password. Start at `ROUTES`.

Tries are counted by address and by account before they are looked at, so that many at once are no way around it; who
comes in does not count. An unknown account takes as long as a known one.
"""

from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web

from cloud_relay.console import passwords
from cloud_relay.console.afterwards import AFTERWARDS
from cloud_relay.console.browser import VISIT, give_cookie, refuse_forgery, take_cookie, visit_of
from cloud_relay.console.caller import STORE
from cloud_relay.console.drawing import drawn, gone_to
from cloud_relay.console.oidc import Provider
from cloud_relay.fleet import browsers
from cloud_relay.fleet.acts import Act, Actor, ActorKind
from cloud_relay.fleet.audit import note
from cloud_relay.fleet.ids import key_of
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import User
from sitelink.errors import TooMany
from web_ui.access import CSRF_FIELD, GATE, refuse_foreign
from web_ui.bodies import read_form
from web_ui.limits import Limit, address_key
from web_ui.routes import Route
from web_ui.surface import dress

PROVIDER: web.AppKey[Provider | None] = web.AppKey("provider")
"""None: people sign in with passwords only."""
WRONG_PASSWORDS: web.AppKey[Limit] = web.AppKey("wrong_passwords", Limit)
"""By account."""
WRONG_MAX = 10
WRONG_PER_S = 900.0


def prepare(app: web.Application) -> None:
    app[WRONG_PASSWORDS] = Limit(app[GATE].clock, count=WRONG_MAX, per_s=WRONG_PER_S)


async def get_front(request: web.Request) -> web.Response:
    """To the first team of whoever is signed in."""
    visit = await visit_of(request)
    if visit is None or not visit.is_whole:
        return gone_to("/sign-in")
    if not visit.memberships:
        return drawn(request, "no_team")
    return gone_to(f"/t/{visit.memberships[0].team.id}")


async def get_sign_in(request: web.Request) -> web.Response:
    visit = await visit_of(request)
    if visit is not None and visit.is_whole:
        return gone_to(local_path(request.query.get("next", "")))
    return sign_in_page(request)


def sign_in_page(request: web.Request, *, email: str = "", status: int = 200, **context: Any) -> web.Response:
    """`problem`, a code, with its `fields`, says what went wrong."""
    wanted, provider = local_path(request.query.get("next", "")), request.app[PROVIDER]
    flash = "new_password" if request.query.get("saved") == "new_password" else None
    return drawn(
        request,
        "sign_in",
        status=status,
        email=email,
        wanted=wanted,
        flash=flash,
        provider=provider.name if provider else "",
        **context,
    )


async def post_sign_in(request: web.Request) -> web.Response:
    refuse_foreign(request)
    form = await read_form(request)
    email, password = form.get("email", "").strip(), form.get("password", "")
    gate, address = request.app[GATE], address_key(request.remote)
    account = key_of(email)[:254]
    try:
        _take_both(request, address, account)
    except TooMany as error:
        page = sign_in_page(request, email=email, status=error.http_status, problem=error.code, fields=error.fields)
        return dress(request, page, error)
    user = await request.app[STORE].read(lambda books: books.accounts.user_with_email(email))
    good = await passwords.matches(user.password_hash if user is not None else None, password)
    if user is None or not good or user.disabled_at is not None:
        if user is not None:
            _note_refused(request, user)
        return sign_in_page(request, email=email, status=401, problem="sign_in_refused", fields={})
    gate.limits.bad_tokens.give_back(address)
    request.app[WRONG_PASSWORDS].give_back(account)
    if user.password_hash is not None and passwords.is_outdated(user.password_hash):
        await _hash_anew(request, user, password)
    return await let_in(request, user, local_path(form.get("next", "")))


def _take_both(request: web.Request, address: str, account: str) -> None:
    """Raises TooMany."""
    by_address = request.app[GATE].limits.bad_tokens
    by_address.take(address)
    try:
        request.app[WRONG_PASSWORDS].take(account)
    except TooMany:
        by_address.give_back(address)
        raise


def _note_refused(request: web.Request, user: User) -> None:
    act = act_of(request, user)
    request.app[AFTERWARDS].write(
        lambda books: note(books, act, "user.sign_in_refused", None, "user", user.id, user.email)
    )


def act_of(request: web.Request, user: User) -> Act:
    """By somebody at a browser."""
    actor = Actor(ActorKind.USER, user.id, user.email)
    return Act(actor, request.app[GATE].clock.now(), address_key(request.remote))


async def let_in(request: web.Request, user: User, path: str, by: str = "password") -> web.Response:
    """A session for somebody who has proved who they are, but for a second factor where they have one. `by`: how."""
    agent = request.headers.get("User-Agent", "")
    awaits = "totp" if user.totp_since is not None else None
    await _leave_behind(request)
    act = act_of(request, user)

    def work(books: Books) -> str:
        if awaits is None:
            note(books, act, "user.signed_in", None, "user", user.id, user.email, after={"by": by})
        return browsers.open_browser(books, user.id, act.at, ip=act.ip, agent=agent, awaits=awaits)[1]

    secret = await request.app[STORE].write(work)
    response = gone_to(path if awaits is None else f"/sign-in/code?next={quote(path, safe='/')}")
    give_cookie(request, response, secret)
    return response


async def _leave_behind(request: web.Request) -> None:
    """The session this browser had, if any: signing in begins anew."""
    visit = await visit_of(request)
    if visit is not None:
        await request.app[STORE].write(lambda books: books.sessions.end(visit.session.id))


async def post_sign_out(request: web.Request) -> web.Response:
    form, visit = await read_form(request), await visit_of(request)
    if visit is not None:
        refuse_forgery(request, visit, form.get(CSRF_FIELD, ""))
        await request.app[STORE].write(lambda books: books.sessions.end(visit.session.id))
        del request[VISIT]
    response = gone_to("/sign-in")
    take_cookie(request, response)
    return response


def local_path(wanted: str) -> str:
    """A path of ours; "/" for whatever else somebody put into an address."""
    return wanted if wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable() else "/"


async def _hash_anew(request: web.Request, user: User, password: str) -> None:
    fresh = await passwords.hash_of(password)

    def work(books: Books) -> None:
        known = books.accounts.user(user.id)
        if known is not None and known.password_hash == user.password_hash:
            books.accounts.put_user(msgspec.structs.replace(known, password_hash=fresh))

    await request.app[STORE].write(work)


def _page(method: str, path: str, handler: Any, summary: str) -> Route:
    return Route(method, path, handler, summary, media="text/html", auth="")


ROUTES = (
    _page("GET", "/", get_front, "To the team's overview."),
    _page("GET", "/sign-in", get_sign_in, "Mail address and password."),
    _page("POST", "/sign-in", post_sign_in, "Come in."),
    _page("POST", "/sign-out", post_sign_out, "Leave."),
)
