"""The tables, as they are today. `migrations` makes them; a test holds the two to each other on both databases.

Ids are UUIDs in text, times are aware UTC, what is secret is kept as a SHA-256 in hex. Start at `METADATA`.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
ID = sa.String(36)
SHA256 = sa.String(64)
NAME = sa.String(200)
EMAIL = sa.String(254)  # RFC 5321 §4.5.3.1.3, without the brackets
ADDRESS = sa.String(45)
"""Of IPv6, in text."""
COUNTING = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""A key that counts up: SQLite does so only for INTEGER."""


class UtcTime(sa.types.TypeDecorator[datetime]):
    """Aware UTC; SQLite keeps it without the offset."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without an offset cannot be kept")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _id(name: str = "id") -> sa.Column[Any]:
    return sa.Column(name, ID, primary_key=True)


def _of(name: str, target: str, *, nullable: bool = False, index: bool = True) -> sa.Column[Any]:
    return sa.Column(name, ID, sa.ForeignKey(target), nullable=nullable, index=index)


def _at(name: str, *, nullable: bool = False, index: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UtcTime, nullable=nullable, index=index)


team = sa.Table(
    "team", METADATA, _id(),
    sa.Column("name", NAME, nullable=False),
    sa.Column("name_key", NAME, nullable=False, unique=True),
    _at("created_at"),
)  # fmt: skip

user = sa.Table(
    "user", METADATA, _id(),
    sa.Column("email", EMAIL, nullable=False),
    sa.Column("email_key", EMAIL, nullable=False, unique=True),
    sa.Column("name", NAME, nullable=False),
    sa.Column("password_hash", sa.String(200)),
    sa.Column("totp_secret", sa.String(64)),
    sa.Column("totp_since", UtcTime),
    sa.Column("totp_last_step", sa.BigInteger),
    sa.Column("oidc_issuer", sa.String(500)),
    sa.Column("oidc_subject", sa.String(255)),
    _at("created_at"), _at("disabled_at", nullable=True),
    sa.UniqueConstraint("oidc_issuer", "oidc_subject"),
)  # fmt: skip

recovery_code = sa.Table(
    "recovery_code", METADATA,
    sa.Column("user_id", ID, sa.ForeignKey("user.id"), primary_key=True),
    sa.Column("code_sha256", SHA256, primary_key=True),
    _at("used_at", nullable=True),
)  # fmt: skip

member = sa.Table(
    "member", METADATA,
    sa.Column("team_id", ID, sa.ForeignKey("team.id"), primary_key=True),
    sa.Column("user_id", ID, sa.ForeignKey("user.id"), primary_key=True, index=True),
    sa.Column("role", sa.String(20), nullable=False),
    _at("since"),
)  # fmt: skip

session = sa.Table(
    "session", METADATA, _id(),
    sa.Column("secret_sha256", SHA256, nullable=False, unique=True),
    _of("user_id", "user.id"),
    _at("created_at"), _at("seen_at", index=True),
    sa.Column("awaits", sa.String(20)),  # what is still asked of whoever signs in: "totp"; null when signed in
    sa.Column("ip", ADDRESS, nullable=False),
    sa.Column("agent", sa.String(300), nullable=False),
)  # fmt: skip

api_token = sa.Table(
    "api_token", METADATA, _id(), _of("team_id", "team.id"),
    sa.Column("name", NAME, nullable=False),
    sa.Column("token_sha256", SHA256, nullable=False, unique=True),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("created_by", NAME, nullable=False),
    _at("created_at"), _at("expires_at", nullable=True), _at("last_used_at", nullable=True),
    _at("revoked_at", nullable=True),
)  # fmt: skip

invitation = sa.Table(
    "invitation", METADATA, _id(), _of("team_id", "team.id"),
    sa.Column("email", EMAIL, nullable=False),
    sa.Column("email_key", EMAIL, nullable=False, index=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("token_sha256", SHA256, nullable=False, unique=True),
    sa.Column("created_by", NAME, nullable=False),
    _at("created_at"), _at("expires_at"), _at("accepted_at", nullable=True), _at("revoked_at", nullable=True),
)  # fmt: skip

password_reset = sa.Table(
    "password_reset", METADATA, _id(), _of("user_id", "user.id"),
    sa.Column("token_sha256", SHA256, nullable=False, unique=True),
    _at("created_at"), _at("expires_at"), _at("used_at", nullable=True),
)  # fmt: skip

mail = sa.Table(
    "mail", METADATA, _id(),
    sa.Column("recipient", EMAIL, nullable=False),
    sa.Column("subject", sa.String(300), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    _at("created_at"), _at("next_try_at", nullable=True, index=True), _at("ended_at", nullable=True),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("outcome", sa.String(20)),  # sent | refused | given_up
)  # fmt: skip

site = sa.Table(
    "site", METADATA, _id(), _of("team_id", "team.id"),
    sa.Column("name", NAME, nullable=False),
    sa.Column("name_key", NAME, nullable=False),
    sa.Column("address", sa.String(500), nullable=False),
    _at("created_at"), _at("removed_at", nullable=True),
    sa.UniqueConstraint("id", "team_id"),
    sa.Index("ix_site_name_in_team", "team_id", "name_key", unique=True, sqlite_where=sa.text("removed_at IS NULL"),
             postgresql_where=sa.text("removed_at IS NULL")),
)  # fmt: skip

gateway = sa.Table(
    "gateway", METADATA, _id(), _of("team_id", "team.id"),
    sa.Column("site_id", ID, nullable=False, index=True),
    sa.Column("name", NAME, nullable=False),
    sa.Column("claim_sha256", SHA256, unique=True),
    _at("claim_expires_at", nullable=True),
    sa.Column("device_key", sa.Text),
    _at("created_at"), _at("enrolled_at", nullable=True), _at("revoked_at", nullable=True),
    _of("replaced_by", "gateway.id", nullable=True),
    _at("last_seen_at", nullable=True),
    sa.ForeignKeyConstraint(["site_id", "team_id"], ["site.id", "site.team_id"]),
)  # fmt: skip

kept_answer = sa.Table(
    "kept_answer", METADATA,
    sa.Column("team_id", sa.String(36), sa.ForeignKey("team.id"), primary_key=True),
    sa.Column("key", SHA256, primary_key=True),
    sa.Column("request", SHA256, nullable=False),
    _at("at", index=True),
    sa.Column("status", sa.Integer),
    sa.Column("sealed", sa.Text, nullable=False),
)  # fmt: skip
"""Answers to programs that may ask again with the same key."""

announced = sa.Table(
    "announced", METADATA,
    sa.Column("device_key", sa.String(64), primary_key=True),
    sa.Column("code_sha256", SHA256, nullable=False, unique=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("software", sa.String(64), nullable=False),
    _at("at"), _at("expires_at", index=True),
    _of("gateway_id", "gateway.id", nullable=True, index=False),
)  # fmt: skip
"""Boxes that show a code, until somebody types it or it ends."""

audit = sa.Table(
    "audit", METADATA,
    sa.Column("seq", COUNTING, primary_key=True, autoincrement=True),
    _of("team_id", "team.id", nullable=True, index=False),
    _at("at"),
    sa.Column("actor_kind", sa.String(20), nullable=False),
    sa.Column("actor_id", sa.String(64), nullable=False),
    sa.Column("actor_name", sa.String(254), nullable=False),
    sa.Column("ip", ADDRESS, nullable=False),
    sa.Column("kind", sa.String(60), nullable=False),
    sa.Column("target_kind", sa.String(40), nullable=False),
    sa.Column("target_id", sa.String(64), nullable=False),
    sa.Column("target_name", sa.String(254), nullable=False),
    sa.Column("before", sa.JSON, nullable=False),
    sa.Column("after", sa.JSON, nullable=False),
    sa.Index("ix_audit_team_id_seq", "team_id", "seq"),
)  # fmt: skip
"""Only ever added to: triggers of `migrations` refuse anything else."""

idempotency = sa.Table(
    "idempotency", METADATA,
    sa.Column("token_id", ID, sa.ForeignKey("api_token.id"), primary_key=True),
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("request_sha256", SHA256, nullable=False),
    _at("created_at", index=True),
    sa.Column("status", sa.Integer),
    sa.Column("answer", sa.LargeBinary),
)  # fmt: skip

kept_secret = sa.Table(
    "kept_secret", METADATA,
    sa.Column("name", sa.String(60), primary_key=True),
    sa.Column("value", sa.String(200), nullable=False),
)  # fmt: skip
"""What every node of this cloud must know and nobody else: the key sessions of job links are signed with."""
