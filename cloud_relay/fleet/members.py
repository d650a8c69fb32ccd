"""Who belongs to a team, as its administrators change it. A team always keeps one. Start at `change_role`."""

import msgspec

from cloud_relay.fleet.acts import Act
from cloud_relay.fleet.audit import note
from cloud_relay.fleet.ids import TeamId, TokenId, UserId
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Member, Team
from cloud_relay.fleet.roles import Role
from cloud_relay.fleet.teams import set_member
from cloud_relay.fleet.texts import text_in
from sitelink.errors import LastAdministrator, NameTaken, NotFound


def change_role(books: Books, act: Act, team: TeamId, user: UserId, role: Role) -> None:
    """Raises NotFound, LastAdministrator."""
    known = _member(books, team, user)
    if role is not Role.ADMIN:
        _keep_an_administrator(books, known)
    set_member(books, act, known.team, known.user, role)


def remove_member(books: Books, act: Act, team: TeamId, user: UserId) -> None:
    """Out of this team; what they did stays. Raises NotFound, LastAdministrator."""
    known = _member(books, team, user)
    _keep_an_administrator(books, known)
    books.accounts.remove_member(team, user)
    note(books, act, "member.removed", team, "user", user, known.user.email, before={"role": known.role.value})


def rename_team(books: Books, act: Act, team: TeamId, name: str) -> Team:
    """Raises RequestInvalid, NameTaken, NotFound."""
    known, found = books.accounts.team(team), text_in(name, "name")
    if known is None:
        raise NotFound(what="team", key=team)
    other = books.accounts.team_named(found)
    if other is not None and other.id != team:
        raise NameTaken(what="team", name=found)
    if found != known.name:
        books.accounts.put_team(msgspec.structs.replace(known, name=found))
        note(books, act, "team.renamed", team, "team", team, found, {"name": known.name}, {"name": found})
    return msgspec.structs.replace(known, name=found)


def revoke_api_token(books: Books, act: Act, team: TeamId, id_: TokenId) -> None:
    """Good no more from this moment; once is as good as twice. Raises NotFound."""
    token = books.tokens.of(team, id_)
    if token is None:
        raise NotFound(what="token", key=id_[:64])
    if token.revoked_at is None:
        books.tokens.put(msgspec.structs.replace(token, revoked_at=act.at))
        note(books, act, "token.revoked", team, "token", token.id, token.name)


def _member(books: Books, team: TeamId, user: UserId) -> Member:
    known = books.accounts.member(team, user)
    if known is None:
        raise NotFound(what="member", key=user[:64])
    return known


def _keep_an_administrator(books: Books, leaving: Member) -> None:
    others = [each for each in books.accounts.members_of(leaving.team.id) if each.user.id != leaving.user.id]
    if leaving.role is Role.ADMIN and not any(each.role is Role.ADMIN for each in others):
        raise LastAdministrator(name=leaving.user.email)
