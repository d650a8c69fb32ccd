"""What a station says before its first message: who it is and which OCPP it speaks, however oddly it says so.

No I/O and no decision about who is served; `mend` puts a request's headers into the form `websockets` insists on.
Sources: OCPP-J 1.6 §3.1 and §3.2; RFC 6455 §4.2; SECURITY §4.2; the oddities of OCPP.md §4.1. Start at `greet`.
"""

import base64
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
from websockets.datastructures import Headers

from edge_agent.charge_points.dialects import choose_subprotocol, version_of
from edge_agent.site.trust import NOTHING_SHOWN, ClientCertificate, Presented, Proof
from sitelink.ids import IDENTITY_MAX_CHARACTERS, StationKey, station_key

PATH_MAX = 2048
AUTHORIZATION_MAX = 1024


class Greeting(msgspec.Struct, frozen=True):
    """A caller. `identity` is "" when the address has none; `chosen` is the offered token we answer with."""

    identity: str
    ip: str
    offered: tuple[str, ...] = ()
    chosen: str | None = None
    flaws: tuple[str, ...] = ()
    proof: Proof = NOTHING_SHOWN
    version: str | None = "1.6"
    """What `chosen` means. With no subprotocol offered a station is served as 1.6; with only foreign ones it cannot
    be (None)."""

    @property
    def key(self) -> StationKey:
        return station_key(self.identity)


def greet(
    path: str, headers: Headers, ip: str, booted_with: Callable[[str], str | None],
    is_named: Callable[[str], bool] = lambda _identity: False, aliases: Mapping[str, str] | None = None,
    mended: Sequence[str] = (),
) -> Greeting:  # fmt: skip
    """Who calls. `headers` must have been mended, and `mended` says what of them.

    `booted_with` tells the version an identity last booted with, `is_named` whether a job names it, `aliases` what odd
    subprotocols mean.
    """
    identity, flaws = identity_of(path, is_named)
    offered = tuple(_tokens(headers))
    aliases = aliases or {}
    chosen = choose_subprotocol(offered, booted_with(identity), aliases)
    version = version_of(chosen, aliases) if chosen is not None else None if offered else "1.6"
    if not offered:
        flaws.append("no_subprotocol")
    elif chosen is not None and chosen != f"ocpp{version}":
        flaws.append("odd_subprotocol")
    return Greeting(identity, ip, offered, chosen, (*mended, *flaws), version=version)


