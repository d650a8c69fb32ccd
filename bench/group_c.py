"""Group C: what group commit gives when the disk is the limit: 50 chargers in closed loop, every commit 8 ms longer.

C1 is the rate. C2 is that rate as a share of N / (2.2 × fsync + N × service), with the service time of one call as the
same box shows it without the slow disk. Start at `measure`.
"""

from bench.figures import Result, median
from bench.load import fleet
from bench.targets import box

CHARGERS = 50
SLOW_MS = 8.0


async def measure(rounds: int, seconds: float) -> list[Result]:
    rates: list[float] = []
    shares: list[float] = []
    for _ in range(rounds):
        async with box(CHARGERS) as quick, fleet(quick, "meter_values", CHARGERS) as chargers:
            service_s = 1 / (await chargers.closed(seconds)).per_s
        async with box(CHARGERS, fsync_ms=SLOW_MS) as slow, fleet(slow, "meter_values", CHARGERS) as chargers:
            rates.append((await chargers.closed(seconds)).per_s)
        limit = CHARGERS / (2.2 * SLOW_MS / 1000 + CHARGERS * service_s)
        shares.append(100 * rates[-1] / limit)
    return [
        Result("C1", f"50 chargers, closed loop, commits {SLOW_MS:.0f} ms longer", median(rates), "msg/s", 2000, 2500),
        Result("C2", "share of what such a disk allows", median(shares), "%", 70, 85),
    ]
