"""What the core needs of the books about sites' logs. Start at `SiteLogs`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from cloud_relay.fleet.ids import GatewayId, SiteId, TeamId
from cloud_relay.fleet.log_records import (
    Activation,
    BoxLink,
    Enrolled,
    KnownOp,
    Listed,
    Measured,
    Owner,
    Place,
    Quarantined,
    StoredOp,
    Wanting,
)
from sitelink.ids import ChargePointId, JobId, LinkId, OpId, TransactionId
from sitelink.model import Entity, Transaction


class SiteLogs(Protocol):
    """The ops of all sites, and what they come to. Records of a site that all write have no gateway."""

    def end(self, site: SiteId) -> int:
        """The newest place of its log; it stays so until the transaction ends. 0: nothing was written yet."""
        ...

    def ends(self, team: TeamId) -> Mapping[SiteId, int]:
        """Of all sites of a team to which something was written."""
        ...

    def move_end(self, site: SiteId, place: int) -> None: ...
    def kept(self, site: SiteId) -> int:
        """The place up to which its log is as it was before any restore of the books. 0 where there was none."""
        ...

    def keep_ends(self) -> None:
        """The books were restored: what comes now is beyond what boxes may know."""
        ...

    def known(self, site: SiteId, ids: Collection[OpId]) -> Mapping[OpId, KnownOp]: ...
    def followed(self, gateway: GatewayId, ids: Collection[OpId]) -> set[OpId]:
        """Those of `ids` that an op of the gateway names as the one before it."""
        ...

    def add(self, ops: Sequence[StoredOp]) -> None: ...
    def after(self, site: SiteId, place: int, limit: int) -> Sequence[StoredOp]:
        """The site's log, in order."""
        ...

    def changed_after(self, site: SiteId, place: int, prefix: str) -> set[str]:
        """Entities whose key begins with `prefix` that the log is about beyond a place."""
        ...

    def of_gateway(self, gateway: GatewayId, after: int, limit: int) -> Sequence[StoredOp]:
        """What a box wrote, in its order."""
        ...

    def about(self, site: SiteId, entity: str, kinds: Collection[str], limit: int) -> Sequence[StoredOp]:
        """Newest first; no kinds: all."""
        ...

    def quarantine(self, what: Quarantined) -> None: ...
    def quarantined(self, site: SiteId, limit: int) -> Sequence[Quarantined]: ...

    def records(self, site: SiteId, gateway: GatewayId | None) -> Sequence[Entity]:
        """In the order in which they first came; of what grows for ever only the newest."""
        ...

    def put(self, site: SiteId, gateway: GatewayId | None, puts: Sequence[Entity], drops: Collection[str]) -> None: ...
    def transaction(self, gateway: GatewayId, id_: TransactionId) -> Transaction | None: ...
    def transactions(
        self, site: SiteId, station: str, limit: int, before: TransactionId | None = None
    ) -> Sequence[Transaction]:
        """Newest first, those before `before`."""
        ...

    def measure(self, rows: Sequence[Measured]) -> int:
        """Add those that are not there; how many."""
        ...

    def measured(
        self, site: SiteId, station: str, since: datetime, until: datetime, limit: int, transaction: int | None = None
    ) -> Sequence[Measured]:
        """Oldest first."""
        ...

    def job_site(self, team: TeamId, job: JobId) -> SiteId | None: ...
    def jobs(
        self, team: TeamId, *, after: tuple[str, str] | None, limit: int, status: str = "", site: str = "",
        text: str = "",
    ) -> Sequence[Listed]:  # fmt: skip
        """Newest first, those behind (created_at, id). `text`: a part of its number, its site's name, or an identity
        at its site, without regard to case."""
        ...

    def numbers(self, team: TeamId) -> Sequence[str]:
        """Of all its jobs."""
        ...

    def link_site(self, token_sha256: str) -> tuple[SiteId, LinkId] | None:
        """Where a link of this token belongs."""
        ...

    def site_of_link(self, link: LinkId) -> SiteId | None: ...


class BoxLinks(Protocol):
    """How gateways' links stand."""

    def of(self, gateway: GatewayId) -> BoxLink | None:
        """It stays so until the transaction ends."""
        ...

    def put(self, link: BoxLink) -> None: ...
    def enrolled(self, gateway: GatewayId) -> Enrolled | None: ...
    def places(self, sites: Sequence[SiteId]) -> Sequence[Place]: ...
    def of_site(self, site: SiteId) -> Sequence[BoxLink]: ...
    def of_team(self, team: TeamId) -> Sequence[BoxLink]: ...
    def of_node(self, node: str) -> Sequence[BoxLink]: ...
    def nodes(self) -> Sequence[str]:
        """Those that hold links which did not end."""
        ...


class Identities(Protocol):
    """Whose identities are, and what went live."""

    def owner(self, identity: str) -> Owner | None: ...
    def claim(self, owner: Owner) -> None: ...
    def release(self, identity: str) -> None: ...
    def claimed_by(self, site: SiteId, charge_point: ChargePointId) -> Sequence[str]: ...
    def wait(self, identity: str, site: SiteId, charge_point: ChargePointId, *, waits: bool) -> None:
        """A row names an identity that is another team's, or does so no more."""
        ...

    def waiting(self, identity: str) -> Sequence[SiteId]: ...
    def wanted_by(self, identity: str) -> Sequence[Wanting]:
        """Rows of other teams that name it, in the order in which they would have it."""
        ...

    def give_up(self, identity: str, site: SiteId, charge_point: ChargePointId) -> None:
        """The row names it and does not count for it, until it names another or takes it back."""
        ...

    def given_up(self, site: SiteId, charge_point: ChargePointId) -> str | None: ...
    def take_back(self, site: SiteId, charge_point: ChargePointId) -> None: ...
    def owned(self, team_id: TeamId, limit: int) -> Sequence[Owner]: ...
    def activate(self, activation: Activation) -> bool:
        """False: this charge point went live in this round before, and nothing is changed."""
        ...

    def settle(self, activation: Activation) -> None:
        """Somebody decided about one that was held or refused."""
        ...

    def activations(self, site: SiteId, job: JobId) -> Sequence[Activation]: ...
