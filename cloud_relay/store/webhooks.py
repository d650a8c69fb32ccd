"""Webhooks in SQL: see `cloud_relay.fleet.webhook_ports`. No rules stand here."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from cloud_relay.fleet.ids import DeliveryId, TeamId, WebhookId
from cloud_relay.fleet.webhook_records import TEST, Attempt, Delivery, DeliveryState, Webhook
from cloud_relay.store import webhook_tables as t
from cloud_relay.store.statements import insert_or_ignore


class SqlWebhooks:
    """See `Webhooks`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # ---- endpoints ----

    def add(self, webhook: Webhook) -> None:
        self._connection.execute(sa.insert(t.webhook), _webhook_row(webhook))

    def put(self, webhook: Webhook) -> None:
        self._connection.execute(sa.update(t.webhook).where(t.webhook.c.id == webhook.id), _webhook_row(webhook))

    def remove(self, id_: WebhookId) -> None:
        self._connection.execute(sa.delete(t.webhook_delivery).where(t.webhook_delivery.c.webhook_id == id_))
        self._connection.execute(sa.delete(t.webhook).where(t.webhook.c.id == id_))

    def of(self, team: TeamId, id_: WebhookId) -> Webhook | None:
        found = self._webhooks(t.webhook.c.team_id == team, t.webhook.c.id == id_)
        return found[0] if found else None

    def with_id(self, id_: WebhookId) -> Webhook | None:
        found = self._webhooks(t.webhook.c.id == id_)
        return found[0] if found else None

    def of_team(self, team: TeamId) -> Sequence[Webhook]:
        return self._webhooks(t.webhook.c.team_id == team)

    def listening(self, team: TeamId) -> Sequence[Webhook]:
        return self._webhooks(t.webhook.c.team_id == team, *_listens())

    def _webhooks(self, *conditions: sa.ColumnElement[bool]) -> list[Webhook]:
        query = sa.select(t.webhook).where(*conditions).order_by(t.webhook.c.created_at, t.webhook.c.id)
        return [_webhook(row) for row in self._connection.execute(query).mappings()]

    # ---- deliveries ----

    def deliver(self, deliveries: Sequence[Delivery]) -> int:
        return insert_or_ignore(
            self._connection, t.webhook_delivery, ["id"], [_delivery_row(each) for each in deliveries]
        )

    def put_delivery(self, delivery: Delivery) -> None:
        c = t.webhook_delivery.c
        self._connection.execute(sa.update(t.webhook_delivery).where(c.id == delivery.id), _delivery_row(delivery))

    def delivery(self, webhook: WebhookId, id_: DeliveryId) -> Delivery | None:
        c = t.webhook_delivery.c
        query = sa.select(t.webhook_delivery).where(c.webhook_id == webhook, c.id == id_)
        row = self._connection.execute(query).mappings().first()
        return _delivery(row) if row is not None else None

    def deliveries(
        self, webhook: WebhookId, *, before: tuple[str, str] | None, limit: int, state: str = ""
    ) -> Sequence[Delivery]:
        c = t.webhook_delivery.c
        query = sa.select(t.webhook_delivery).where(c.webhook_id == webhook)
        if before is not None:
            at = datetime.fromisoformat(before[0])
            query = query.where(sa.or_(c.created_at < at, sa.and_(c.created_at == at, c.id > before[1])))
        if state:
            query = query.where(c.state == state)
        rows = self._connection.execute(query.order_by(c.created_at.desc(), c.id).limit(limit)).mappings()
        return [_delivery(row) for row in rows]

    def is_due(self, now: datetime) -> bool:
        c = t.webhook_delivery.c
        query = sa.select(c.id).join(t.webhook, t.webhook.c.id == c.webhook_id).where(c.next_try_at <= now, _goes_out())
        return self._connection.execute(query.limit(1)).first() is not None

    def due(self, now: datetime, *, limit: int, of_each: int, but: Collection[WebhookId] = ()) -> Sequence[Delivery]:
        c = t.webhook_delivery.c
        place = sa.func.row_number().over(partition_by=c.webhook_id, order_by=(c.next_try_at, c.id)).label("place")
        waiting = (
            sa.select(c.id, place)
            .join(t.webhook, t.webhook.c.id == c.webhook_id)
            .where(c.next_try_at <= now, _goes_out(), c.webhook_id.not_in(list(but)))
            .subquery()
        )
        wanted = sa.select(waiting.c.id).where(waiting.c.place <= of_each)
        query = sa.select(t.webhook_delivery).where(c.id.in_(wanted)).order_by(c.next_try_at, c.id).limit(limit)
        rows = self._connection.execute(query.with_for_update(skip_locked=True)).mappings()
        return [_delivery(row) for row in rows]

    def forget_before(self, created_at: datetime) -> None:
        self._connection.execute(sa.delete(t.webhook_delivery).where(t.webhook_delivery.c.created_at < created_at))


def _listens() -> tuple[sa.ColumnElement[bool], ...]:
    return t.webhook.c.enabled.is_(True), t.webhook.c.paused_at.is_(None)


def _goes_out() -> sa.ColumnElement[bool]:
    return sa.or_(t.webhook_delivery.c.kind == TEST, sa.and_(*_listens()))


def _webhook(row: RowMapping) -> Webhook:
    values = {name: row[name] for name in Webhook.__struct_fields__ if name not in ("team", "kinds")}
    return Webhook(team=row["team_id"], kinds=frozenset(row["kinds"]), **values)


def _webhook_row(webhook: Webhook) -> dict[str, object]:
    values = msgspec.structs.asdict(webhook)
    return {"team_id": values.pop("team"), **values, "kinds": sorted(webhook.kinds)}


def _delivery(row: RowMapping) -> Delivery:
    named = ("webhook", "team", "state", "attempts")
    values = {name: row[name] for name in Delivery.__struct_fields__ if name not in named}
    return Delivery(
        webhook=row["webhook_id"], team=row["team_id"], state=DeliveryState(row["state"]),
        attempts=tuple(msgspec.convert(each, Attempt) for each in row["attempts"]), **values,
    )  # fmt: skip


def _delivery_row(delivery: Delivery) -> dict[str, object]:
    values = msgspec.structs.asdict(delivery)
    return {
        "webhook_id": values.pop("webhook"), "team_id": values.pop("team"), **values, "state": delivery.state.value,
        "attempts": [msgspec.to_builtins(each) for each in delivery.attempts],
    }  # fmt: skip
