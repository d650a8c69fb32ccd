"""What the books hold, as frozen records. Times are aware UTC; a time that is None has not come."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from cloud_relay.fleet.ids import GatewayId, InvitationId, SessionId, SiteId, TeamId, TokenId, UserId
from cloud_relay.fleet.roles import Role


class Team(msgspec.Struct, frozen=True):
    id: TeamId
    name: str
    created_at: datetime


class User(msgspec.Struct, frozen=True):
    """`password_hash`: Argon2id, None for who signs in elsewhere. `totp_since`: when the second factor was proved."""

    id: UserId
    email: str
    name: str
    created_at: datetime
    password_hash: str | None = None
    totp_secret: str | None = None
    totp_since: datetime | None = None
    totp_last_step: int | None = None
    oidc_issuer: str | None = None
    oidc_subject: str | None = None
    disabled_at: datetime | None = None


class Member(msgspec.Struct, frozen=True):
    team: Team
    user: User
    role: Role
    since: datetime


class Session(msgspec.Struct, frozen=True):
    """A browser. `awaits`: what is still asked of whoever signs in ("totp"); None when signed in."""

    id: SessionId
    user: UserId
    created_at: datetime
    seen_at: datetime
    awaits: str | None
    ip: str
    agent: str


class ApiToken(msgspec.Struct, frozen=True):
    id: TokenId
    team: TeamId
    name: str
    scopes: frozenset[str]
    created_by: str
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class Invitation(msgspec.Struct, frozen=True):
    id: InvitationId
    team: TeamId
    email: str
    role: Role
    created_by: str
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None = None
    revoked_at: datetime | None = None


class PasswordReset(msgspec.Struct, frozen=True):
    id: str
    user: UserId
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


class Site(msgspec.Struct, frozen=True):
    id: SiteId
    team: TeamId
    name: str
    address: str
    created_at: datetime
    removed_at: datetime | None = None


class Gateway(msgspec.Struct, frozen=True):
    """A box. `claim_expires_at`: until when its claim code enrols; `device_key`: what it signs with once it has."""

    id: GatewayId
    team: TeamId
    site: SiteId
    name: str
    created_at: datetime
    claim_expires_at: datetime | None = None
    device_key: str | None = None
    enrolled_at: datetime | None = None
    revoked_at: datetime | None = None
    replaced_by: GatewayId | None = None
    last_seen_at: datetime | None = None


class Announced(msgspec.Struct, frozen=True):
    """A box that shows a code. `name` and `software`: what it says of itself. `gateway`: what it was claimed as."""

    device_key: str
    code_sha256: str
    name: str
    software: str
    at: datetime
    expires_at: datetime
    gateway: GatewayId | None = None


class KeptAnswer(msgspec.Struct, frozen=True):
    """What a program's request under a key of its own came to. `key` and `request`: SHA-256, of the key and of all that
    was asked. `status` None: it has not come to its end, or its node broke off.
    """

    team: TeamId
    key: str
    request: str
    at: datetime
    status: int | None = None
    sealed: str = ""
    """The answer's body."""


class AuditEntry(msgspec.Struct, frozen=True):
    """Something that somebody did. `before` and `after` hold what changed, never a secret."""

    at: datetime
    team: TeamId | None
    actor_kind: str
    actor_id: str
    actor_name: str
    ip: str
    kind: str
    target_kind: str
    target_id: str
    target_name: str
    before: Mapping[str, Any] = {}
    after: Mapping[str, Any] = {}
    seq: int = 0
    """Its place in the log; 0 until it is written."""


class Mail(msgspec.Struct, frozen=True):
    """A letter on its way. `outcome`: sent, refused, given_up; None while it is tried."""

    id: str
    recipient: str
    subject: str
    body: str
    created_at: datetime
    next_try_at: datetime | None = None
    tries: int = 0
    ended_at: datetime | None = None
    outcome: str | None = None
