"""The meter of a house with charge points: a virtual SDM630 that takes what the house takes and what they charge.

Start at `house_meter`. `order`: the meter's phase for each phase of the charge points; `turned`: clamps the wrong way.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress

import aiohttp

from edge_agent.meters.profiles import bundled
from tests.doubles.virtual_meter import Line, VirtualMeter, serving_tcp

PROFILE = "eastron-sdm630"
PHASES = ("l1", "l2", "l3")
HOUSE_W = {"l1": 620.0, "l2": 350.0, "l3": 810.0}
VOLTS = {"l1": 231.4, "l2": 229.8, "l3": 230.6}
EVERY_S = 0.5


class HouseMeter:
    def __init__(self, order: Mapping[str, str] | None = None, turned: Collection[str] = ()) -> None:
        self.meter = VirtualMeter(1)
        self._order = order or {phase: phase for phase in PHASES}
        self._turned = turned
        self._import_wh = 1_234_560.0
        self.charging({})

    def charging(self, watts: Mapping[str, float], seconds: float = 0.0) -> None:
        """What charge points take per phase of their own now, after so many seconds."""
        taken = dict(HOUSE_W)
        for phase, watt in watts.items():
            taken[self._order[phase]] += watt
        self._import_wh += sum(taken.values()) * seconds / 3600
        shown = {phase: -watt if phase in self._turned else watt for phase, watt in taken.items()}
        values = {f"power_w.{phase}": watt for phase, watt in shown.items()}
        values |= {f"voltage_v.{phase}": volt for phase, volt in VOLTS.items()}
        values |= {f"current_a.{phase}": taken[phase] / VOLTS[phase] / 0.98 for phase in PHASES}
        values |= {"power_w.total": sum(shown.values()), "frequency_hz.total": 50.0}
        values |= {"energy_import_wh.total": self._import_wh, "energy_export_wh.total": 0.0}
        self.meter.become(bundled()[PROFILE], values)


@asynccontextmanager
async def house_meter(
    charging: Callable[[], Awaitable[Mapping[str, float]]], order: Mapping[str, str] | None = None,
    turned: Collection[str] = (), port: int = 0,
) -> AsyncIterator[int]:  # fmt: skip
    """Serves it; the port. `charging` says what the charge points take."""
    meter = HouseMeter(order, turned)

    async def follow() -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            meter.charging(await charging(), EVERY_S)

    async with serving_tcp(Line(meter.meter), port=port) as found:
        task = asyncio.ensure_future(follow())
        try:
            yield found
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def charging_at(box: str, token: str) -> dict[str, float]:
    """What the charge points of a job take, as its page says, on three phases alike."""
    async with aiohttp.ClientSession(box, headers={"Authorization": f"Bearer {token}"}) as session:
        try:
            async with session.get("/api/v1/job") as response:
                rows = (await response.json())["charge_points"]
        except (aiohttp.ClientError, KeyError):
            return {}
    watts = sum((row["transaction"] or {}).get("power_w") or 0.0 for row in rows)
    return {phase: watts / len(PHASES) for phase in PHASES}


async def add_meter(box: str, token: str, port: int) -> None:
    """Lists the meter in the job."""
    body = {"name": "House", "profile": PROFILE, "transport": f"tcp://127.0.0.1:{port}"}
    async with (
        aiohttp.ClientSession(box, headers={"Authorization": f"Bearer {token}"}) as session,
        session.post("/api/v1/job/meters", json=body) as response,
    ):
        assert response.status == 201, await response.text()
