"""Which model a meter is, asked of the meter itself: marks first, then SunSpec, and only then a guess by its values.

Pure: a generator yields what to read and is sent what was read (None: refused or not there). So the same steps serve
any bus, and tests without one. Start at `identify`. Source: METERS §6.1 "identify", §6.2.
"""

from collections.abc import Generator, Iterable, Sequence

import msgspec

from edge_agent.meters.plan import blocks, values_of
from edge_agent.meters.profiles import Check, Profile
from edge_agent.meters.registers import decode

SUNSPEC_BASES = (40000, 50000, 0)
SUNS = (0x5375, 0x6E53)
MODELS_MAX = 64
"""Of a device: a chain that does not end is none."""
COMMON = 1
VOLTS = ((90.0, 140.0), (190.0, 290.0))
HERTZ = (44.0, 66.0)
AMPS_MAX = 10_000.0
WATTS_MAX = 5_000_000.0


class Read(msgspec.Struct, frozen=True):
    """Registers to be read. `function` 43: Read Device Identification, answered as the bytes of vendor and product."""

    function: int
    at: int = 0
    count: int = 0


Answer = Sequence[int] | tuple[str, str] | None
"""Registers; for function 43 vendor and product; None: an exception or silence."""


class Identified(msgspec.Struct, frozen=True):
    """`profiles`: the model, or all whose values are plausible where `guessed`. `base`: of a SunSpec model."""

    profiles: tuple[str, ...]
    guessed: bool = False
    base: int = 0
    label: str = ""
    """What it says of itself."""
    serial_number: str = ""
    problems: tuple[str, ...] = ()


Checking = Generator[Read, Answer, float | str | None]
Steps = Generator[Read, Answer, Identified | None]


def identify(profiles: Iterable[Profile], *, tcp: bool, guess: bool = True) -> Steps:
    """Which of `profiles` answers. `guess`: also by what its values look like, where nothing marks it."""
    known = [profile for profile in profiles if tcp or not profile.tcp_only]
    seen: dict[Read, Answer] = {}
    by_sunspec = yield from _sunspec(known)
    if by_sunspec is not None:
        return by_sunspec
    for profile in known:
        if profile.identify is None:
            continue
        if (yield from is_marked(profile, seen)):
            return (yield from _described(profile, known))
    by_name = yield from _device(known)
    if by_name is not None:
        return by_name
    return (yield from _guessed(known)) if guess else None


class Recognised(msgspec.Struct, frozen=True):
    """Whether a meter is what it is said to be. `base`: of a SunSpec model. `problems`: settings that are wrong."""

    is_other: bool = False
    base: int = 0
    problems: tuple[str, ...] = ()


def recognise(profile: Profile) -> Generator[Read, Answer, Recognised]:
    """A meter that nothing marks is believed."""
    if profile.sunspec:
        base = yield from sunspec_base(profile)
        return Recognised(is_other=base is None, base=base or 0)
    is_other = profile.by_mark and not (yield from is_marked(profile))
    return Recognised(is_other=is_other, problems=(yield from unmet(profile)))


def same_map(one: Profile, other: Profile) -> bool:
    """Whether they differ by name alone: which of them it is makes no difference for its values."""
    return (one.function, one.rows, one.identify, one.device) == (
        other.function, other.rows, other.identify, other.device,
    )  # fmt: skip


def numbers(answer: Answer) -> list[int]:
    """Of an answer that is registers."""
    return [word for word in answer or () if isinstance(word, int)]


# ---- marks ----


def _checked(profile: Profile, check: Check, seen: dict[Read, Answer] | None = None) -> Checking:
    read = Read(check.function or profile.function, check.at, check.count)
    if seen is not None and read in seen:
        words = seen[read]
    else:
        words = yield read
        if seen is not None:
            seen[read] = words
    if words is None or len(words) != check.count:
        return None
    return decode(numbers(words), check)


def is_marked(profile: Profile, seen: dict[Read, Answer] | None = None) -> Generator[Read, Answer, bool]:
    """Whether the meter says that it is of this model."""
    if profile.device is not None:
        names = yield Read(43)
        return _is_named(profile, names)
    mark = profile.identify
    if mark is None or not mark.holds((yield from _checked(profile, mark, seen))):
        return False
    return mark.name is None or mark.name.holds((yield from _checked(profile, mark.name, seen)))


def _described(profile: Profile, known: Sequence[Profile]) -> Generator[Read, Answer, Identified]:
    serial: float | str | None = None
    if profile.serial_number is not None:
        serial = yield from _checked(profile, profile.serial_number)
    problems = yield from unmet(profile)
    alike = tuple(each.id for each in known if each.id != profile.id and same_map(each, profile))
    return Identified((profile.id, *alike), serial_number=_plain(serial), problems=problems)


