"""Hosts of a site's network, as a person writes them. Pure. Start at `hosts_of`.

`192.168.1.0/24`, `192.168.1.10-40`, `192.168.1.7`, several with commas between. Nothing but private networks: who has a
link to a job's page has not got a scanner of the internet.
"""

import ipaddress

HOSTS_MAX = 1024

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class HostsInvalid(ValueError):
    """What is wrong with a range; a sentence."""


def hosts_of(text: str) -> tuple[str, ...]:
    """Each once, in the order they were written. Raises HostsInvalid."""
    found: dict[str, None] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        for address in _addresses(part):
            if not address.is_private or address.is_unspecified or address.is_multicast:
                raise HostsInvalid(f"{address} is on no private network; only those of the site are looked through.")
            found[str(address)] = None
            if len(found) > HOSTS_MAX:
                raise HostsInvalid(f"These are more than {HOSTS_MAX:,} addresses; name a smaller range.")
    if not found:
        raise HostsInvalid("Name a range, as 192.168.1.0/24 or 192.168.1.10-40.")
    return tuple(found)


def _addresses(part: str) -> list[Address]:
    try:
        if "/" in part:
            network = ipaddress.ip_network(part, strict=False)
            if network.num_addresses > HOSTS_MAX * 4:
                raise HostsInvalid(f"{part} is more than {HOSTS_MAX:,} addresses; name a smaller range.")
            return list(network.hosts())
        first, _, last = part.partition("-")
        begin = ipaddress.ip_address(first.strip())
        if not last:
            return [begin]
        end = ipaddress.ip_address(last.strip() if not last.strip().isdecimal() else _with_last(first, last))
    except HostsInvalid:
        raise
    except ValueError as error:
        raise HostsInvalid(f"{part!r} is no range; write 192.168.1.0/24 or 192.168.1.10-40.") from error
    if begin.version != end.version or int(end) < int(begin):
        raise HostsInvalid(f"{part!r}: the second address comes before the first.")
    if int(end) - int(begin) >= HOSTS_MAX:
        raise HostsInvalid(f"{part} is more than {HOSTS_MAX:,} addresses; name a smaller range.")
    return [type(begin)(number) for number in range(int(begin), int(end) + 1)]


def _with_last(first: str, last: str) -> str:
    return f"{first.strip().rpartition('.')[0]}.{last.strip()}"
