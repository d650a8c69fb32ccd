"""A hundred thousand polls of meters that answer late, wrong, twice, or not at all: no value is taken for another's.

Every register says whose it is and where it stands, so that a mistake shows. Over TCP here; over a serial line, at the
pace of one, nightly. Source: RELIABILITY O9.
"""

import asyncio
import os
import random
import shutil
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge_agent.meters.bus import Bus, BusTrouble
from edge_agent.meters.identify import Read
from sitelink.meter_endpoints import Endpoint, Kind
from tests.doubles.virtual_meter import Line, VirtualMeter, crc, serving_tcp

POLLS = 100_000
SERIAL_POLLS = 100_000
WITHIN_S = 0.05
LATE_S = 0.12
UNITS = (1, 2, 7)
BLOCKS = (Read(3, 0, 10), Read(4, 0, 10), Read(3, 40, 10), Read(3, 10, 4), Read(4, 100, 2), Read(3, 60, 1))
FAULTY = 0.02
RECOVERS_S = 10.0


def word(bus: int, unit: int, function: int, at: int) -> int:
    return (bus * 7919 + unit * 104_729 + function * 1_299_709 + at * 31) & 0xFFFF


def meter(bus: int, unit: int) -> VirtualMeter:
    made = VirtualMeter(unit)
    for function in (3, 4):
        made.put(function, 0, [word(bus, unit, function, at) for at in range(120)])
    return made


