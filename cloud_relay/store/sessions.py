"""Sessions of browsers in SQL: see `fleet.ports.BrowserSessions`."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from cloud_relay.fleet.ids import SessionId, UserId
from cloud_relay.fleet.records import Session
from cloud_relay.store import schema as t


class SqlSessions:
    """See `BrowserSessions`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, session: Session, sha256: str) -> None:
        self._connection.execute(sa.insert(t.session), {**_row(session), "secret_sha256": sha256})

    def put(self, session: Session) -> None:
        self._connection.execute(sa.update(t.session).where(t.session.c.id == session.id), _row(session))

    def with_sha256(self, sha256: str) -> Session | None:
        query = sa.select(t.session).where(t.session.c.secret_sha256 == sha256)
        row = self._connection.execute(query).mappings().first()
        return _session(row) if row is not None else None

    def of_user(self, user: UserId) -> Sequence[Session]:
        query = sa.select(t.session).where(t.session.c.user_id == user).order_by(t.session.c.seen_at.desc())
        return [_session(row) for row in self._connection.execute(query).mappings()]

    def end(self, id_: SessionId) -> None:
        self._connection.execute(sa.delete(t.session).where(t.session.c.id == id_))

    def end_of_user(self, user: UserId, *, but: SessionId | None = None) -> None:
        self._connection.execute(sa.delete(t.session).where(t.session.c.user_id == user, t.session.c.id != (but or "")))

    def end_before(self, created_at: datetime) -> None:
        self._connection.execute(sa.delete(t.session).where(t.session.c.created_at < created_at))


def _session(row: RowMapping) -> Session:
    return Session(row["id"], row["user_id"], row["created_at"], row["seen_at"], row["awaits"], row["ip"], row["agent"])


def _row(session: Session) -> dict[str, object]:
    values = msgspec.structs.asdict(session)
    return {**values, "user_id": values.pop("user")}
