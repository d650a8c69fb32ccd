"""What the books hold of sites' logs and of the boxes that write them, as frozen records."""

from datetime import datetime
from typing import Any

import msgspec

from cloud_relay.fleet.ids import GatewayId, SiteId, TeamId
from sitelink.ids import ChargePointId, JobId, OpId
from sitelink.model import SiteState
from sitelink.states import JobStatus


class Place(msgspec.Struct, frozen=True):
    """Whose site."""

    team: TeamId
    team_name: str
    site: SiteId


class BoxLink(msgspec.Struct, frozen=True):
    """How a gateway's link stands. `stream` is the only live one; `taken` its last number that is stored.

    `written`: how many ops of the gateway there are in all; `tip` the last of them. `cursor`: up to which place of the
    site's log the box has it. `fences`: when it came back
    to an earlier boot lately, newest last: two boxes with one disk.
    """

    gateway: GatewayId
    site: SiteId
    team: TeamId
    stream: str | None = None
    taken: int = 0
    written: int = 0
    tip: OpId | None = None
    cursor: int = 0
    node: str = ""
    software: str = ""
    connected_at: datetime | None = None
    seen_at: datetime | None = None
    boots: tuple[str, ...] = ()
    """The boots its last Hellos came from, each once for each time it changed, newest last."""
    fences: tuple[datetime, ...] = ()
    quarantined_at: datetime | None = None
    alarm: str | None = None
    """restored, cloned: what its history betrays. An operator takes it away."""
    left_at: datetime | None = None
    """Since when it is offline; None: it is connected, or never was."""
    barred: tuple[str, ...] = ()
    """Boots of a copy of its disk that an operator did not choose."""
    late_since: datetime | None = None
    """It was replaced, and came since to hand over what it still has."""


class Enrolled(msgspec.Struct, frozen=True):
    """A gateway, whose it is, and what its device key is: a raw Ed25519 public key in base64."""

    gateway: GatewayId
    name: str
    team: TeamId
    team_name: str
    site: SiteId
    site_name: str
    device_key: str | None
    revoked_at: datetime | None
    replaced_by: GatewayId | None


class Listed(msgspec.Struct, frozen=True):
    """A line of a list of jobs."""

    id: JobId
    number: str
    status: JobStatus
    site: str
    site_name: str
    created_at: str
    charge_points: int


class KnownOp(msgspec.Struct, frozen=True):
    """An op that is in the books already. `place` in the site's log, None for what only the box writes."""

    op_id: OpId
    sha256: bytes
    place: int | None
    gateway: GatewayId | None


class StoredOp(msgspec.Struct, frozen=True):
    """A row of the log. `gateway` and `number` (of its ops, without gaps) are None for what the cloud wrote."""

    op_id: OpId
    site: SiteId
    gateway: GatewayId | None
    number: int | None
    place: int | None
    kind: str
    entity: str
    prev: OpId | None
    body: bytes
    sha256: bytes
    at: datetime
    disposition: str = "applied"


class Measured(msgspec.Struct, frozen=True):
    """A row of telemetry. `station`: of a meter's values its job and name, the connector being 0."""

    op_id: OpId
    site: SiteId
    gateway: GatewayId
    station: str
    connector: int
    transaction: int | None
    at: datetime
    body: bytes


class Quarantined(msgspec.Struct, frozen=True):
    """What was sent and could not be taken in; kept, and shown to an operator."""

    site: SiteId
    gateway: GatewayId
    op_id: str
    reason: str
    body: bytes
    at: datetime


class Wanting(msgspec.Struct, frozen=True):
    """A row that names an identity of another team's."""

    team: TeamId
    team_name: str
    site: SiteId
    charge_point: ChargePointId


class Owner(msgspec.Struct, frozen=True):
    """Whose an identity is, in all the cloud."""

    identity: str
    team: TeamId
    team_name: str
    site: SiteId
    charge_point: ChargePointId
    since: datetime


class Activation(msgspec.Struct, frozen=True):
    """A charge point went live by a completion: once a round. state: registered, refused, held."""

    site: SiteId
    job: JobId
    charge_point: ChargePointId
    round: int
    state: str
    at: datetime
    detail: dict[str, Any] = {}


class Version(msgspec.Struct, frozen=True):
    """What a site's records were folded from: the end of its log, and how much of the gateway's."""

    place: int
    written: int


class Held(msgspec.Struct, frozen=True):
    """The records of a site, with those of one gateway, as of a version. Whoever changes them makes a copy."""

    version: Version
    state: SiteState
