"""Teams, their people, and the tokens of their programs. Start at `add_team`."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from cloud_relay.fleet import tokens
from cloud_relay.fleet.acts import Act
from cloud_relay.fleet.audit import note
from cloud_relay.fleet.ids import SessionId, TeamId, TokenId, UserId, new_id
from cloud_relay.fleet.permissions import RIGHTS
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import ApiToken, Team, User
from cloud_relay.fleet.roles import Role
from cloud_relay.fleet.texts import email_in, text_in
from sitelink.errors import NameTaken, NotFound


def add_team(books: Books, act: Act, name: str) -> Team:
    """Raises RequestInvalid, NameTaken."""
    found = text_in(name, "name")
    if books.accounts.team_named(found) is not None:
        raise NameTaken(what="team", name=found)
    team = Team(TeamId(new_id()), found, act.at)
    books.accounts.add_team(team)
    note(books, act, "team.created", team.id, "team", team.id, team.name, after={"name": team.name})
    return team


def find_team(books: Books, named: str) -> Team:
    """By id or by name. Raises NotFound."""
    team = books.accounts.team(TeamId(named)) or books.accounts.team_named(named)
    if team is None:
        raise NotFound(what="team", key=named)
    return team


def add_user(books: Books, act: Act, email: str, name: str = "") -> User:
    """The user with this address, made where there is none. Raises RequestInvalid."""
    address = email_in(email)
    known = books.accounts.user_with_email(address)
    if known is not None:
        return known
    shown = text_in(name, "name", needed=False) or address.partition("@")[0]
    user = User(UserId(new_id()), address, shown, act.at)
    books.accounts.add_user(user)
    note(books, act, "user.created", None, "user", user.id, user.email)
    return user


def set_password(books: Books, act: Act, user: User, password_hash: str, *, keep: SessionId | None = None) -> None:
    """From now on this one, and every browser but `keep` is signed out."""
    known = books.accounts.user(user.id)
    if known is None:
        raise NotFound(what="user", key=user.id)
    books.accounts.put_user(msgspec.structs.replace(known, password_hash=password_hash))
    books.sessions.end_of_user(user.id, but=keep)
    note(books, act, "user.password_changed", None, "user", user.id, user.email)


def set_member(books: Books, act: Act, team: Team, user: User, role: Role) -> None:
    """Let `user` into `team` as `role`, or change what they are there."""
    known = books.accounts.member(team.id, user.id)
    if known is not None and known.role is role:
        return
    books.accounts.put_member(team.id, user.id, role, known.since if known else act.at)
    before = {"role": known.role.value} if known else None
    kind = "member.role_changed" if known else "member.added"
    note(books, act, kind, team.id, "user", user.id, user.email, before, {"role": role.value})


def new_api_token(
    books: Books, act: Act, team: Team, name: str, scopes: Iterable[str] = RIGHTS, expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """The token as it is kept, and the one time it is shown. Raises RequestInvalid."""
    chosen = frozenset(scopes)
    made = ApiToken(
        TokenId(new_id()), team.id, text_in(name, "name"), chosen, act.actor.name, act.at, expires_at=expires_at
    )
    shown = tokens.new_token(tokens.API_TOKEN)
    books.tokens.add(made, tokens.sha256_of(shown))
    after = {"name": made.name, "scopes": sorted(chosen), "expires_at": expires_at.isoformat() if expires_at else None}
    note(books, act, "token.created", team.id, "token", made.id, made.name, after=after)
    return made, shown
