"""Group B: how long a charge point waits for an answer at a calm rate, and that a Heartbeat waits for no disk.

B1 and B2: 200 MeterValues a second from 50 chargers, with the bare responder's times and the disk's fsync as measured
in the same round. B3: 50 chargers store in closed loop while every commit takes 30 ms longer, and Heartbeats come from
five more. Start at `measure`.
"""

import asyncio
from contextlib import AsyncExitStack

from bench.figures import Result, median
from bench.load import fleet
from bench.targets import box, fsync_ms, reference

CHARGERS = 50
BEATING = 5
PER_S = 200
SLOW_MS = 30


async def measure(rounds: int, seconds: float) -> list[Result]:
    p50: list[float] = []
    p99: list[float] = []
    over50: list[tuple[float, float]] = []
    over99: list[tuple[float, float]] = []
    detail = ""
    async with AsyncExitStack() as stack:
        raw = await stack.enter_async_context(reference("raw"))
        ours = await stack.enter_async_context(box(CHARGERS))
        for _ in range(rounds):
            async with fleet(raw, "meter_values", CHARGERS) as chargers:
                bare = await chargers.paced(seconds, PER_S)
            assert ours.folder is not None
            fsync = fsync_ms(ours.folder)
            async with fleet(ours, "meter_values", CHARGERS) as chargers:
                durable = await chargers.paced(seconds, PER_S)
            p50.append(durable.p50_ms)
            p99.append(durable.p99_ms)
            over50.append((bare.p50_ms + 2 * fsync + 1, bare.p50_ms + 1.6 * fsync + 0.3))
            over99.append((bare.p99_ms + 3 * fsync + 3, bare.p99_ms + 2.5 * fsync + 1))
            detail = f"last round: raw {bare.p50_ms:.2f} and {bare.p99_ms:.2f}, fsync {fsync:.2f} ms"
    beat = [await _heartbeats(seconds) for _ in range(rounds)]

    def result(id_: str, what: str, found: list[float], bounds: list[tuple[float, float]]) -> Result:
        floor, goal = median(each[0] for each in bounds), median(each[1] for each in bounds)
        return Result(id_, what, median(found), "ms", floor, goal, detail, smaller_is_better=True)

    return [
        result("B1", "answer at 200 messages a second, p50", p50, over50),
        result("B2", "the same, p99", p99, over99),
        Result(
            "B3", f"Heartbeat p99 while each commit takes {SLOW_MS} ms longer", median(beat), "ms", 8, 4,
            smaller_is_better=True,
        ),
    ]  # fmt: skip


async def _heartbeats(seconds: float) -> float:
    async with box(CHARGERS + BEATING, fsync_ms=SLOW_MS) as slow, AsyncExitStack() as stack:
        storing = await stack.enter_async_context(fleet(slow, "meter_values", CHARGERS))
        beating = await stack.enter_async_context(fleet(slow, "heartbeats", BEATING, CHARGERS))
        load = asyncio.create_task(storing.closed(seconds + 1))
        figures = await beating.paced(seconds, 50)
        await load
        return figures.p99_ms
