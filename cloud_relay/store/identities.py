"""Whose identities are, in SQL: see `cloud_relay.fleet.log_ports.Identities`."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from cloud_relay.fleet.ids import SiteId, TeamId
from cloud_relay.fleet.log_records import Activation, Owner, Wanting
from cloud_relay.store import log_tables as t
from cloud_relay.store import schema
from cloud_relay.store.schema import team
from cloud_relay.store.statements import insert_or_ignore, upsert
from sitelink.ids import ChargePointId, JobId


class SqlIdentities:
    """See `Identities`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def owner(self, identity: str) -> Owner | None:
        query = self._owners().where(t.identity_owner.c.identity == identity)
        row = self._connection.execute(query).mappings().first()
        return _owner(row) if row is not None else None

    def owned(self, team_id: TeamId, limit: int) -> Sequence[Owner]:
        query = self._owners().where(t.identity_owner.c.team_id == team_id).order_by(t.identity_owner.c.identity)
        return [_owner(row) for row in self._connection.execute(query.limit(limit)).mappings()]

    def _owners(self) -> sa.Select[tuple[object, ...]]:
        return sa.select(t.identity_owner, team.c.name.label("team_name")).join(
            team, team.c.id == t.identity_owner.c.team_id
        )

    def claim(self, owner: Owner) -> None:
        row = {
            "identity": owner.identity, "team_id": owner.team, "site_id": owner.site,
            "charge_point": owner.charge_point, "since": owner.since,
        }  # fmt: skip
        self._connection.execute(sa.insert(t.identity_owner), row)

    def release(self, identity: str) -> None:
        self._connection.execute(sa.delete(t.identity_owner).where(t.identity_owner.c.identity == identity))

    def claimed_by(self, site: SiteId, charge_point: ChargePointId) -> Sequence[str]:
        c = t.identity_owner.c
        query = sa.select(c.identity).where(c.site_id == site, c.charge_point == charge_point)
        return list(self._connection.execute(query.order_by(c.identity)).scalars())

    def wait(self, identity: str, site: SiteId, charge_point: ChargePointId, *, waits: bool) -> None:
        c = t.identity_wanted.c
        others = sa.and_(c.site_id == site, c.charge_point == charge_point)
        self._connection.execute(sa.delete(t.identity_wanted).where(others))
        if waits:
            row = {"identity": identity, "site_id": site, "charge_point": charge_point}
            self._connection.execute(sa.insert(t.identity_wanted), row)

    def waiting(self, identity: str) -> Sequence[SiteId]:
        c = t.identity_wanted.c
        query = sa.select(c.site_id).where(c.identity == identity).distinct().order_by(c.site_id)
        return list(self._connection.execute(query).scalars())

    def wanted_by(self, identity: str) -> Sequence[Wanting]:
        c, site = t.identity_wanted.c, schema.site
        query = (
            sa.select(site.c.team_id, team.c.name, c.site_id, c.charge_point)
            .join(site, site.c.id == c.site_id)
            .join(team, team.c.id == site.c.team_id)
            .where(c.identity == identity)
            .order_by(c.site_id, c.charge_point)
        )
        return [Wanting(*row) for row in self._connection.execute(query).all()]

    def give_up(self, identity: str, site: SiteId, charge_point: ChargePointId) -> None:
        row = {"site_id": site, "charge_point": charge_point, "identity": identity}
        upsert(self._connection, t.identity_given_up, ["site_id", "charge_point"], [row])

    def given_up(self, site: SiteId, charge_point: ChargePointId) -> str | None:
        c = t.identity_given_up.c
        query = sa.select(c.identity).where(c.site_id == site, c.charge_point == charge_point)
        return self._connection.execute(query).scalar()

    def take_back(self, site: SiteId, charge_point: ChargePointId) -> None:
        c = t.identity_given_up.c
        given_up = sa.and_(c.site_id == site, c.charge_point == charge_point)
        self._connection.execute(sa.delete(t.identity_given_up).where(given_up))

    # ---- what went live ----

    def activate(self, activation: Activation) -> bool:
        row = {
            "site_id": activation.site, "job_id": activation.job, "charge_point": activation.charge_point,
            "round": activation.round, "state": activation.state, "at": activation.at, "detail": activation.detail,
        }  # fmt: skip
        return (
            insert_or_ignore(self._connection, t.activation, ["site_id", "job_id", "charge_point", "round"], [row]) > 0
        )

    def settle(self, activation: Activation) -> None:
        row = {
            "site_id": activation.site, "job_id": activation.job, "charge_point": activation.charge_point,
            "round": activation.round, "state": activation.state, "at": activation.at, "detail": activation.detail,
        }  # fmt: skip
        upsert(self._connection, t.activation, ["site_id", "job_id", "charge_point", "round"], [row])

    def activations(self, site: SiteId, job: JobId) -> Sequence[Activation]:
        c = t.activation.c
        query = sa.select(t.activation).where(c.site_id == site, c.job_id == job).order_by(c.round, c.charge_point)
        return [_activation(row) for row in self._connection.execute(query).mappings()]


def _owner(row: RowMapping) -> Owner:
    return Owner(
        identity=row["identity"], team=row["team_id"], team_name=row["team_name"], site=row["site_id"],
        charge_point=row["charge_point"], since=row["since"],
    )  # fmt: skip


def _activation(row: RowMapping) -> Activation:
    return Activation(
        site=row["site_id"], job=row["job_id"], charge_point=row["charge_point"], round=row["round"],
        state=row["state"], at=row["at"], detail=row["detail"],
    )  # fmt: skip
