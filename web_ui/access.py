"""Who is asking, and may they: from a request to the holder of a link. Shared by API and pages.

Start at `visitor_of` (may look) and `writer_of` (may change). The tokens themselves are never kept or logged.
Sources: SECURITY §4.1 L2, L7, L10, L11; DESIGN §7 (21), (22).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

from aiohttp import web

from sitelink.clock import Clock
from sitelink.errors import ForgeryRefused, LinkEnded, LinkReadOnly, LinkUnknown, SignInNeeded
from sitelink.model import Job, Link
from sitelink.ops import Author
from sitelink.states import AuthorType, JobStatus, LinkRole
from web_ui.limits import Limits, address_key
from web_ui.ports import Jobs
from web_ui.security import (
    COOKIE_PLAIN,
    COOKIE_SECURE,
    IDLE_MAX_S,
    RENEW_AFTER_S,
    Hosts,
    Provenance,
    Session,
    Sessions,
    find_token,
    provenance_of,
)

ENDED_SHOWN_FOR = timedelta(days=90)
"""A link that has ended says so for this long; then it is as unknown as any other."""
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"


@dataclass(frozen=True, slots=True)
class Gate:
    """What decides about who comes in."""

    sessions: Sessions
    limits: Limits
    hosts: Hosts
    clock: Clock


JOBS: web.AppKey[Jobs] = web.AppKey("jobs")
GATE: web.AppKey[Gate] = web.AppKey("gate", Gate)
JOBS_HERE: web.RequestKey[Jobs] = web.RequestKey("jobs_here")
"""A program with many sites puts the jobs of the one a request is about here, before its handler runs."""


def jobs_of(request: web.Request) -> Jobs:
    """The jobs a request is about."""
    found = request.get(JOBS_HERE)
    return found if found is not None else request.app[JOBS]


@dataclass(frozen=True, slots=True)
class Desk:
    """A job as an operator has it before them at the console. `home`: the path of its page there; the others stand
    below it. `frame`: what the templates around it need."""

    author: Author
    csrf: str
    home: str
    frame: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Visitor:
    """The holder of a link that is valid now, or an operator at their desk. `session` None: a Bearer client, a desk."""

    link: Link
    session: Session | None
    desk: Desk | None = None

    @property
    def author(self) -> Author:
        return self.desk.author if self.desk else Author(type=AuthorType.INSTALLER, link=self.link.id)

    @property
    def home(self) -> str:
        """The path of the job's page."""
        return self.desk.home if self.desk else "/j"


VISITOR_HERE: web.RequestKey[Visitor] = web.RequestKey("visitor_here")
"""The console puts an operator here, known and allowed, before a handler runs."""


def visitor_of(request: web.Request) -> Visitor:
    """Who asks, by Bearer token or session cookie.

    Raises SignInNeeded, LinkUnknown, LinkEnded, and TooMany after too many bad Bearer tokens.
    """
    if VISITOR_HERE in request:
        return request[VISITOR_HERE]
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.casefold() == "bearer":
        return Visitor(_by_bearer(request, credentials.strip()), None)
    session = session_of(request)
    if session is None:
        raise SignInNeeded
    link = jobs_of(request).link(session.link)
    if link is None:
        raise SignInNeeded
    return Visitor(valid_link(request, link), session)


def writer_of(request: web.Request, csrf: str | None = None) -> Visitor:
    """Who asks for a change: a Bearer client, or our own page. `csrf` is the form's field; None: not a form.

    Raises as `visitor_of`, ForgeryRefused, LinkReadOnly, and TooMany after too many changes in a minute.
    """
    visitor = visitor_of(request)
    limits = request.app[GATE].limits
    if visitor.session is not None:
        refuse_forgery(request, visitor.session, csrf)
        limits.writes.take(visitor.session.id)
    elif visitor.desk is None:
        limits.program_writes.take(visitor.link.id)
    if visitor.link.role is not LinkRole.INSTALLER:
        raise LinkReadOnly
    return visitor


def refuse_foreign(request: web.Request) -> None:
    """For requests that have no session yet. Raises ForgeryRefused when another site's page sent them."""
    if provenance_of(request.headers) is Provenance.FOREIGN:
        raise ForgeryRefused


