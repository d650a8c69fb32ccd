"""The site's certificates from first start on: made once, kept on disk, renewed in time, handed to the listeners.

Start at `Keeper.open`. A renewed certificate is sent from the next handshake on; nobody is disconnected for it. What
is damaged is made anew, except the root: every charge point that trusts it would have to be told, so that stops the
start and a person decides. Sources: SECURITY §3.4 (12); OCPP.md §4.5.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from cryptography import x509

from edge_agent.certificates import authority, files, requests, tls
from edge_agent.certificates.authority import Damaged, Holder, KeyKind, Names
from edge_agent.site.ports import Signed
from sitelink.clock import Clock

log = structlog.get_logger()

FOLDER = "certificates"
ROOT = "root"
CHECKED_EVERY_S = 3600.0
EXPIRES_SOON = timedelta(days=30)


class RootDamaged(Exception):
    """One sentence: which file, and what to do."""


@dataclass(frozen=True)
class Expiry:
    """When a certificate of the box ends."""

    name: str
    serial: str
    ends: datetime
    soon: bool


class Keeper:
    """`names` is asked again at every check: addresses change.

    `on_event(code, detail)` hears of certificates that are new (certificate_issued) or end soon (certificate_expiring).
    """

    def __init__(self, folder: Path, clock: Clock, names: Callable[[], Names], trusted: Path | None = None) -> None:
        self._folder = folder
        self._clock = clock
        self._names = names
        self._trusted = trusted
        self._contexts: list[ssl.SSLContext] = []
        self._leaves: dict[KeyKind, Holder] = {}
        self.issued: list[tuple[str, str]] = []
        """Name and serial of what was made at start, before anybody could listen."""
        self.on_event: Callable[[str, dict[str, str]], Awaitable[None]] = _to_nobody
        self.root: Holder

    @classmethod
    async def open(
        cls, data_dir: Path, clock: Clock, names: Callable[[], Names], trusted: Path | None = None
    ) -> "Keeper":
        """Read or make everything. Raises RootDamaged, OSError."""
        keeper = cls(data_dir / FOLDER, clock, names, trusted)
        await asyncio.to_thread(keeper._load)
        return keeper

    # ---- what others get ----

    @property
    def root_pem(self) -> bytes:
        return self.root.certificate_pem

    def for_stations(self, *, rsa_suites: bool = False) -> ssl.SSLContext:
        return self._equipped(tls.station_context((self.root_pem, *self.trusted_roots()), rsa_suites=rsa_suites))

    def for_pages(self) -> ssl.SSLContext:
        return self._equipped(tls.server_context())

    def chain_and_key(self) -> tuple[Path, Path]:
        """Files of the RSA certificate, for libraries that take no context of ours."""
        return self._file(KeyKind.RSA.value, "pem"), self._file(KeyKind.RSA.value, "key")

    def trusted_roots(self) -> list[bytes]:
        """Further authorities whose client certificates count: every readable `*.pem` of the folder that was set."""
        if self._trusted is None:
            return []
        found = []
        for file in sorted(self._trusted.glob("*.pem")):
            try:
                content = file.read_bytes()
                x509.load_pem_x509_certificates(content)
            except (OSError, ValueError) as error:
                log.error("trusted_root_unreadable", file=str(file), reason=str(error)[:200])
            else:
                found.append(content)
        return found

    def expiries(self) -> Sequence[Expiry]:
        now = self._clock.now()
        held = {_server(kind): leaf for kind, leaf in self._leaves.items()} | {"site CA": self.root}
        return [
            Expiry(name, authority.serial_of(each.certificate), each.certificate.not_valid_after_utc,
                   each.certificate.not_valid_after_utc - now < EXPIRES_SOON)
            for name, each in held.items()
        ]  # fmt: skip

    # ---- for the core: edge_agent.site.ports.Signer ----

    @property
    def root_text(self) -> str:
        return self.root_pem.decode("ascii")

    def name_of(self, request: str) -> str:
        return requests.common_name_of(requests.read_request(request).subject)

    def sign(self, request: str) -> Signed:
        return requests.sign(self.root, request, self._clock.now())

    def read_chain(self, chain: str, request: str) -> Signed:
        return requests.read_chain(chain, request, self._clock.now())

    # ---- its own work ----

    async def run(self) -> None:
        """Look every hour, for ever."""
        while True:
            await asyncio.sleep(CHECKED_EVERY_S)
            try:
                await self.renew()
            except OSError as error:
                log.error("certificate_not_renewed", reason=str(error))
            await self.warn()

    async def warn(self) -> None:
        """Say which certificates end soon: renewal has not worked for a long time."""
        for expiry in self.expiries():
            if expiry.soon:
                log.warning("certificate_expires_soon", name=expiry.name, serial=expiry.serial, ends=expiry.ends)
                detail = {"name": expiry.name, "serial": expiry.serial, "ends": expiry.ends.isoformat()}
                await self.on_event("certificate_expiring", detail)

    async def renew(self) -> list[KeyKind]:
        """Make those anew that are due or no longer stand for all our names; they are in use when it returns."""
        names = await asyncio.to_thread(self._names)
        renewed = [kind for kind in KeyKind if self._is_stale(kind, names)]
        for kind in renewed:
            serial = await asyncio.to_thread(self._issue, kind, names)
            await self.on_event("certificate_issued", {"name": _server(kind), "serial": serial})
            for context in self._contexts:
                tls.use(context, self._file(kind.value, "pem"), self._file(kind.value, "key"))
        return renewed

    def _load(self) -> None:
        files.make_folder(self._folder)
        self.root = self._root()
        names = self._names()
        for kind in KeyKind:
            known = self._read(kind.value)
            if known is not None and authority.is_issued_by(known.certificate, self.root):
                self._leaves[kind] = known
            if self._is_stale(kind, names):
                self.issued.append((_server(kind), self._issue(kind, names)))

    def _root(self) -> Holder:
        certificate, key = self._file(ROOT, "pem"), self._file(ROOT, "key")
        try:
            known = self._read(ROOT, strict=True)
        except Damaged as damage:
            raise RootDamaged(
                f"{certificate} and {key} are damaged ({damage}). Put them back from a copy, or remove both: "
                f"charge points that trust the site's root must then be given the new one."
            ) from damage
        if known is not None:
            return known
        root = authority.make_root(self._names().first)
        files.write(key, root.key_pem)
        files.write(certificate, root.certificate_pem)
        self.issued.append(("site CA", authority.serial_of(root.certificate)))
        log.info("site_ca_made", serial=authority.serial_of(root.certificate))
        return root

    def _is_stale(self, kind: KeyKind, names: Names) -> bool:
        leaf = self._leaves.get(kind)
        if leaf is None or authority.is_due(leaf.certificate, self._clock.now()):
            return True
        stands_for = authority.names_of(leaf.certificate)
        return not (set(names.hosts) <= set(stands_for.hosts) and set(names.addresses) <= set(stands_for.addresses))

    def _issue(self, kind: KeyKind, names: Names) -> str:
        """Its serial. The key first: a certificate without its key is of no use, a key without one is made anew."""
        leaf = authority.issue_server(self.root, kind, names, self._clock.now())
        files.write(self._file(kind.value, "key"), leaf.key_pem)
        files.write(self._file(kind.value, "pem"), leaf.certificate_pem + self.root.certificate_pem)
        self._leaves[kind] = leaf
        serial = authority.serial_of(leaf.certificate)
        log.info("certificate_issued", name=_server(kind), serial=serial, names=names.hosts + names.addresses)
        return serial

    def _read(self, name: str, *, strict: bool = False) -> Holder | None:
        """What stands on disk under the name. Raises Damaged where it is unreadable and `strict`."""
        certificate, key = files.read(self._file(name, "pem")), files.read(self._file(name, "key"))
        if certificate is None or (key is None and not strict):
            return None
        try:
            return authority.read_holder(certificate, key or b"")
        except Damaged as damage:
            if strict:
                raise
            log.warning("certificate_damaged", name=name, reason=str(damage)[:200])
            return None

    def _equipped(self, context: ssl.SSLContext) -> ssl.SSLContext:
        for kind in KeyKind:
            tls.use(context, self._file(kind.value, "pem"), self._file(kind.value, "key"))
        self._contexts.append(context)
        return context

    def _file(self, name: str, suffix: str) -> Path:
        return self._folder / f"{name}.{suffix}"


async def _to_nobody(_code: str, _detail: dict[str, str]) -> None:
    return


def _server(kind: KeyKind) -> str:
    return f"server {kind.value}"
