"""What a meter of a model is: where its values stand, how it is told from others, how it is asked.

Data in `profiles/*.toml`, one model a file; a model that shares another's map says `like`. Pure but for reading files.
Unknown keys and quantities are errors that name file and place. Start at `bundled` and `load`. Source: METERS §6.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import msgspec

from edge_agent.meters.registers import Field

QUANTITIES = ("voltage_v", "current_a", "power_w", "frequency_hz", "energy_import_wh", "energy_export_wh")
PHASES = ("total", "l1", "l2", "l3")
REGISTERS_MAX = 125
"""Of one request, by the protocol."""

Function = Literal[3, 4]
"""Holding or input registers."""


class ProfileInvalid(Exception):
    """One sentence: file, place, what is wrong."""


class Row(Field, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value. `optional`: some meters of the model do not have it. `source`: keys of the profile's sources."""

    optional: bool = False
    source: tuple[str, ...]

    @property
    def verified(self) -> bool:
        """Two sources that agree."""
        return len(self.source) > 1


class Check(Field, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands somewhere, and what it must be. `function`: another than the profile's."""

    function: Function | None = None
    values: tuple[int, ...] = ()
    ranges: tuple[tuple[int, int], ...] = ()
    starts: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()

    def holds(self, value: float | str | None) -> bool:
        if isinstance(value, str):
            text = value.casefold()
            begins = any(text.startswith(word.casefold()) for word in self.starts)
            return begins or any(word.casefold() in text for word in self.contains)
        return value is not None and (value in self.values or any(low <= value <= high for low, high in self.ranges))


class Mark(Check, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What tells the model from all others. `name`: what stands elsewhere must fit too."""

    name: Check | None = None


class Requirement(Check, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be set at the meter, or its values mean something else; `problem` is the word for it."""

    problem: str


class Serial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it comes on a serial line, the likeliest first. `silence_ms`: what it wants between two requests."""

    speeds: tuple[int, ...] = (9600, 19200)
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    addresses: tuple[int, ...] = (1,)
    silence_ms: int = 20


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model. `rows` by quantity and phase, in V, A, W, Hz and Wh."""

    id: str
    name: str
    phases: Literal[1, 2, 3]
    function: Function
    rows: dict[str, dict[str, Row]]
    sources: dict[str, str]
    registers_max: int = 50
    """It can be asked for so many at once."""
    one_by_one: bool = False
    """Each value is read from its first register, alone."""
    tcp_only: bool = False
    serial: Serial = Serial()
    identify: Mark | None = None
    device: tuple[str, str] | None = None
    """What vendor and product of Read Device Identification begin with."""
    sunspec: tuple[int, ...] = ()
    """SunSpec models: addresses of rows count from the first register of the model."""
    serial_number: Check | None = None
    require: tuple[Requirement, ...] = ()

    @property
    def by_mark(self) -> bool:
        """Whether a meter of the model says that it is one; else it can only be guessed."""
        return self.identify is not None or self.device is not None or bool(self.sunspec)

    @property
    def verified(self) -> bool:
        return all(row.verified for row in self.keyed.values())

    @property
    def keyed(self) -> dict[str, Row]:
        """All rows, by key as `power_w.l1`."""
        return {f"{quantity}.{phase}": row for quantity, rows in self.rows.items() for phase, row in rows.items()}


@cache
def bundled() -> Mapping[str, Profile]:
    """All that come with the program, by id."""
    tables = _tables()
    return {id_: _profile(id_, table, tables) for id_, table in tables.items()}


def load(file: Path) -> Profile:
    """A person's own. Raises ProfileInvalid."""
    try:
        table = _parsed(file.read_text("utf-8"), file.name)
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileInvalid(f"{file}: cannot be read as UTF-8 text: {error}") from error
    return _profile(file.stem, table, _tables())


def _tables() -> dict[str, dict[str, Any]]:
    files = (resources.files("edge_agent.meters") / "profiles").iterdir()
    texts = {file.name.removesuffix(".toml"): file.read_text("utf-8") for file in files}
    return {id_: _parsed(texts[id_], id_) for id_ in sorted(texts)}


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileInvalid(f"{name}: {error}") from error


def _profile(id_: str, table: dict[str, Any], others: Mapping[str, dict[str, Any]]) -> Profile:
    table = dict(table)
    of = table.pop("like", None)
    if of is not None:
        if of not in others or "like" in others[of]:
            raise ProfileInvalid(f"{id_}: like = {of!r} is no profile with a map of its own")
        table = _over(others[of], table)
    mark = table.get("identify")
    if isinstance(mark, dict) and set(mark) <= {"device"}:  # it names itself, or nothing marks it
        table["device"] = mark.get("device")
        table["identify"] = None
    try:
        profile = msgspec.convert({**table, "id": id_}, Profile)
    except msgspec.ValidationError as error:
        raise ProfileInvalid(f"{id_}: {error}") from error
    wrong = next(_wrong(profile), None)
    if wrong is not None:
        raise ProfileInvalid(f"{id_}: {wrong}")
    shown = set(PHASES[: 1 + profile.phases])
    rows = {quantity: {at: row for at, row in each.items() if at in shown} for quantity, each in profile.rows.items()}
    return msgspec.structs.replace(profile, rows=rows)


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Rows, quantity by quantity, and sources are laid over each other; everything else is replaced whole."""
    rows = {quantity: dict(each) for quantity, each in below.get("rows", {}).items()}
    for quantity, each in above.get("rows", {}).items():
        rows.setdefault(quantity, {}).update(each)
    sources = {**below.get("sources", {}), **above.get("sources", {})}
    return {**below, **above, "rows": rows, "sources": sources}


def _wrong(profile: Profile) -> Iterator[str]:
    if not 1 <= profile.registers_max <= REGISTERS_MAX:
        yield f"registers_max = {profile.registers_max}: one request reads 1 to {REGISTERS_MAX} registers"
    if not profile.rows:
        yield "rows: there are none"
    for quantity, rows in profile.rows.items():
        if quantity not in QUANTITIES:
            yield f"rows.{quantity}: allowed are {', '.join(QUANTITIES)}"
        for phase, row in rows.items():
            where = f"rows.{quantity}.{phase}"
            if phase not in PHASES:
                yield f"{where}: allowed are {', '.join(PHASES)}"
            if row.type == "text" or row.count > profile.registers_max:
                yield f"{where}: type = {row.type!r} is no number that can be read at once"
            if not 0 <= row.at <= 0xFFFF or row.end > 0x10000:
                yield f"{where}: at = {row.at} lies outside 0 to 0xFFFF"
            unknown = [each for each in row.source if each not in profile.sources]
            if unknown or not row.source:
                yield f"{where}: source names {unknown or 'nothing'}; [sources] has {', '.join(profile.sources)}"
    for check in (profile.identify, profile.serial_number, *profile.require):
        if check is not None and check.type == "text" and not check.registers:
            yield f"at = {check.at:#06x}: a text needs `registers`"
