"""Meters looked for: serial ports at every likely speed and address, and hosts of the network. Start at `Scan.run`.

Modbus has no way to ask who is there. Anything that answers, be it with a refusal, is a device; which one it is says
`identify`. Likely settings and addresses come first, so that the usual meter is found in seconds. Source: METERS §6.2.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from edge_agent.meters.announced import announced
from edge_agent.meters.bus import Bus, BusTrouble
from edge_agent.meters.identify import Identified, Read
from edge_agent.meters.profiles import Profile, bundled
from edge_agent.meters.reach import identified
from sitelink.meter_endpoints import ADDRESSES, PORT, Endpoint

ANSWER_S = 0.25
LATE_S = 0.1
CONNECT_S = 0.6
AT_ONCE = 16
FREE_TRIES, FREE_EVERY_S = 8, 0.25
UNITS = (1, 2, 3, 247, 255)
"""Of a TCP device, before those that profiles name."""
NEIGHBOURS = range(1, 21)
"""Where one meter was found, others of the line are looked for here."""
ANYBODY = (Read(4, 0, 2), Read(3, 0, 2))


class Settings(msgspec.Struct, frozen=True):
    """Of a serial line."""

    speed: int
    parity: str
    stop_bits: int


class Found(msgspec.Struct, frozen=True):
    """Something that answers. `identified` None: it is none of the models that are known."""

    endpoint: Endpoint
    unit: int
    identified: Identified | None


class Wanted(msgspec.Struct, frozen=True):
    """`every_address`: not only the likely ones; on a serial line that takes minutes for each speed. `announced`: also
    those that announce themselves in the network."""

    devices: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    port: int = PORT
    every_address: bool = False
    announced: bool = False


class Scan:
    """One search. `found` and `done` of `total` may be read at any time; `problems` by port."""

    def __init__(self, wanted: Wanted, news: Callable[[], None] = lambda: None) -> None:
        self._wanted = wanted
        self._news = news
        self.found: list[Found] = []
        self.problems: dict[str, str] = {}
        self.done = 0
        self._lines = lines_of(bundled())
        self._addresses = addresses_of(bundled(), every=wanted.every_address)
        self.total = (
            len(wanted.devices) * len(self._lines) * len(self._addresses) + len(wanted.hosts) + wanted.announced
        )

    async def run(self) -> Sequence[Found]:
        """Until all was looked at; cancel it to end it earlier, what was found stays."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def at(endpoint: Endpoint) -> None:
            async with turns:
                await self._at(endpoint)
            self._step()

        async with asyncio.TaskGroup() as group:
            for device in self._wanted.devices:
                group.create_task(self._device(device))
            named = [Endpoint("tcp", host, self._wanted.port) for host in self._wanted.hosts]
            for endpoint in named:
                group.create_task(at(endpoint))
            if self._wanted.announced:
                heard = [each for each in await announced() if each not in named]
                self.total += len(heard)
                self._step()
                for endpoint in heard:
                    group.create_task(at(endpoint))
        return self.found

    def _step(self, steps: int = 1) -> None:
        self.done = min(self.total, self.done + steps)
        self._news()

    # ---- a serial port ----

    async def _device(self, device: str) -> None:
        await self._free(device)
        for line in self._lines:
            endpoint = Endpoint("rtu", device=device, speed=line.speed, parity=line.parity, stop_bits=line.stop_bits)  # type: ignore[arg-type]
            if not await self._line(endpoint):
                left = len(self._lines) - self._lines.index(line)
                self._step(left * len(self._addresses))
                return

    async def _free(self, device: str) -> None:
        """Who used the port until now may need a moment to leave it."""
        for _ in range(FREE_TRIES):
            bus = Bus(Endpoint("rtu", device=device))
            try:
                await bus.open()
            except BusTrouble as trouble:
                if trouble.code != "busy":
                    return
            else:
                return
            finally:
                await bus.close()
            await asyncio.sleep(FREE_EVERY_S)

    async def _line(self, endpoint: Endpoint) -> bool:
        """False: the port cannot be used."""
        bus = Bus(endpoint, late_s=LATE_S)
        try:
            for unit in self._addresses:
                if await self._is_there(bus, unit) and not self._has(bus, unit):
                    await self._name(bus, unit)
                    await self._neighbours(bus)
                self._step()
        except BusTrouble as trouble:  # only what ends the port comes here
            self.problems[endpoint.device] = trouble.code
            return False
        finally:
            await bus.close()
        return True

    async def _neighbours(self, bus: Bus) -> None:
        for unit in NEIGHBOURS:
            if not self._has(bus, unit) and await self._is_there(bus, unit):
                await self._name(bus, unit)

    async def _is_there(self, bus: Bus, unit: int) -> bool:
        for read in ANYBODY:
            try:
                await bus.read(unit, read, within_s=ANSWER_S + 20 * 11 / bus.endpoint.speed)
            except BusTrouble as trouble:
                if trouble.code == "refused":
                    return True
                if trouble.code in ("unreachable", "busy"):
                    raise
                continue
            return True
        return False

    # ---- a host ----

    async def _at(self, endpoint: Endpoint) -> None:
        if endpoint.kind == "tcp" and not await _is_open(endpoint):
            return
        bus = Bus(endpoint, late_s=LATE_S)
        units = self._addresses if self._wanted.every_address else tuple(dict.fromkeys((*UNITS, *self._addresses)))
        try:
            for unit in units:
                if await self._is_there(bus, unit):
                    await self._name(bus, unit)
                    if unit in (1, 247, 255) and await self._answers_to_all(bus):
                        return
        except BusTrouble as trouble:
            self.problems[endpoint.host] = trouble.code
        finally:
            await bus.close()

    async def _answers_to_all(self, bus: Bus) -> bool:
        """A device that is no gateway often answers whatever the unit."""
        return await self._is_there(bus, 173)

    # ---- both ----

    async def _name(self, bus: Bus, unit: int) -> None:
        try:
            who = await identified(bus, unit)
        except BusTrouble as trouble:
            if trouble.code in ("unreachable", "busy"):
                raise
            who = None
        self.found.append(Found(bus.endpoint, unit, who))
        self._news()

    def _has(self, bus: Bus, unit: int) -> bool:
        return any(each.endpoint == bus.endpoint and each.unit == unit for each in self.found)


def lines_of(profiles: Mapping[str, Profile]) -> tuple[Settings, ...]:
    """The settings of lines that meters come with, the likeliest first."""
    weight: Counter[Settings] = Counter()
    for profile in profiles.values():
        if profile.tcp_only or profile.sunspec:
            continue
        serial = profile.serial
        for place, speed in enumerate(serial.speeds):
            weight[Settings(speed, serial.parity, serial.stop_bits)] += max(1, 8 - 3 * place)
    return tuple(line for line, _ in weight.most_common())


def addresses_of(profiles: Mapping[str, Profile], *, every: bool) -> tuple[int, ...]:
    """1 and what meters come with first."""
    known: Iterable[int] = (address for profile in profiles.values() for address in profile.serial.addresses)
    first = dict.fromkeys((1, 2, 3, *sorted(set(known))))
    return tuple(dict.fromkeys((*first, *ADDRESSES))) if every else tuple(first)


async def _is_open(endpoint: Endpoint) -> bool:
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
