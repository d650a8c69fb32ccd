"""By which names and addresses the site's network knows this box. Looks at the machine; asks nobody outside.

Start at `own_names`. Link-local addresses are left out: no charge point is told one.
"""

import contextlib
import ipaddress
import socket
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from edge_agent.certificates.names import Names, clean_addresses, clean_hosts

SIOCGIFADDR = 0x8915
"""Linux: the IPv4 address of an interface (netdevice(7))."""
_IF_INET6 = Path("/proc/net/if_inet6")


def own_names(more_hosts: Iterable[str] = (), more_addresses: Iterable[str] = ()) -> Names:
    """What was set comes first: the first name is the certificate's common name."""
    more_hosts = list(more_hosts)
    given = [host for host in more_hosts if not _is_address(host)]
    host = socket.gethostname()
    short = host.partition(".")[0]
    addresses = [each for each in more_hosts if _is_address(each)]
    found = (*more_addresses, *addresses, *_ipv4(), *_ipv6(), "127.0.0.1", "::1")
    useful = [each for each in clean_addresses(found) if not _is_useless(each)]
    return Names(clean_hosts((*given, host, short, f"{short}.local", "localhost")), tuple(useful))


def _ipv4() -> Iterator[str]:
    try:
        import fcntl
    except ImportError:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):
                answer = fcntl.ioctl(probe.fileno(), SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
                yield socket.inet_ntoa(answer[20:24])


def _ipv6() -> Iterator[str]:
    with contextlib.suppress(OSError):
        for line in _IF_INET6.read_text("ascii").splitlines():
            with contextlib.suppress(ValueError):
                yield str(ipaddress.IPv6Address(bytes.fromhex(line.split()[0])))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip())
    except ValueError:
        return False
    return True


def _is_useless(address: str) -> bool:
    found = ipaddress.ip_address(address)
    return found.is_link_local or found.is_unspecified or found.is_multicast
