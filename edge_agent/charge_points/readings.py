"""Read what stations write: texts, numbers, times and meter values, right or wrong.

Pure: no I/O, no clock, no log. Nothing here refuses: what can be understood is, what cannot is None, and each thing put
right is named in `found`, a list of short codes that the shell counts for each station. Sources: OCPP 1.6 §3.14,
§3.15, §3.16, §7.28 to §7.45; the oddities of OCPP.md §4.3. Start at `meter_groups`.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from edge_agent.site.reports import MeterGroup
from sitelink.events import MeterSample

Found = list[str]

TEXT_MAX = 500
KEPT_ITEMS_MAX = 50
KEPT_BYTES_MAX = 8 * 1024
EXACT_MAX = 2**53
"""Above it a number is no count of anything a station has, and a float no longer exact."""
SAMPLES_MAX = 10_000
YEARS = range(2000, 2100)
DEFAULT_MEASURAND = "Energy.Active.Import.Register"


# ---- single values ----


def text_of(payload: Mapping[str, Any], key: str, found: Found, longest: int = TEXT_MAX) -> str | None:
    """A text without outer blanks and control characters; numbers as their digits; None where empty or no text."""
    value = payload.get(key)
    if value is None:
        return None
    if type(value) is str and len(value) <= longest and value.isprintable():
        return value.strip() or None
    return _text_made_of(value, key, found, longest)


def _text_made_of(value: Any, key: str, found: Found, longest: int) -> str | None:
    if not isinstance(value, str):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            found.append(f"{key}:not_a_text")
            return None
        found.append(f"{key}:number_for_text")
        value = str(value)
    if not value.isprintable():
        value = _NOT_PRINTABLE.sub("", value)
        found.append(f"{key}:control_characters")
    value = value.strip()
    if len(value) > longest:
        value = value[:longest]
        found.append(f"{key}:too_long")
    return value or None


_NOT_PRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")


def number_of(payload: Mapping[str, Any], key: str, found: Found) -> float | None:
    """A finite number, also when it came as a text."""
    value = payload.get(key)
    if type(value) is int:
        return value if abs(value) <= EXACT_MAX else float(value)
    if type(value) is float:
        return value if math.isfinite(value) else None
    if value is None:
        return None
    if isinstance(value, str):
        number = _number(value)
        found.append(f"{key}:text_for_number" if number is not None else f"{key}:not_a_number")
        return number
    found.append(f"{key}:not_a_number")
    return None


def integer_of(payload: Mapping[str, Any], key: str, found: Found) -> int | None:
    """A whole number, also when it came as a text or with a decimal point."""
    value = payload.get(key)
    if type(value) is int and abs(value) <= EXACT_MAX:
        return value
    number = number_of(payload, key, found)
    if number is None or abs(number) > EXACT_MAX or number != int(number):
        return None
    if not isinstance(value, str):
        found.append(f"{key}:not_a_whole_number")
    return int(number)


def is_true(payload: Mapping[str, Any], key: str, found: Found) -> bool:
    """Whether it says yes, also as a text or a number; no is what nobody says."""
    value = payload.get(key)
    if value is None or type(value) is bool:
        return value is True
    said = _SWITCHES.get(str(value).strip().casefold()) if isinstance(value, (str, int)) else None
    if said is None:
        found.append(f"{key}:not_a_switch")
        return False
    found.append(f"{key}:text_for_switch" if isinstance(value, str) else f"{key}:number_for_switch")
    return said


_SWITCHES = {"true": True, "1": True, "false": False, "0": False}


def _number(text: str) -> float | None:
    """A decimal comma is a point; what Python alone takes for a number (`1_0`, `nan`) is none."""
    if "," in text:
        text = text.replace(",", ".", 1)
    if "_" in text or not text.isascii():
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def kept(value: Any) -> Any:
    """A message as it is kept beside its facts: long texts and lists cut, so that a record has a bounded size."""
    encoded = msgspec.json.encode(value)
    if len(encoded) <= TEXT_MAX and encoded.count(b",") < KEPT_ITEMS_MAX:  # nothing in it can be too long
        return value
    cut = _cut(value)
    encoded = msgspec.json.encode(cut)
    return cut if len(encoded) <= KEPT_BYTES_MAX else {"cut": encoded[:TEXT_MAX].decode("utf-8", "ignore")}


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= TEXT_MAX else value[:TEXT_MAX] + "…"
    if isinstance(value, dict):
        return {key[:TEXT_MAX]: _cut(each) for key, each in list(value.items())[:KEPT_ITEMS_MAX]}
    return [_cut(each) for each in value[:KEPT_ITEMS_MAX]] if isinstance(value, list) else value


SIGNED_BYTES_MAX = 64 * 1024


def signed_whole(group: Mapping[str, Any]) -> Any:
    """A group with signed values, to the last character: a signature that was cut proves nothing (2.x J01, J02)."""
    encoded = msgspec.json.encode(group)
    return dict(group) if len(encoded) <= SIGNED_BYTES_MAX else kept(dict(group))


# ---- times ----


def time_of(payload: Mapping[str, Any], found: Found, key: str = "timestamp") -> tuple[datetime | None, str | None]:
    """Our reading in UTC, and the text as it came. No reading: nonsense, or a year outside 2000 to 2099."""
    value = payload.get(key)
    if value is None:
        return None, None
    at = _plain_time(value)
    if at is not None and at.year in YEARS:
        return at, value
    text = str(value)[:64] if isinstance(value, (str, int, float)) else ""
    if not text:
        found.append(f"{key}:not_a_time")
        return None, None
    at = _parsed(text, key, found)
    if at is None:
        found.append(f"{key}:not_a_time")
    elif at.year not in YEARS:
        found.append(f"{key}:year_out_of_range")
        at = None
    return at, text


def _plain_time(value: Any) -> datetime | None:
    """`2026-03-29T01:30:00.000Z`, as nearly every station writes it."""
    if type(value) is not str or not 20 <= len(value) <= 30 or value[10] != "T" or value[-1] != "Z":
        return None
    if value[19] not in ".Z":
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _parsed(text: str, key: str, found: Found) -> datetime | None:
    if _PLAIN.fullmatch(text):
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except OverflowError:
            return None
        except ValueError:
            pass  # 24:00, a leap second, or no such day
    parts = _LOOSE.fullmatch(text.strip())
    if parts is None:
        return _epoch(text, key, found)
    try:
        day = datetime(int(parts["y"]), int(parts["mo"]), int(parts["d"]), tzinfo=UTC)
        fraction = float(f"0.{parts['f']}") if parts["f"] else 0.0
        seconds = min(int(parts["s"] or 0), 59) + fraction
        at = day + timedelta(hours=int(parts["h"] or 0), minutes=int(parts["mi"] or 0), seconds=seconds)
        at -= _offset(parts["zone"])
    except (ValueError, OverflowError):
        return None
    found.append(f"{key}:unusual_form" if parts["zone"] else f"{key}:no_zone")
    return at


_PLAIN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_LOOSE = re.compile(
    r"(?P<y>\d{4})[-/](?P<mo>\d{1,2})[-/](?P<d>\d{1,2})"
    r"(?:[Tt ]\s*(?P<h>[01]?\d|2[0-4]):(?P<mi>[0-5]?\d)(?::(?P<s>[0-5]?\d|60)(?:[.,](?P<f>\d{0,12}))?)?)?"
    r"\s*(?P<zone>[Zz]|UTC|GMT|[+-]\d{1,2}(?::?\d\d)?)?",
    re.ASCII,
)


def _offset(zone: str | None) -> timedelta:
    if not zone or zone[0] not in "+-":
        return timedelta()
    digits = zone[1:].replace(":", "")
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    return timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)


def _epoch(text: str, key: str, found: Found) -> datetime | None:
    """Seconds or milliseconds since 1970."""
    if not (text.isascii() and text.isdecimal() and len(text) in (10, 13)):
        return None
    found.append(f"{key}:epoch")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text) * (1000 if len(text) == 10 else 1))


# ---- meter values ----


ReadSample = Callable[[dict[str, Any], Found], MeterSample | None]


def meter_groups(
    value: Any, found: Found, key: str = "meterValue", read: ReadSample | None = None
) -> tuple[MeterGroup, ...]:
    """The groups of a `meterValue` or `transactionData`; values without a number are left out.

    `read` reads one sampled value; without it, as OCPP 1.6 has it.
    """
    read = read or sample_16
    groups = []
    room = SAMPLES_MAX
    for raw in _list_of(value, key, found):
        for group in _flattened(raw):
            start = len(found)
            at, station_time = time_of(group, found)
            plain = _PLAIN_WAYS[read](group.get("sampledValue"))
            listed = plain or _samples(group, found, read)
            samples = tuple(listed if len(listed) <= room else listed[:room])
            room -= len(samples)
            signed = not plain and _is_signed(group)
            if samples or signed:
                odd = kept(group) if len(found) > start else None
                groups.append(MeterGroup(samples, at, station_time, signed_whole(group) if signed else odd))
    if room <= 0:
        found.append(f"{key}:too_many_samples")
    return tuple(groups)


def _list_of(value: Any, key: str, found: Found) -> Sequence[dict[str, Any]]:
    """Objects of a list. One object in place of the list is a list of one."""
    if isinstance(value, dict):
        found.append(f"{key}:not_a_list")
        value = [value]
    if not isinstance(value, list):
        if value is not None:
            found.append(f"{key}:not_a_list")
        return []
    for each in value:
        if not isinstance(each, dict):
            found.append(f"{key}:not_an_object")
            return [each for each in value if isinstance(each, dict)]
    return value


def _flattened(raw: dict[str, Any]) -> Sequence[dict[str, Any]]:
    """OCPP 1.5 has one level more in transactionData: {"values": [group, …]}."""
    inner = raw.get("values")
    if inner and isinstance(inner, list) and isinstance(inner[0], dict) and "timestamp" in inner[0]:
        return [each for each in inner if isinstance(each, dict)]
    return (raw,)


def _samples(group: dict[str, Any], found: Found, read: ReadSample) -> list[MeterSample]:
    raw = group.get("sampledValue")
    if raw is None:
        raw = group.get("values", group.get("value"))
        found.append("sampledValue:named_as_in_1.5" if raw is not None else "sampledValue:missing")
    if not raw:
        return []
    if isinstance(raw, (str, int, float)):
        raw = [group]  # OCPP 1.5: the value stands beside its time
    samples = (read(each, found) for each in _list_of(raw, "sampledValue", found))
    return [sample for sample in samples if sample is not None]


def _plain_16(listed: Any) -> list[MeterSample] | None:
    """All values, where each is as the specification has it; None: each must be looked at with care."""
    if type(listed) is not list:
        return None
    samples = []
    try:
        for raw in listed:
            get = raw.get
            text = raw["value"]
            measurand, unit, phase, location, context, kind = _KINDS[
                (get("measurand"), get("unit"), get("phase"), get("location"), get("context"))
            ]
            if kind.odd or type(text) is not str or "_" in text or not text.isascii() or get("format", "Raw") != "Raw":
                return None
            value = float(text)
            if value - value != 0:  # infinite, or no number
                return None
            if not kind.is_base:
                value = kind.scaled(value)
            samples.append(MeterSample(measurand, unit, value, phase, location, context))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return samples


def _plain_2x(listed: Any) -> list[MeterSample] | None:
    """As `_plain_16`, of OCPP 2.x."""
    if type(listed) is not list:
        return None
    samples = []
    try:
        for raw in listed:
            get = raw.get
            value, of = raw["value"], get("unitOfMeasure")
            if of is not None and (type(of) is not dict or of.get("multiplier")):
                return None
            measurand, unit, phase, location, context, kind = _KINDS[
                (get("measurand"), get("unit") if of is None else of.get("unit"), get("phase"), get("location"),
                 get("context"))
            ]  # fmt: skip
            if kind.odd or (type(value) is not float and type(value) is not int) or "signedMeterValue" in raw:
                return None
            if not -EXACT_MAX <= value <= EXACT_MAX:
                return None
            if not kind.is_base:
                value = kind.scaled(value)
            samples.append(MeterSample(measurand, unit, value, phase, location, context))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return samples


def sample_16(raw: dict[str, Any], found: Found) -> MeterSample | None:
    """OCPP 1.6 §7.43: the value is a text, the unit a word."""
    text = raw.get("value")
    if raw.get("format") == "SignedData":
        return None
    if isinstance(text, str):
        value = _number(text)
        if value is None:
            found.append("value:empty" if not text.strip() else "value:not_a_number")
            return None
    else:
        value = number_of(raw, "value", found)
        if value is None:
            found.append("value:empty")
            return None
        found.append("value:number_for_text")
    return _sample_of(raw, raw.get("unit"), value, found)


def sample_2x(raw: dict[str, Any], found: Found) -> MeterSample | None:
    """OCPP 2.x SampledValueType: the value is a number, the unit an object with a power of ten."""
    value = number_of(raw, "value", found)
    if value is None:
        found.append("value:empty")
        return None
    said = raw.get("unitOfMeasure")
    unit = said if isinstance(said, dict) else {"unit": raw.get("unit", said)}
    if said is not None and not isinstance(said, dict):
        found.append("unitOfMeasure:not_an_object")
    power = integer_of(unit, "multiplier", found) or 0
    if power:
        value = value * 10.0**power if abs(power) <= POWER_MAX else 0.0
    return _sample_of(raw, unit.get("unit"), value, found)


_PLAIN_WAYS: dict[ReadSample, Callable[[Any], list[MeterSample] | None]] = {sample_16: _plain_16, sample_2x: _plain_2x}

POWER_MAX = 15
"""Of ten, in a unit's multiplier. Beyond it no quantity of a charge point lies."""


