"""What happens at the demo's site: who is in the job, which stations exist, and what they go through.

The job is a garage of bays, its serials typed from a list, so not all of them are right. Made up from end to end.
Start at `site` for who is who and at `Story.play` for what happens.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from tests.doubles.demo_processes import Stations

AT_ONCE = 8 / 14
"""The share of the stations that are there from the beginning."""
SPEED = 10.0
"""How much faster than real the stations' time runs, so that a charge takes minutes, not hours."""
PER_PROCESS = 20
"""Beyond the main characters, stations share processes."""
MAIN_CHARACTERS = 14
ALREADY_ACTIVE = 4
"""Bays that drivers may use already; at the others the box refuses them until the job is complete."""
FASTEST_STEP_S = 2.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Bay:
    """A row of the job and the truth beside it. `listed` is the identity in the job, `identity` the station's own."""

    name: str
    listed: str | None
    connector: int
    identity: str | None
    """None: nothing is mounted here yet."""
    model: str


@dataclass(frozen=True, slots=True)
class Site:
    bays: list[Bay]
    identities: list[str]
    """Of the stations that exist, in the order in which they appear."""
    at_once: int

    def job_file(self) -> dict[str, Any]:
        """As `edge-agent job import` takes it."""
        return {
            "number": "1042",
            "site": {"name": "Harbour Garage", "address": "Quay Street 4"},
            "description": f"Commission {len(self.bays)} charge points on levels 1 and 2.",
            "instructions": "Start with level 1. Test every bay with the test car, then mark the job as complete.",
            "charge_points": [
                {
                    "name": bay.name,
                    "identity": bay.listed,
                    "connector": bay.connector,
                    "model": bay.model,
                    "active": place < ALREADY_ACTIVE,
                }
                for place, bay in enumerate(self.bays)
            ],
            "activate_by_default": True,
        }

    def bay_of(self, identity: str, connector: int = 1) -> str:
        for bay in self.bays:
            if bay.identity == identity and bay.connector == connector:
                return bay.name
        return identity


def site(count: int) -> Site:
    """A job of `count` bays. From 14 on it has all characters: 5 and 6 swapped, 11 without a serial, 12 and 13 one
    station with two connectors, 14 not mounted yet. Their versions of OCPP: `version_of`."""
    bays = [_bay(number, count) for number in range(1, count + 1)]
    identities = list(dict.fromkeys(bay.identity for bay in bays if bay.identity))
    return Site(bays, identities, max(1, round(count * AT_ONCE)))


def _bay(number: int, count: int) -> Bay:
    own = f"CP{number:03}"
    name = f"Bay {number}"
    swapped = {5: "CP006", 6: "CP005"} if count >= 6 else {}
    model = "Duo 44" if number in (6, 12, 13) else "Sprint 22"
    if number in swapped:
        return Bay(name, swapped[number], 1, own, model)
    if count >= MAIN_CHARACTERS:
        match number:
            case 11:
                return Bay(name, None, 1, own, model)
            case 13:
                return Bay(name, "CP012", 2, "CP012", model)
            case 14:
                return Bay(name, own, 1, None, model)
    return Bay(name, own, 1, own, model)


def version_of(identity: str) -> str:
    """Four of the main characters speak 2.0.1, one of them with two EVSEs; one speaks 2.1."""
    return {2: "2.0.1", 4: "2.0.1", 8: "2.0.1", 9: "2.1", 12: "2.0.1"}.get(int(identity[2:]), "1.6")


