"""Gateways' links in SQL: see `cloud_relay.fleet.log_ports.BoxLinks`."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from cloud_relay.fleet.ids import GatewayId, SiteId, TeamId
from cloud_relay.fleet.log_records import BoxLink, Enrolled, Place
from cloud_relay.store import log_tables as t
from cloud_relay.store import schema as g
from cloud_relay.store.statements import upsert


class SqlBoxLinks:
    """See `BoxLinks`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, gateway: GatewayId) -> BoxLink | None:
        query = sa.select(t.box_link).where(t.box_link.c.gateway_id == gateway)
        row = self._connection.execute(query).mappings().first()
        return _link(row) if row is not None else None

    def put(self, link: BoxLink) -> None:
        values = msgspec.structs.asdict(link)
        row = {
            "gateway_id": values.pop("gateway"), "site_id": values.pop("site"), "team_id": values.pop("team"), **values,
            "fences": [each.isoformat() for each in link.fences], "boots": list(link.boots),
            "barred": list(link.barred),
        }  # fmt: skip
        upsert(self._connection, t.box_link, ["gateway_id"], [row])

    def enrolled(self, gateway: GatewayId) -> Enrolled | None:
        columns = (
            g.gateway, g.team.c.name.label("team_name"), g.site.c.name.label("site_name"),
        )  # fmt: skip
        query = (
            sa.select(*columns)
            .join(g.team, g.team.c.id == g.gateway.c.team_id)
            .join(g.site, g.site.c.id == g.gateway.c.site_id)
            .where(g.gateway.c.id == gateway)
        )
        row = self._connection.execute(query).mappings().first()
        if row is None:
            return None
        return Enrolled(
            gateway=row["id"], name=row["name"], team=row["team_id"], team_name=row["team_name"],
            site=row["site_id"], site_name=row["site_name"], device_key=row["device_key"],
            revoked_at=row["revoked_at"], replaced_by=row["replaced_by"],
        )  # fmt: skip

    def places(self, sites: Sequence[SiteId]) -> Sequence[Place]:
        columns = (g.site.c.id, g.site.c.team_id, g.team.c.name)
        query = sa.select(*columns).join(g.team, g.team.c.id == g.site.c.team_id).where(g.site.c.id.in_(list(sites)))
        found = {row[0]: Place(row[1], row[2], row[0]) for row in self._connection.execute(query)}
        return [found[site] for site in sites if site in found]

    def of_site(self, site: SiteId) -> Sequence[BoxLink]:
        return self._where(t.box_link.c.site_id == site)

    def of_team(self, team: TeamId) -> Sequence[BoxLink]:
        return self._where(t.box_link.c.team_id == team)

    def of_node(self, node: str) -> Sequence[BoxLink]:
        return self._where(t.box_link.c.node == node)

    def nodes(self) -> Sequence[str]:
        c = t.box_link.c
        query = sa.select(c.node).where(c.left_at.is_(None), c.connected_at.is_not(None), c.node != "").distinct()
        return list(self._connection.execute(query.order_by(c.node)).scalars())

    def _where(self, condition: sa.ColumnElement[bool]) -> Sequence[BoxLink]:
        rows = self._connection.execute(sa.select(t.box_link).where(condition).order_by(t.box_link.c.gateway_id))
        return [_link(row) for row in rows.mappings()]


def _link(row: RowMapping) -> BoxLink:
    return BoxLink(
        gateway=row["gateway_id"], site=row["site_id"], team=row["team_id"], stream=row["stream"], taken=row["taken"],
        written=row["written"], tip=row["tip"], cursor=row["cursor"], node=row["node"], software=row["software"],
        connected_at=row["connected_at"], seen_at=row["seen_at"], left_at=row["left_at"],
        quarantined_at=row["quarantined_at"],
        fences=tuple(datetime.fromisoformat(each) for each in row["fences"]), alarm=row["alarm"],
        boots=tuple(row["boots"]), barred=tuple(row["barred"] or ()), late_since=row["late_since"],
    )  # fmt: skip