def unmet(profile: Profile) -> Generator[Read, Answer, tuple[str, ...]]:
    """What is not set at the meter as it must be."""
    problems = []
    for need in profile.require:
        value = yield from _checked(profile, need)
        if value is not None and not need.holds(value):
            problems.append(need.problem)
    return tuple(problems)


def _device(known: Sequence[Profile]) -> Steps:
    named = [profile for profile in known if profile.device is not None]
    if not named:
        return None
    answer = yield Read(43)
    for profile in named:
        if _is_named(profile, answer):
            found = yield from _described(profile, known)
            return msgspec.structs.replace(found, label=" ".join(str(name) for name in answer or ()).strip())
    return None


def _is_named(profile: Profile, answer: Answer) -> bool:
    """Whether vendor and product begin as they do for this model."""
    said = [name.strip().casefold() for name in answer or () if isinstance(name, str)]
    wanted = [name.casefold() for name in profile.device or ()]
    return len(said) == 2 and all(name.startswith(begin) for name, begin in zip(said, wanted, strict=True))


def _plain(value: float | str | None) -> str:
    return "" if value is None else value if isinstance(value, str) else str(int(value))


# ---- SunSpec: a chain of models ----


def _sunspec(known: Sequence[Profile]) -> Steps:
    by_model = {model: profile for profile in known for model in profile.sunspec}
    for base in SUNSPEC_BASES if by_model else ():
        mark = yield Read(3, base, 2)
        if mark is None or tuple(mark) != SUNS:
            continue
        return (yield from _walked(base + 2, by_model))
    return None


def sunspec_base(profile: Profile) -> Generator[Read, Answer, int | None]:
    """Where the profile's model begins."""
    found = yield from _sunspec([profile])
    return found.base if found is not None else None


def _walked(at: int, by_model: dict[int, Profile]) -> Steps:
    label, serial = "", ""
    for _ in range(MODELS_MAX):
        head = numbers((yield Read(3, at, 2)))
        if len(head) != 2 or head[0] == 0xFFFF:
            return None
        model, length = head
        if model == COMMON:
            words = yield Read(3, at + 2, 32)
            label = " ".join(filter(None, (_words(words, 0, 16), _words(words, 16, 16))))
            serial = _words((yield Read(3, at + 50, 16)), 0, 16)
        elif model in by_model:
            return Identified((by_model[model].id,), base=at, label=label, serial_number=serial)
        at += 2 + length
    return None


def _words(answer: Answer, at: int, count: int) -> str:
    data = b"".join(word.to_bytes(2, "big") for word in numbers(answer)[at : at + count])
    return data.split(b"\0")[0].decode("ascii", "ignore").strip()


# ---- guesses ----


def _guessed(known: Sequence[Profile]) -> Steps:
    """By what can be read and looks like a meter. Whoever shows more comes first."""
    likely: list[tuple[int, Profile]] = []
    seen: dict[Read, Answer] = {}
    for profile in known:
        if profile.by_mark:
            continue
        words: dict[int, int] = {}
        for block in blocks(profile):
            if block.optional:
                continue
            read = Read(block.function, block.at, block.count)
            if read not in seen:
                seen[read] = yield read
            answer = seen[read]
            if answer is None or len(answer) != block.count:
                break
            words.update(enumerate(numbers(answer), block.at))
        else:
            values = values_of(profile, words)
            if len(values) == len(required(profile)) and is_plausible(profile, values):
                likely.append((len(values), profile))
    likely.sort(key=lambda each: -each[0])
    return Identified(tuple(profile.id for _, profile in likely), guessed=True) if likely else None


def required(profile: Profile) -> list[str]:
    return [key for key, row in profile.keyed.items() if not row.optional]


def is_plausible(profile: Profile, values: dict[str, float]) -> bool:
    """Whether these can be values of a meter on a mains: a wrong map gives numbers of any size."""
    volts = [value for key, value in values.items() if key.startswith("voltage_v")]
    if volts and not any(low <= value <= high for value in volts for low, high in VOLTS):
        return False
    if any(value and not any(low <= value <= high for low, high in VOLTS) for value in volts):
        return False
    hertz = values.get("frequency_hz.total")
    if hertz is not None and not HERTZ[0] <= hertz <= HERTZ[1]:
        return False
    if not volts and hertz is None and not any(values.get(key) for key in ("energy_import_wh.total", "power_w.total")):
        return False
    amps = all(abs(value) <= AMPS_MAX for key, value in values.items() if key.startswith("current_a"))
    watts = all(abs(value) <= WATTS_MAX for key, value in values.items() if key.startswith("power_w"))
    counted = all(value >= 0 for key, value in values.items() if key.startswith("energy_"))
    return amps and watts and counted
