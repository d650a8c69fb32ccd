"""A Modbus meter that does what a test tells it, on a TCP port or a serial line, and the faults of real ones.

Its own few lines of Modbus: nothing of it is shared with what it tests. Start at `VirtualMeter` and `serving_tcp`.
"""

import asyncio
import os
import struct
import termios
import tty
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from edge_agent.meters.profiles import Profile
from edge_agent.meters.registers import Field

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS = 1, 2
Fault = Callable[[bytes], Awaitable[bytes | None]]
"""What becomes of a frame on its way back; None: nothing comes."""


def words_of(field: Field, value: float | str, exponent: int = 0) -> list[int]:
    """As a meter holds it."""
    if isinstance(value, str):
        return list(struct.unpack(f">{field.count}H", value.encode().ljust(2 * field.count, b"\0")))
    scaled = value / field.scale / 10.0**exponent
    if field.type in ("f32", "f64"):
        data = struct.pack(">f" if field.type == "f32" else ">d", scaled)
    elif field.type in ("t5", "t6"):
        data = struct.pack(">b", -2) + (round(scaled * 100) & 0xFFFFFF).to_bytes(3, "big")
    else:
        data = (round(scaled) & (2 ** (16 * field.count) - 1)).to_bytes(2 * field.count, "big")
    words = list(struct.unpack(f">{field.count}H", data))
    return words if field.words == "high_first" else words[::-1]


class VirtualMeter:
    """Registers of one address. What is not in them is refused, as by a real one."""

    def __init__(self, unit: int = 1) -> None:
        self.unit = unit
        self.holding: dict[int, int] = {}
        self.input: dict[int, int] = {}
        self.device: tuple[str, str] | None = None
        self.requests = 0

    def put(self, function: int, at: int, words: list[int]) -> None:
        registers = self.holding if function == 3 else self.input
        registers.update({at + n: word for n, word in enumerate(words)})

    def become(self, profile: Profile, values: Mapping[str, float], *, base: int = 0) -> None:
        """What a meter of this model shows: registers between its values are there too, and its marks."""
        for key, row in profile.keyed.items():
            if key not in values:
                continue
            exponent = -1 if row.scale_at is not None else 0
            self.put(profile.function, base + row.at, words_of(row, values[key], exponent))
            if row.scale_at is not None:
                self.put(profile.function, base + row.scale_at, [exponent & 0xFFFF])
        mark = profile.identify
        if mark is not None:
            value = mark.starts[0] if mark.starts else mark.values[0] if mark.values else mark.ranges[0][0]
            self.put(mark.function or profile.function, mark.at, words_of(mark, value))
            if mark.name is not None:
                self.put(profile.function, mark.name.at, words_of(mark.name, mark.name.contains[0]))
        if profile.device is not None:
            self.device = profile.device
        for need in profile.require:
            self.put(need.function or profile.function, need.at, words_of(need, need.values[0]))
        registers = self.holding if profile.function == 3 else self.input
        places = sorted(registers)
        for low, high in pairwise(places):
            for between in range(low + 1, high if high - low <= 40 else low + 1):
                registers[between] = 0

    def answer(self, pdu: bytes) -> bytes:
        self.requests += 1
        function = pdu[0]
        if function in (3, 4):
            at, count = struct.unpack(">HH", pdu[1:5])
            registers = self.holding if function == 3 else self.input
            if not 1 <= count <= 125 or any(n not in registers for n in range(at, at + count)):
                return bytes((function | 0x80, ILLEGAL_ADDRESS))
            words = [registers[n] for n in range(at, at + count)]
            return struct.pack(f">BB{count}H", function, 2 * count, *words)
        if function == 43 and self.device is not None:
            objects = b"".join(
                bytes((number, len(text))) + text.encode() for number, text in enumerate((*self.device, "V1"))
            )
            return bytes((43, 14, 1, 1, 0, 0, 3)) + objects
        return bytes((function | 0x80, ILLEGAL_FUNCTION))