def _sample_of(raw: dict[str, Any], unit: Any, value: float, found: Found) -> MeterSample:
    """The value with what it is a value of."""
    kind = _kind_of(raw.get("measurand"), unit, raw.get("phase"), raw.get("location"), raw.get("context"))
    if kind.odd:
        found += kind.odd
    return MeterSample(kind.measurand, kind.unit, kind.scaled(value), kind.phase, kind.location, kind.context)


class _Kind(msgspec.Struct, frozen=True):
    """What a value is of. `odd` names what was put right."""

    measurand: str
    unit: str
    phase: str | None
    location: str | None
    context: str | None
    scale: float = 1
    zero: float = 0
    """What the other scale says at our zero: 32 for degrees Fahrenheit."""
    digits: int | None = None
    odd: tuple[str, ...] = ()
    is_base: bool = True
    """Its values are taken as they are."""

    def scaled(self, value: float) -> float:
        if self.is_base:
            return value
        scaled = (value - self.zero) * self.scale
        return scaled if self.digits is None else round(scaled, self.digits)


def _kind_of(measurand: Any, unit: Any, phase: Any, location: Any, context: Any) -> _Kind:
    odd: Found = []
    said = {"measurand": measurand, "unit": unit, "phase": phase, "location": location, "context": context}
    name = text_of(said, "measurand", odd, 64) or DEFAULT_MEASURAND
    base, scale, zero, digits = _base_unit(name, text_of(said, "unit", odd, 20), odd)
    return _Kind(
        name, base, text_of(said, "phase", odd, 10), text_of(said, "location", odd, 20),
        text_of(said, "context", odd, 40), scale, zero, digits, tuple(odd), scale == 1 and zero == 0,
    )  # fmt: skip


