"""Sites' logs in SQL: see `cloud_relay.fleet.log_ports`. No rules stand here."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from cloud_relay.fleet.ids import GatewayId, SiteId, TeamId
from cloud_relay.fleet.log_records import KnownOp, Listed, Measured, Quarantined, StoredOp
from cloud_relay.store import log_tables as t
from cloud_relay.store import schema
from cloud_relay.store.statements import insert_or_ignore, upsert
from sitelink.ids import JobId, LinkId, OpId, TransactionId
from sitelink.model import CLOSED_TRANSACTIONS_KEPT, Entity, Job, Link, Transaction
from sitelink.records import decode_record, encode_record
from sitelink.states import JobStatus

KEYS_AT_ONCE = 500
"""SQLite takes 32,766 parameters at most, PostgreSQL 65,535."""
COMMANDS_KEPT = 200


class SqlSiteLogs:
    """See `SiteLogs`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # ---- the log ----

    def end(self, site: SiteId) -> int:
        query = sa.select(t.site_log.c.place).where(t.site_log.c.site_id == site)
        return self._connection.execute(query).scalar() or 0

    def ends(self, team: TeamId) -> Mapping[SiteId, int]:
        columns = (t.site_log.c.site_id, t.site_log.c.place)
        query = sa.select(*columns).join(schema.site, schema.site.c.id == t.site_log.c.site_id)
        found = self._connection.execute(query.where(schema.site.c.team_id == team))
        return {row[0]: row[1] for row in found}

    def move_end(self, site: SiteId, place: int) -> None:
        upsert(self._connection, t.site_log, ["site_id"], [{"site_id": site, "place": place}])

    def kept(self, site: SiteId) -> int:
        query = sa.select(t.site_log.c.kept).where(t.site_log.c.site_id == site)
        return self._connection.execute(query).scalar() or 0

    def keep_ends(self) -> None:
        known = sa.select(t.site_log.c.site_id)
        unwritten = sa.select(schema.site.c.id, sa.literal(0)).where(schema.site.c.id.not_in(known))
        self._connection.execute(sa.insert(t.site_log).from_select(["site_id", "place"], unwritten))
        lower = sa.or_(t.site_log.c.kept.is_(None), t.site_log.c.kept > t.site_log.c.place)
        self._connection.execute(sa.update(t.site_log).where(lower).values(kept=t.site_log.c.place))

    def known(self, site: SiteId, ids: Collection[OpId]) -> Mapping[OpId, KnownOp]:
        columns = (t.op.c.op_id, t.op.c.sha256, t.op.c.place, t.op.c.gateway_id)
        query = sa.select(*columns).where(t.op.c.site_id == site, t.op.c.op_id.in_(list(ids)))
        return {row[0]: KnownOp(row[0], row[1], row[2], row[3]) for row in self._connection.execute(query)}

    def followed(self, gateway: GatewayId, ids: Collection[OpId]) -> set[OpId]:
        query = sa.select(t.op.c.prev).where(t.op.c.gateway_id == gateway, t.op.c.prev.in_(list(ids)))
        return set(self._connection.execute(query).scalars())

    def add(self, ops: Sequence[StoredOp]) -> None:
        rows = [
            {
                "site_id": op.site, "op_id": op.op_id, "gateway_id": op.gateway, "number": op.number, "place": op.place,
                "kind": op.kind, "entity": op.entity, "prev": op.prev, "body": op.body, "sha256": op.sha256,
                "at": op.at, "disposition": op.disposition,
            }
            for op in ops
        ]  # fmt: skip
        self._connection.execute(sa.insert(t.op), rows)

    def after(self, site: SiteId, place: int, limit: int) -> Sequence[StoredOp]:
        query = sa.select(t.op).where(t.op.c.site_id == site, t.op.c.place > place).order_by(t.op.c.place).limit(limit)
        return [_stored(row) for row in self._connection.execute(query).mappings()]

    def changed_after(self, site: SiteId, place: int, prefix: str) -> set[str]:
        c = t.op.c
        query = sa.select(c.entity).distinct().where(c.site_id == site, c.place > place)
        return set(self._connection.execute(query.where(c.entity.startswith(prefix, autoescape=True))).scalars())

    def of_gateway(self, gateway: GatewayId, after: int, limit: int) -> Sequence[StoredOp]:
        query = sa.select(t.op).where(t.op.c.gateway_id == gateway, t.op.c.number > after)
        found = self._connection.execute(query.order_by(t.op.c.number).limit(limit)).mappings()
        return [_stored(row) for row in found]

    def about(self, site: SiteId, entity: str, kinds: Collection[str], limit: int) -> Sequence[StoredOp]:
        query = sa.select(t.op).where(t.op.c.site_id == site, t.op.c.entity == entity)
        if kinds:
            query = query.where(t.op.c.kind.in_(sorted(kinds)))
        found = self._connection.execute(query.order_by(t.op.c.id.desc()).limit(limit)).mappings()
        return [_stored(row) for row in found]

    def quarantine(self, what: Quarantined) -> None:
        row = {
            "site_id": what.site, "gateway_id": what.gateway, "op_id": what.op_id, "reason": what.reason,
            "body": what.body, "at": what.at,
        }  # fmt: skip
        self._connection.execute(sa.insert(t.quarantine), row)

    def quarantined(self, site: SiteId, limit: int) -> Sequence[Quarantined]:
        query = sa.select(t.quarantine).where(t.quarantine.c.site_id == site).order_by(t.quarantine.c.id.desc())
        rows = self._connection.execute(query.limit(limit)).mappings()
        return [
            Quarantined(row["site_id"], row["gateway_id"], row["op_id"], row["reason"], row["body"], row["at"])
            for row in rows
        ]

    # ---- records ----

    def records(self, site: SiteId, gateway: GatewayId | None) -> Sequence[Entity]:
        query = sa.select(t.record.c.key, t.record.c.body).where(
            t.record.c.site_id == site, t.record.c.gateway_id == (gateway or "")
        )
        rows = self._connection.execute(query.order_by(t.record.c.id)).all()
        found = [decode_record(key, body) for key, body in rows]
        return [*found, *self._charges(gateway)] if gateway is not None else found

    def _charges(self, gateway: GatewayId) -> Sequence[Transaction]:
        """The open ones, and the last of each station."""
        c = t.charge.c
        newest = sa.func.row_number().over(partition_by=c.station, order_by=c.id.desc()).label("newest")
        ranked = sa.select(c.id, c.open, c.body, newest).where(c.gateway_id == gateway).subquery()
        wanted = sa.or_(ranked.c.open, ranked.c.newest <= CLOSED_TRANSACTIONS_KEPT)
        rows = self._connection.execute(sa.select(ranked.c.body).where(wanted).order_by(ranked.c.id)).scalars()
        return [_charge(body) for body in rows]

    def put(self, site: SiteId, gateway: GatewayId | None, puts: Sequence[Entity], drops: Collection[str]) -> None:
        self._drop(site, gateway, sorted(drops))
        charges = [each for each in puts if isinstance(each, Transaction)]
        others = [each for each in puts if not isinstance(each, Transaction)]
        rows = [
            {"site_id": site, "gateway_id": gateway or "", "key": each.key, "body": encode_record(each)}
            for each in others
        ]
        upsert(self._connection, t.record, ["site_id", "gateway_id", "key"], rows)
        if charges and gateway is not None:
            upsert(self._connection, t.charge, ["gateway_id", "id"], [_charge_row(site, gateway, c) for c in charges])
        if gateway is None:
            self._index(site, others)

    def _drop(self, site: SiteId, gateway: GatewayId | None, keys: Sequence[str]) -> None:
        if not keys:
            return
        c = t.record.c
        gone = sa.delete(t.record).where(c.site_id == site, c.gateway_id == (gateway or ""), c.key.in_(keys))
        self._connection.execute(gone)

    def _index(self, site: SiteId, entities: Sequence[Entity]) -> None:
        jobs = [_job_row(site, each) for each in entities if isinstance(each, Job)]
        links = [
            {"token_sha256": each.token_sha256, "site_id": site, "link_id": each.id}
            for each in entities if isinstance(each, Link)
        ]  # fmt: skip
        upsert(self._connection, t.job_index, ["job_id", "site_id"], jobs)
        upsert(self._connection, t.link_index, ["token_sha256", "site_id"], links)

    # ---- charges and telemetry ----

    def transaction(self, gateway: GatewayId, id_: TransactionId) -> Transaction | None:
        query = sa.select(t.charge.c.body).where(t.charge.c.gateway_id == gateway, t.charge.c.id == id_)
        body = self._connection.execute(query).scalar()
        return _charge(body) if body is not None else None

    def transactions(
        self, site: SiteId, station: str, limit: int, before: TransactionId | None = None
    ) -> Sequence[Transaction]:
        c = t.charge.c
        query = sa.select(c.body).where(c.site_id == site, c.station == station)
        if before is not None:
            query = query.where(c.id < before)
        return [_charge(body) for body in self._connection.execute(query.order_by(c.id.desc()).limit(limit)).scalars()]

    def measure(self, rows: Sequence[Measured]) -> int:
        values = [
            {
                "site_id": row.site, "op_id": row.op_id, "gateway_id": row.gateway, "station": row.station,
                "connector": row.connector, "transaction_id": row.transaction, "at": row.at, "body": row.body,
            }
            for row in rows
        ]  # fmt: skip
        return insert_or_ignore(self._connection, t.telemetry, ["site_id", "op_id"], values)

    def measured(
        self, site: SiteId, station: str, since: datetime, until: datetime, limit: int, transaction: int | None = None
    ) -> Sequence[Measured]:
        c = t.telemetry.c
        query = sa.select(t.telemetry).where(c.site_id == site, c.station == station, c.at >= since, c.at <= until)
        if transaction is not None:
            query = query.where(c.transaction_id == transaction)
        rows = self._connection.execute(query.order_by(c.at).limit(limit)).mappings()
        return [
            Measured(
                row["op_id"], row["site_id"], row["gateway_id"], row["station"], row["connector"],
                row["transaction_id"], row["at"], row["body"],
            )
            for row in rows
        ]  # fmt: skip

    # ---- where things are ----

    def job_site(self, team: TeamId, job: JobId) -> SiteId | None:
        query = (
            sa.select(t.job_index.c.site_id)
            .join(schema.site, schema.site.c.id == t.job_index.c.site_id)
            .where(schema.site.c.team_id == team, t.job_index.c.job_id == job)
        )
        return self._connection.execute(query).scalar()

    def jobs(
        self, team: TeamId, *, after: tuple[str, str] | None, limit: int, status: str = "", site: str = "",
        text: str = "",
    ) -> Sequence[Listed]:  # fmt: skip
        c = t.job_index.c
        query = sa.select(t.job_index).join(schema.site, schema.site.c.id == c.site_id)
        query = query.where(schema.site.c.team_id == team)
        if after is not None:
            at = datetime.fromisoformat(after[0])
            query = query.where(sa.or_(c.created_at < at, sa.and_(c.created_at == at, c.job_id > after[1])))
        if status:
            query = query.where(c.status == status)
        if site:
            query = query.where(c.site_id == site)
        if text:
            query = query.where(_mentions(text))
        rows = self._connection.execute(query.order_by(c.created_at.desc(), c.job_id).limit(limit)).mappings()
        return [_listed(row) for row in rows]

    def numbers(self, team: TeamId) -> Sequence[str]:
        query = sa.select(t.job_index.c.number).join(schema.site, schema.site.c.id == t.job_index.c.site_id)
        return list(self._connection.execute(query.where(schema.site.c.team_id == team)).scalars())

    def link_site(self, token_sha256: str) -> tuple[SiteId, LinkId] | None:
        query = sa.select(t.link_index.c.site_id, t.link_index.c.link_id).where(
            t.link_index.c.token_sha256 == token_sha256
        )
        row = self._connection.execute(query).first()
        return (SiteId(row[0]), LinkId(row[1])) if row is not None else None

    def site_of_link(self, link: LinkId) -> SiteId | None:
        query = sa.select(t.link_index.c.site_id).where(t.link_index.c.link_id == link)
        return self._connection.execute(query).scalar()