def identity_of(path: str, is_named: Callable[[str], bool] = lambda _identity: False) -> tuple[str, list[str]]:
    """The last segment of the path that is not empty, percent-decoded once, and what was odd about it.

    Where somebody typed the identity and the station appended it again, the half of it that is named is meant.
    """
    flaws = []
    segments = [each for each in re.split(r"[?#]", path[:PATH_MAX], maxsplit=1)[0].split("/") if each]
    if not segments:
        return "", ["identity_missing"]
    if len(segments) > 1 and segments[-1] == segments[-2]:
        flaws.append("identity_doubled")
    decoded = unicodedata.normalize("NFC", unquote(segments[-1], errors="replace"))
    identity = _UNSEEN.sub("�", decoded).strip()
    if identity != decoded:
        flaws.append("identity_blanks_or_control_characters")
    half = identity[: len(identity) // 2]
    if half and identity == half * 2 and is_named(half) and not is_named(identity):
        identity = half
        flaws.append("identity_doubled")
    if len(identity) > IDENTITY_MAX_CHARACTERS:
        identity = identity[:IDENTITY_MAX_CHARACTERS] + "…"
        flaws.append("identity_too_long")
    return identity, flaws


_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def shown_by(headers: Headers, encrypted: bool, certificate: Mapping[str, Any] | None) -> Presented:
    """What a caller shows of itself. `certificate`: as `ssl.SSLSocket.getpeercert` gives it, of a verified chain."""
    user, password = _basic(headers)
    return Presented(encrypted, user, password, _certificate(certificate) if certificate else None)


def _basic(headers: Headers) -> tuple[str | None, bytes | None]:
    """User and password (RFC 7617), the password as the bytes it is; both None where there are none to be read."""
    scheme, _, coded = next(iter(headers.get_all("Authorization")), "").strip().partition(" ")
    if scheme.casefold() != "basic" or len(coded) > AUTHORIZATION_MAX:
        return None, None
    try:
        plain = base64.b64decode(coded.strip() + "=" * (-len(coded.strip()) % 4), validate=True)
    except ValueError:
        return None, None
    user, colon, password = plain.partition(b":")
    return (unquote(user.decode("utf-8", "replace"), errors="replace"), password) if colon else (None, None)


def _certificate(found: Mapping[str, Any]) -> ClientCertificate:
    names = [value for part in found.get("subject", ()) for name, value in part if name == "commonName"]
    return ClientCertificate(str(found.get("serialNumber", "")).upper(), str(names[-1]) if names else "")


def ip_of(address: object) -> str:
    """The peer's address without a port; IPv4 as such also on a dual-stack socket."""
    host = str(address[0]) if isinstance(address, tuple) and address else ""
    return host.removeprefix("::ffff:") if "." in host else host.partition("%")[0]


def is_upgrade(headers: Headers) -> bool:
    """Whether a WebSocket is meant at all, by any of the headers only a WebSocket client sends."""
    return "Sec-WebSocket-Key" in headers or "websocket" in ",".join(headers.get_all("Upgrade")).casefold()


def is_browser(headers: Headers) -> bool:
    """Whether a web page drives this: any Sec-Fetch header, or an Origin that is not the address called.

    Stations built on libwebsockets send `Origin: http://<the box>`, so an Origin alone is no proof.
    """
    if any(name.casefold().startswith("sec-fetch-") for name in headers):
        return True
    origins = headers.get_all("Origin")
    if not origins:
        return False
    hosts = {_host_of(f"//{value}") for value in headers.get_all("Host")}
    return any(_host_of(origin) not in hosts for origin in origins if origin.strip())


def _host_of(address: str) -> str | None:
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname
    except ValueError:
        return None
    return host.casefold() if host else None


def mend(headers: Headers, wanted: Mapping[str, str]) -> list[str]:
    """Put right what stations get wrong in an upgrade request; what was mended. Without a key it stays refused.

    `wanted` is what must stand there, by header (see `quirks`); Connection may name more beside it.
    """
    flaws = []
    for name, value in wanted.items():
        said = [part.strip().casefold() for line in headers.get_all(name) for part in line.split(",")]
        there = value.casefold() in said if name.casefold() == "connection" else said == [value.casefold()]
        if not there:
            _set(headers, name, value)
            flaws.append(f"{name.casefold().rpartition('websocket-')[2]}_header")
    keys = headers.get_all("Sec-WebSocket-Key")
    if len(keys) > 1:
        _set(headers, "Sec-WebSocket-Key", keys[0])
        flaws.append("key_header")
    tokens, said = list(_tokens(headers)), headers.get_all("Sec-WebSocket-Protocol")
    if said and (not tokens or said != [", ".join(tokens)]):
        _set(headers, "Sec-WebSocket-Protocol", ", ".join(tokens))
    if len(headers.get_all("Origin")) > 1:
        _set(headers, "Origin", headers.get_all("Origin")[0])
    return flaws


def _tokens(headers: Headers) -> Sequence[str]:
    """The offered subprotocols that can be echoed (RFC 9110 §5.6.2), quotes around them removed."""
    offered = [part.strip().strip('"') for v in headers.get_all("Sec-WebSocket-Protocol") for part in v.split(",")]
    return [token for token in offered if _TOKEN.fullmatch(token)]


_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")


def _set(headers: Headers, name: str, value: str) -> None:
    if name in headers:
        del headers[name]
    if value:
        headers[name] = value
