"""Meters that announce themselves in the network (mDNS, RFC 6762). Start at `announced`.

Sources: Shelly API documentation, Gen2, "mDNS" (`_shelly._tcp`; Modbus stands at port 502); Victron's energy meters
announce `_victron-energy-meter._udp` with the port of Modbus over UDP.
"""

import asyncio
import ipaddress
from collections.abc import Sequence
from contextlib import suppress

from sitelink.meter_endpoints import PORT, Endpoint, Kind

LISTEN_S = 3.0
KINDS: dict[str, tuple[Kind, bool]] = {
    "_shelly._tcp.local.": ("tcp", False),
    "_modbus._tcp.local.": ("tcp", True),
    "_victron-energy-meter._udp.local.": ("udp", True),
}
"""By type of service: how it is asked, and whether the port that is announced is that of Modbus."""


async def announced(within_s: float = LISTEN_S, interfaces: Sequence[str] | None = None) -> tuple[Endpoint, ...]:
    """On private networks, each once; none where nothing can be heard. `interfaces`: own addresses, else all."""
    from zeroconf import InterfaceChoice, IPVersion, ServiceStateChange, Zeroconf
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

    names: dict[tuple[str, str], None] = {}

    def heard(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if state_change is ServiceStateChange.Added:
            names[service_type, name] = None

    found: dict[Endpoint, None] = {}
    with suppress(OSError):  # no network, or port 5353 is somebody's alone
        async with AsyncZeroconf(
            interfaces=list(interfaces) if interfaces else InterfaceChoice.All, ip_version=IPVersion.V4Only
        ) as mdns:
            browser = AsyncServiceBrowser(mdns.zeroconf, list(KINDS), handlers=[heard])
            await asyncio.sleep(within_s)
            await browser.async_cancel()
            for service_type, name in names:
                info = AsyncServiceInfo(service_type, name)
                await info.async_request(mdns.zeroconf, 1000)
                kind, by_port = KINDS[service_type]
                for address in info.parsed_addresses(IPVersion.V4Only):
                    if ipaddress.ip_address(address).is_private:
                        found[Endpoint(kind, address, (info.port or PORT) if by_port else PORT)] = None
    return tuple(found)
