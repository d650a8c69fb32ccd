"""Which registers are asked for at once, and what the answers come to. Pure. Start at `Plan`, `values_of`.

A value's own registers always come in one answer: a counter is never put together from two moments. Optional values
have requests of their own, so that a meter without them answers the others. Source: METERS §6.2 "reading limits".
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from edge_agent.meters.profiles import Function, Profile, Row
from edge_agent.meters.registers import decode

GAP_MAX = 12
"""So many registers nobody asked for cost less than another request."""

Words = Mapping[int, int]
"""What was read, by address."""


class Block(msgspec.Struct, frozen=True):
    """One request. `keys`: the values it brings."""

    function: Function
    at: int
    count: int
    keys: tuple[str, ...]
    optional: bool = False

    def holds(self, at: int, count: int) -> bool:
        return self.at <= at and at + count <= self.at + self.count


class _Need(msgspec.Struct, frozen=True):
    at: int
    end: int
    key: str


def blocks(profile: Profile, *, base: int = 0, without: Collection[str] = ()) -> tuple[Block, ...]:
    """The requests of one poll. `base` is added to every address (SunSpec). `without`: values that are left out."""
    rows = {key: row for key, row in profile.keyed.items() if key not in without}
    required = {key: row for key, row in rows.items() if not row.optional}
    optional = {key: row for key, row in rows.items() if row.optional}
    found = [*_packed(profile, required, base, optional=False)]
    left = {key: row for key, row in optional.items() if not _within(found, base + row.at, row.count)}
    brought = tuple(key for key in optional if key not in left)
    if brought and found:  # they lie between others, and come along
        found[0] = msgspec.structs.replace(found[0], keys=(*found[0].keys, *brought))
    return (*found, *_packed(profile, left, base, optional=True))


def values_of(profile: Profile, words: Words, *, base: int = 0) -> dict[str, float]:
    """The values that `words` hold, by key; those that the meter has not are left out."""
    found: dict[str, float] = {}
    for key, row in profile.keyed.items():
        own = _taken(words, base + row.at, row.count)
        if own is None:
            continue
        exponent = words.get(base + row.scale_at) if row.scale_at is not None else None
        value = decode(own, row, exponent)
        if isinstance(value, int | float):
            found[key] = value
    return found


def _taken(words: Words, at: int, count: int) -> Sequence[int] | None:
    taken = [words[address] for address in range(at, at + count) if address in words]
    return taken if len(taken) == count else None


def _packed(profile: Profile, rows: Mapping[str, Row], base: int, *, optional: bool) -> Iterable[Block]:
    needs = []
    for key, row in rows.items():
        needs.append(_Need(base + row.at, base + row.end, key))
        if row.scale_at is not None:
            needs.append(_Need(base + row.scale_at, base + row.scale_at + 1, key))
    run: list[_Need] = []
    for need in sorted(needs, key=lambda each: (each.at, each.end)):
        if run and not _fits(profile, run, need):
            yield _block(profile, run, optional=optional)
            run = []
        run.append(need)
    if run:
        yield _block(profile, run, optional=optional)


def _fits(profile: Profile, run: Sequence[_Need], need: _Need) -> bool:
    end = max(each.end for each in run)
    if profile.one_by_one:
        return need.at == run[0].at and need.end == end
    return need.at - end <= GAP_MAX and max(end, need.end) - run[0].at <= profile.registers_max


def _block(profile: Profile, run: Sequence[_Need], *, optional: bool) -> Block:
    at, end = run[0].at, max(each.end for each in run)
    keys = tuple(dict.fromkeys(each.key for each in run))
    return Block(profile.function, at, end - at, keys, optional)


def _within(found: Iterable[Block], at: int, count: int) -> bool:
    return any(block.holds(at, count) for block in found)
