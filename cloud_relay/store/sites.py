"""Sites and gateways in SQL: see `fleet.ports.Sites`."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from cloud_relay.fleet.ids import GatewayId, SiteId, TeamId, key_of
from cloud_relay.fleet.records import Gateway, Site
from cloud_relay.store import schema as t


class SqlSites:
    """See `Sites`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, site: Site) -> None:
        self._connection.execute(sa.insert(t.site), _site_row(site))

    def put(self, site: Site) -> None:
        self._connection.execute(sa.update(t.site).where(t.site.c.id == site.id), _site_row(site))

    def of(self, team: TeamId, id_: SiteId) -> Site | None:
        return self._one(t.site.c.team_id == team, t.site.c.id == id_)

    def named(self, team: TeamId, name: str) -> Site | None:
        c = t.site.c
        return self._one(c.team_id == team, c.name_key == key_of(name), c.removed_at.is_(None))

    def page(self, team: TeamId, *, after: tuple[str, str] | None, limit: int) -> Sequence[Site]:
        c = t.site.c
        query = sa.select(t.site).where(c.team_id == team, c.removed_at.is_(None))
        if after is not None:
            query = query.where(sa.tuple_(c.name_key, c.id) > sa.tuple_(sa.literal(after[0]), sa.literal(after[1])))
        rows = self._connection.execute(query.order_by(c.name_key, c.id).limit(limit)).mappings()
        return [_site(row) for row in rows]

    def add_gateway(self, gateway: Gateway, claim_sha256: str | None) -> None:
        self._connection.execute(sa.insert(t.gateway), {**_gateway_row(gateway), "claim_sha256": claim_sha256})

    def put_gateway(self, gateway: Gateway) -> None:
        self._connection.execute(sa.update(t.gateway).where(t.gateway.c.id == gateway.id), _gateway_row(gateway))

    def gateway(self, team: TeamId, id_: GatewayId) -> Gateway | None:
        found = self._gateways(t.gateway.c.team_id == team, t.gateway.c.id == id_)
        return found[0] if found else None

    def gateways_of(self, team: TeamId, site: SiteId | None = None) -> Sequence[Gateway]:
        here = [t.gateway.c.site_id == site] if site is not None else []
        return self._gateways(t.gateway.c.team_id == team, *here)

    def gateway_with_claim(self, claim_sha256: str) -> Gateway | None:
        found = self._gateways(t.gateway.c.claim_sha256 == claim_sha256)
        return found[0] if found else None

    def _one(self, *conditions: sa.ColumnElement[bool]) -> Site | None:
        row = self._connection.execute(sa.select(t.site).where(*conditions)).mappings().first()
        return _site(row) if row is not None else None

    def _gateways(self, *conditions: sa.ColumnElement[bool]) -> list[Gateway]:
        query = sa.select(t.gateway).where(*conditions).order_by(t.gateway.c.created_at, t.gateway.c.id)
        return [_gateway(row) for row in self._connection.execute(query).mappings()]


def _site(row: RowMapping) -> Site:
    return Site(row["id"], row["team_id"], row["name"], row["address"], row["created_at"], row["removed_at"])


def _site_row(site: Site) -> dict[str, object]:
    values = msgspec.structs.asdict(site)
    return {**values, "team_id": values.pop("team"), "name_key": key_of(site.name)}


def _gateway(row: RowMapping) -> Gateway:
    return Gateway(
        id=row["id"], team=row["team_id"], site=row["site_id"], name=row["name"], created_at=row["created_at"],
        claim_expires_at=row["claim_expires_at"], device_key=row["device_key"], enrolled_at=row["enrolled_at"],
        revoked_at=row["revoked_at"], replaced_by=row["replaced_by"], last_seen_at=row["last_seen_at"],
    )  # fmt: skip


def _gateway_row(gateway: Gateway) -> dict[str, object]:
    values = msgspec.structs.asdict(gateway)
    return {**values, "team_id": values.pop("team"), "site_id": values.pop("site")}
