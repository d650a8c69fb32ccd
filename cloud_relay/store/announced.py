"""Boxes that announced themselves, in SQL: see `fleet.ports.Announcements`."""

from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloud_relay.fleet.records import Announced
from cloud_relay.store import schema as t
from cloud_relay.store.statements import upsert


class SqlAnnouncements:
    """See `Announcements`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, announced: Announced) -> None:
        row = msgspec.structs.asdict(announced)
        row["gateway_id"] = row.pop("gateway")
        upsert(self._connection, t.announced, ["device_key"], [row])

    def of(self, device_key: str) -> Announced | None:
        return self._one(t.announced.c.device_key == device_key)

    def with_code(self, sha256: str) -> Announced | None:
        return self._one(t.announced.c.code_sha256 == sha256)

    def count(self) -> int:
        return self._connection.execute(sa.select(sa.func.count()).select_from(t.announced)).scalar() or 0

    def drop_before(self, at: datetime) -> None:
        self._connection.execute(sa.delete(t.announced).where(t.announced.c.expires_at <= at))

    def _one(self, condition: sa.ColumnElement[bool]) -> Announced | None:
        row = self._connection.execute(sa.select(t.announced).where(condition)).mappings().first()
        if row is None:
            return None
        return Announced(
            row["device_key"], row["code_sha256"], row["name"], row["software"], row["at"], row["expires_at"],
            row["gateway_id"],
        )  # fmt: skip
