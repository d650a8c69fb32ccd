"""Alerts and leases in SQL: see `cloud_relay.fleet.alert_ports`. No rules stand here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from cloud_relay.fleet.alert_records import RULES, Alert, AlertState, Lease, RuleSetting
from cloud_relay.fleet.ids import AlertId, TeamId
from cloud_relay.store import alert_tables as t
from cloud_relay.store.statements import insert_or_ignore, upsert


class SqlAlerts:
    """See `Alerts`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, alert: Alert) -> bool:
        return insert_or_ignore(self._connection, t.alert, ["standing"], [_row(alert)]) == 1

    def put(self, alert: Alert) -> None:
        self._connection.execute(sa.update(t.alert).where(t.alert.c.id == alert.id), _row(alert))

    def of(self, team: TeamId, id_: AlertId) -> Alert | None:
        found = self._found(sa.select(t.alert).where(t.alert.c.team_id == team, t.alert.c.id == id_))
        return found[0] if found else None

    def standing(self, team: TeamId) -> Sequence[Alert]:
        c = t.alert.c
        query = sa.select(t.alert).where(c.team_id == team, c.standing.is_not(None))
        return self._found(query.order_by(c.opened_at.desc(), c.id))

    def page(
        self, team: TeamId, *, before: tuple[str, str] | None, limit: int, states: Sequence[str] = (), rule: str = "",
        site: str = "",
    ) -> Sequence[Alert]:  # fmt: skip
        c = t.alert.c
        query = sa.select(t.alert).where(c.team_id == team)
        if before is not None:
            at = datetime.fromisoformat(before[0])
            query = query.where(sa.or_(c.opened_at < at, sa.and_(c.opened_at == at, c.id > before[1])))
        for column, value in ((c.rule, rule), (c.site_id, site)):
            if value:
                query = query.where(column == value)
        if states:
            query = query.where(c.state.in_(list(states)))
        return self._found(query.order_by(c.opened_at.desc(), c.id).limit(limit))

    def settings(self, team: TeamId) -> Sequence[RuleSetting]:
        query = sa.select(t.alert_rule).where(t.alert_rule.c.team_id == team).order_by(t.alert_rule.c.rule)
        rows = self._connection.execute(query).mappings()
        return [RuleSetting(row["rule"], row["enabled"], row["after"]) for row in rows if row["rule"] in RULES]

    def put_settings(self, team: TeamId, settings: Sequence[RuleSetting]) -> None:
        self._connection.execute(sa.delete(t.alert_rule).where(t.alert_rule.c.team_id == team))
        if settings:
            rows = [{"team_id": team, **msgspec.structs.asdict(each)} for each in settings]
            self._connection.execute(sa.insert(t.alert_rule), rows)

    def forget_before(self, closed_at: datetime) -> None:
        self._connection.execute(sa.delete(t.alert).where(t.alert.c.closed_at < closed_at))

    def _found(self, query: sa.Select[Any]) -> list[Alert]:
        return [_alert(row) for row in self._connection.execute(query).mappings()]


class SqlLeases:
    """See `Leases`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, name: str) -> Lease | None:
        row = self._connection.execute(sa.select(t.lease).where(t.lease.c.name == name)).mappings().first()
        return Lease(row["name"], row["holder"], row["until"]) if row is not None else None

    def put(self, lease: Lease) -> None:
        upsert(self._connection, t.lease, ["name"], [msgspec.structs.asdict(lease)])

    def forget_before(self, until: datetime) -> None:
        self._connection.execute(sa.delete(t.lease).where(t.lease.c.until < until))


def _alert(row: RowMapping) -> Alert:
    values = {name: row[name] for name in Alert.__struct_fields__ if name not in ("team", "site", "state")}
    return Alert(team=row["team_id"], site=row["site_id"], state=AlertState(row["state"]), **values)


def _row(alert: Alert) -> dict[str, object]:
    values = msgspec.structs.asdict(alert)
    standing = f"{alert.team}/{alert.rule}/{alert.subject}" if alert.state is not AlertState.CLOSED else None
    return {
        "team_id": values.pop("team"), "site_id": values.pop("site"), **values, "state": alert.state.value,
        "standing": standing,
    }  # fmt: skip
