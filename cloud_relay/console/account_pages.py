"""One's own account: name, password, second factor, and the browsers that are signed in. Start at `ROUTES`."""

from typing import Any

import msgspec
from aiohttp import web
from markupsafe import Markup

from cloud_relay.console import passwords
from cloud_relay.console.browser import VISIT, Visit
from cloud_relay.console.caller import STORE
from cloud_relay.console.drawing import drawn, gone_to
from cloud_relay.console.members import form_of
from cloud_relay.console.qr import svg_of
from cloud_relay.fleet import second_factor
from cloud_relay.fleet.acts import Act, Actor, ActorKind
from cloud_relay.fleet.ids import SessionId
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Session
from cloud_relay.fleet.teams import set_password
from cloud_relay.fleet.texts import text_in
from sitelink.errors import CodeRefused, NotFound, RequestInvalid, SignInRefused, SiteError
from web_ui.access import GATE
from web_ui.limits import address_key
from web_ui.routes import Route

AGENTS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
           ("Mac OS", "Mac"), ("Linux", "Linux"))  # fmt: skip


class BrowserLine(msgspec.Struct, frozen=True):
    session: Session
    words: str
    is_this: bool


class Factor(msgspec.Struct, frozen=True):
    """A second factor that is about to be turned on."""

    secret: str
    qr: Markup


def act_of(request: web.Request) -> Act:
    """By whoever is signed in."""
    visit = request[VISIT]
    actor = Actor(ActorKind.USER, visit.user.id, visit.user.email)
    return Act(actor, request.app[GATE].clock.now(), address_key(request.remote))


async def get_account(request: web.Request) -> web.Response:
    return await _page(request)


async def post_name(request: web.Request) -> web.Response:
    visit, form = request[VISIT], form_of(request)
    try:
        name = text_in(form.get("name", ""), "name")
    except RequestInvalid as error:
        return await _page(request, "name", error)

    def work(books: Books) -> None:
        known = books.accounts.user(visit.user.id)
        if known is not None:
            books.accounts.put_user(msgspec.structs.replace(known, name=name))

    await request.app[STORE].write(work)
    return gone_to("/account?saved=saved")


async def post_password(request: web.Request) -> web.Response:
    """The present one is asked for, where there is one; other browsers are signed out."""
    visit, form = request[VISIT], form_of(request)
    try:
        await _ask_password(request, visit, form.get("present", ""))
        kept = await passwords.hash_of(form.get("password", ""))
    except SiteError as error:
        return await _page(request, "password", error)
    act = act_of(request)
    await request.app[STORE].write(lambda books: set_password(books, act, visit.user, kept, keep=visit.session.id))
    return gone_to("/account?saved=saved")


async def post_end_browser(request: web.Request) -> web.Response:
    """One of one's own; "others" ends all but this. Raises NotFound."""
    visit, wanted = request[VISIT], request.match_info["browser"]

    def work(books: Books) -> None:
        if wanted == "others":
            books.sessions.end_of_user(visit.user.id, but=visit.session.id)
            return
        if wanted not in [each.id for each in books.sessions.of_user(visit.user.id)]:
            raise NotFound(what="browser", key=wanted[:64])
        books.sessions.end(SessionId(wanted))

    await request.app[STORE].write(work)
    return gone_to("/account?saved=saved")


async def get_second_factor(request: web.Request) -> web.Response:
    return _factor_page(request, second_factor.new_secret())


async def post_second_factor(request: web.Request) -> web.Response:
    """On, once a first code is right; the recovery codes are shown in the answer and nowhere else."""
    visit, form, act = request[VISIT], form_of(request), act_of(request)
    secret = form.get("secret", "")
    if len(secret) != 32 or not secret.isascii() or not secret.isalnum():
        raise RequestInvalid(where="secret", problem="not_allowed", allowed="what the page gave")
    if visit.user.totp_since is not None:
        return gone_to("/account")
    try:
        codes = await request.app[STORE].write(
            lambda books: second_factor.turn_on(books, act, visit.user, secret, form.get("code", ""))
        )
    except CodeRefused as error:
        return _factor_page(request, secret, error)
    return drawn(request, "recovery_codes", here="account", codes=codes)


