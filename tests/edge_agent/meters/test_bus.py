"""A bus: what counts as an answer, and what is done after anything else."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
import serial
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusTcpServer

from edge_agent.meters.bus import DEAD_AFTER, Bus, BusTrouble
from edge_agent.meters.identify import Read
from sitelink.meter_endpoints import Endpoint
from tests.doubles.virtual_meter import Line, VirtualMeter, crc, serial_line, serving_tcp, serving_udp

READ = Read(3, 100, 4)
LATE_S = 0.3
WITHIN_S = 0.15


def meter(unit: int) -> VirtualMeter:
    """Every register says whose it is, and where."""
    made = VirtualMeter(unit)
    for function in (3, 4):
        made.put(function, 0, [unit << 8 | at for at in range(200)])
    return made


def of(unit: int, read: Read = READ) -> tuple[int, ...]:
    return tuple(unit << 8 | at for at in range(read.at, read.at + read.count))


@asynccontextmanager
async def bus_on(line: Line, kind: str, folder: Path) -> AsyncIterator[Bus]:
    if kind == "rtu":
        async with serial_line(line, folder) as device:
            bus = Bus(Endpoint("rtu", device=str(device)), late_s=LATE_S)
            yield bus
            await bus.close()
        return
    serving = serving_udp(line) if kind == "udp" else serving_tcp(line, as_rtu=kind != "tcp")
    async with serving as port:
        bus = Bus(Endpoint(kind, "127.0.0.1", port), late_s=LATE_S)  # type: ignore[arg-type]
        yield bus
        await bus.close()


async def code_of(bus: Bus, unit: int, read: Read = READ) -> str:
    with pytest.raises(BusTrouble) as caught:
        await bus.read(unit, read, within_s=WITHIN_S)
    return caught.value.code


KINDS = pytest.mark.parametrize("kind", ["tcp", "rtu-over-tcp", "rtu", "udp"])


@KINDS
async def test_registers_are_read_and_refusals_told(kind: str, tmp_path: Path) -> None:
    async with bus_on(Line(meter(1), meter(2)), kind, tmp_path) as bus:
        assert (await bus.read(1, READ)).registers == of(1)
        assert (await bus.read(2, Read(4, 7, 1))).registers == of(2, Read(4, 7, 1))
        with pytest.raises(BusTrouble) as caught:
            await bus.read(1, Read(3, 500, 1))
        assert (caught.value.code, caught.value.exception) == ("refused", 2)
        assert await code_of(bus, 9) == "silent"
        assert (await bus.read(1, READ)).registers == of(1), "and everybody else is asked again"


@KINDS
async def test_a_refusal_is_an_answer_and_costs_no_more(kind: str, tmp_path: Path) -> None:
    """Finding out what a meter is means being refused twenty times."""
    async with bus_on(Line(meter(1)), kind, tmp_path) as bus:
        await bus.read(1, READ)
        first, began = bus._client, asyncio.get_running_loop().time()
        for _ in range(8):
            assert await code_of(bus, 1, Read(3, 500, 1)) == "refused"
        assert bus._client is first
        assert asyncio.get_running_loop().time() - began < 8 * LATE_S / 2


@KINDS
async def test_names_are_asked_for(kind: str, tmp_path: Path) -> None:
    named = meter(1)
    named.device = ("Schneider Electric", "iEM3155")
    async with bus_on(Line(named), kind, tmp_path) as bus:
        assert (await bus.read(1, Read(43))).names == ("Schneider Electric", "iEM3155")


@KINDS
async def test_a_late_answer_is_nobodys(kind: str, tmp_path: Path) -> None:
    """The answer to one question comes while the next one is waited for."""
    line = Line(meter(1), meter(2))
    async with bus_on(line, kind, tmp_path) as bus:
        await bus.read(1, READ)
        line.fault = after(WITHIN_S + 0.1)
        assert await code_of(bus, 1) == "silent"
        line.fault = after(0)
        for _ in range(3):
            assert (await bus.read(1, Read(3, 50, 4))).registers == of(1, Read(3, 50, 4))
            assert (await bus.read(2, READ)).registers == of(2)


def after(wait_s: float) -> Callable[[bytes], object]:
    async def fault(frame: bytes) -> bytes:
        await asyncio.sleep(wait_s)
        return frame

    return fault


@pytest.mark.parametrize("kind", ["rtu-over-tcp", "rtu"])
@pytest.mark.parametrize("what", ["checksum", "address", "function", "length", "noise", "half"])
async def test_what_is_no_answer_is_not_taken_for_one(kind: str, what: str, tmp_path: Path) -> None:
    line = Line(meter(1), meter(2))

    async def fault(frame: bytes) -> bytes:
        body = frame[:-2]
        spoiled = {
            "checksum": body + bytes((frame[-2] ^ 0xFF, frame[-1])),
            "address": bytes((2,)) + body[1:] + crc(bytes((2,)) + body[1:]),
            "function": bytes((1, 4)) + body[2:] + crc(bytes((1, 4)) + body[2:]),
            "length": body[:2] + b"\x02" + body[3:5] + crc(body[:2] + b"\x02" + body[3:5]),
            "noise": bytes(range(20)),
            "half": frame[:5],
        }
        return spoiled[what]

    async with bus_on(line, kind, tmp_path) as bus:
        await bus.read(1, READ)
        line.fault = fault
        assert await code_of(bus, 1) in ("garbled", "silent")
        line.fault = after(0)
        assert (await bus.read(2, READ)).registers == of(2)
        assert (await bus.read(1, READ)).registers == of(1)


async def test_a_connection_that_is_half_open_is_opened_anew(tmp_path: Path) -> None:
    line = Line(meter(1))
    asked = 0

    async def nothing(_frame: bytes) -> None:
        nonlocal asked
        asked += 1

    async with serving_tcp(line) as port:
        bus = Bus(Endpoint("tcp", "127.0.0.1", port), late_s=LATE_S)
        await bus.read(1, READ)
        first = bus._client
        line.fault = nothing  # type: ignore[assignment]
        for _ in range(DEAD_AFTER):
            assert await code_of(bus, 1) == "silent"
        line.fault = after(0)
        assert (await bus.read(1, READ)).registers == of(1)
        assert bus._client is not first
        await bus.close()


async def test_a_port_that_is_not_there_or_taken_says_so(tmp_path: Path) -> None:
    bus = Bus(Endpoint("rtu", device=str(tmp_path / "ttyUSB9")))
    assert await code_of(bus, 1) == "unreachable"
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        bus = Bus(Endpoint("tcp", "127.0.0.1", nobody.getsockname()[1]))
        assert await code_of(bus, 1) == "unreachable"
    async with serial_line(Line(meter(1)), tmp_path) as device:
        with serial.Serial(str(device), exclusive=True):
            assert await code_of(Bus(Endpoint("rtu", device=str(device))), 1) == "busy"


async def test_an_adapter_that_was_pulled_out_comes_back(tmp_path: Path) -> None:
    async with serial_line(Line(meter(1)), tmp_path) as device:
        bus = Bus(Endpoint("rtu", device=str(device)), late_s=LATE_S)
        assert (await bus.read(1, READ)).registers == of(1)
    assert await code_of(bus, 1) in ("unreachable", "silent")
    assert await code_of(bus, 1) in ("unreachable", "silent")
    async with serial_line(Line(meter(1)), tmp_path):
        deadline = asyncio.get_running_loop().time() + 10
        while asyncio.get_running_loop().time() < deadline:
            try:
                assert (await bus.read(1, READ, within_s=WITHIN_S)).registers == of(1)
                break
            except BusTrouble:
                await asyncio.sleep(0.1)
        else:
            raise AssertionError("not within ten seconds")
        await bus.close()


async def test_everybody_waits_for_a_turn_and_nothing_is_sent_into_the_silence(tmp_path: Path) -> None:
    line = Line(meter(1), meter(2))
    heard: list[float] = []

    async def note(frame: bytes) -> bytes:
        heard.append(asyncio.get_running_loop().time())
        return frame

    line.fault = note
    async with bus_on(line, "tcp", tmp_path) as bus:
        await asyncio.gather(*(bus.read(1 + number % 2, READ, silence_s=0.05) for number in range(4)))
    assert all(late - early >= 0.045 for early, late in pairwise(heard))


async def test_a_server_of_pymodbus_is_understood_too() -> None:
    block = ModbusSequentialDataBlock(1, list(range(200)))
    context = ModbusServerContext(devices={1: ModbusDeviceContext(hr=block, ir=block)}, single=False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = ModbusTcpServer(context, address=("127.0.0.1", port))
    await server.listen()
    try:
        bus = Bus(Endpoint("tcp", "127.0.0.1", port))
        assert (await bus.read(1, Read(3, 10, 5))).registers == (10, 11, 12, 13, 14)
        assert (await bus.read(1, Read(4, 0, 1))).registers == (0,)
        assert await code_of(bus, 1, Read(3, 300, 1)) == "refused"
        await bus.close()
    finally:
        await server.shutdown()


class LeftAtTheAnswer(Bus):
    """Whoever asks is cancelled in the moment in which the answer comes."""

    asking: asyncio.Task[object] | None = None

    def _passing(self, sending: bool, data: bytes) -> bytes:
        if not sending and data and self.asking is not None:
            self.asking.cancel()
        return super()._passing(sending, data)


async def test_who_is_cancelled_as_the_answer_comes_goes_no_further() -> None:
    async with serving_tcp(Line(meter(1))) as port:
        bus = LeftAtTheAnswer(Endpoint("tcp", "127.0.0.1", port))
        further = []

        async def ask() -> None:
            further.append(await bus.read(1, READ))

        bus.asking = asyncio.ensure_future(ask())
        with pytest.raises(asyncio.CancelledError):
            await bus.asking
        bus.asking = None
        assert further == []
        assert (await bus.read(1, READ)).registers == of(1)
        await bus.close()
