"""Meters that announce themselves are heard."""

import socket

from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from edge_agent.meters.announced import announced
from sitelink.meter_endpoints import Endpoint

HERE = "127.0.0.1"


def service(kind: str, name: str, address: str, port: int) -> AsyncServiceInfo:
    return AsyncServiceInfo(
        f"{kind}.local.", f"{name}.{kind}.local.", port=port, addresses=[socket.inet_aton(address)],
        server=f"{name}.local.",
    )  # fmt: skip


async def test_each_kind_is_asked_where_its_modbus_is() -> None:
    async with AsyncZeroconf(interfaces=[HERE], ip_version=IPVersion.V4Only) as mdns:
        for info in (
            service("_shelly._tcp", "shellypro3em-1", "192.168.7.4", 80),
            service("_modbus._tcp", "meter", "10.1.2.3", 1502),
            service("_victron-energy-meter._udp", "vm3p75ct", "192.168.7.9", 502),
            service("_modbus._tcp", "far", "8.8.8.8", 502),
            service("_http._tcp", "printer", "192.168.7.5", 80),
        ):
            await (await mdns.async_register_service(info, strict=False))
        found = await announced(1.5, [HERE])
    ours = {each for each in found if each.host.startswith(("192.168.7.", "10.1.2.", "8.8."))}
    assert ours == {
        Endpoint("tcp", "192.168.7.4", 502), Endpoint("tcp", "10.1.2.3", 1502), Endpoint("udp", "192.168.7.9", 502)
    }  # fmt: skip


async def test_silence_is_no_meter() -> None:
    assert [each for each in await announced(0.2, [HERE]) if each.host == "192.168.7.4"] == []