async def post_recovery_codes(request: web.Request) -> web.Response:
    visit = request[VISIT]
    try:
        await _ask_password(request, visit, form_of(request).get("present", ""))
    except SiteError as error:
        return await _page(request, "factor", error)
    if visit.user.totp_since is None:
        return gone_to("/account")
    codes = await request.app[STORE].write(lambda books: second_factor.new_recovery_codes(books, visit.user))
    return drawn(request, "recovery_codes", here="account", codes=codes)


async def post_second_factor_off(request: web.Request) -> web.Response:
    visit, act = request[VISIT], act_of(request)
    try:
        await _ask_password(request, visit, form_of(request).get("present", ""))
    except SiteError as error:
        return await _page(request, "factor", error)
    await request.app[STORE].write(lambda books: second_factor.turn_off(books, act, visit.user))
    return gone_to("/account?saved=saved")


async def _ask_password(request: web.Request, visit: Visit, typed: str) -> None:
    """Raises SignInRefused, TooMany. Who has no password is known by where they signed in."""
    if visit.user.password_hash is None:
        return
    limit = request.app[GATE].limits.bad_tokens
    limit.check(visit.user.id)
    if not await passwords.matches(visit.user.password_hash, typed):
        limit.count(visit.user.id)
        raise SignInRefused


async def _page(request: web.Request, where: str = "", problem: SiteError | None = None) -> web.Response:
    """`where`: the part of the page something went wrong in."""
    visit = request[VISIT]
    sessions, codes_left = await request.app[STORE].read(
        lambda books: (books.sessions.of_user(visit.user.id), books.recovery.left(visit.user.id))
    )
    lines = [BrowserLine(each, browser_words(each.agent), each.id == visit.session.id) for each in sessions]
    return drawn(
        request, "account", here="account", status=problem.http_status if problem else 200, browsers=lines,
        codes_left=codes_left, wrong=where, problem=problem.code if problem else None,
        fields=problem.fields if problem else {}, shortest=passwords.SHORTEST,
        flash="account_saved" if request.query.get("saved") else None, now=request.app[GATE].clock.now(),
    )  # fmt: skip


def _factor_page(request: web.Request, secret: str, problem: SiteError | None = None) -> web.Response:
    address = second_factor.address_of(secret, request[VISIT].user.email)
    return drawn(
        request, "second_factor", here="account", factor=Factor(secret, svg_of(address, "For the app")),
        status=problem.http_status if problem else 200, problem=problem.code if problem else None,
    )  # fmt: skip


def browser_words(agent: str) -> str:
    """ "Firefox on Windows", as far as it says so."""
    browser = next((words for mark, words in AGENTS if mark in agent), "A browser")
    system = next((words for mark, words in SYSTEMS if mark in agent), "")
    return f"{browser} on {system}" if system else browser


def _route(method: str, path: str, handler: Any, summary: str) -> Route:
    return Route(method, f"/account{path}", handler, summary, media="text/html", auth="person")


ROUTES = (
    _route("GET", "", get_account, "One's own account."),
    _route("POST", "/name", post_name, "Another name."),
    _route("POST", "/password", post_password, "Another password."),
    _route("POST", "/browsers/{browser}/end", post_end_browser, "Sign a browser out."),
    _route("GET", "/second-factor", get_second_factor, "Begin with a second factor."),
    _route("POST", "/second-factor", post_second_factor, "Turn it on."),
    _route("POST", "/second-factor/off", post_second_factor_off, "Turn it off."),
    _route("POST", "/second-factor/codes", post_recovery_codes, "New recovery codes."),
)
