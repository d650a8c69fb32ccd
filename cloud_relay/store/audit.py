"""The audit log in SQL: see `fleet.ports.AuditLog`. Triggers of the database refuse to change or remove a row."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from cloud_relay.fleet.ids import TeamId
from cloud_relay.fleet.records import AuditEntry
from cloud_relay.store import schema as t


class SqlAuditLog:
    """See `AuditLog`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entry: AuditEntry) -> None:
        values = msgspec.structs.asdict(entry)
        del values["seq"]
        row = {**values, "team_id": values.pop("team"), "before": dict(entry.before), "after": dict(entry.after)}
        self._connection.execute(sa.insert(t.audit), row)

    def page(
        self, team: TeamId, *, before: int | None = None, limit: int, actor: str = "", kind: str = "",
        since: datetime | None = None, until: datetime | None = None, text: str = "",
    ) -> Sequence[AuditEntry]:  # fmt: skip
        c = t.audit.c
        query = sa.select(t.audit).where(c.team_id == team)
        if before is not None:
            query = query.where(c.seq < before)
        if actor:
            query = query.where(c.actor_name.icontains(actor, autoescape=True))
        if kind:
            query = query.where(c.kind.startswith(kind, autoescape=True) if kind.endswith(".") else c.kind == kind)
        if since is not None:
            query = query.where(c.at >= since)
        if until is not None:
            query = query.where(c.at <= until)
        if text:
            said = [c.actor_name, c.target_name, c.kind, sa.cast(c.before, sa.Text), sa.cast(c.after, sa.Text)]
            query = query.where(sa.or_(*(each.icontains(text, autoescape=True) for each in said)))
        rows = self._connection.execute(query.order_by(c.seq.desc()).limit(limit)).mappings()
        return [_entry(row) for row in rows]


def _entry(row: RowMapping) -> AuditEntry:
    values = {name: row[name] for name in AuditEntry.__struct_fields__ if name != "team"}
    return AuditEntry(team=row["team_id"], **values)
