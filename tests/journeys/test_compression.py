"""permessage-deflate: offered to OCPP 2.x as it demands, without memory of the past, and never to 1.6."""

import struct
import tracemalloc
import zlib
from typing import Any

import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, PerMessageDeflate

from edge_agent.charge_points.server import HARD_LIMIT
from tests.doubles.ocpp_box import Socket, ocpp_box

MIB = 1024 * 1024
DEFLATE = {"compression": None, "extensions": [ClientPerMessageDeflateFactory(client_max_window_bits=True)]}
BOOT = {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Post 2"}}


def agreed(station: Socket) -> PerMessageDeflate | None:
    found: list[Any] = list(station.socket.protocol.extensions)
    return found[0] if found else None


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_2_x_may_compress_and_keeps_no_context(version: str) -> None:
    async with ocpp_box() as box, box.station(offer=[f"ocpp{version}"], **DEFLATE) as station:
        deflate = agreed(station)
        assert deflate is not None
        assert deflate.remote_no_context_takeover
        assert deflate.local_no_context_takeover
        assert max(deflate.remote_max_window_bits, deflate.local_max_window_bits) <= 12
        for _ in range(3):
            assert (await station.call("BootNotification", BOOT))[2]["status"] == "Accepted"


@pytest.mark.parametrize("offer", [["ocpp1.6"], []])
async def test_1_6_does_not(offer: list[str]) -> None:
    async with ocpp_box() as box, box.station(offer=offer, **DEFLATE) as station:
        assert agreed(station) is None
        assert await station.boot() == "Accepted"


async def test_a_station_that_cannot_limit_its_window_is_taken_too() -> None:
    how = {"compression": None, "extensions": [ClientPerMessageDeflateFactory()]}
    async with ocpp_box() as box, box.station(offer=["ocpp2.0.1"], **how) as station:
        assert agreed(station) is not None
        assert (await station.call("BootNotification", BOOT))[2]["status"] == "Accepted"


async def test_the_limit_holds_for_what_a_message_inflates_to() -> None:
    async with ocpp_box() as box, box.station(offer=["ocpp2.0.1"], **DEFLATE) as station:
        await station.call("BootNotification", BOOT)
        payload = {"vendorId": "acme", "data": "0" * (2 * MIB)}
        answer = await station.call("DataTransfer", payload)
        assert answer[:3] == [4, answer[1], "GenericError"]
        assert (await station.call("Heartbeat"))[0] == 3


def bomb(inflated_bytes: int) -> bytes:
    """A text frame, masked with zeros, that inflates to so much."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -12)
    zeros = b"0" * MIB
    data = b"".join(deflate.compress(zeros) for _ in range(inflated_bytes // MIB))
    data += deflate.flush(zlib.Z_SYNC_FLUSH).removesuffix(b"\x00\x00\xff\xff")
    return b"\xc1\xff" + struct.pack("!Q", len(data)) + b"\x00" * 4 + data


async def test_a_bomb_costs_its_sender_the_connection_and_the_box_little_memory() -> None:
    frame = bomb(256 * MIB)
    assert len(frame) < MIB
    async with ocpp_box() as box, box.station("CP002", offer=["ocpp2.0.1"]) as neighbour:
        await neighbour.call("BootNotification", BOOT)
        async with box.station(offer=["ocpp2.0.1"], **DEFLATE) as station:
            await station.call("BootNotification", BOOT)
            tracemalloc.start()
            held, _ = tracemalloc.get_traced_memory()
            station.socket.transport.write(frame)
            assert await station.closed() == 1009
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak - held < (3 * HARD_LIMIT + 2) * MIB
        assert (await neighbour.call("Heartbeat"))[0] == 3
