"""The tables of alerts, and of leases, as they are today. See `schema` for what holds for all tables."""

import sqlalchemy as sa

from cloud_relay.store.schema import ID, METADATA, NAME, UtcTime

alert = sa.Table(
    "alert", METADATA,
    sa.Column("id", ID, primary_key=True),
    sa.Column("team_id", ID, sa.ForeignKey("team.id"), nullable=False),
    sa.Column("rule", sa.String(60), nullable=False),
    sa.Column("subject", sa.String(200), nullable=False),
    sa.Column("name", NAME, nullable=False),
    sa.Column("site_id", ID),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Column("since", UtcTime, nullable=False),
    sa.Column("opened_at", UtcTime, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),  # open | acknowledged | closed
    sa.Column("acknowledged_at", UtcTime),
    sa.Column("acknowledged_by", sa.String(254), nullable=False),
    sa.Column("closed_at", UtcTime),
    sa.Column("standing", sa.String(300), unique=True),
    sa.Index("ix_alert_team", "team_id", "opened_at", "id"),
)  # fmt: skip
"""`standing` names team, rule and subject while it is not closed: of these there is one at most."""

alert_rule = sa.Table(
    "alert_rule", METADATA,
    sa.Column("team_id", ID, sa.ForeignKey("team.id"), primary_key=True),
    sa.Column("rule", sa.String(60), primary_key=True),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("after", sa.Integer),
)  # fmt: skip
"""What a team has changed; a rule without a row is as usual."""

lease = sa.Table(
    "lease", METADATA,
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("holder", sa.String(64), nullable=False),
    sa.Column("until", UtcTime, nullable=False),
)  # fmt: skip