class Faults:
    """What a bad line and bad meters do to an answer, one in fifty times."""

    def __init__(self, seed: int, *, framed: bool) -> None:
        self._random = random.Random(seed)
        self._framed = framed  # with a transaction, as TCP has it
        self._silent_for = 0
        self.seen: Counter[str] = Counter()

    async def __call__(self, frame: bytes) -> bytes | None:
        if self._silent_for:
            self._silent_for -= 1
            return None
        if self._random.random() >= FAULTY:
            return frame
        kind = self._random.choice(("late", "very_late", "lost", "silent", "other", "twice", "spoiled", "cut", "noise"))
        self.seen[kind] += 1
        if kind in ("late", "very_late"):
            await asyncio.sleep(WITHIN_S * (1.2 if kind == "late" else 1.8))
            return frame
        if kind == "silent":
            self._silent_for = 4
            return None
        return {
            "lost": None, "other": self._from_another(frame), "twice": frame + frame, "spoiled": self._spoiled(frame),
            "cut": frame[: len(frame) // 2], "noise": bytes(self._random.randbytes(7)) + frame,
        }[kind]  # fmt: skip

    def _from_another(self, frame: bytes) -> bytes:
        """The same words under another address, or another transaction."""
        if self._framed:
            return struct.pack(">H", struct.unpack(">H", frame[:2])[0] ^ 1) + frame[2:]
        body = bytes((UNITS[0] if frame[0] != UNITS[0] else UNITS[1],)) + frame[1:-2]
        return body + crc(body)

    def _spoiled(self, frame: bytes) -> bytes:
        """A bit turned round: a checksum tells, and TCP has none, so there it is the length."""
        if self._framed:
            return frame[:8] + bytes((frame[8] ^ 2,)) + frame[9:]
        at = self._random.randrange(len(frame))
        return frame[:at] + bytes((frame[at] ^ 0x10,)) + frame[at + 1 :]


class Score:
    def __init__(self) -> None:
        self.good = 0
        self.wrong: list[str] = []
        self.troubles: Counter[str] = Counter()
        self.longest_s = 0.0


async def poll(bus: Bus, number: int, polls: int, score: Score, seed: int) -> None:
    choose = random.Random(seed)
    loop = asyncio.get_running_loop()
    last_good = {unit: loop.time() for unit in UNITS}
    for _ in range(polls):
        unit, read = choose.choice(UNITS), choose.choice(BLOCKS)
        try:
            answered = await bus.read(unit, read, silence_s=0, within_s=WITHIN_S)
        except BusTrouble as trouble:
            score.troubles[trouble.code] += 1
            continue
        score.good += 1
        score.longest_s = max(score.longest_s, loop.time() - last_good[unit])
        last_good[unit] = loop.time()
        wanted = tuple(word(number, unit, read.function, at) for at in range(read.at, read.at + read.count))
        if answered.registers != wanted:
            score.wrong.append(f"bus {number} unit {unit} {read}: {answered.registers}")


def told(score: Score, seen: Counter[str], polls: int) -> None:
    print(
        f"\n{polls:,} polls: {score.good:,} good, {len(score.wrong)} wrong, {dict(score.troubles)};"
        f" faults {dict(seen)}; longest without a value {score.longest_s:.1f} s"
    )
    assert score.wrong == []
    assert score.good > polls * 0.7
    assert sum(seen.values()) > polls * FAULTY / 3
    assert score.longest_s <= RECOVERS_S


@pytest.mark.timeout(900)
async def test_over_tcp_no_value_is_taken_for_anothers() -> None:
    kinds: tuple[Kind, ...] = ("tcp", "tcp", "tcp", "tcp", "tcp", "tcp", "rtu-over-tcp", "rtu-over-tcp")
    score, seen = Score(), Counter[str]()

    async def one(number: int, kind: Kind) -> None:
        line = Line(*(meter(number, unit) for unit in UNITS))
        faults = line.fault = Faults(number, framed=kind == "tcp")
        async with serving_tcp(line, as_rtu=kind != "tcp") as port:
            bus = Bus(Endpoint(kind, "127.0.0.1", port), late_s=LATE_S)
            await poll(bus, number, POLLS // len(kinds), score, number)
            await bus.close()
        seen.update(faults.seen)

    async with asyncio.TaskGroup() as group:
        for number, kind in enumerate(kinds):
            group.create_task(one(number, kind))
    told(score, seen, POLLS)


@asynccontextmanager
async def pair_of_terminals(folder: Path) -> AsyncIterator[tuple[Path, Path]]:
    """Two ends of a serial line, made by socat."""
    box_end, meter_end = folder / "box", folder / "meter"
    socat = await asyncio.create_subprocess_exec(
        "socat", f"pty,raw,echo=0,link={box_end}", f"pty,raw,echo=0,link={meter_end}"
    )
    try:
        async with asyncio.timeout(10):
            while not (box_end.exists() and meter_end.exists()):  # noqa: ASYNC110 -- socat tells nobody
                await asyncio.sleep(0.05)
        yield box_end, meter_end
    finally:
        socat.terminate()
        await socat.wait()


@asynccontextmanager
async def serving_at(line: Line, end: Path) -> AsyncIterator[None]:
    """Meters on a port that exists already."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    read, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), end.open("rb", 0))
    write, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, end.open("wb", 0))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(line.serve_rtu(reader, asyncio.StreamWriter(write, protocol, reader, loop)))
        yield
        task.cancel()
    read.close()
    write.close()


async def over_serial(folder: Path, polls: int, lines: int) -> None:
    score, seen = Score(), Counter[str]()

    async def one(number: int) -> None:
        own = folder / str(number)
        own.mkdir()
        line = Line(*(meter(number, unit) for unit in UNITS))
        faults = line.fault = Faults(number, framed=False)
        async with pair_of_terminals(own) as (box_end, meter_end), serving_at(line, meter_end):
            bus = Bus(Endpoint("rtu", device=str(box_end), speed=115_200), late_s=LATE_S)
            await poll(bus, number, polls // lines, score, number)
            await bus.close()
        seen.update(faults.seen)

    async with asyncio.TaskGroup() as group:
        for number in range(lines):
            group.create_task(one(number))
    told(score, seen, polls)


@pytest.fixture(autouse=True, scope="module")
def socat() -> None:
    """Without it the tests are skipped at a desk and fail in CI."""
    if shutil.which("socat") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("socat is missing: in CI that is a failure, not a skip")
        pytest.skip("socat is missing; ./check installs it")


async def test_over_a_serial_line_no_value_is_taken_for_anothers(tmp_path: Path) -> None:
    await over_serial(tmp_path, 2_000, 2)


@pytest.mark.nightly
@pytest.mark.timeout(4 * 3600)
async def test_over_serial_lines_for_long_no_value_is_taken_for_anothers(tmp_path: Path) -> None:
    await over_serial(tmp_path, SERIAL_POLLS, 8)
