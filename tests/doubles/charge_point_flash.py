"""What a virtual charge point keeps of its own standing: credentials, certificates, addresses. Survives power cuts.

Pure. A station that changes a credential keeps the old one until the new one has worked, because a station that locks
itself out is lost. Source: OCPP 1.6 security whitepaper A01, A05; OCPP 2.0.1 A01, A05, B09, B10. Start at `Flash`.
"""

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit, urlunsplit


@dataclass(slots=True)
class Network:
    """How to reach a central system. `url` has no identity; `profile` is the security profile, 0 to 3."""

    url: str
    profile: int = 0
    attempts_failed: int = 0


@dataclass(slots=True)
class Installed:
    """A certificate of somebody else. `use` is in the words of 2.x, such as "CSMSRootCertificate"."""

    use: str
    pem: str


@dataclass(slots=True)
class Flash:
    """`networks` by slot, tried in the order of `priority`. Text is PEM."""

    networks: dict[int, Network]
    priority: list[int] = field(default_factory=lambda: [1])
    password: bytes | None = None
    roots: list[Installed] = field(default_factory=list)
    certificate: str | None = None
    key: str | None = None
    new_key: str | None = None
    """Of a signing request that is not answered yet."""
    next_priority: list[int] | None = None
    """Takes effect with the next boot (2.x)."""
    working: int = 0
    """The slot that last led to an accepted connection; 0: none yet."""
    proven_profile: int = 0
    """The highest security profile that ever worked: the station never goes below it by itself."""

    @property
    def current(self) -> Network:
        return self.networks[self.priority[0]]

    def roots_for_tls(self) -> list[str]:
        return [each.pem for each in self.roots if each.use == "CSMSRootCertificate"]

    def fall_back(self, attempts: int) -> bool:
        """The first choice did not work once more; after `attempts` times the next one is tried. True when it is."""
        first = self.current
        first.attempts_failed += 1
        if first.attempts_failed < attempts or len(self.priority) < 2:
            return False
        first.attempts_failed = 0
        self.priority = self.priority[1:] + self.priority[:1]
        return True

    def rebooted(self) -> None:
        if self.next_priority is not None:
            kept = [slot for slot in self.priority[:1] if slot not in self.next_priority]
            self.priority, self.next_priority = self.next_priority + kept, None

    def worked(self) -> None:
        self.current.attempts_failed = 0
        self.working = self.priority[0]
        self.proven_profile = max(self.proven_profile, self.current.profile)

    def raise_profile(self, profile: int, tls_url: str | None) -> None:
        """1.6: SecurityProfile was written. The old way stays as the second choice, should the new one not work."""
        old = self.current
        url = old.url
        if profile >= 2 and not url.startswith("wss:"):
            url = tls_url or urlunsplit(urlsplit(url)._replace(scheme="wss"))
        slot = max(self.networks) + 1
        self.networks[slot] = Network(url, profile)
        self.priority = [slot, self.priority[0]]


def address(url: str, identity: str) -> str:
    return f"{url.rstrip('/')}/{quote(identity, safe='')}"
