"""Every meter is asked on time, whatever the others on its bus do. Start at `Poller.run`.

A task a bus. A meter that does not answer is asked less and less often, at least every five seconds; its mark is looked
at again before its values count. Sources: METERS §6.2, RELIABILITY O9.
"""

import asyncio
from collections.abc import Callable, Mapping

import msgspec
import structlog

from edge_agent.meters.bus import Bus, BusTrouble, load
from edge_agent.meters.identify import Recognised, recognise
from edge_agent.meters.plan import Block, blocks, values_of
from edge_agent.meters.profiles import Profile, bundled
from edge_agent.meters.reach import Reached
from edge_agent.meters.readings import Installed, reading_of
from edge_agent.site.ports import MeterPoll, MeterSite
from sitelink.events import MeterListed
from sitelink.meter_endpoints import Endpoint, EndpointInvalid, endpoint_of
from web_ui.ports import MeterKey

log = structlog.get_logger()

PERIOD_S = 1.0
BACK_OFF_S = (1.0, 2.0, 4.0, 5.0)
LEFT_OUT_S = 3600.0
"""So long nobody asks again for a value that a meter has not."""
PROBLEM_BY_TROUBLE = {"silent": "silent", "garbled": "garbled", "refused": "refused", "busy": "port_busy",
                      "unreachable": "unreachable"}  # fmt: skip


class Poller:
    """One long-lived task; its meters are those of the site, and follow it when that changes."""

    def __init__(
        self, site: MeterSite, *, period_s: float = PERIOD_S, profiles: Callable[[], Mapping[str, Profile]] = bundled
    ) -> None:
        self._site = site
        self._period_s = period_s
        self._profiles = profiles
        self._buses: dict[str, _BusTask] = {}

    async def run(self) -> None:
        await asyncio.gather(asyncio.to_thread(self._profiles), asyncio.to_thread(load))
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await self._arrange(group, self._site.listed())
                    await self._site.changed()
        finally:
            for bus in self._buses.values():
                await bus.end()

    async def _arrange(self, group: asyncio.TaskGroup, listed: Mapping[MeterKey, MeterListed]) -> None:
        wanted: dict[str, list[_Meter]] = {}
        for key, each in listed.items():
            meter = self._meter(key, each)
            if isinstance(meter, str):
                self._site.take(MeterPoll(meter=key, problem=meter))
                continue
            on_bus = wanted.setdefault(meter.endpoint.bus, [])
            if on_bus and on_bus[0].endpoint != meter.endpoint:
                self._site.take(MeterPoll(meter=key, problem="other_speed"))
            else:
                on_bus.append(meter)
        for name in [name for name, bus in self._buses.items() if not bus.is_for(wanted.get(name, []))]:
            await self._buses.pop(name).end()
        for name, meters in wanted.items():
            if name not in self._buses:
                bus = _BusTask(meters, self._site, self._period_s)
                bus.task = group.create_task(bus.run(), name=f"meters of {name}")
                self._buses[name] = bus

    def _meter(self, key: MeterKey, listed: MeterListed) -> "_Meter | str":
        """Or what is wrong with it."""
        profile = self._profiles().get(listed.profile)
        if profile is None:
            return "unknown_profile"
        try:
            endpoint = endpoint_of(listed.transport)
        except EndpointInvalid:
            return "bad_transport"
        return _Meter(key, listed, profile, endpoint)


class _Meter:
    """What is known of one while it is asked."""

    def __init__(self, key: MeterKey, listed: MeterListed, profile: Profile, endpoint: Endpoint) -> None:
        self.key = key
        self.listed = listed
        self.profile = profile
        self.endpoint = endpoint
        self.due_s = 0.0
        self.failures = 0
        self.base = 0
        self.is_known = False
        """Its mark was seen since it last fell silent."""
        self.problems: tuple[str, ...] = ()
        self.left_out: dict[str, float] = {}
        self.last: dict[str, float] = {}

    @property
    def silence_s(self) -> float:
        """What it wants between two requests on a line."""
        return self.profile.serial.silence_ms / 1000 if self.endpoint.is_line else 0.0

    def plan(self, now_s: float) -> tuple[Block, ...]:
        self.left_out = {key: until for key, until in self.left_out.items() if until > now_s}
        return blocks(self.profile, base=self.base, without=self.left_out)


class _BusTask:
    def __init__(self, meters: list[_Meter], site: MeterSite, period_s: float) -> None:
        self._meters = meters
        self._site = site
        self._period_s = period_s
        self._bus = Bus(meters[0].endpoint)
        self.task: asyncio.Task[None] | None = None

    def is_for(self, meters: list[_Meter]) -> bool:
        return [(each.key, each.listed) for each in meters] == [(each.key, each.listed) for each in self._meters]

    async def end(self) -> None:
        if self.task is not None:
            self.task.cancel()
        await self._bus.close()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                meter = min(self._meters, key=lambda each: each.due_s)
                await asyncio.sleep(max(0.0, meter.due_s - loop.time()))
                began = loop.time()
                try:
                    poll = await self._poll(meter)
                    self._site.take(poll)
                except Exception:  # a fault of ours with one meter ends nothing but this poll
                    log.exception("meter_poll_failed", meter=meter.listed.name)
                    poll = MeterPoll(meter=meter.key, problem="failed")
                    self._site.take(poll)
                self._schedule(meter, began, loop.time(), failed=bool(poll.problem))
        finally:
            await self._bus.close()

    def _schedule(self, meter: _Meter, began_s: float, now_s: float, *, failed: bool) -> None:
        if not failed:
            meter.failures = 0
            meter.due_s = max(now_s, began_s + self._period_s)
            return
        meter.due_s = now_s + max(self._period_s, BACK_OFF_S[min(meter.failures, len(BACK_OFF_S) - 1)])
        meter.failures += 1
        meter.is_known = False

    async def _poll(self, meter: _Meter) -> MeterPoll:
        reached = Reached(self._bus, meter.listed.unit_id, meter.silence_s)
        try:
            if not meter.is_known and not await self._recognise(meter, reached):
                return MeterPoll(meter=meter.key, problem="other_model")
            words = await self._words(meter, reached)
        except BusTrouble as trouble:
            problem = PROBLEM_BY_TROUBLE[trouble.code]
            return MeterPoll(meter=meter.key, problem=problem, exception=trouble.exception, detail=trouble.detail)
        installed = Installed(meter.listed.reversed, meter.listed.ratio)
        reading = reading_of(values_of(meter.profile, words, base=meter.base), installed, meter.last)
        meter.last = reading.values
        return MeterPoll(meter=meter.key, values=reading.values, flags=reading.flags, notes=meter.problems)

    async def _recognise(self, meter: _Meter, reached: Reached) -> bool:
        """False: another model answers."""
        known: Recognised = await reached.steps(recognise(meter.profile))
        meter.base, meter.problems, meter.is_known = known.base, known.problems, not known.is_other
        return meter.is_known

    async def _words(self, meter: _Meter, reached: Reached) -> dict[int, int]:
        """All of one poll, or BusTrouble: values of different moments are not mixed."""
        now_s = asyncio.get_running_loop().time()
        collected = await reached.collect(meter.profile, meter.plan(now_s), meter.base)
        for key, exception in collected.refused.items():
            if not meter.profile.keyed[key].optional:
                raise BusTrouble("refused", exception=exception)
            meter.left_out[key] = now_s + LEFT_OUT_S
        if collected.split and not collected.refused:  # it has them all, and not what lies between
            meter.profile = msgspec.structs.replace(meter.profile, one_by_one=True)
        return collected.words
