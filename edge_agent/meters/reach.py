"""A meter asked: the steps of a question, the registers of a plan, and by hand all of it once. Start at `Reached`.

Shared by the poller and the command line. A refusal is an answer; all other trouble is raised.
"""

from collections.abc import Generator, Iterable
from typing import Any

import msgspec

from edge_agent.meters.bus import Bus, BusTrouble
from edge_agent.meters.identify import Answer, Identified, Read, Recognised, identify, recognise
from edge_agent.meters.plan import Block, blocks, values_of
from edge_agent.meters.profiles import Profile, bundled
from edge_agent.meters.readings import Installed, Reading, reading_of


class Reached(msgspec.Struct, frozen=True):
    """A meter's place on a bus."""

    bus: Bus
    unit: int
    silence_s: float = 0.02

    async def steps(self, steps: Generator[Read, Answer, Any]) -> Any:
        """What a generator of reads comes to. Raises BusTrouble."""
        try:
            read = next(steps)
            while True:
                read = steps.send(await self._answer(read))
        except StopIteration as done:
            return done.value

    async def _answer(self, read: Read) -> Answer:
        try:
            answered = await self.bus.read(self.unit, read, silence_s=self.silence_s)
        except BusTrouble as trouble:
            if trouble.code == "refused":
                return None
            raise
        return answered.names or answered.registers

    async def collect(self, profile: Profile, plan: Iterable[Block], base: int = 0) -> "Collected":
        """The registers of all requests; what a refused one was to bring is asked value by value. Raises BusTrouble."""
        found = Collected({}, {})
        for block in plan:
            exception = await self._into(found.words, Read(block.function, block.at, block.count))
            if not exception:
                continue
            found.split = found.split or len(block.keys) > 1
            for key in block.keys:
                row = profile.keyed[key]
                read = Read(block.function, base + row.at, row.count)
                single = exception if read.count == block.count else await self._into(found.words, read)
                if single:
                    found.refused[key] = single
        return found

    async def _into(self, words: dict[int, int], read: Read) -> int:
        """The exception of a refusal; 0: it was read."""
        try:
            words.update(enumerate((await self.bus.read(self.unit, read, silence_s=self.silence_s)).registers, read.at))
        except BusTrouble as trouble:
            if trouble.code != "refused":
                raise
            return trouble.exception
        return 0


class Collected(msgspec.Struct):
    """`refused`: values the meter would not say, and the exceptions. `split`: a request for several was refused."""

    words: dict[int, int]
    refused: dict[str, int]
    split: bool = False


async def identified(bus: Bus, unit: int, *, guess: bool = True) -> Identified | None:
    """None: something answers, and it is none of the models that are known. Raises BusTrouble."""
    found: Identified | None = await Reached(bus, unit).steps(
        identify(bundled().values(), tcp=not bus.endpoint.is_serial, guess=guess)
    )
    return found


async def read_once(bus: Bus, unit: int, profile: Profile, installed: Installed) -> tuple[Reading, list[str]]:
    """Its values, and what is odd: other_model, codes of settings, `without:KEY` of values it has not.

    Raises BusTrouble.
    """
    meter = Reached(bus, unit, profile.serial.silence_ms / 1000)
    known: Recognised = await meter.steps(recognise(profile))
    odd = ["other_model"] if known.is_other else []
    if known.is_other and profile.sunspec:
        return Reading({}), odd
    collected = await meter.collect(profile, blocks(profile, base=known.base), known.base)
    values = values_of(profile, collected.words, base=known.base)
    odd += [*known.problems, *(f"without:{key}" for key in profile.keyed if key not in values)]
    return reading_of(values, installed), odd
