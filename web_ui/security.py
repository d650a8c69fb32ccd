"""What keeps strangers out of the page: sessions, CSRF, the Host list, headers. No sockets, no state of its own.

A link's token is exchanged once for a signed cookie that names the link (never the token); revoking the link ends every
session at its next request, because the link is looked up each time. Sources: SECURITY §4.1 L4, L5, L8, L10 and §4.2,
DESIGN §7 (21). Start at `Sessions`.
"""

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum

import msgspec
from multidict import CIMultiDictProxy

from sitelink.clock import Clock
from sitelink.ids import LinkId

COOKIE_PLAIN = "gatepost_session"
COOKIE_SECURE = "__Host-gatepost_session"
IDLE_MAX_S = 12 * 3600
AGE_MAX_S = 7 * 24 * 3600
RENEW_AFTER_S = 600
"""How old a cookie gets before an answer carries a fresh one."""
KEY_MIN_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LINK_TOKEN = re.compile(r"gl1_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""On every answer. no-referrer would make browsers send `Origin: null` with our own forms, hence same-origin."""


def find_token(text: str) -> str | None:
    """The link token inside whatever was pasted: a whole link, the bare token, with blanks or quotes around it."""
    found = _LINK_TOKEN.search(text)
    return found.group() if found else None


def token_sha256(token: str) -> str:
    """The form in which tokens are stored and compared, hex."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class Session(msgspec.Struct, frozen=True):
    """A signed-in browser. `age_s` since the link was opened, `idle_s` since the cookie was made."""

    link: LinkId
    id: str
    age_s: int
    idle_s: int


class Sessions:
    """Makes and reads session cookies: `v1.link.session.age.wall.boot.mono.mac`, nothing kept on our side.

    A box without a battery clock has its wall time set when the internet comes back; so idle time is measured by the
    monotonic clock within one boot, by the wall across boots, and a wall that went backwards counts as no time.
    """

    def __init__(self, key: bytes, clock: Clock, new_id: Callable[[], str] = lambda: secrets.token_urlsafe(9)) -> None:
        if len(key) < KEY_MIN_BYTES:
            raise ValueError(f"the session key has {len(key)} bytes, {KEY_MIN_BYTES} are needed")
        self._key = key
        self._clock = clock
        self._new_id = new_id

    def open(self, link: LinkId) -> str:
        """The cookie of a new session."""
        return self._cookie(link, self._new_id(), 0)

    def renew(self, session: Session) -> str:
        """The same session, used now."""
        return self._cookie(session.link, session.id, session.age_s)

    def read(self, cookie: str) -> Session | None:
        """None: forged, of another box, too old, or idle for too long."""
        body, _, mac = cookie.rpartition(".")
        if not hmac.compare_digest(mac.encode(), self._mac("session", body).encode()):
            return None
        match body.split("."):
            case ["v1", link, id_, age, wall, boot, mono]:
                idle_s = self._since(int(wall), boot, int(mono))
                session = Session(LinkId(link), id_, int(age) + idle_s, idle_s)
                return session if idle_s <= IDLE_MAX_S and session.age_s <= AGE_MAX_S else None
        return None

    def csrf(self, session: Session) -> str:
        """The hidden field of every form of this session; it survives renewal."""
        return self._mac("csrf", f"{session.link}.{session.id}")

    def csrf_matches(self, session: Session, given: str) -> bool:
        return hmac.compare_digest(self.csrf(session).encode(), given.encode("utf-8", "surrogatepass"))

    def _cookie(self, link: LinkId, id_: str, age_s: int) -> str:
        if not _NAME.fullmatch(link):
            raise ValueError(f"a link id must fit into a cookie: {link!r}")
        wall = int(self._clock.now().timestamp())
        body = f"v1.{link}.{id_}.{age_s}.{wall}.{self._boot()}.{int(self._clock.monotonic())}"
        return f"{body}.{self._mac('session', body)}"

    def _since(self, wall: int, boot: str, mono: int) -> int:
        if boot == self._boot():
            return max(0, int(self._clock.monotonic()) - mono)
        return max(0, int((self._clock.now() - datetime.fromtimestamp(wall, UTC)).total_seconds()))

    def _boot(self) -> str:
        return hashlib.sha256(self._clock.boot_id().encode()).hexdigest()[:12]

    def _mac(self, purpose: str, body: str) -> str:
        digest = hmac.digest(self._key, f"{purpose}:{body}".encode("utf-8", "surrogatepass"), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


# ---- where a request comes from ----


class Provenance(Enum):
    """OWN: our own page sent it. FOREIGN: another site's page did. UNKNOWN: the headers do not say."""

    OWN = "own"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


def provenance_of(headers: CIMultiDictProxy[str]) -> Provenance:
    """By Sec-Fetch-Site, which plain-HTTP pages do not get, then by Origin against Host. DESIGN §7 (21)."""
    site = headers.get("Sec-Fetch-Site")
    if site == "same-origin":
        return Provenance.OWN
    if site is not None and site != "none":
        return Provenance.FOREIGN
    origin = headers.get("Origin")
    if origin is None:
        return Provenance.UNKNOWN
    scheme, _, host = origin.partition("://")
    if scheme not in ("http", "https") or not host:
        return Provenance.FOREIGN
    default = ":443" if scheme == "https" else ":80"
    same = _with_port(host, default) == _with_port(headers.get("Host", ""), default)
    return Provenance.OWN if same else Provenance.FOREIGN


def _with_port(host: str, default: str) -> str:
    has_port = re.search(r":\d+$", host) is not None
    return (host if has_port else host + default).casefold()


# ---- the Host list ----

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")


class Hosts:
    """Which Host headers are ours: any IP address, localhost, *.local and the names given. Against DNS rebinding.

    An attacker's name can be made to resolve to the box, an address in the Host header cannot be faked that way.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = {name.strip().rstrip(".").casefold() for name in names if name.strip()} | {"localhost"}

    def allow(self, host: str) -> bool:
        """`host` as in the header: a name or address, with or without port."""
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = found["name"].casefold()
        if name.startswith("["):
            return _is_address(name[1:-1], 6)
        name = name.removesuffix(".")
        return name in self._names or (name.endswith(".local") and name != ".local") or _is_address(name, 4)


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False
