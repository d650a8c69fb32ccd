"""A meter asked by hand: which model it is, and what it says, once. Start at `identified` and `read_once`."""

from collections.abc import Generator
from typing import Any

from edge_agent.meters.bus import Bus, BusTrouble
from edge_agent.meters.identify import Answer, Identified, Read, identify, is_marked, sunspec_base, unmet
from edge_agent.meters.plan import blocks, values_of
from edge_agent.meters.profiles import Profile, bundled
from edge_agent.meters.readings import Installed, Reading, reading_of


async def steps_on(bus: Bus, unit: int, steps: Generator[Read, Answer, Any], *, silence_s: float = 0.02) -> Any:
    """What a generator of reads comes to on this bus. A refusal is an answer. Raises BusTrouble for all other."""
    try:
        read = next(steps)
        while True:
            read = steps.send(await _answer(bus, unit, read, silence_s))
    except StopIteration as done:
        return done.value


async def _answer(bus: Bus, unit: int, read: Read, silence_s: float) -> Answer:
    try:
        answered = await bus.read(unit, read, silence_s=silence_s)
    except BusTrouble as trouble:
        if trouble.code == "refused":
            return None
        raise
    return answered.names or answered.registers


async def identified(bus: Bus, unit: int, *, guess: bool = True) -> Identified | None:
    """None: something answers, and it is none of the models that are known. Raises BusTrouble."""
    found: Identified | None = await steps_on(
        bus, unit, identify(bundled().values(), tcp=not bus.endpoint.is_serial, guess=guess)
    )
    return found


async def read_once(bus: Bus, unit: int, profile: Profile, installed: Installed) -> tuple[Reading, list[str]]:
    """Its values, and what is odd: other_model, codes of settings, `without:KEY` of values it has not.

    Raises BusTrouble.
    """
    odd: list[str] = []
    silence_s = profile.serial.silence_ms / 1000
    base = 0
    if profile.sunspec:
        found = await steps_on(bus, unit, sunspec_base(profile), silence_s=silence_s)
        if found is None:
            return Reading({}), ["other_model"]
        base = found
    elif profile.by_mark and not await steps_on(bus, unit, is_marked(profile), silence_s=silence_s):
        odd.append("other_model")
    odd += await steps_on(bus, unit, unmet(profile), silence_s=silence_s)
    words: dict[int, int] = {}
    for block in blocks(profile, base=base):
        answer = await _answer(bus, unit, Read(block.function, block.at, block.count), silence_s)
        if answer is not None:
            words.update(enumerate((word for word in answer if isinstance(word, int)), block.at))
            continue
        for key in block.keys:
            row = profile.keyed[key]
            own = await _answer(bus, unit, Read(block.function, base + row.at, row.count), silence_s)
            words.update(enumerate((word for word in own or () if isinstance(word, int)), base + row.at))
    values = values_of(profile, words, base=base)
    odd += [f"without:{key}" for key in profile.keyed if key not in values]
    return reading_of(values, installed), odd
