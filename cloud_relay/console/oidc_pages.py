"""Signing in with another provider, as pages. The protocol stands in `oidc`. Start at `ROUTES`.

Somebody is known by issuer and subject. The first time they are found by a verified mail address, among people who are
there already or are invited; nobody gets an account by having one elsewhere. Whoever had the account until then may be
somebody else, who was handed an invitation: their password and their browsers are good no more.
"""

from typing import Any

import msgspec
from aiohttp import web

from cloud_relay.console.caller import STORE
from cloud_relay.console.drawing import gone_to
from cloud_relay.console.oidc import BEGUN_FOR_S, Person, Provider
from cloud_relay.console.sign_in import PROVIDER, let_in, local_path, sign_in_page
from cloud_relay.fleet import invitations
from cloud_relay.fleet.acts import Act, Actor, ActorKind
from cloud_relay.fleet.audit import note
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import User
from cloud_relay.fleet.teams import add_user
from sitelink.errors import NotFound, ProviderRefused
from web_ui.access import GATE
from web_ui.limits import address_key
from web_ui.routes import Route

COOKIE = "gatepost_oidc"
BACK = "/sign-in/provider/back"


async def get_provider(request: web.Request) -> web.Response:
    """To the provider, and back afterwards."""
    wanted = local_path(request.query.get("next", ""))
    try:
        address, cookie = await _provider(request).begin(wanted)
    except ProviderRefused as error:
        return sign_in_page(request, status=error.http_status, problem=error.code, fields=error.fields)
    response = gone_to(address)
    response.set_cookie(
        COOKIE, cookie, max_age=BEGUN_FOR_S, path=BACK, httponly=True, samesite="Lax", secure=request.secure
    )
    return response


async def get_back(request: web.Request) -> web.Response:
    """With a code, or with the word that it came to nothing."""
    provider = _provider(request)
    try:
        if "error" in request.query:
            raise ProviderRefused(reason="denied")
        person, wanted = await provider.finish(
            request.cookies.get(COOKIE, ""), request.query.get("state", ""), request.query.get("code", "")[:2000]
        )
        act = Act(Actor(ActorKind.USER, "", person.email), request.app[GATE].clock.now(), address_key(request.remote))
        user = await request.app[STORE].write(lambda books: _user(books, act, person))
    except ProviderRefused as error:
        response = sign_in_page(request, status=error.http_status, problem=error.code, fields=error.fields)
    else:
        response = await let_in(request, user, local_path(wanted), "provider")
    response.del_cookie(COOKIE, path=BACK, httponly=True, samesite="Lax", secure=request.secure)
    return response


def _user(books: Books, act: Act, person: Person) -> User:
    """Raises ProviderRefused (unknown, unverified, linked_elsewhere, shut_out)."""
    user = books.accounts.user_with_oidc(person.issuer, person.subject)
    if user is None:
        user = _linked(books, act, person)
    if user.disabled_at is not None:
        raise ProviderRefused(reason="shut_out")
    return user


def _linked(books: Books, act: Act, person: Person) -> User:
    if not person.email or not person.email_verified:
        raise ProviderRefused(reason="unverified")
    known = books.accounts.user_with_email(person.email)
    invited = books.invitations.open_for(person.email, act.at)
    if known is None and not invited:
        raise ProviderRefused(reason="unknown")
    user = known or add_user(books, act, person.email, person.name)
    if user.oidc_subject is not None:
        raise ProviderRefused(reason="linked_elsewhere")
    user = msgspec.structs.replace(
        user, oidc_issuer=person.issuer, oidc_subject=person.subject, password_hash=None
    )  # fmt: skip
    books.accounts.put_user(user)
    books.sessions.end_of_user(user.id)
    note(books, act, "user.linked", None, "user", user.id, user.email, after={"issuer": person.issuer})
    for each in invited:
        invitations.accept(books, act, each, user)
    return user


def _provider(request: web.Request) -> Provider:
    """Raises NotFound where there is none."""
    provider = request.app[PROVIDER]
    if provider is None:
        raise NotFound(what="page", key=request.path)
    return provider


def _route(path: str, handler: Any, summary: str) -> Route:
    return Route("GET", path, handler, summary, media="text/html", auth="")


ROUTES = (
    _route("/sign-in/provider", get_provider, "Sign in with another provider."),
    _route(BACK, get_back, "Where the provider sends people back to."),
)
