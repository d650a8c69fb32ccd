"""How the box is named in its certificates, and what is told of them. Pure; needs no library that reads certificates.

Start at `Names`.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class KeyKind(StrEnum):
    RSA = "rsa"
    ECDSA = "ecdsa"


class Damaged(Exception):
    """A file that should hold a key and its certificate does not."""


@dataclass(frozen=True)
class Names:
    """What a server certificate stands for: DNS names, and IP addresses in text."""

    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    @property
    def first(self) -> str:
        return (*self.hosts, *self.addresses, "gatepost")[0]

    def include(self, others: "Names") -> bool:
        return set(others.hosts) <= set(self.hosts) and set(others.addresses) <= set(self.addresses)


def clean_hosts(hosts: Iterable[str]) -> tuple[str, ...]:
    """Names that can stand in a certificate, lower-case, each once, in order."""
    found = (host.strip().rstrip(".").casefold() for host in hosts)
    return tuple(dict.fromkeys(host for host in found if host.isascii() and 0 < len(host) <= 253 and " " not in host))


def clean_addresses(addresses: Iterable[str]) -> tuple[str, ...]:
    found = []
    for address in addresses:
        try:
            found.append(str(ipaddress.ip_address(address.strip().partition("%")[0])))
        except ValueError:
            continue
    return tuple(dict.fromkeys(found))
