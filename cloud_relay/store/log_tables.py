"""The tables of sites' logs, as they are today. Start at `op`. See `schema` for what holds for all tables."""

import sqlalchemy as sa

from cloud_relay.store.schema import COUNTING, ID, METADATA, SHA256, UtcTime

IDENTITY = sa.String(200)
"""As compared; folding can make it longer than what was typed."""
KEY = sa.String(260)
OP_ID = sa.String(64)

box_link = sa.Table(
    "box_link", METADATA,
    sa.Column("gateway_id", ID, sa.ForeignKey("gateway.id"), primary_key=True),
    sa.Column("site_id", ID, nullable=False, index=True),
    sa.Column("team_id", ID, nullable=False, index=True),
    sa.Column("stream", sa.String(64)),
    sa.Column("taken", sa.BigInteger, nullable=False),
    sa.Column("written", sa.BigInteger, nullable=False),
    sa.Column("tip", OP_ID),
    sa.Column("cursor", sa.BigInteger, nullable=False),
    sa.Column("node", sa.String(64), nullable=False),
    sa.Column("software", sa.String(64), nullable=False),
    sa.Column("connected_at", UtcTime), sa.Column("seen_at", UtcTime), sa.Column("quarantined_at", UtcTime),
    sa.Column("left_at", UtcTime),
    sa.Column("boots", sa.JSON, nullable=False), sa.Column("fences", sa.JSON, nullable=False),
    sa.Column("alarm", sa.String(20)),
    sa.Column("barred", sa.JSON), sa.Column("late_since", UtcTime),
)  # fmt: skip

site_log = sa.Table(
    "site_log", METADATA,
    sa.Column("site_id", ID, sa.ForeignKey("site.id"), primary_key=True),
    sa.Column("place", sa.BigInteger, nullable=False),
    sa.Column("kept", sa.BigInteger),
)  # fmt: skip
"""The end of each site's log; whoever adds to it holds its row. `kept`: its lowest end at a restore of the books."""

op = sa.Table(
    "op", METADATA,
    sa.Column("id", COUNTING, primary_key=True, autoincrement=True),
    sa.Column("site_id", ID, sa.ForeignKey("site.id"), nullable=False),
    sa.Column("op_id", OP_ID, nullable=False),
    sa.Column("gateway_id", ID),
    sa.Column("number", sa.BigInteger),
    sa.Column("place", sa.BigInteger),
    sa.Column("kind", sa.String(60), nullable=False),
    sa.Column("entity", KEY, nullable=False),
    sa.Column("prev", OP_ID),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("sha256", sa.LargeBinary(32), nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("disposition", sa.String(20), nullable=False),
    sa.UniqueConstraint("site_id", "op_id"),
    sa.UniqueConstraint("site_id", "place"),
    sa.UniqueConstraint("gateway_id", "number"),
    sa.Index("ix_op_gateway_prev", "gateway_id", "prev"),
    sa.Index("ix_op_site_entity", "site_id", "entity", "id"),
)  # fmt: skip

record = sa.Table(
    "record", METADATA,
    sa.Column("id", COUNTING, primary_key=True, autoincrement=True),
    sa.Column("site_id", ID, sa.ForeignKey("site.id"), nullable=False),
    sa.Column("gateway_id", sa.String(36), nullable=False),  # "" for what all write
    sa.Column("key", KEY, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("site_id", "gateway_id", "key"),
)  # fmt: skip

job_index = sa.Table(
    "job_index", METADATA,
    sa.Column("job_id", sa.String(64), primary_key=True),
    sa.Column("site_id", ID, sa.ForeignKey("site.id"), primary_key=True, index=True),
    sa.Column("number", sa.String(40), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("site_name", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("charge_points", sa.Integer, nullable=False),
)  # fmt: skip
"""What lists of jobs show, kept beside their records."""

link_index = sa.Table(
    "link_index", METADATA,
    sa.Column("token_sha256", SHA256, primary_key=True),
    sa.Column("site_id", ID, sa.ForeignKey("site.id"), primary_key=True),
    sa.Column("link_id", sa.String(64), nullable=False, index=True),
)  # fmt: skip

charge = sa.Table(
    "charge", METADATA,
    sa.Column("gateway_id", ID, primary_key=True),
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("site_id", ID, sa.ForeignKey("site.id"), nullable=False),
    sa.Column("station", IDENTITY, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Index("ix_charge_station", "site_id", "station", "id"),
    sa.Index("ix_charge_open", "gateway_id", "open"),
)  # fmt: skip
"""Charging transactions."""

telemetry = sa.Table(
    "telemetry", METADATA,
    sa.Column("site_id", ID, sa.ForeignKey("site.id"), primary_key=True),
    sa.Column("op_id", OP_ID, primary_key=True),
    sa.Column("gateway_id", ID, nullable=False),
    sa.Column("station", IDENTITY, nullable=False),
    sa.Column("connector", sa.Integer, nullable=False),
    sa.Column("transaction_id", sa.BigInteger),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Index("ix_telemetry_station_at", "site_id", "station", "at"),
)  # fmt: skip

quarantine = sa.Table(
    "quarantine", METADATA,
    sa.Column("id", COUNTING, primary_key=True, autoincrement=True),
    sa.Column("site_id", ID, sa.ForeignKey("site.id"), nullable=False, index=True),
    sa.Column("gateway_id", ID, nullable=False),
    sa.Column("op_id", OP_ID, nullable=False),
    sa.Column("reason", sa.String(40), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
)  # fmt: skip

identity_owner = sa.Table(
    "identity_owner", METADATA,
    sa.Column("identity", IDENTITY, primary_key=True),
    sa.Column("team_id", ID, sa.ForeignKey("team.id"), nullable=False, index=True),
    sa.Column("site_id", ID, sa.ForeignKey("site.id"), nullable=False),
    sa.Column("charge_point", sa.String(64), nullable=False),
    sa.Column("since", UtcTime, nullable=False),
    sa.Index("ix_identity_owner_charge_point", "site_id", "charge_point"),
)  # fmt: skip

identity_wanted = sa.Table(
    "identity_wanted", METADATA,
    sa.Column("identity", IDENTITY, primary_key=True),
    sa.Column("site_id", ID, sa.ForeignKey("site.id"), primary_key=True),
    sa.Column("charge_point", sa.String(64), primary_key=True),
)  # fmt: skip
"""Rows that name an identity of another team's."""

identity_given_up = sa.Table(
    "identity_given_up", METADATA,
    sa.Column("site_id", ID, sa.ForeignKey("site.id"), primary_key=True),
    sa.Column("charge_point", sa.String(64), primary_key=True),
    sa.Column("identity", IDENTITY, nullable=False),
)  # fmt: skip
"""Rows that name an identity and do not count for it: their team gave it up."""

activation = sa.Table(
    "activation", METADATA,
    sa.Column("site_id", ID, sa.ForeignKey("site.id"), primary_key=True),
    sa.Column("job_id", sa.String(64), primary_key=True),
    sa.Column("charge_point", sa.String(64), primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
)  # fmt: skip
"""Once a charge point and round."""
