"""Other ways in than by password alone: the second factor, an invitation, a new password. Start at `ROUTES`."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from aiohttp import web

from cloud_relay.console import letters, passwords
from cloud_relay.console.afterwards import AFTERWARDS
from cloud_relay.console.browser import VISIT, Visit, give_cookie, refuse_forgery, visit_of
from cloud_relay.console.caller import STORE
from cloud_relay.console.drawing import drawn, gone_to
from cloud_relay.console.sealing import SECOND_FACTORS
from cloud_relay.console.sign_in import WRONG_PASSWORDS, act_of, let_in, local_path
from cloud_relay.fleet import browsers, invitations, second_factor
from cloud_relay.fleet.acts import Act, Actor, ActorKind
from cloud_relay.fleet.audit import note
from cloud_relay.fleet.ids import key_of
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Invitation, Team, User
from cloud_relay.fleet.teams import add_user, set_password
from cloud_relay.fleet.texts import text_in
from sitelink.errors import CodeRefused, InvitationEnded, SiteError, TooMany
from web_ui.access import CSRF_FIELD, GATE, refuse_foreign
from web_ui.bodies import read_form
from web_ui.limits import address_key
from web_ui.routes import Route

TOKEN_MAX_CHARACTERS = 100


# ---- the second factor ----


async def get_code(request: web.Request) -> web.Response:
    visit = await visit_of(request)
    if visit is None:
        return gone_to("/sign-in")
    return _code_page(request) if visit.session.awaits == "totp" else gone_to(_wanted(request))


async def post_code(request: web.Request) -> web.Response:
    """A code that is right makes a new session that is whole; wrong ones are counted as wrong passwords are."""
    form, visit = await read_form(request), await visit_of(request)
    if visit is None or visit.session.awaits != "totp":
        return gone_to("/sign-in")
    refuse_forgery(request, visit, form.get(CSRF_FIELD, ""))
    limit, account = request.app[WRONG_PASSWORDS], key_of(visit.user.email)
    act, seals = act_of(request, visit.user), request.app[SECOND_FACTORS]

    def work(books: Books) -> str | None:
        if not second_factor.code_is_good(books, seals, act, visit.user, form.get("code", "")[:40]):
            return None
        note(books, act, "user.signed_in", None, "user", visit.user.id, visit.user.email, after={"by": "second factor"})
        return browsers.prove(books, visit.session, act.at)[1]

    try:
        limit.take(account)
        secret = await request.app[STORE].write(work)
        if secret is None:
            raise CodeRefused
    except (CodeRefused, TooMany) as error:
        return _code_page(request, error, local_path(form.get("next", "")))
    limit.give_back(account)
    response = gone_to(local_path(form.get("next", "")))
    give_cookie(request, response, secret)
    return response


def _code_page(request: web.Request, problem: SiteError | None = None, wanted: str = "") -> web.Response:
    return drawn(
        request, "code", wanted=wanted or _wanted(request), status=problem.http_status if problem else 200,
        problem=problem.code if problem else None, fields=problem.fields if problem else {},
    )  # fmt: skip


def _wanted(request: web.Request) -> str:
    return local_path(request.query.get("next", ""))


# ---- into a team ----


async def get_invitation(request: web.Request) -> web.Response:
    """Looking uses nothing up: mail scanners look too."""
    await visit_of(request)
    return await _invitation_page(request, request.query.get("token", ""))


async def post_invitation(request: web.Request) -> web.Response:
    """Join as who is signed in, else with a new account for the invited address."""
    refuse_foreign(request)
    form, visit = await read_form(request), await visit_of(request)
    token = form.get("token", "")[:TOKEN_MAX_CHARACTERS]
    request.app[GATE].limits.bad_tokens.check(address_key(request.remote))
    try:
        if visit is not None and visit.is_whole:
            refuse_forgery(request, visit, form.get(CSRF_FIELD, ""))
            team = await _join(request, token, visit.user)
            return gone_to(f"/t/{team}")
        return await _join_anew(request, token, form)
    except InvitationEnded:
        request.app[GATE].limits.bad_tokens.count(address_key(request.remote))
        raise
    except SiteError as error:
        return await _invitation_page(request, token, error, form.get("name", ""))


async def _join(request: web.Request, token: str, user: User) -> str:
    act = act_of(request, user)

    def work(books: Books) -> str:
        found = invitations.invitation_of(books, token, act.at)
        invitations.accept(books, act, found, user)
        return found.team

    return await request.app[STORE].write(work)


async def _join_anew(request: web.Request, token: str, form: dict[str, str]) -> web.Response:
    """Raises InvitationEnded, RequestInvalid. An address that has an account must sign in to it instead."""
    invitation, _, known = await _invited(request, token)
    here = f"/invitation?token={token}"
    if known is not None and (known.password_hash is not None or known.oidc_subject is not None):
        return gone_to(f"/sign-in?next={quote(here, safe='/')}")
    name, kept = text_in(form.get("name", ""), "name"), await passwords.hash_of(form.get("password", ""))
    now, ip = request.app[GATE].clock.now(), address_key(request.remote)

    def work(books: Books) -> User:
        act = Act(Actor(ActorKind.USER, "", invitation.email), now, ip)
        user = add_user(books, act, invitation.email, name)
        if user.password_hash is not None:
            raise InvitationEnded
        act = Act(Actor(ActorKind.USER, user.id, user.email), now, ip)
        set_password(books, act, user, kept)
        invitations.accept(books, act, invitations.invitation_of(books, token, now), user)
        return user

    return await let_in(request, await request.app[STORE].write(work), f"/t/{invitation.team}")


async def _invited(request: web.Request, token: str) -> tuple[Invitation, Team | None, User | None]:
    now = request.app[GATE].clock.now()

    def work(books: Books) -> tuple[Invitation, Team | None, User | None]:
        found = invitations.invitation_of(books, token[:TOKEN_MAX_CHARACTERS], now)
        return found, books.accounts.team(found.team), books.accounts.user_with_email(found.email)

    return await request.app[STORE].read(work)


async def _invitation_page(
    request: web.Request, token: str, problem: SiteError | None = None, name: str = ""
) -> web.Response:
    invitation, team, known = await _invited(request, token)
    visit: Visit | None = request.get(VISIT)
    has_account = known is not None and (known.password_hash is not None or known.oidc_subject is not None)
    return drawn(
        request, "invitation", invitation=invitation, team_name=team.name if team else "", token=token, typed=name,
        signed_in=visit is not None and visit.is_whole, has_account=has_account, shortest=passwords.SHORTEST,
        status=problem.http_status if problem else 200, problem=problem.code if problem else None,
        fields=problem.fields if problem else {},
    )  # fmt: skip


# ---- a new password ----


async def get_forgot(request: web.Request) -> web.Response:
    return drawn(request, "forgot", sent=False, sends=letters.sends_letters(request))


async def post_forgot(request: web.Request) -> web.Response:
    """The answer is the same, and as quick, whether somebody has this address or not."""
    refuse_foreign(request)
    form, gate = await read_form(request), request.app[GATE]
    email = form.get("email", "").strip()[:254]
    gate.limits.bad_tokens.take(address_key(request.remote))
    gate.limits.bad_tokens.take(f"forgot {key_of(email)}")
    if letters.sends_letters(request):
        now, ip = gate.clock.now(), address_key(request.remote)
        request.app[AFTERWARDS].write(
            lambda books: _forgotten(request, books, email, now, ip), lambda: letters.hurry(request)
        )
    return drawn(request, "forgot", sent=True, sends=letters.sends_letters(request))


def _forgotten(request: web.Request, books: Books, email: str, now: datetime, ip: str) -> None:
    user = books.accounts.user_with_email(email)
    if user is None or user.disabled_at is not None:
        return
    act = Act(Actor(ActorKind.USER, user.id, user.email), now, ip)
    token = invitations.new_way_in(books, act, user)
    letters.post_way_in(books, user, letters.new_password_url(request, token), act.at)


async def get_new_password(request: web.Request) -> web.Response:
    return await _new_password_page(request, request.query.get("token", ""))


async def post_new_password(request: web.Request) -> web.Response:
    refuse_foreign(request)
    form = await read_form(request)
    token, limit, address = form.get("token", ""), request.app[GATE].limits.bad_tokens, address_key(request.remote)
    limit.check(address)
    try:
        kept = await passwords.hash_of(form.get("password", ""))
    except SiteError as error:
        return await _new_password_page(request, token, error)

    def work(books: Books) -> None:
        now = request.app[GATE].clock.now()
        _, user = invitations.way_in_of(books, token[:TOKEN_MAX_CHARACTERS], now)
        invitations.use_way_in(books, act_of(request, user), token, kept)

    try:
        await request.app[STORE].write(work)
    except InvitationEnded:
        limit.count(address)
        raise
    return gone_to("/sign-in?saved=new_password")


async def _new_password_page(request: web.Request, token: str, problem: SiteError | None = None) -> web.Response:
    now = request.app[GATE].clock.now()
    _, user = await request.app[STORE].read(
        lambda books: invitations.way_in_of(books, token[:TOKEN_MAX_CHARACTERS], now)
    )
    return drawn(
        request, "new_password", token=token, email=user.email, shortest=passwords.SHORTEST,
        status=problem.http_status if problem else 200, problem=problem.code if problem else None,
        fields=problem.fields if problem else {},
    )  # fmt: skip


def _route(method: str, path: str, handler: Any, summary: str) -> Route:
    return Route(method, path, handler, summary, media="text/html", auth="")


ROUTES = (
    _route("GET", "/sign-in/code", get_code, "The second factor."),
    _route("POST", "/sign-in/code", post_code, "A code of it."),
    _route("GET", "/invitation", get_invitation, "Into a team."),
    _route("POST", "/invitation", post_invitation, "Join."),
    _route("GET", "/forgot", get_forgot, "Ask for a new password."),
    _route("POST", "/forgot", post_forgot, "Have a letter sent."),
    _route("GET", "/new-password", get_new_password, "Set a new password."),
    _route("POST", "/new-password", post_new_password, "Take it."),
)