def _mentions(text: str) -> sa.ColumnElement[bool]:
    """Number or site of a job, or an identity at its site."""
    job, owner = t.job_index.c, t.identity_owner.c
    at_its_site = sa.select(owner.identity).where(
        owner.site_id == job.site_id, owner.identity.icontains(text, autoescape=True)
    )
    return sa.or_(
        job.number.icontains(text, autoescape=True), job.site_name.icontains(text, autoescape=True),
        at_its_site.exists(),
    )  # fmt: skip


_decode_charge = msgspec.json.Decoder(Transaction).decode


def _stored(row: RowMapping) -> StoredOp:
    return StoredOp(
        op_id=row["op_id"], site=row["site_id"], gateway=row["gateway_id"], number=row["number"], place=row["place"],
        kind=row["kind"], entity=row["entity"], prev=row["prev"], body=row["body"], sha256=row["sha256"], at=row["at"],
        disposition=row["disposition"],
    )  # fmt: skip


def _charge(body: bytes) -> Transaction:
    return _decode_charge(body)


def _charge_row(site: SiteId, gateway: GatewayId, charge: Transaction) -> dict[str, Any]:
    return {
        "gateway_id": gateway, "id": charge.id, "site_id": site, "station": charge.station, "open": charge.open,
        "body": encode_record(charge),
    }  # fmt: skip


def _listed(row: RowMapping) -> Listed:
    return Listed(
        id=row["job_id"], number=row["number"], status=JobStatus(row["status"]), site=row["site_id"],
        site_name=row["site_name"], created_at=row["created_at"].isoformat(), charge_points=row["charge_points"],
    )  # fmt: skip


def _job_row(site: SiteId, job: Job) -> dict[str, Any]:
    return {
        "job_id": job.id, "site_id": site, "number": job.number, "status": job.status.value,
        "site_name": job.site_name, "created_at": job.created_at, "charge_points": len(job.charge_points),
    }  # fmt: skip