_Known = tuple[str, str, str | None, str | None, str | None, _Kind]


class _Kinds(dict[tuple[Any, ...], _Known]):
    """A station says the same few kinds over and over: they are remembered by the words it says."""

    def __missing__(self, said: tuple[Any, ...]) -> _Known:
        kind = _kind_of(*said)
        known = kind.measurand, kind.unit, kind.phase, kind.location, kind.context, kind
        if all(each is None or type(each) is str for each in said):
            if len(self) >= KINDS_MAX:
                self.clear()
            self[said] = known
        return known


KINDS_MAX = 512
_KINDS = _Kinds()

_BASE_UNITS = (
    ("Energy.Active", "Wh"), ("Energy.Reactive", "varh"), ("Energy.Apparent", "VAh"), ("Power.Reactive", "var"),
    ("Power.Factor", ""), ("Power", "W"), ("Current", "A"), ("Voltage", "V"), ("Frequency", "Hz"),
    ("Temperature", "°C"), ("SoC", "%"), ("RPM", "rpm"),
)  # fmt: skip
_UNITS: dict[str, tuple[str, float]] = {
    "wh": ("Wh", 1), "kwh": ("Wh", 1000), "varh": ("varh", 1), "kvarh": ("varh", 1000), "w": ("W", 1),
    "kw": ("W", 1000), "va": ("VA", 1), "kva": ("VA", 1000), "var": ("var", 1), "kvar": ("var", 1000),
    "a": ("A", 1), "ma": ("A", 0.001), "v": ("V", 1), "kv": ("V", 1000), "hz": ("Hz", 1), "celsius": ("°C", 1),
    "celcius": ("°C", 1), "c": ("°C", 1), "°c": ("°C", 1), "fahrenheit": ("°F", 1), "k": ("K", 1),
    "percent": ("%", 1), "%": ("%", 1), "rpm": ("rpm", 1),
}  # fmt: skip
_SAME_KIND = frozenset({("W", "VA"), ("W", "var")})
"""Units a measurand may also be given in: apparent power under a power measurand stays what it is."""


def _base_unit(measurand: str, said: str | None, found: Found) -> tuple[str, float, float, int | None]:
    """The base unit of its kind, and how to come there: scale, zero point, digits to round to.

    A unit that makes no sense for the measurand counts only by its scale: power "in Wh" is W, in "kWh" is kW.
    """
    expected = next((unit for prefix, unit in _BASE_UNITS if measurand.startswith(prefix)), None)
    if said is None:
        return expected if expected is not None else "", 1, 0, None
    unit, scale = _UNITS.get(said.casefold(), ("", 1.0))
    if unit in ("°F", "K") and expected == "°C":
        return ("°C", 1, 273.15, 3) if unit == "K" else ("°C", 1 / 1.8, 32, 3)
    if expected is None:
        return unit or said, scale, 0, None
    if unit != expected and (expected, unit) not in _SAME_KIND:
        found.append(f"unit:does_not_fit_{measurand}" if unit else "unit:unknown")
        unit = expected
    return unit, scale, 0, 6


def _is_signed(group: dict[str, Any]) -> bool:
    values = group.get("sampledValue")
    for each in values if isinstance(values, list) else ():
        if isinstance(each, dict) and (each.get("format") == "SignedData" or "signedMeterValue" in each):
            return True
    return False
