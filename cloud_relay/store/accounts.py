"""Teams, people and memberships in SQL: see `fleet.ports.Accounts`. No rules stand here."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from cloud_relay.fleet.ids import TeamId, UserId, key_of
from cloud_relay.fleet.records import Member, Team, User
from cloud_relay.fleet.roles import Role
from cloud_relay.store import schema as t
from cloud_relay.store.statements import upsert


class SqlAccounts:
    """See `Accounts`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_team(self, team: Team) -> None:
        self._connection.execute(sa.insert(t.team), _team_row(team))

    def put_team(self, team: Team) -> None:
        self._connection.execute(sa.update(t.team).where(t.team.c.id == team.id), _team_row(team))

    def team(self, id_: TeamId) -> Team | None:
        return self._one_team(t.team.c.id == id_)

    def team_named(self, name: str) -> Team | None:
        return self._one_team(t.team.c.name_key == key_of(name))

    def teams(self) -> Sequence[Team]:
        rows = self._connection.execute(sa.select(t.team).order_by(t.team.c.name_key)).mappings()
        return [_team(row) for row in rows]

    def add_user(self, user: User) -> None:
        self._connection.execute(sa.insert(t.user), _user_row(user))

    def put_user(self, user: User) -> None:
        self._connection.execute(sa.update(t.user).where(t.user.c.id == user.id), _user_row(user))

    def user(self, id_: UserId) -> User | None:
        return self._one_user(t.user.c.id == id_)

    def user_with_email(self, email: str) -> User | None:
        return self._one_user(t.user.c.email_key == key_of(email))

    def user_with_oidc(self, issuer: str, subject: str) -> User | None:
        return self._one_user(sa.and_(t.user.c.oidc_issuer == issuer, t.user.c.oidc_subject == subject))

    def put_member(self, team: TeamId, user: UserId, role: Role, since: datetime) -> None:
        row = {"team_id": team, "user_id": user, "role": role.value, "since": since}
        upsert(self._connection, t.member, ["team_id", "user_id"], [row])

    def remove_member(self, team: TeamId, user: UserId) -> None:
        c = t.member.c
        self._connection.execute(sa.delete(t.member).where(c.team_id == team, c.user_id == user))

    def member(self, team: TeamId, user: UserId) -> Member | None:
        found = self._members(sa.and_(t.member.c.team_id == team, t.member.c.user_id == user))
        return found[0] if found else None

    def members_of(self, team: TeamId) -> Sequence[Member]:
        return self._members(t.member.c.team_id == team)

    def memberships(self, user: UserId) -> Sequence[Member]:
        return self._members(t.member.c.user_id == user)

    def _one_team(self, condition: sa.ColumnElement[bool]) -> Team | None:
        row = self._connection.execute(sa.select(t.team).where(condition)).mappings().first()
        return _team(row) if row is not None else None

    def _one_user(self, condition: sa.ColumnElement[bool]) -> User | None:
        row = self._connection.execute(sa.select(t.user).where(condition)).mappings().first()
        return _user(row) if row is not None else None

    def _members(self, condition: sa.ColumnElement[bool]) -> list[Member]:
        user = {f"user_{column.name}": column for column in t.user.c}
        query = (
            sa.select(
                t.member.c.role, t.member.c.since, t.team.c.id.label("team_id"), t.team.c.name.label("team_name"),
                t.team.c.created_at.label("team_created_at"), *(column.label(name) for name, column in user.items()),
            )
            .select_from(t.member)
            .join(t.team, t.team.c.id == t.member.c.team_id)
            .join(t.user, t.user.c.id == t.member.c.user_id)
            .where(condition)
            .order_by(t.team.c.name_key, t.user.c.email_key)
        )  # fmt: skip
        return [_member(row) for row in self._connection.execute(query).mappings()]


def _member(row: RowMapping) -> Member:
    team = Team(row["team_id"], row["team_name"], row["team_created_at"])
    user = User(**{name: row[f"user_{name}"] for name in User.__struct_fields__})
    return Member(team, user, Role(row["role"]), row["since"])


def _team(row: RowMapping) -> Team:
    return Team(row["id"], row["name"], row["created_at"])


def _team_row(team: Team) -> dict[str, object]:
    return {"id": team.id, "name": team.name, "name_key": key_of(team.name), "created_at": team.created_at}


def _user(row: RowMapping) -> User:
    return User(**{name: row[name] for name in User.__struct_fields__})


def _user_row(user: User) -> dict[str, object]:
    return {**msgspec.structs.asdict(user), "email_key": key_of(user.email)}
