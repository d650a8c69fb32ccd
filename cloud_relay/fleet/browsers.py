"""Browsers that are signed in to the console: sessions that the database knows. No cookies, no passwords stand here.

A session's secret is kept as a SHA-256 only. It ends when it is idle for `IDLE`, is `AGE` old, is ended by hand, or its
person is gone; one that still awaits something ends after `AWAITED`. Start at `open_browser`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from cloud_relay.fleet import tokens
from cloud_relay.fleet.ids import SessionId, UserId, new_id
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Member, Session, User

IDLE = timedelta(hours=12)
AGE = timedelta(days=7)
AWAITED = timedelta(minutes=10)
SEEN_NOTED_EVERY = timedelta(minutes=1)
AGENT_MAX_CHARACTERS = 300


def open_browser(
    books: Books, user: UserId, now: datetime, *, ip: str, agent: str, awaits: str | None = None
) -> tuple[Session, str]:
    """The session and the one time its secret is shown. `awaits`: what is still to be proved ("totp").

    Sessions that have ended by their age are swept out on the way.
    """
    books.sessions.end_before(now - AGE)
    session = Session(SessionId(new_id()), user, now, now, awaits, ip, agent[:AGENT_MAX_CHARACTERS])
    secret = tokens.new_token(tokens.SESSION)
    books.sessions.add(session, tokens.sha256_of(secret))
    return session, secret


def browser_of(books: Books, secret: str, now: datetime) -> tuple[Session, User] | None:
    """The session with this secret and its person, while both are good."""
    session = books.sessions.with_sha256(tokens.sha256_of(secret))
    if session is None or not _lives(session, now):
        return None
    user = books.accounts.user(session.user)
    return (session, user) if user is not None and user.disabled_at is None else None


def browsers_of(books: Books, user: UserId, now: datetime) -> Sequence[Session]:
    """Those of somebody that are signed in, or about to be; used last first."""
    return [each for each in books.sessions.of_user(user) if _lives(each, now)]


def prove(books: Books, session: Session, now: datetime) -> tuple[Session, str]:
    """What was awaited is there: the session as a new one, with a secret that nobody has seen before."""
    books.sessions.end(session.id)
    return open_browser(books, session.user, now, ip=session.ip, agent=session.agent)


def note_seen(books: Books, session: Session, now: datetime) -> None:
    books.sessions.put(msgspec.structs.replace(session, seen_at=now))


def is_due(session: Session, now: datetime) -> bool:
    """Whether it should be noted again that it was seen."""
    return now - session.seen_at >= SEEN_NOTED_EVERY


def _lives(session: Session, now: datetime) -> bool:
    if session.awaits is not None and now - session.created_at > AWAITED:
        return False
    return now - session.seen_at <= IDLE and now - session.created_at <= AGE


def member_of_team(books: Books, user: User, named: str) -> Member | None:
    """What somebody is in the team with this id; None where they are nothing there, or there is no such team."""
    return next((each for each in books.accounts.memberships(user.id) if each.team.id == named), None)
