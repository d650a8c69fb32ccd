"""What particular charge points do differently: the rules of `quirks.toml`, and which of them fit a station.

Pure but for reading the table that comes with the program. A rule says whom it means (vendor, model, firmware), where
that was reported, and what is to be done; unknown keys are errors that name rule and line. Not here: what is done
(`handshake`, `conduct`, `candour`, `station`). Sources: OCPP.md §4. Start at `Table.of_station`.
"""

import re
import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache, cached_property
from importlib import resources
from typing import Any

import msgspec

from sitelink.events import Traits

Versions = tuple[tuple[str, tuple[int, ...]], ...]
"""Comparisons that must all hold: operator and dotted number."""


class QuirksInvalid(Exception):
    """One sentence: source, line, rule, what is wrong."""


class Quirks(msgspec.Struct, frozen=True, kw_only=True):
    """How to treat a station. The defaults are those of a station that does as OCPP says."""

    configuration_keys_at_once: int = 0
    """Of one GetConfiguration; 0: as many as there are."""
    configuration_keys_not_asked: tuple[str, ...] = ()
    unlock: bool = True
    availability_per_connector: bool = False
    """Never ChangeAvailability for connector 0."""
    trigger_meter_values: bool = True
    answer_within_s: float = 0
    """How long our next call waits for the answer to the one before; 0: as usual."""
    quiet_after_boot_s: float = 0
    """What we say of our own accord after an accepted boot waits so long."""
    pings: bool = True
    back_after_reset_s: float = 0
    """How long a reset may take before it counts as failed; 0: as usual."""
    time_milliseconds: bool = True
    """Whether times we send have them."""
    token_form: str = ""
    """"hex": id tags of hexadecimal digits only."""
    token_max: int = 0
    token_key: str = ""
    """The configuration key whose value is the only id tag that starts a charge."""
    stack_level_zero_only: bool = False
    relative_profile: bool = False
    profile_unit: str = ""
    energy_scale: float = 1
    """What the energy register is to be multiplied with."""
    session_energy: bool = False
    """The energy register starts anew with every charge."""
    receive_time: bool = False
    """Its times are not believed."""
    finishing_sticks: bool = False
    available_while_plugged: bool = False

    @property
    def traits(self) -> Traits:
        """What of it the core must know."""
        return Traits(**{name: getattr(self, name) for name in Traits.__struct_fields__ if hasattr(self, name)})


NONE = Quirks()
KINDS_REMEMBERED = 256
"""Vendor, model and firmware, with the rules for them: the stations of a site are of few kinds."""
_EFFECTS = {field.name: field for field in msgspec.structs.fields(Quirks)}
HANDSHAKE = ("subprotocols", "headers")
"""What counts before anything is known of a station: such a rule names no vendor, model or firmware."""
_WHOM = ("vendor", "model", "firmware")
_SAID = ("name", "source", "note")
VERSIONS = ("ocpp1.6", "ocpp2.0.1", "ocpp2.1")


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """`vendor` and `model` are patterns, case-folded; "" means any."""

    name: str
    source: str
    note: str = ""
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    versions: Versions = ()
    effects: dict[str, Any] = {}
    subprotocols: dict[str, str] = {}
    headers: dict[str, str] = {}

    def fits(self, vendor: str, model: str, firmware: str) -> bool:
        if not (self.vendor or self.model):
            return False
        if self.vendor and not fnmatchcase(vendor.strip().casefold(), self.vendor):
            return False
        if self.model and not fnmatchcase(model.strip().casefold(), self.model):
            return False
        return all(_holds(dotted(firmware), *each) for each in self.versions)


class Table(msgspec.Struct, frozen=True, dict=True):
    """All rules, in order; of two that fit, the later one counts."""

    rules: tuple[Rule, ...] = ()

    def rules_for(self, vendor: str | None, model: str | None, firmware: str | None) -> tuple[Rule, ...]:
        kind = vendor or "", model or "", firmware or ""
        found: dict[tuple[str, str, str], tuple[Rule, ...]] = self.__dict__.setdefault("_found", {})
        if kind not in found:
            if len(found) >= KINDS_REMEMBERED:
                found.clear()
            found[kind] = tuple(rule for rule in self.rules if rule.fits(*kind))
        return found[kind]

    def of_station(self, vendor: str | None, model: str | None, firmware: str | None) -> Quirks:
        effects: dict[str, Any] = {}
        for rule in self.rules_for(vendor, model, firmware):
            effects |= rule.effects
        return Quirks(**effects) if effects else NONE

    @cached_property
    def subprotocols(self) -> dict[str, str]:
        """The version each odd spelling means, by the spelling case-folded."""
        return {token: version for rule in self.rules for token, version in rule.subprotocols.items()}

    @cached_property
    def headers(self) -> dict[str, str]:
        """What an upgrade request must say, by header: put there where it does not."""
        return {name: value for rule in self.rules for name, value in rule.headers.items()}

    def followed_by(self, other: "Table") -> "Table":
        return Table((*self.rules, *other.rules))


@cache
def built_in() -> Table:
    """The table that comes with the program."""
    text = resources.files("edge_agent.charge_points").joinpath("quirks.toml").read_text("utf-8")
    return parsed(text, "quirks.toml")


