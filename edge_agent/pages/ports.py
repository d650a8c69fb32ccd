"""What the box's own API needs from the core, beside `web_ui.ports.Jobs`. Start at `Admin`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from edge_agent.site.local_lists import ListView
from edge_agent.site.measured import Measured
from edge_agent.site.ports import CloudStatus
from sitelink.commands import CertificateHash, OrderAnswer, RootUse
from sitelink.id_token_rules import TokenEntry
from sitelink.ids import ChargePointId, LinkId, StationKey
from sitelink.model import IdToken, Link
from sitelink.ops import Author
from sitelink.security import IssuedCertificate, Signing
from web_ui.ports import Jobs, SecurityLog


class Admin(Jobs, Protocol):
    """The operator's part on a box; `edge_agent.site.jobs.JobService` is one."""

    def is_admin_token(self, token: str) -> bool:
        """Whether this is a token of the box that was not revoked; every known one is compared."""
        ...

    def admin_link_of_token(self, token: str) -> Link | None:
        """What stands behind such a token; None as above."""
        ...

    def admin_link(self, link: LinkId) -> Link | None:
        """By its id, while it is good. None: it is a job's, was revoked, or never was."""
        ...

    async def set_activity(
        self, rows: Iterable[ChargePointId], *, active: bool | None = None, maintenance: bool | None = None
    ) -> int:
        """How many rows changed. Raises ChargeActive, NotFound."""
        ...

    async def set_test_token(self, station: StationKey, test_token: str | None) -> None:
        """What the installer's test uses at this station; None: the job's token. Raises IdTokenInvalid, NotFound."""
        ...


class Security(SecurityLog, Protocol):
    """Passwords, keys and pairing; `edge_agent.site.security_service.SecurityService` is one."""

    async def set_password(self, station: StationKey, password: str, author: Author) -> None:
        """Raises PasswordInvalid."""
        ...

    async def remove_password(self, station: StationKey, author: Author) -> None: ...

    async def let_user_differ(self, station: StationKey, author: Author, *, may_differ: bool) -> None: ...

    async def pair_anew(self, station: StationKey, author: Author) -> None: ...

    async def push_key(self, station: StationKey, author: Author) -> None:
        """Raises StationOffline, KeyUnderway."""
        ...

    async def log(self, limit: int, before: int | None) -> Sequence[Mapping[str, Any]]:
        """The security log, newest first: {"seq", "at", "kind", "about", "by", "detail"}."""
        ...


class Certificates(Protocol):
    """Certificates of charge points; `edge_agent.site.certificate_service.CertificateService` is one.

    What asks a charge point raises StationOffline and NoAnswer.
    """

    def requests(self) -> Sequence[tuple[StationKey, Signing]]: ...

    def issued(self) -> Sequence[IssuedCertificate]: ...

    async def upload(self, station: StationKey, chain: str, author: Author) -> OrderAnswer:
        """Raises NotFound, CertificateInvalid."""
        ...

    async def revoke(self, serial: str, author: Author) -> IssuedCertificate:
        """Raises NotFound."""
        ...

    async def ask_for_request(self, station: StationKey) -> OrderAnswer: ...

    async def install_root(self, station: StationKey, certificate: str | None, use: RootUse) -> OrderAnswer: ...

    async def roots(self, station: StationKey, use: RootUse) -> OrderAnswer: ...

    async def delete_root(self, station: StationKey, certificate: CertificateHash) -> OrderAnswer: ...


class IdTokens(Protocol):
    """The site's list of id tokens; `edge_agent.site.id_tokens.AllowList` is one."""

    def page(self, limit: int, after: str | None = None) -> tuple[Sequence[IdToken], int]:
        """In the order of their keys, those above `after`; and how many there are in all."""
        ...

    def find(self, id_token: str) -> IdToken:
        """Raises NotFound."""
        ...

    async def put(self, entry: TokenEntry) -> IdToken:
        """Raises IdTokenInvalid."""
        ...

    async def remove(self, id_token: str) -> None:
        """Raises NotFound."""
        ...

    async def read_table(self, text: str, *, replace: bool) -> Mapping[str, Any]:
        """CSV, whole or not at all: {"listed", "unchanged", "removed", "total"}, and "unknown_charge_points" where it
        names some. Raises IdTokenListInvalid."""
        ...

    def table(self) -> str:
        """All of them as CSV."""
        ...


class Lists(Protocol):
    """The lists of id tokens that stations hold; `edge_agent.site.local_lists.LocalLists` is one."""

    def view(self, station: StationKey) -> ListView | None:
        """None where nothing was ever sent."""
        ...

    async def bring_up_to_date(self, station: StationKey, *, full: bool = False, clear_cache: bool = False) -> None:
        """Raises StationOffline, NoAnswer, StoreUnavailable."""
        ...


class Cloud(Protocol):
    """The link to the cloud; `edge_agent.relay.desk.CloudDesk` is one."""

    async def status(self) -> CloudStatus:
        """Raises StoreUnavailable."""
        ...


class Figures(msgspec.Struct, frozen=True):
    """`trouble`: why nothing can be saved, a code. `ocpp`: totals since the start, by what happened."""

    version: str
    seq: int
    trouble: str | None
    salvaged: bool
    disk_free_bytes: int | None
    charge_points_known: int
    charge_points_connected: int
    jobs_open: int
    ocpp: Mapping[str, int]
    relay_connected: bool | None = None
    """None: there is no cloud to go to."""
    relay_backlog: int = 0
    relay_attempts: int = 0
    measured: Sequence[Measured] = ()