class Story:
    """Runs until cancelled. `stations` fills as they appear, by identity."""

    def __init__(self, site: Site, url: str, say: Say, seed: int = 7) -> None:
        self._site = site
        self._url = url
        self._say = say
        self._chance = random.Random(seed)
        self.processes: list[Stations] = []
        self.stations: dict[str, Stations] = {}

    async def play(self) -> None:
        """All scenes at once; each loops for as long as the demo runs."""
        first, later = self._site.identities[: self._site.at_once], self._site.identities[self._site.at_once :]
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._appear(tasks, first)
                self._say(f"{len(first)} stations are switched on at once.")
                for scene in self._scenes():
                    tasks.create_task(scene)
                await self._arrive_later(tasks, later)
        finally:
            await asyncio.gather(*(process.end() for process in self.processes))

    def _scenes(self) -> list[Coroutine[Any, Any, None]]:
        scenes = [self._drivers(identity) for identity in self._site.identities[:ALREADY_ACTIVE]]
        scenes += [self._test_car(identity) for identity in self._site.identities[ALREADY_ACTIVE:]]
        scenes.append(self._early_drivers())
        if "CP007" in self._site.identities:
            scenes.append(self._lost_link("CP007"))
        if "CP008" in self._site.identities:
            scenes.append(self._ground_fault("CP008"))
        if "CP003" in self._site.identities:
            scenes.append(self._breaker("CP003"))
        return scenes

    # arrivals

    async def _appear(self, tasks: asyncio.TaskGroup, identities: list[str]) -> None:
        main = [[identity] for identity in identities if int(identity[2:]) <= MAIN_CHARACTERS]
        rest = [identity for identity in identities if int(identity[2:]) > MAIN_CHARACTERS]
        groups = main + [rest[start : start + PER_PROCESS] for start in range(0, len(rest), PER_PROCESS)]
        for group in groups:
            process = await Stations.start(self._url, group, *self._options(group[0]))
            self.processes.append(process)
            self.stations.update(dict.fromkeys(group, process))
            tasks.create_task(self._follow(process))

    async def _follow(self, process: Stations) -> None:
        code = await process.watch()
        self._say(f"The process of {', '.join(process.identities)} ended with exit code {code}.")

    def _options(self, identity: str) -> tuple[str, ...]:
        bay = next(bay for bay in self._site.bays if bay.identity == identity)
        return (
            *("--vendor", "Nordlade", "--model", bay.model, "--serial", f"NL24-{identity[2:]}-{identity}"),
            *("--connectors", "2" if bay.model.startswith("Duo") else "1", "--seed", identity[2:]),
            *("--speed", str(SPEED), "--meter-interval", "30", "--reboot-time", "60"),
            *("--version", version_of(identity)),
        )

    async def _arrive_later(self, tasks: asyncio.TaskGroup, identities: list[str]) -> None:
        main = [identity for identity in identities if int(identity[2:]) <= MAIN_CHARACTERS]
        for identity in main:
            await self._pause(6, 10)
            await self._appear(tasks, [identity])
            unlisted = all(bay.listed != identity for bay in self._site.bays)
            bay = self._site.bay_of(identity)
            hint = " The job has no serial for it: look under the stations that call in." if unlisted else ""
            self._say(f"{bay}: the station {identity} is switched on.{hint}")
        await self._appear(tasks, [identity for identity in identities if identity not in main])

    # scenes, each for one station

    async def _drivers(self, identity: str) -> None:
        """Drivers come, charge and go, for ever."""
        bay = self._site.bay_of(identity)
        await self._pause(2, 25)
        while True:
            kwh = self._chance.uniform(1.5, 5.0)
            self._order(identity, "plug", wants_wh=kwh * 1000, phases=self._chance.choice([1, 3, 3]))
            await self._pause(2, 4)
            self._order(identity, "tag", id_tag=f"D{self._chance.randrange(16**7):07X}")
            self._say(f"{bay}: a driver plugs in and wants {kwh:.1f} kWh.")
            await self._pause(30, 70)
            self._order(identity, "unplug")
            self._say(f"{bay}: the driver leaves.")
            await self._pause(6, 15)

    async def _early_drivers(self) -> None:
        """Drivers who do not know that a bay is not handed over yet: the box refuses their card, they leave."""
        while True:
            await self._pause(6, 12)
            idle = [
                (identity, state["connector"])
                for identity in self._site.identities[ALREADY_ACTIVE:]
                for state in self._connectors(identity)
                if state["status"] == "Available" and self._is_a_bay(identity, state["connector"])
            ]
            if not idle:
                continue
            identity, connector = self._chance.choice(idle)
            bay = self._site.bay_of(identity, connector)
            self._order(identity, "plug", connector=connector, wants_wh=4_000)
            self._order(identity, "tag", connector=connector, id_tag=f"D{self._chance.randrange(16**7):07X}")
            self._say(f"{bay}: a driver tries it before its time.")
            await self._pause(10, 15)
            if self._status(identity, connector) == "Preparing":
                self._say(f"{bay}: the driver gives up.")
            else:
                await self._pause(60, 80)
            self._order(identity, "unplug", connector=connector)

    async def _test_car(self, identity: str) -> None:
        """The installer's helper: plugs the test car in where Start was pressed, takes it away when it is done."""
        while True:
            await asyncio.sleep(FASTEST_STEP_S)
            for state in self._connectors(identity):
                connector = state["connector"]
                if state["status"] == "Preparing" and not state["plugged"]:
                    self._order(identity, "plug", connector=connector, wants_wh=20_000)
                    self._say(f"{self._site.bay_of(identity, connector)}: the test car is plugged in.")
                elif state["status"] == "Finishing" and state["plugged"]:
                    await self._pause(3, 5)
                    self._order(identity, "unplug", connector=connector)
                    self._say(f"{self._site.bay_of(identity, connector)}: the test car is unplugged.")

    async def _lost_link(self, identity: str) -> None:
        bay = self._site.bay_of(identity)
        await self._pause(20, 25)
        while True:
            self._order(identity, "link_down")
            self._say(f"{bay}: its network cable comes loose.")
            await self._pause(25, 35)
            self._order(identity, "link_up")
            self._say(f"{bay}: its network is back.")
            await self._pause(60, 90)

    async def _ground_fault(self, identity: str) -> None:
        bay = self._site.bay_of(identity)
        await self._pause(12, 15)
        while True:
            self._order(identity, "fault", error_code="GroundFailure")
            self._say(f"{bay}: a ground fault.")
            await self._pause(40, 50)
            self._order(identity, "clear")
            self._say(f"{bay}: the fault is cleared.")
            await self._pause(50, 70)

    async def _breaker(self, identity: str) -> None:
        """Somebody trips the breaker now and then; a charge that runs ends by PowerLoss."""
        bay = self._site.bay_of(identity)
        await self._pause(70, 80)
        while True:
            self._order(identity, "power_cut")
            self._say(f"{bay}: its breaker trips.")
            await self._pause(10, 15)
            self._order(identity, "power_on")
            self._say(f"{bay}: its breaker is back in; the station boots.")
            await self._pause(120, 180)

    def _connectors(self, identity: str) -> list[dict[str, Any]]:
        process = self.stations.get(identity)
        state = process.states.get(identity, {}) if process else {}
        return list(state.get("connectors", []))

    def _is_a_bay(self, identity: str, connector: int) -> bool:
        return any(bay.identity == identity and bay.connector == connector for bay in self._site.bays)

    def _status(self, identity: str, connector: int) -> str:
        return str(next((s["status"] for s in self._connectors(identity) if s["connector"] == connector), ""))

    def _order(self, identity: str, do: str, **details: Any) -> None:
        if process := self.stations.get(identity):
            process.order(identity, do, **details)

    async def _pause(self, shortest_s: float, longest_s: float) -> None:
        await asyncio.sleep(self._chance.uniform(shortest_s, longest_s))
