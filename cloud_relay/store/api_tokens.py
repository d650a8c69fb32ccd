"""Tokens of programs in SQL: see `fleet.ports.ApiTokens`."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from cloud_relay.fleet.ids import TeamId, TokenId
from cloud_relay.fleet.records import ApiToken
from cloud_relay.store import schema as t


class SqlApiTokens:
    """See `ApiTokens`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, token: ApiToken, sha256: str) -> None:
        self._connection.execute(sa.insert(t.api_token), {**_row(token), "token_sha256": sha256})

    def put(self, token: ApiToken) -> None:
        self._connection.execute(sa.update(t.api_token).where(t.api_token.c.id == token.id), _row(token))

    def of(self, team: TeamId, id_: TokenId) -> ApiToken | None:
        return self._one(sa.and_(t.api_token.c.team_id == team, t.api_token.c.id == id_))

    def with_sha256(self, sha256: str) -> ApiToken | None:
        return self._one(t.api_token.c.token_sha256 == sha256)

    def of_team(self, team: TeamId) -> Sequence[ApiToken]:
        query = sa.select(t.api_token).where(t.api_token.c.team_id == team).order_by(t.api_token.c.created_at)
        return [_token(row) for row in self._connection.execute(query).mappings()]

    def _one(self, condition: sa.ColumnElement[bool]) -> ApiToken | None:
        row = self._connection.execute(sa.select(t.api_token).where(condition)).mappings().first()
        return _token(row) if row is not None else None


def _token(row: RowMapping) -> ApiToken:
    return ApiToken(
        id=row["id"], team=row["team_id"], name=row["name"], scopes=frozenset(row["scopes"]),
        created_by=row["created_by"], created_at=row["created_at"], expires_at=row["expires_at"],
        last_used_at=row["last_used_at"], revoked_at=row["revoked_at"],
    )  # fmt: skip


def _row(token: ApiToken) -> dict[str, object]:
    values = msgspec.structs.asdict(token)
    return {**values, "team_id": values.pop("team"), "scopes": sorted(token.scopes)}
