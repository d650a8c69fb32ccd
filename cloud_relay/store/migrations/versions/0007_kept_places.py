"""How far the log of a site is as it was before the books were restored."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("site_log", sa.Column("kept", sa.BigInteger(), nullable=True))
