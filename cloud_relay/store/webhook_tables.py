"""The tables of webhooks, as they are today. See `schema` for what holds for all tables."""

import sqlalchemy as sa

from cloud_relay.store.schema import ID, METADATA, NAME, UtcTime

webhook = sa.Table(
    "webhook", METADATA,
    sa.Column("id", ID, primary_key=True),
    sa.Column("team_id", ID, sa.ForeignKey("team.id"), nullable=False, index=True),
    sa.Column("url", sa.String(2000), nullable=False),
    sa.Column("name", NAME, nullable=False),
    sa.Column("kinds", sa.JSON, nullable=False),
    sa.Column("secret", sa.String(200), nullable=False),  # sealed: it must be read again to sign with
    sa.Column("created_by", sa.String(254), nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("failing_since", UtcTime), sa.Column("paused_at", UtcTime),
)  # fmt: skip

webhook_delivery = sa.Table(
    "webhook_delivery", METADATA,
    sa.Column("id", ID, primary_key=True),
    sa.Column("webhook_id", ID, sa.ForeignKey("webhook.id"), nullable=False),
    sa.Column("team_id", ID, sa.ForeignKey("team.id"), nullable=False),
    sa.Column("event", ID, nullable=False),
    sa.Column("kind", sa.String(60), nullable=False),
    sa.Column("created_at", UtcTime, nullable=False, index=True),
    sa.Column("since", UtcTime, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),  # waiting | delivered | given_up
    sa.Column("next_try_at", UtcTime, index=True),
    sa.Column("taken_by", sa.String(64), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("attempts", sa.JSON, nullable=False),
    sa.Index("ix_webhook_delivery_webhook", "webhook_id", "created_at", "id"),
)  # fmt: skip
"""The outbox of webhooks, and their log. Its key follows from event and endpoint: told twice, it is there once."""
