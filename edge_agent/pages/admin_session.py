"""A browser signed in to the box itself: an admin token (`edge-agent token new`) is exchanged once for a cookie.

The machinery is that of job links (`web_ui.security`), under a cookie of its own: neither cookie opens the other's
pages, since a job's link is no admin's and the other way round, whatever is signed. Start at `operator_of`.
"""

from dataclasses import dataclass

from aiohttp import web

from edge_agent.pages.admin import ADMIN, ADMIN_TOKEN
from sitelink.errors import SignInNeeded
from sitelink.model import Link
from web_ui.access import GATE, refuse_forgery
from web_ui.limits import address_key
from web_ui.security import IDLE_MAX_S, RENEW_AFTER_S, Session

COOKIE_PLAIN = "gatepost_admin"
COOKIE_SECURE = "__Secure-gatepost_admin"
"""`__Host-` would need the path /, and this cookie goes to the admin pages alone."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody at a browser who holds an admin token of this box."""

    link: Link
    session: Session


def operator_of(request: web.Request) -> Operator:
    """Who asks. Raises SignInNeeded."""
    gate = request.app[GATE]
    cookie = request.cookies.get(_cookie_name(request))
    session = gate.sessions.read(cookie) if cookie else None
    link = request.app[ADMIN].admin_link(session.link) if session is not None else None
    if session is None or link is None:
        raise SignInNeeded(reason="admin_token")
    return Operator(link, session)


def writer_of(request: web.Request, csrf: str) -> Operator:
    """Who asks for something to be done. Raises as `operator_of`, ForgeryRefused, TooMany."""
    operator = operator_of(request)
    refuse_forgery(request, operator.session, csrf)
    request.app[GATE].limits.writes.take(operator.session.id)
    return operator


def is_operator(request: web.Request) -> bool:
    try:
        operator_of(request)
    except SignInNeeded:
        return False
    return True


def csrf_of(request: web.Request, operator: Operator) -> str:
    return request.app[GATE].sessions.csrf(operator.session)


def open_session(request: web.Request, pasted: str) -> str:
    """The cookie for a token, or for a text that contains one. Raises SignInNeeded, TooMany."""
    gate, key = request.app[GATE], address_key(request.remote)
    gate.limits.bad_tokens.check(key)
    found = ADMIN_TOKEN.search(pasted)
    link = request.app[ADMIN].admin_link_of_token(found.group()) if found else None
    if link is None:
        gate.limits.bad_tokens.count(key)
        raise SignInNeeded(reason="admin_token_unknown")
    return gate.sessions.open(link.id)


def set_cookie(request: web.Request, response: web.StreamResponse, value: str) -> None:
    response.set_cookie(
        _cookie_name(request), value,
        max_age=IDLE_MAX_S, path="/admin", httponly=True, samesite="Strict", secure=request.secure,
    )  # fmt: skip


def drop_cookie(request: web.Request, response: web.StreamResponse) -> None:
    response.del_cookie(
        _cookie_name(request), path="/admin", httponly=True, samesite="Strict", secure=request.secure
    )  # fmt: skip


def renew_cookie(request: web.Request, response: web.StreamResponse, operator: Operator) -> None:
    """A cookie in use does not run out."""
    if operator.session.idle_s >= RENEW_AFTER_S:
        set_cookie(request, response, request.app[GATE].sessions.renew(operator.session))


def _cookie_name(request: web.Request) -> str:
    """Never the same cookie on http and https."""
    return COOKIE_SECURE if request.secure else COOKIE_PLAIN
