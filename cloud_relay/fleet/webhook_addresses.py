"""Where webhooks may go: an address a team types must not lead into our own network (SECURITY §7.1, SSRF). Pure.

What the name comes to is looked at once more when it is connected to (`console.guarded`): a name may lead anywhere by
then. Start at `url_in`, `is_public`.
"""

import ipaddress
import re
from urllib.parse import urlsplit

from sitelink.errors import RequestInvalid

URL_MAX_CHARACTERS = 2000
PORTS = (443, 8443)
_PLAIN = re.compile(r"[!-~]+")
_NUMBER = re.compile(r"(?:[0-9]+|0[xX][0-9a-fA-F]*)")
"""The last part of a host that some resolvers take for an address. WHATWG URL, "ends in a number"."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NOT_PUBLIC = tuple(ipaddress.ip_network(each) for each in ("192.88.99.0/24", "64:ff9b:1::/48", "fec0::/10", "::/96"))
"""What `is_global` lets through and nobody serves: 6to4's relays, local NAT64, site-local, IPv4-compatible."""


def url_in(text: str, *, allow_http: bool) -> str:
    """An address as it was typed. Raises RequestInvalid (empty, too_long, not_a_url, not_https, address_refused)."""
    url = text.strip()
    if not url:
        raise RequestInvalid(where="url", problem="empty")
    if len(url) > URL_MAX_CHARACTERS:
        raise RequestInvalid(where="url", problem="too_long", allowed=URL_MAX_CHARACTERS)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise RequestInvalid(where="url", problem="not_a_url") from error
    strange = not _PLAIN.fullmatch(url) or "\\" in url or "#" in url or "@" in parts.netloc or not host
    if strange or parts.scheme not in ("http", "https"):
        raise RequestInvalid(where="url", problem="not_a_url")
    if not allow_http and (parts.scheme != "https" or (port or 443) not in PORTS):
        raise RequestInvalid(where="url", problem="not_https", allowed="https, port 443 or 8443")
    _check_host(host, allow_http=allow_http)
    return url


def _check_host(host: str, *, allow_http: bool) -> None:
    """An address in figures is looked at now; names when they are resolved."""
    if ":" not in host and not _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return
    try:
        good = allow_http or is_public(host)
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        good = False
    if not good:
        raise RequestInvalid(where="url", problem="address_refused")


def is_public(address: str) -> bool:
    """Whether an IP address, in text, is one of the open Internet. Raises ValueError where it is none."""
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = _inner(found) if isinstance(found, ipaddress.IPv6Address) else None
    if inner is not None:
        return is_public(str(inner))
    if found.is_multicast or found.is_reserved or not found.is_global:
        return False
    return not any(found in network for network in _NOT_PUBLIC if network.version == found.version)


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that one of IPv6 stands for: mapped, by NAT64, by 6to4 or Teredo."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.sixtofour is not None:
        return address.sixtofour
    return address.teredo[1] if address.teredo is not None else None