def open_session(request: web.Request, pasted: str) -> tuple[Link, str]:
    """Exchange a token (or text that contains one) for a session: the link and the cookie's value.

    Raises LinkUnknown, LinkEnded, TooMany.
    """
    gate = request.app[GATE]
    key = address_key(request.remote)
    gate.limits.bad_tokens.check(key)
    token = find_token(pasted)
    found = jobs_of(request).link_of_token(token) if token else None
    if found is None:
        _count_bad_token(request)
    link = valid_link(request, found)
    return link, gate.sessions.open(link.id)


def valid_link(request: web.Request, link: Link) -> Link:
    """`link` itself while it may be used. Raises LinkEnded or LinkUnknown.

    A completed job's link still reads; an archived or cancelled one says so for 90 days.
    """
    job = jobs_of(request).snapshot().state.jobs.get(link.job)
    if job is None:
        raise LinkUnknown
    ended_at, status = link.revoked_at, "revoked"
    now = request.app[GATE].clock.now()
    if ended_at is None and link.expires_at is not None and link.expires_at <= now:
        ended_at, status = link.expires_at, "expired"
    if job.status in (JobStatus.ARCHIVED, JobStatus.CANCELLED):
        ended_at, status = job.ended_at or link.revoked_at or job.created_at, job.status.value
    if ended_at is None:
        return link
    if now - ended_at > ENDED_SHOWN_FOR:
        raise LinkUnknown
    _raise_ended(job, status, ended_at.isoformat())


def _raise_ended(job: Job, status: str, at: str) -> NoReturn:
    raise LinkEnded(number=job.number, status=status, at=at, contact=job.contact)


def _by_bearer(request: web.Request, token: str) -> Link:
    """A good token always passes; only bad ones are counted, so that neighbours behind one address do not suffer."""
    whole = find_token(token)
    link = jobs_of(request).link_of_token(whole) if whole is not None and whole == token else None
    if link is None:
        request.app[GATE].limits.bad_tokens.check(address_key(request.remote))
        _count_bad_token(request)
    return valid_link(request, link)


def _count_bad_token(request: web.Request) -> NoReturn:
    request.app[GATE].limits.bad_tokens.count(address_key(request.remote))
    raise LinkUnknown


def refuse_forgery(request: web.Request, session: Session, csrf: str | None) -> None:
    """Raises ForgeryRefused where this did not come from our own page. `csrf` is the form's field; None: no form."""
    provenance = provenance_of(request.headers)
    sessions = request.app[GATE].sessions
    given = request.headers.get(CSRF_HEADER) if csrf is None else csrf
    by_field = given is not None and sessions.csrf_matches(session, given)
    if csrf is None:
        fine = provenance is Provenance.OWN or (provenance is Provenance.UNKNOWN and by_field)
    else:
        fine = provenance is not Provenance.FOREIGN and by_field
    if not fine:
        raise ForgeryRefused


# ---- the cookie ----


def session_of(request: web.Request) -> Session | None:
    """The session of the request's cookie; its link is still to be checked."""
    cookie = request.cookies.get(cookie_name(request))
    return request.app[GATE].sessions.read(cookie) if cookie else None


def cookie_name(request: web.Request) -> str:
    """Never the same cookie on http and https."""
    return COOKIE_SECURE if request.secure else COOKIE_PLAIN


def set_cookie(request: web.Request, response: web.StreamResponse, value: str) -> None:
    response.set_cookie(
        cookie_name(request), value,
        max_age=IDLE_MAX_S, path="/", httponly=True, samesite="Strict", secure=request.secure,
    )  # fmt: skip


def drop_cookie(request: web.Request, response: web.StreamResponse) -> None:
    response.del_cookie(cookie_name(request), path="/", httponly=True, samesite="Strict", secure=request.secure)


def renew_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """A cookie in use does not run out. Leaves alone what a handler set itself, and answers that are on their way."""
    if response.prepared or cookie_name(request) in response.cookies or response.status >= 400:
        return
    if "public" in response.headers.get("Cache-Control", ""):
        return
    session = session_of(request)
    if session is not None and session.idle_s >= RENEW_AFTER_S:
        set_cookie(request, response, request.app[GATE].sessions.renew(session))
