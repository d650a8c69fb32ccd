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
from cloud_relay.console.sealing import SECOND_FACTORS
from cloud_relay.console.sign_in import PROVIDER, act_of
from cloud_relay.fleet import browsers, second_factor
from cloud_relay.fleet.ids import SessionId
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Session
from cloud_relay.fleet.teams import set_password
from cloud_relay.fleet.texts import text_in
from sitelink.errors import CodeRefused, NotFound, PasswordWrong, RequestInvalid, SiteError
from web_ui.access import GATE
from web_ui.routes import Route

AGENTS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
           ("Mac OS", "Mac"), ("Linux", "Linux"))  # fmt: skip


class BrowserLine(msgspec.Struct, frozen=True):
    session: Session
    words: str
    is_this: bool


class Factor(msgspec.Struct, frozen=True):
    """A second factor that is about to be turned on. `sealed` travels with the form."""

    secret: str
    sealed: str
    qr: Markup


async def get_account(request: web.Request) -> web.Response:
    return await _page(request)


async def post_name(request: web.Request) -> web.Response:
    visit, form = request[VISIT], form_of(request)
    try:
        name = text_in(form.get("name", ""), "name")
    except RequestInvalid as error:
        return await _page(request, "name", error, typed=form.get("name", ""))

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
    except RequestInvalid as error:
        return await _page(request, "password", error)
    except SiteError as error:
        return await _page(request, "present", error)
    act = act_of(request, visit.user)
    await request.app[STORE].write(lambda books: set_password(books, act, visit.user, kept, keep=visit.session.id))
    return gone_to("/account?saved=saved")


async def post_end_browser(request: web.Request) -> web.Response:
    """One of one's own; "others" ends all but this. Raises NotFound."""
    visit, wanted, now = request[VISIT], request.match_info["browser"], request.app[GATE].clock.now()

    def work(books: Books) -> None:
        if wanted == "others":
            books.sessions.end_of_user(visit.user.id, but=visit.session.id)
            return
        if wanted not in [each.id for each in browsers.browsers_of(books, visit.user.id, now)]:
            raise NotFound(what="browser", key=wanted[:64])
        books.sessions.end(SessionId(wanted))

    await request.app[STORE].write(work)
    return gone_to("/account?saved=saved")


async def get_second_factor(request: web.Request) -> web.Response:
    secret, sealed = second_factor.new_secret(request.app[SECOND_FACTORS], request[VISIT].user)
    return _factor_page(request, secret, sealed)


async def post_second_factor(request: web.Request) -> web.Response:
    """On, once a first code is right; the recovery codes are shown in the answer and nowhere else."""
    visit, form, act = request[VISIT], form_of(request), act_of(request, request[VISIT].user)
    sealed, seals = form.get("secret", "")[:200], request.app[SECOND_FACTORS]
    if visit.user.totp_since is not None:
        return gone_to("/account")
    try:
        codes = await request.app[STORE].write(
            lambda books: second_factor.turn_on(books, seals, act, visit.user, sealed, form.get("code", "")[:40])
        )
    except CodeRefused as error:
        return _factor_page(request, second_factor.secret_of(seals, visit.user, sealed) or "", sealed, error)
    return drawn(request, "recovery_codes", here="account", codes=codes)


async def post_recovery_codes(request: web.Request) -> web.Response:
    visit = request[VISIT]
    try:
        await _ask_password(request, visit, form_of(request).get("present", ""))
    except SiteError as error:
        return await _page(request, "factor-present", error)
    if visit.user.totp_since is None:
        return gone_to("/account")
    codes = await request.app[STORE].write(lambda books: second_factor.new_recovery_codes(books, visit.user))
    return drawn(request, "recovery_codes", here="account", codes=codes)


async def post_second_factor_off(request: web.Request) -> web.Response:
    visit, act = request[VISIT], act_of(request, request[VISIT].user)
    try:
        await _ask_password(request, visit, form_of(request).get("present", ""))
    except SiteError as error:
        return await _page(request, "factor-present", error)
    await request.app[STORE].write(lambda books: second_factor.turn_off(books, act, visit.user))
    return gone_to("/account?saved=saved")


async def _ask_password(request: web.Request, visit: Visit, typed: str) -> None:
    """Raises PasswordWrong, TooMany. Who has no password is known by where they signed in."""
    if visit.user.password_hash is None:
        return
    limit = request.app[GATE].limits.bad_tokens
    limit.take(visit.user.id)
    if not await passwords.matches(visit.user.password_hash, typed):
        raise PasswordWrong
    limit.give_back(visit.user.id)


async def _page(
    request: web.Request, where: str = "", problem: SiteError | None = None, typed: str = ""
) -> web.Response:
    """`where`: the id of the field something is wrong with."""
    visit, now = request[VISIT], request.app[GATE].clock.now()
    sessions, codes_left = await request.app[STORE].read(
        lambda books: (browsers.browsers_of(books, visit.user.id, now), books.recovery.left(visit.user.id))
    )
    provider = request.app[PROVIDER]
    lines = [BrowserLine(each, browser_words(each.agent), each.id == visit.session.id) for each in sessions]
    return drawn(
        request, "account", here="account", status=problem.http_status if problem else 200, browsers=lines,
        codes_left=codes_left, wrong=where, typed=typed, provider=provider.name if provider else "",
        problem=problem.code if problem else None,
        fields=problem.fields if problem else {}, shortest=passwords.SHORTEST,
        flash="account_saved" if request.query.get("saved") else None, now=now,
    )  # fmt: skip


def _factor_page(request: web.Request, secret: str, sealed: str, problem: SiteError | None = None) -> web.Response:
    address = second_factor.address_of(secret, request[VISIT].user.email)
    return drawn(
        request, "second_factor", here="account", factor=Factor(secret, sealed, svg_of(address, "For the app")),
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
