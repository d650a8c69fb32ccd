"""A browser at the console: its cookie, and who sits in front of it. Start at `visit_of`.

The cookie holds a random secret that the database knows (`fleet.browsers`). It is Lax, not Strict: signing in with
another provider comes back from that provider's site. Every form carries a field that only our own pages know.
"""

import hashlib
import hmac
from dataclasses import dataclass

from aiohttp import web

from cloud_relay.console.caller import STORE
from cloud_relay.fleet import browsers
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Member, Session, User
from cloud_relay.fleet.tokens import SESSION, find
from sitelink.errors import ForgeryRefused
from web_ui.access import CSRF_HEADER, GATE
from web_ui.security import Provenance, provenance_of

COOKIE_PLAIN = "gatepost_console"
COOKIE_SECURE = "__Host-gatepost_console"
VISIT: web.RequestKey["Visit"] = web.RequestKey("visit")


@dataclass(frozen=True, slots=True)
class Visit:
    """A browser whose session is good. `is_whole`: nothing more is asked of whoever signs in."""

    session: Session
    user: User
    memberships: tuple[Member, ...]
    csrf: str

    @property
    def is_whole(self) -> bool:
        return self.session.awaits is None


async def visit_of(request: web.Request) -> Visit | None:
    """Who sits there; None where nobody is signed in. Noted now and then, so that the session does not run out."""
    if VISIT in request:
        return request[VISIT]
    secret = find(SESSION, request.cookies.get(_cookie_name(request), ""))
    if secret is None:
        return None
    now, store = request.app[GATE].clock.now(), request.app[STORE]

    def work(books: Books) -> tuple[Session, User, tuple[Member, ...]] | None:
        found = browsers.browser_of(books, secret, now)
        return None if found is None else (*found, tuple(books.accounts.memberships(found[1].id)))

    found = await store.read(work)
    if found is None:
        return None
    session, user, memberships = found
    if browsers.is_due(session, now):
        await store.write(lambda books: browsers.note_seen(books, session, now))
    request[VISIT] = Visit(session, user, memberships, _csrf(secret))
    return request[VISIT]


async def is_still_member(request: web.Request, team: str) -> bool:
    """Whether the browser is signed in, and its person in the team, at this moment. Does not count as use."""
    secret = find(SESSION, request.cookies.get(_cookie_name(request), ""))
    now = request.app[GATE].clock.now()

    def work(books: Books) -> bool:
        found = browsers.browser_of(books, secret or "", now)
        return found is not None and any(each.team.id == team for each in books.accounts.memberships(found[1].id))

    return secret is not None and await request.app[STORE].read(work)


def refuse_forgery(request: web.Request, visit: Visit, field: str | None) -> None:
    """`field`: what the form had in its hidden field, else the header counts. Raises ForgeryRefused."""
    given = field if field is not None else request.headers.get(CSRF_HEADER, "")
    known = hmac.compare_digest(given.encode("utf-8", "surrogatepass"), visit.csrf.encode())
    if provenance_of(request.headers) is Provenance.FOREIGN or not known:
        raise ForgeryRefused


def give_cookie(request: web.Request, response: web.StreamResponse, secret: str) -> None:
    response.set_cookie(
        _cookie_name(request), secret, max_age=int(browsers.AGE.total_seconds()), path="/", httponly=True,
        samesite="Lax", secure=request.secure,
    )  # fmt: skip


def take_cookie(request: web.Request, response: web.StreamResponse) -> None:
    response.del_cookie(_cookie_name(request), path="/", httponly=True, samesite="Lax", secure=request.secure)


def _cookie_name(request: web.Request) -> str:
    """Never the same cookie on http and https."""
    return COOKIE_SECURE if request.secure else COOKIE_PLAIN


def _csrf(secret: str) -> str:
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()
