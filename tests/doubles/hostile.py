"""Clients that mean harm, each a kind of its own, as a process beside the stations they disturb.

    python -m tests.doubles.hostile flood --port 9000 --seconds 5

They know the port and identities and nothing else; loopback only. Each prints how much it did. Start at `KINDS`.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import zlib
from collections.abc import Awaitable, Callable

MASK = b"\0\0\0\0"
BOOT = json.dumps([2, "b", "BootNotification", {"chargePointVendor": "H", "chargePointModel": "H"}]).encode()
STATUS = json.dumps([2, "s", "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Faulted"}])
GONE = (ConnectionError, asyncio.IncompleteReadError, TimeoutError)
done = itertools.count()


def frame(data: bytes, opcode: int = 1, *, fin: bool = True, rsv1: bool = False) -> bytes:
    head = bytes([(0x80 if fin else 0) | (0x40 if rsv1 else 0) | opcode])
    if len(data) < 126:
        return head + bytes([0x80 | len(data)]) + MASK + data
    if len(data) < 65536:
        return head + b"\xfe" + len(data).to_bytes(2, "big") + MASK + data
    return head + b"\xff" + len(data).to_bytes(8, "big") + MASK + data


@contextlib.asynccontextmanager
async def connected(port: int, identity: str, protocol: str = "ocpp1.6", extra: str = ""):  # type: ignore[no-untyped-def]
    async with asyncio.timeout(15):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(
            f"GET /{identity} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Sec-WebSocket-Protocol: {protocol}\r\n{extra}\r\n".encode()
        )
        async with asyncio.timeout(15):
            head = await reader.readuntil(b"\r\n\r\n")
        yield reader, writer, head
    finally:
        writer.transport.abort()


async def swallow(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(*GONE):
        while await reader.read(65536):
            pass


async def flood(port: int, number: int) -> None:
    """A known station and strangers say the same fact as fast as the box takes it."""
    async with connected(port, f"HOSTILE{number}") as (reader, writer, _):
        swallowing = asyncio.get_running_loop().create_task(swallow(reader))
        try:
            writer.write(frame(BOOT))
            batch = frame(STATUS.encode()) * 100
            while True:
                writer.write(batch)
                await writer.drain()
                next(done)
                await asyncio.sleep(0)
        finally:
            swallowing.cancel()


async def slow_handshake(port: int, _number: int) -> None:
    """A request that never ends, a byte at a time."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for byte in b"GET /SLOW HTTP/1.1\r\nHost: x\r\n" + b"X-Slow: " + b"x" * 4000:
            writer.write(bytes([byte]))
            await writer.drain()
            next(done)
            await asyncio.sleep(0.2)
    finally:
        writer.transport.abort()


async def identities(port: int, number: int) -> None:
    """Another name each time, as many as there is time for."""
    for name in range(200):
        async with connected(port, f"NOBODY-{number}-{name}") as (reader, writer, _):
            writer.write(frame(BOOT))
            async with asyncio.timeout(15):
                await reader.read(1)
            next(done)


async def bomb(port: int, _number: int) -> None:
    """Little that inflates to much: as a compressed message, whether that was agreed on or not."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -12)
    small = deflate.compress(b"[" * 64 * 1024 * 1024) + deflate.flush(zlib.Z_SYNC_FLUSH)
    extra = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
    while True:
        async with connected(port, "HOSTILE0", "ocpp2.0.1", extra) as (reader, writer, _):
            writer.write(frame(small[:-4], rsv1=True))
            async with asyncio.timeout(15):
                await reader.read()
            next(done)


async def fragments(port: int, number: int) -> None:
    """Ten thousand pieces of one byte, over and over."""
    text = b'[2,"f","DataTransfer",{"vendorId":"' + b"x" * 9_950 + b'"}]'
    pieces = frame(text[:1], fin=False) + b"".join(frame(bytes([byte]), 0, fin=False) for byte in text[1:])
    async with connected(port, f"HOSTILE{number}") as (reader, writer, _):
        swallowing = asyncio.get_running_loop().create_task(swallow(reader))
        try:
            while True:
                writer.write(pieces + frame(b"", 0))
                await writer.drain()
                next(done)
        finally:
            swallowing.cancel()


async def never_answers(port: int, number: int) -> None:
    """Boots over and over and answers nothing the box asks."""
    async with connected(port, f"HOSTILE{number}") as (reader, writer, _):
        swallowing = asyncio.get_running_loop().create_task(swallow(reader))
        try:
            while True:
                writer.write(frame(BOOT))
                await writer.drain()
                next(done)
                await asyncio.sleep(0.05)
        finally:
            swallowing.cancel()


async def never_reads(port: int, number: int) -> None:
    """Asks without end and takes no answer."""
    async with connected(port, f"HOSTILE{number}") as (reader, writer, _):
        reader._transport.pause_reading()
        batch = frame(b'[2,"n","NoSuchAction",{}]') * 200
        while True:
            writer.write(batch)
            await writer.drain()
            next(done)


Attack = Callable[[int, int], Awaitable[None]]
KINDS: dict[str, tuple[Attack, int]] = {
    "flood": (flood, 4),
    "slow_handshake": (slow_handshake, 300),
    "identities": (identities, 50),
    "bomb": (bomb, 2),
    "fragments": (fragments, 4),
    "never_answers": (never_answers, 10),
    "never_reads": (never_reads, 10),
}
"""By name: what one does, and how many do it at once. 50 times 200 identities are 10,000."""


async def attack(kind: str, port: int, seconds: float) -> None:
    one, many = KINDS[kind]

    async def again_and_again(number: int) -> None:
        while True:
            with contextlib.suppress(*GONE):
                await one(port, number)
                if kind == "identities":
                    return
            await asyncio.sleep(0.01)

    tasks = [asyncio.get_running_loop().create_task(again_and_again(number)) for number in range(many)]
    await asyncio.wait(tasks, timeout=seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    print(json.dumps({"kind": kind, "clients": many, "done": next(done)}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="hostile", description="A client that means harm, on loopback.")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    asyncio.run(attack(options.kind, options.port, options.seconds))


if __name__ == "__main__":
    main()
