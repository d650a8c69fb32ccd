"""Many chargers against one target: as fast as it answers, or at a given rate; what that cost and how long it took.

Start at `fleet` and `Fleet.closed`. The client's own processor share is part of every figure: above 90 % of a core
the client is what was measured.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.frames import STREAMS, Count
from bench.targets import Target, cpu_s, identity
from bench.wire import Charger, Script


@dataclass(frozen=True)
class Figures:
    """`cpu_s_per_10k` is the server's, for 10,000 answered calls; times in milliseconds."""

    answered: int
    seconds: float
    cpu_s_per_10k: float
    per_s: float
    client_share: float
    p50_ms: float
    p99_ms: float
    refused: int = 0


class Fleet:
    """Chargers that are connected and have begun."""

    def __init__(self, target: Target, chargers: list[Charger], counts: list[Count], stream: str) -> None:
        self.target = target
        self.chargers = chargers
        self._counts = counts
        self._stream = stream

    def _script(self, place: int, stream: str | None = None) -> Script:
        return STREAMS[stream or self._stream][2](self._counts[place])

    async def closed(self, seconds: float, *, warm_s: float = 0.5) -> Figures:
        """Every charger sends its next call as soon as the last is answered."""
        times: list[float] = []
        ends = [each.stream(self._script(n), times) for n, each in enumerate(self.chargers)]
        await asyncio.sleep(warm_s)
        times.clear()
        return await self._measured(times, seconds, ends)

    async def paced(self, seconds: float, per_s: float, *, stream: str | None = None) -> Figures:
        """One call at a time and charger, so many a second from all of them together, evenly."""
        times: list[float] = []
        scripts = [self._script(n, stream) for n in range(len(self.chargers))]
        stopped = asyncio.Event()

        async def keep_pace() -> None:
            loop = asyncio.get_running_loop()
            due, number = loop.time(), 0
            while not stopped.is_set():
                place = number % len(self.chargers)
                self.chargers[place].one(scripts[place], times)
                number, due = number + 1, due + 1 / per_s
                await asyncio.sleep(max(0.0, due - loop.time()))

        pacing = asyncio.create_task(keep_pace())
        try:
            await asyncio.sleep(0.5)
            times.clear()
            return await self._measured(times, seconds, [])
        finally:
            stopped.set()
            await pacing
            await asyncio.sleep(0.2)

    async def _measured(self, times: list[float], seconds: float, ends: list[asyncio.Future[None]]) -> Figures:
        own, pid = os.getpid(), self.target.pid
        before, own_before, began = cpu_s(pid), cpu_s(own), time.perf_counter()
        await asyncio.sleep(seconds)
        took, used, own_used = time.perf_counter() - began, cpu_s(pid) - before, cpu_s(own) - own_before
        found = sorted(times)
        for each in self.chargers:
            each.stop()
        if ends:
            async with asyncio.timeout(60):
                await asyncio.gather(*ends)
        count = len(found)
        if not count:
            raise RuntimeError("nothing was answered")
        return Figures(
            count, took, 1e4 * used / count, count / took, own_used / took, 1e3 * found[count // 2],
            1e3 * found[min(count - 1, int(count * 0.99))], sum(each.refused for each in self.chargers),
        )  # fmt: skip


@asynccontextmanager
async def fleet(target: Target, stream: str, number: int, first: int = 0) -> AsyncIterator[Fleet]:
    """So many chargers, connected and charging."""
    subprotocol, begin, _ = STREAMS[stream]
    chargers: list[Charger] = []
    counts = [Count() for _ in range(number)]
    try:
        for place in range(number):
            charger = await Charger.connect(target.port, identity(first + place), subprotocol)
            chargers.append(charger)
            await begin(charger, counts[place])
        yield Fleet(target, chargers, counts, stream)
    finally:
        for each in chargers:
            each.close()
        await asyncio.sleep(0.1)
