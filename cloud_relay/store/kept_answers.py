"""Answers that are kept for those who ask again, in SQL: see `fleet.ports.KeptAnswers`."""

from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloud_relay.fleet.ids import TeamId
from cloud_relay.fleet.records import KeptAnswer
from cloud_relay.store import schema as t
from cloud_relay.store.statements import insert_or_ignore


class SqlKeptAnswers:
    """See `KeptAnswers`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, kept: KeptAnswer) -> bool:
        return insert_or_ignore(self._connection, t.kept_answer, ["team_id", "key"], [_row(kept)]) == 1

    def of(self, team: TeamId, key: str) -> KeptAnswer | None:
        row = self._connection.execute(sa.select(t.kept_answer).where(_is(team, key))).mappings().first()
        if row is None:
            return None
        return KeptAnswer(row["team_id"], row["key"], row["request"], row["at"], row["status"], row["sealed"])

    def put(self, kept: KeptAnswer) -> None:
        self._connection.execute(sa.update(t.kept_answer).where(_is(kept.team, kept.key)), _row(kept))

    def drop(self, team: TeamId, key: str) -> None:
        self._connection.execute(sa.delete(t.kept_answer).where(_is(team, key)))

    def drop_before(self, at: datetime) -> None:
        self._connection.execute(sa.delete(t.kept_answer).where(t.kept_answer.c.at < at))


def _is(team: TeamId, key: str) -> sa.ColumnElement[bool]:
    return sa.and_(t.kept_answer.c.team_id == team, t.kept_answer.c.key == key)


def _row(kept: KeptAnswer) -> dict[str, object]:
    row = msgspec.structs.asdict(kept)
    row["team_id"] = row.pop("team")
    return row
