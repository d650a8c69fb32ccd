"""Invitations, ways in, recovery codes and letters in SQL: see the classes of `fleet.ports` they are named after."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from cloud_relay.fleet.ids import InvitationId, TeamId, UserId, key_of
from cloud_relay.fleet.records import Invitation, Mail, PasswordReset
from cloud_relay.fleet.roles import Role
from cloud_relay.store import schema as t


class SqlInvitations:
    """See `Invitations`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, invitation: Invitation, sha256: str) -> None:
        self._connection.execute(sa.insert(t.invitation), {**_invitation_row(invitation), "token_sha256": sha256})

    def put(self, invitation: Invitation) -> None:
        c = t.invitation.c
        self._connection.execute(sa.update(t.invitation).where(c.id == invitation.id), _invitation_row(invitation))

    def of(self, team: TeamId, id_: InvitationId) -> Invitation | None:
        return self._one(sa.and_(t.invitation.c.team_id == team, t.invitation.c.id == id_))

    def with_sha256(self, sha256: str) -> Invitation | None:
        return self._one(t.invitation.c.token_sha256 == sha256)

    def of_team(self, team: TeamId) -> Sequence[Invitation]:
        query = sa.select(t.invitation).where(t.invitation.c.team_id == team).order_by(t.invitation.c.created_at)
        return [_invitation(row) for row in self._connection.execute(query).mappings()]

    def open_for(self, email: str, now: datetime) -> Sequence[Invitation]:
        c = t.invitation.c
        query = sa.select(t.invitation).where(
            c.email_key == key_of(email), c.accepted_at.is_(None), c.revoked_at.is_(None), c.expires_at >= now
        )
        return [_invitation(row) for row in self._connection.execute(query).mappings()]

    def _one(self, condition: sa.ColumnElement[bool]) -> Invitation | None:
        row = self._connection.execute(sa.select(t.invitation).where(condition)).mappings().first()
        return _invitation(row) if row is not None else None


class SqlResets:
    """See `PasswordResets`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, reset: PasswordReset, sha256: str) -> None:
        self._connection.execute(sa.insert(t.password_reset), {**_reset_row(reset), "token_sha256": sha256})

    def put(self, reset: PasswordReset) -> None:
        self._connection.execute(
            sa.update(t.password_reset).where(t.password_reset.c.id == reset.id), _reset_row(reset)
        )

    def with_sha256(self, sha256: str) -> PasswordReset | None:
        query = sa.select(t.password_reset).where(t.password_reset.c.token_sha256 == sha256)
        row = self._connection.execute(query).mappings().first()
        if row is None:
            return None
        return PasswordReset(row["id"], row["user_id"], row["created_at"], row["expires_at"], row["used_at"])


class SqlRecoveryCodes:
    """See `RecoveryCodes`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def replace(self, user: UserId, sha256s: Sequence[str]) -> None:
        self._connection.execute(sa.delete(t.recovery_code).where(t.recovery_code.c.user_id == user))
        if sha256s:
            self._connection.execute(
                sa.insert(t.recovery_code), [{"user_id": user, "code_sha256": each} for each in sha256s]
            )

    def use(self, user: UserId, sha256: str, now: datetime) -> bool:
        c = t.recovery_code.c
        unused = sa.and_(c.user_id == user, c.code_sha256 == sha256, c.used_at.is_(None))
        return self._connection.execute(sa.update(t.recovery_code).where(unused), {"used_at": now}).rowcount == 1

    def left(self, user: UserId) -> int:
        c = t.recovery_code.c
        query = sa.select(sa.func.count()).where(c.user_id == user, c.used_at.is_(None))
        return int(self._connection.execute(query).scalar_one())


class SqlMails:
    """See `Mails`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, mail: Mail) -> None:
        self._connection.execute(sa.insert(t.mail), msgspec.structs.asdict(mail))

    def put(self, mail: Mail) -> None:
        self._connection.execute(sa.update(t.mail).where(t.mail.c.id == mail.id), msgspec.structs.asdict(mail))

    def of(self, id_: str) -> Mail | None:
        row = self._connection.execute(sa.select(t.mail).where(t.mail.c.id == id_)).mappings().first()
        return _mail(row) if row is not None else None

    def written(self, recipient: str, at: datetime) -> Mail | None:
        query = sa.select(t.mail).where(t.mail.c.recipient == recipient, t.mail.c.created_at == at)
        row = self._connection.execute(query).mappings().first()
        return _mail(row) if row is not None else None

    def due(self, now: datetime) -> Mail | None:
        c = t.mail.c
        query = sa.select(t.mail).where(c.next_try_at <= now).order_by(c.next_try_at).limit(1)
        row = self._connection.execute(query.with_for_update(skip_locked=True)).mappings().first()
        return _mail(row) if row is not None else None


def _invitation(row: RowMapping) -> Invitation:
    return Invitation(
        id=row["id"], team=row["team_id"], email=row["email"], role=Role(row["role"]), created_by=row["created_by"],
        created_at=row["created_at"], expires_at=row["expires_at"], accepted_at=row["accepted_at"],
        revoked_at=row["revoked_at"],
    )  # fmt: skip


def _invitation_row(invitation: Invitation) -> dict[str, object]:
    values = msgspec.structs.asdict(invitation)
    return {
        **values, "team_id": values.pop("team"), "role": invitation.role.value, "email_key": key_of(invitation.email)
    }  # fmt: skip


def _reset_row(reset: PasswordReset) -> dict[str, object]:
    values = msgspec.structs.asdict(reset)
    return {**values, "user_id": values.pop("user")}


def _mail(row: RowMapping) -> Mail:
    return Mail(**{name: row[name] for name in Mail.__struct_fields__})
