"""Boxes that show a code until somebody types it, and what a replaced or copied box may still do."""

import sqlalchemy as sa
from alembic import op

from cloud_relay.store.schema import UtcTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "announced",
        sa.Column("device_key", sa.String(length=64), nullable=False),
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("software", sa.String(length=64), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.Column("gateway_id", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name=op.f("fk_announced_gateway_id")),
        sa.PrimaryKeyConstraint("device_key", name=op.f("pk_announced")),
        sa.UniqueConstraint("code_sha256", name=op.f("uq_announced_code_sha256")),
    )
    op.create_index(op.f("ix_announced_expires_at"), "announced", ["expires_at"])
    op.add_column("box_link", sa.Column("barred", sa.JSON(), nullable=True))
    op.add_column("box_link", sa.Column("late_since", UtcTime(), nullable=True))
