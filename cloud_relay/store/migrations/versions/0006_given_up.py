"""Rows whose team gave up the identity they name."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "identity_given_up",
        sa.Column("site_id", sa.String(length=36), nullable=False),
        sa.Column("charge_point", sa.String(length=64), nullable=False),
        sa.Column("identity", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_identity_given_up_site_id")),
        sa.PrimaryKeyConstraint("site_id", "charge_point", name=op.f("pk_identity_given_up")),
    )