async def faithfully(frame: bytes) -> bytes | None:
    return frame


def crc(data: bytes) -> bytes:
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


def rtu(unit: int, pdu: bytes) -> bytes:
    frame = bytes((unit,)) + pdu
    return frame + crc(frame)


class Line:
    """Meters on one line, and what happens to what they say. `fault` may be changed at any time."""

    def __init__(self, *meters: VirtualMeter) -> None:
        self.meters = {meter.unit: meter for meter in meters}
        self.fault: Fault = faithfully
        self.deaf: Callable[[], bool] = lambda: False

    async def heard(self, unit: int, pdu: bytes) -> bytes | None:
        """The answer's PDU, by whoever has the address."""
        meter = self.meters.get(unit) if not self.deaf() else None
        return meter.answer(pdu) if meter is not None else None

    async def serve_rtu(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Requests of function 3 and 4 have eight bytes, those of 43 seven. Answers may come late, and cross."""
        try:
            async with asyncio.TaskGroup() as answers:
                while head := await reader.readexactly(2):
                    frame = head + await reader.readexactly(5 if head[1] == 43 else 6)
                    if crc(frame[:-2]) != frame[-2:]:
                        continue
                    answer = await self.heard(frame[0], frame[1:-2])
                    if answer is not None:
                        answers.create_task(self._say(writer, rtu(frame[0], answer)))
        except* (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    async def serve_tcp(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(7)
                transaction, _, length, unit = struct.unpack(">HHHB", head)
                pdu = await reader.readexactly(length - 1)
                answer = await self.heard(unit, pdu)
                if answer is not None:
                    frame = struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit) + answer
                    await self._say(writer, frame)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    async def _say(self, writer: StreamWriter, frame: bytes) -> None:
        said = await self.fault(frame)
        if said is not None:
            with suppress(OSError):
                writer.write(said)
                await writer.drain()


@asynccontextmanager
async def serving_tcp(
    line: Line, *, as_rtu: bool = False, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[int]:
    """The port. `as_rtu`: a gateway that passes frames of a serial line on."""
    server = await asyncio.start_server(line.serve_rtu if as_rtu else line.serve_tcp, host, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class _Datagrams(asyncio.DatagramProtocol):
    """Frames as over TCP, one a datagram."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._answers: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.DatagramTransport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        task = asyncio.ensure_future(self._answer(data, addr))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, data: bytes, addr: tuple[str, int]) -> None:
        transaction, _, _, unit = struct.unpack(">HHHB", data[:7])
        answer = await self._line.heard(unit, data[7:])
        if answer is None:
            return
        frame = await self._line.fault(struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit) + answer)
        if frame is not None:
            self._transport.sendto(frame, addr)


@asynccontextmanager
async def serving_udp(line: Line, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """The port."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(line), local_addr=(host, 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


@asynccontextmanager
async def serial_line(
    line: Line, folder: Path, name: str = "ttyUSB0", only_at: int | None = None
) -> AsyncIterator[Path]:
    """A pair of terminals, as `socat` makes them: the path of the end that the box opens.

    `only_at`: a speed as termios has it; with another one nothing is understood.
    """
    box_end = folder / name
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    box_end.unlink(missing_ok=True)
    box_end.symlink_to(os.ttyname(slave))
    loop = asyncio.get_running_loop()
    reader = StreamReader()
    incoming, outgoing = os.fdopen(master, "rb", 0), os.fdopen(os.dup(master), "wb", 0)
    line.deaf = lambda: only_at is not None and termios.tcgetattr(slave)[4] != only_at
    read, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), incoming)
    write, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, outgoing)
    try:
        async with asyncio.TaskGroup() as group:
            served = group.create_task(line.serve_rtu(reader, StreamWriter(write, protocol, reader, loop)))
            yield box_end
            served.cancel()
    finally:
        read.close()
        write.close()
        os.close(slave)
        box_end.unlink(missing_ok=True)