def parsed(text: str, source: str) -> Table:
    """The rules of a table. Raises QuirksInvalid."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise QuirksInvalid(f"{source}: not TOML: {error}") from error
    for key in data:
        if key != "rule":
            raise QuirksInvalid(f"{source}:{_line_of(text, -1, key)}: {key}: only [[rule]] tables are known")
    tables = data.get("rule", [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise QuirksInvalid(f"{source}: rule: write each as a table of its own, [[rule]]")
    rules = tuple(_Reader(text, source, number, table).rule() for number, table in enumerate(tables))
    names = [rule.name for rule in rules]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise QuirksInvalid(f"{source}:{_line_of(text, number, 'name')}: {name}: a rule of this name is above")
    return Table(rules)


class _Reader:
    """One rule as it is written."""

    def __init__(self, text: str, source: str, number: int, table: Mapping[str, Any]) -> None:
        self._text, self._source, self._number, self._table = text, source, number, table

    def rule(self) -> Rule:
        known = {*_SAID, *_WHOM, *HANDSHAKE, *_EFFECTS}
        for key in self._table:
            if key not in known:
                raise self._wrong(key, f"no such key; known are {', '.join(sorted(known))}")
        said = {key: self._text_of(key) for key in (*_SAID, *_WHOM) if key in self._table}
        for key in ("name", "source"):
            if not said.get(key):
                raise self._wrong(key, "is needed")
        effects = {key: self._effect(key) for key in self._table if key in _EFFECTS}
        handshake = {key: self._pairs(key) for key in HANDSHAKE if key in self._table}
        self._check_aim(said, effects, handshake)
        return Rule(
            name=said["name"], source=said["source"], note=said.get("note", ""),
            vendor=said.get("vendor", "").casefold(), model=said.get("model", "").casefold(),
            firmware=said.get("firmware", ""), versions=self._versions(said.get("firmware", "")), effects=effects,
            subprotocols={token.casefold(): version for token, version in handshake.get("subprotocols", {}).items()},
            headers=handshake.get("headers", {}),
        )  # fmt: skip

    def _check_aim(self, said: Mapping[str, str], effects: object, handshake: Mapping[str, Mapping[str, str]]) -> None:
        if not effects and not handshake:
            raise self._wrong("name", "the rule does nothing")
        if effects and not (said.get("vendor") or said.get("model")):
            raise self._wrong("name", "says neither vendor nor model")
        if handshake and (effects or any(said.get(key) for key in _WHOM)):
            raise self._wrong(next(iter(handshake)), "counts before a vendor is known and stands in a rule of its own")
        for token, version in handshake.get("subprotocols", {}).items():
            if version not in VERSIONS:
                raise self._wrong("subprotocols", f"{token} means {version}; allowed are {', '.join(VERSIONS)}")

    def _text_of(self, key: str) -> str:
        value = self._table[key]
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(key, f"found {value!r}, a text is needed")
        return value.strip()

    def _pairs(self, key: str) -> dict[str, str]:
        value = self._table[key]
        if not isinstance(value, dict) or not value or not all(isinstance(each, str) for each in value.values()):
            raise self._wrong(key, f"found {value!r}, a table of texts is needed")
        return value

    def _effect(self, key: str) -> Any:
        try:
            return msgspec.convert(self._table[key], _EFFECTS[key].type)
        except msgspec.ValidationError as error:
            raise self._wrong(key, f"found {self._table[key]!r}: {error}") from None

    def _versions(self, said: str) -> Versions:
        found = []
        for part in filter(None, (each.strip() for each in said.split(","))):
            match = _COMPARISON.fullmatch(part)
            if match is None:
                raise self._wrong("firmware", f"found {part!r}; write <, <=, =, >= or > and a dotted number")
            found.append((match[1], dotted(match[2])))
        return tuple(found)

    def _wrong(self, key: str, problem: str) -> QuirksInvalid:
        name = self._table.get("name")
        rule = name if isinstance(name, str) and name else f"rule {self._number + 1}"
        return QuirksInvalid(f"{self._source}:{_line_of(self._text, self._number, key)}: {rule}: {key}: {problem}")


_COMPARISON = re.compile(r"(<=|>=|<|>|=)\s*(\d{1,9}(?:\.\d{1,9}){0,9})")
_DOTTED = re.compile(r"\d{1,9}(?:\.\d{1,9})+", re.ASCII)
_DIGITS = re.compile(r"\d{1,9}", re.ASCII)


def dotted(text: str) -> tuple[int, ...]:
    """The last dotted number of a firmware text, else its first plain one: "TAC3Z91190::V1.8.21" is 1.8.21."""
    found = _DOTTED.findall(text[:200]) or _DIGITS.findall(text[:200])[:1]
    numbers = [int(each) for each in found[-1].split(".")] if found else []
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()  # 1.8 and 1.8.0 are the same
    return tuple(numbers)


def _holds(found: tuple[int, ...], operator: str, wanted: tuple[int, ...]) -> bool:
    """A firmware that has no number fits no range."""
    if not found:
        return False
    return {
        "<": found < wanted, "<=": found <= wanted, "=": found == wanted, ">=": found >= wanted, ">": found > wanted,
    }[operator]  # fmt: skip


def _line_of(text: str, rule: int, key: str) -> int:
    """Where a key of the rule (−1: of the file) stands; the rule's own line where it does not."""
    at, here = -1, 1
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("[["):
            at += 1
            if at == rule:
                here = number
        elif at == rule and re.match(rf'\[?"?{re.escape(key)}"?\s*[=\]]', stripped):
            return number
    return here
