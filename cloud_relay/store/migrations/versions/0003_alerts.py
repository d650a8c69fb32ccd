"""Alerts, their rules, and leases of nodes."""

import sqlalchemy as sa
from alembic import op

from cloud_relay.store.schema import UtcTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("team_id", sa.String(length=36), nullable=False),
        sa.Column("rule", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("site_id", sa.String(length=36), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("since", UtcTime, nullable=False),
        sa.Column("opened_at", UtcTime, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("acknowledged_at", UtcTime, nullable=True),
        sa.Column("acknowledged_by", sa.String(length=254), nullable=False),
        sa.Column("closed_at", UtcTime, nullable=True),
        sa.Column("standing", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_alert_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint("standing", name=op.f("uq_alert_standing")),
    )
    op.create_index("ix_alert_team", "alert", ["team_id", "opened_at", "id"], unique=False)
    op.create_table(
        "alert_rule",
        sa.Column("team_id", sa.String(length=36), nullable=False),
        sa.Column("rule", sa.String(length=60), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("after", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_alert_rule_team_id")),
        sa.PrimaryKeyConstraint("team_id", "rule", name=op.f("pk_alert_rule")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("until", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
