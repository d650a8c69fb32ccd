"""How people come into a team, and how they get in again without their password. Start at `invite`, `new_way_in`.

Both are links with a random token, good once and for a while; what is kept of it is a SHA-256.
"""

from datetime import datetime, timedelta

import msgspec

from cloud_relay.fleet import tokens
from cloud_relay.fleet.acts import Act
from cloud_relay.fleet.audit import note
from cloud_relay.fleet.ids import InvitationId, TeamId, key_of, new_id
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Invitation, PasswordReset, Team, User
from cloud_relay.fleet.roles import Role
from cloud_relay.fleet.teams import set_member, set_password
from cloud_relay.fleet.texts import email_in
from sitelink.errors import InvitationEnded, NameTaken, NotFound

INVITED_FOR = timedelta(days=7)
WAY_IN_FOR = timedelta(hours=1)


def invite(books: Books, act: Act, team: Team, email: str, role: Role) -> tuple[Invitation, str]:
    """The invitation, and its token shown only here; one that was open for the same address is replaced.

    Raises RequestInvalid, and NameTaken for who belongs to the team already.
    """
    address = email_in(email)
    known = books.accounts.user_with_email(address)
    if known is not None and books.accounts.member(team.id, known.id) is not None:
        raise NameTaken(what="member", name=address)
    for each in open_invitations(books, team.id, act.at):
        if key_of(each.email) == key_of(address):
            _end(books, each, act.at)
    made = Invitation(InvitationId(new_id()), team.id, address, role, act.actor.name, act.at, act.at + INVITED_FOR)
    token = tokens.new_token(tokens.INVITATION)
    books.invitations.add(made, tokens.sha256_of(token))
    note(books, act, "member.invited", team.id, "invitation", made.id, address, after={"role": role.value})
    return made, token


def open_invitations(books: Books, team: TeamId, now: datetime) -> list[Invitation]:
    return [each for each in books.invitations.of_team(team) if _is_open(each, now)]


def invitation_of(books: Books, token: str, now: datetime) -> Invitation:
    """The one with this token, while it is open. Raises InvitationEnded."""
    found = books.invitations.with_sha256(tokens.sha256_of(token))
    if found is None or not _is_open(found, now):
        raise InvitationEnded
    return found


def accept(books: Books, act: Act, invitation: Invitation, user: User) -> None:
    """`user` belongs to the team from now on. Raises InvitationEnded where it was used meanwhile."""
    known = books.invitations.of(invitation.team, invitation.id)
    team = books.accounts.team(invitation.team)
    if known is None or team is None or not _is_open(known, act.at):
        raise InvitationEnded
    books.invitations.put(msgspec.structs.replace(known, accepted_at=act.at))
    if books.accounts.member(team.id, user.id) is None:
        set_member(books, act, team, user, known.role)


def revoke_invitation(books: Books, act: Act, team: TeamId, id_: InvitationId) -> None:
    """Once is as good as twice. Raises NotFound."""
    known = books.invitations.of(team, id_)
    if known is None:
        raise NotFound(what="invitation", key=id_[:64])
    if known.revoked_at is None and known.accepted_at is None:
        _end(books, known, act.at)
        note(books, act, "member.invitation_revoked", team, "invitation", known.id, known.email)


def new_way_in(books: Books, act: Act, user: User) -> str:
    """A token with which a new password may be set, once and within `WAY_IN_FOR`; shown only here."""
    token = tokens.new_token(tokens.RESET)
    reset = PasswordReset(new_id(), user.id, act.at, act.at + WAY_IN_FOR)
    books.resets.add(reset, tokens.sha256_of(token))
    note(books, act, "user.password_reset_asked", None, "user", user.id, user.email)
    return token


def way_in_of(books: Books, token: str, now: datetime) -> tuple[PasswordReset, User]:
    """Raises InvitationEnded."""
    found = books.resets.with_sha256(tokens.sha256_of(token))
    user = books.accounts.user(found.user) if found is not None else None
    if found is None or user is None or found.used_at is not None or now > found.expires_at:
        raise InvitationEnded
    return found, user


def use_way_in(books: Books, act: Act, token: str, password_hash: str) -> User:
    """The new password holds, and every browser is signed out. Raises InvitationEnded."""
    reset, user = way_in_of(books, token, act.at)
    books.resets.put(msgspec.structs.replace(reset, used_at=act.at))
    set_password(books, act, user, password_hash)
    return user


def _is_open(invitation: Invitation, now: datetime) -> bool:
    return invitation.accepted_at is None and invitation.revoked_at is None and now <= invitation.expires_at


def _end(books: Books, invitation: Invitation, now: datetime) -> None:
    books.invitations.put(msgspec.structs.replace(invitation, revoked_at=now))
