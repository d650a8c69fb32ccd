"""The site's certificates from first start on: made once, kept on disk, renewed in time, handed to the listeners.

Start at `Keeper.load`; until it has returned there are no certificates. A renewed certificate is sent from the next
handshake on; nobody is disconnected for it. What is damaged is made anew, except the root: every charge point that
trusts it would have to be told, so that stops the start and a person decides. What makes and reads certificates
(`authority`, `requests`) is loaded when one is made or read: a box whose files are as it left them starts without.
Sources: SECURITY §3.4 (12); OCPP.md §4.5.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from edge_agent.certificates import files, tls
from edge_agent.certificates.known import Known, Memo, digest_of
from edge_agent.certificates.names import Damaged, KeyKind, Names
from edge_agent.site.ports import Signed
from sitelink.clock import Clock

if TYPE_CHECKING:
    from edge_agent.certificates.authority import Holder

log = structlog.get_logger()

FOLDER = "certificates"
ROOT = "root"
MEMO = "known.json"
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

    def __init__(self, data_dir: Path, clock: Clock, names: Callable[[], Names], trusted: Path | None = None) -> None:
        folder = self._folder = data_dir / FOLDER
        self._clock = clock
        self._names = names
        self._trusted = trusted
        self._contexts: list[ssl.SSLContext] = []
        self._memo = Memo(folder / MEMO)
        self._leaves: dict[KeyKind, Known] = {}
        self._root: Known | None = None
        self._root_key_pem = b""
        self._root_holder: Holder | None = None
        self.issued: list[tuple[str, str]] = []
        """Name and serial of what was made at start, before anybody could listen."""
        self.on_event: Callable[[str, dict[str, str]], Awaitable[None]] = _to_nobody
        self.root_pem = b""

    @classmethod
    async def open(
        cls, data_dir: Path, clock: Clock, names: Callable[[], Names], trusted: Path | None = None
    ) -> "Keeper":
        """Read or make everything. Raises RootDamaged, OSError."""
        keeper = cls(data_dir, clock, names, trusted)
        await keeper.load()
        return keeper

    async def load(self) -> None:
        """Read or make everything. Raises RootDamaged, OSError."""
        await asyncio.to_thread(self._load)

    # ---- what others get ----

    @property
    def root(self) -> "Holder":
        """The root with its key. The first time it takes a while: keep it off the event loop."""
        if self._root_holder is None:
            from edge_agent.certificates import authority

            self._root_holder = authority.read_holder(self.root_pem, self._root_key_pem)
        return self._root_holder

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
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=content.decode("ascii"))
            except (OSError, ValueError) as error:
                log.error("trusted_root_unreadable", file=str(file), reason=str(error)[:200])
            else:
                found.append(content)
        return found

    def expiries(self) -> Sequence[Expiry]:
        now = self._clock.now()
        held = {_server(kind): leaf for kind, leaf in self._leaves.items()}
        if self._root is not None:
            held["site CA"] = self._root
        return [Expiry(name, each.serial, each.ends, each.ends - now < EXPIRES_SOON) for name, each in held.items()]

    # ---- for the core: edge_agent.site.ports.Signer ----

    @property
    def root_text(self) -> str:
        return self.root_pem.decode("ascii")

    def name_of(self, request: str) -> str:
        from edge_agent.certificates import requests

        return requests.common_name_of(requests.read_request(request).subject)

    def sign(self, request: str) -> Signed:
        from edge_agent.certificates import requests

        return requests.sign(self.root, request, self._clock.now())

    def read_chain(self, chain: str, request: str) -> Signed:
        from edge_agent.certificates import requests

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
        self._memo.read()
        self._load_root()
        names = self._names()
        for kind in KeyKind:
            known = self._known_leaf(kind)
            if known is not None:
                self._leaves[kind] = known
            if self._is_stale(kind, names):
                self.issued.append((_server(kind), self._issue(kind, names)))

    def _load_root(self) -> None:
        certificate, key = files.read(self._file(ROOT, "pem")), files.read(self._file(ROOT, "key"))
        if certificate is None:
            self._make_root()
            return
        key = key or b""
        known = self._memo.of(ROOT, digest_of(certificate, key))
        if known is None:
            from edge_agent.certificates import authority

            try:
                self._root_holder = authority.read_holder(certificate, key)
            except Damaged as damage:
                raise RootDamaged(
                    f"{self._file(ROOT, 'pem')} and {self._file(ROOT, 'key')} are damaged ({damage}). Put them back "
                    f"from a copy, or remove both: charge points that trust the site's root must then be given the "
                    f"new one."
                ) from damage
            known = self._memo.put(ROOT, _known(self._root_holder, certificate, key))
        self._root, self.root_pem, self._root_key_pem = known, certificate, key

    def _make_root(self) -> None:
        from edge_agent.certificates import authority

        root = authority.make_root(self._names().first)
        certificate, key = root.certificate_pem, root.key_pem
        files.write(self._file(ROOT, "key"), key)
        files.write(self._file(ROOT, "pem"), certificate)
        self._root_holder, self.root_pem, self._root_key_pem = root, certificate, key
        known = self._root = self._memo.put(ROOT, _known(root, certificate, key))
        self.issued.append(("site CA", known.serial))
        log.info("site_ca_made", serial=known.serial)

    def _is_stale(self, kind: KeyKind, names: Names) -> bool:
        leaf = self._leaves.get(kind)
        return leaf is None or leaf.is_due(self._clock.now()) or not leaf.names.include(names)

    def _issue(self, kind: KeyKind, names: Names) -> str:
        """Its serial. The key first: a certificate without its key is of no use, a key without one is made anew."""
        from edge_agent.certificates import authority

        leaf = authority.issue_server(self.root, kind, names, self._clock.now())
        key, chain = leaf.key_pem, leaf.certificate_pem + self.root_pem
        files.write(self._file(kind.value, "key"), key)
        files.write(self._file(kind.value, "pem"), chain)
        known = self._leaves[kind] = self._memo.put(kind.value, _known(leaf, self.root_pem, chain, key))
        log.info("certificate_issued", name=_server(kind), serial=known.serial, names=names.hosts + names.addresses)
        return known.serial

    def _known_leaf(self, kind: KeyKind) -> Known | None:
        """Of what stands on disk; None where that is no certificate of this root with its key."""
        chain, key = files.read(self._file(kind.value, "pem")), files.read(self._file(kind.value, "key"))
        if chain is None or key is None:
            return None
        known = self._memo.of(kind.value, digest_of(self.root_pem, chain, key))
        if known is not None:
            return known
        from edge_agent.certificates import authority

        try:
            leaf = authority.read_holder(chain, key)
        except Damaged as damage:
            log.warning("certificate_damaged", name=kind.value, reason=str(damage)[:200])
            return None
        if not authority.is_issued_by(leaf.certificate, self.root):
            return None
        return self._memo.put(kind.value, _known(leaf, self.root_pem, chain, key))

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


def _known(holder: "Holder", *contents: bytes) -> Known:
    """What there is to know of a certificate, and that it was found in these files."""
    from edge_agent.certificates import authority

    certificate = holder.certificate
    names = authority.names_of(certificate)
    return Known(
        digest_of(*contents), authority.serial_of(certificate), certificate.not_valid_before_utc,
        certificate.not_valid_after_utc, names.hosts, names.addresses,
    )  # fmt: skip
