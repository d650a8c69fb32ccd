"""Payloads made from the JSON schemas that the `ocpp` package holds: two examples a message, and Hypothesis strategies.

Examples are the same in every run and plausible: a time where a time belongs, PEM where a certificate belongs. `valid`
draws payloads that fit the schema, `mutated` such that one or two things were done to. Whether a payload fits is asked
of `jsonschema` with the draft the file names (1.6 mixes draft 4 and 6), never of the product's own checks. Start at
`example`, `valid` and `mutated`; `messages` lists what there is.
"""

import copy
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

import jsonschema
from hypothesis import strategies as st

Schema = dict[str, Any]
FOLDERS = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}
TIME = "2026-03-29T01:30:00Z"
PEM = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ0hBUkdFUE9JTlQwDQYJKoZI\n-----END CERTIFICATE-----\n"
CSR = "-----BEGIN CERTIFICATE REQUEST-----\nMIGdMEUCAQAwEDEOMAwGA1UEAwwFQ1AwMDE=\n-----END CERTIFICATE REQUEST-----\n"
BASE64 = "R2F0ZXBvc3Q="
URL = "https://192.0.2.1/file"


@dataclass(frozen=True)
class Message:
    """`schema` names the file: an action, where needed with "Request" or "Response" behind it."""

    version: str
    action: str
    is_answer: bool
    schema: str

    def __str__(self) -> str:
        return f"{self.version} {self.schema}"


@cache
def messages(version: str) -> tuple[Message, ...]:
    """Every message of a version, calls and answers, by name."""
    found = []
    for each in (resources.files("ocpp") / FOLDERS[version] / "schemas").iterdir():
        name = each.name.removesuffix(".json")
        if name != each.name:
            action = name.removesuffix("Response").removesuffix("Request")
            found.append(Message(version, action, name.endswith("Response"), name))
    return tuple(sorted(found, key=lambda message: message.schema))


def calls(version: str) -> tuple[Message, ...]:
    return tuple(each for each in messages(version) if not each.is_answer)


@cache
def message(version: str, action: str, *, answer: bool = False) -> Message:
    return next(each for each in messages(version) if each.action == action and each.is_answer is answer)


@cache
def schema_of(of: Message) -> Schema:
    file = resources.files("ocpp") / FOLDERS[of.version] / "schemas" / f"{of.schema}.json"
    schema: Schema = json.loads(file.read_text("utf-8-sig"))
    return schema


@cache
def _validator(of: Message) -> Any:
    schema = json.loads(json.dumps(schema_of(of)), parse_float=Decimal)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema_of(of))
    checker = jsonschema.FormatChecker(formats=())
    checker.checks("date-time", raises=ValueError)(_is_moment)
    return kind(schema, format_checker=checker)


def _is_moment(value: object) -> bool:
    """A date and a time with a zone (RFC 3339 §5.6)."""
    if not isinstance(value, str):
        return True
    return "T" in value and datetime.fromisoformat(value).tzinfo is not None


def faults(of: Message, payload: Any) -> list[str]:
    """What `jsonschema` has against the payload; nothing: it fits."""
    wrong = _validator(of).iter_errors(_with_decimals(payload))
    return [f"{'/'.join(map(str, each.absolute_path))}: {each.message}"[:300] for each in wrong]


def _with_decimals(value: Any) -> Any:
    """21.4 is a multiple of 0.1 in decimal arithmetic only."""
    if isinstance(value, float) and math.isfinite(value):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {key: _with_decimals(each) for key, each in value.items()}
    return [_with_decimals(each) for each in value] if isinstance(value, list) else value


# ---- examples ----


@cache
def _example_text(of: Message, full: bool) -> str:
    schema = schema_of(of)
    return json.dumps(_example(schema, schema, "", full))


def example(of: Message, *, full: bool = False) -> dict[str, Any]:
    """A payload that fits: with what is required, or with everything there is."""
    payload: dict[str, Any] = json.loads(_example_text(of, full))
    return payload


def _example(schema: Schema, root: Schema, name: str, full: bool) -> Any:
    schema = _resolved(schema, root)
    if "enum" in schema:
        return _word(schema["enum"], name)
    kind = schema.get("type", "anything")
    if kind == "object":
        required = schema.get("required", ())
        properties = schema.get("properties", {})
        return {key: _example(each, root, key, full) for key, each in properties.items() if full or key in required}
    if kind == "array":
        least, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
        count = max(least, min(2, most)) if full else least
        return [_example(schema["items"], root, name, full) for _ in range(int(count))]
    if kind in ("string", "anything"):
        return _text(schema, name)
    if kind == "boolean":
        return True
    return _number(schema, name)


def _resolved(schema: Schema, root: Schema) -> Schema:
    while "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rpartition("/")[2]]
    return schema


def _word(words: list[str], name: str) -> str:
    """A word that lets a conversation go on, where there is one."""
    for preferred in ("Accepted", "Available", "Started", "ISO14443", "PowerUp"):
        if preferred in words and name != "unit":
            return preferred
    return words[0]


_TEXTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("csr",), CSR),
    (("certificatechain", "signingcertificate", "certificate"), PEM),
    (("exirequest", "exiresponse", "signature", "publickey", "signedmeterdata", "ocspresult"), BASE64),
    (("issuernamehash", "issuerkeyhash", "digestvalue", "checksum"), "9f86d081884c7d65"),
    (("url", "location"), URL),
    (("starttimeofday",), "08:00"),
    (("endtimeofday",), "18:30"),
    (("validfromdate", "validtodate"), "2026-03-29"),
    (("currency",), "EUR"),
    (("language",), "en"),
    (("value", "meterstart", "meterstop"), "1234.5"),
    (("idtag", "idtoken"), "04A2B3C4D5E6F7"),
)  # fmt: skip


def _text(schema: Schema, name: str) -> str:
    form = schema.get("format")
    if form == "date-time":
        return TIME
    if form == "uri":
        return URL
    longest = int(schema.get("maxLength", 500))
    plain = name.lower()
    said = next((text for ends, text in _TEXTS if plain.endswith(ends)), f"{name or 'text'} 1")
    return said[:longest]


def _number(schema: Schema, name: str) -> int | float:
    least, most = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    number = min(max(1, least), most)
    if schema["type"] == "integer":
        return int(number)
    return 21.4 if "multipleOf" in schema and not name.startswith("min") else float(number)


# ---- strategies ----

_PLAIN = st.characters(codec="utf-8", exclude_categories=["Cs"])
_TIMES = st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1)).map(  # noqa: DTZ001 (the Z follows)
    lambda at: at.isoformat(timespec="milliseconds") + "Z"
)


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(_PLAIN, max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(_PLAIN, max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@cache
def valid(of: Message) -> st.SearchStrategy[dict[str, Any]]:
    """Payloads that fit the schema."""
    schema = schema_of(of)
    return _strategy(schema, schema)


def _strategy(schema: Schema, root: Schema) -> st.SearchStrategy[Any]:
    schema = _resolved(schema, root)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type", "anything")
    if kind == "anything":
        return JSON_VALUES
    if kind == "object":
        properties = {key: _strategy(each, root) for key, each in schema.get("properties", {}).items()}
        required = set(schema.get("required", ()))
        return st.fixed_dictionaries(
            {key: each for key, each in properties.items() if key in required},
            optional={key: each for key, each in properties.items() if key not in required},
        )
    if kind == "array":
        least = schema.get("minItems", 0)
        most = min(schema.get("maxItems", 3), max(3, least))
        return st.lists(_strategy(schema["items"], root), min_size=least, max_size=most)
    if kind == "string":
        return _texts(schema)
    if kind == "boolean":
        return st.booleans()
    return _numbers(schema)


def _texts(schema: Schema) -> st.SearchStrategy[str]:
    form = schema.get("format")
    if form == "date-time":
        return st.just(TIME) | _TIMES
    if form == "uri":
        return st.just(URL)
    longest = int(schema.get("maxLength", 60))
    short = st.text(_PLAIN, max_size=min(longest, 20))
    return (
        short | st.sampled_from(["", "1", "-1", "04A2B3C4"]).map(lambda text: text[:longest]) | st.just("x" * longest)
    )


def _numbers(schema: Schema) -> st.SearchStrategy[Any]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if schema["type"] == "integer":
        low, high = int(least) if least is not None else -(2**40), int(most) if most is not None else 2**40
        return st.integers(low, high) | st.sampled_from([each for each in (0, 1, 2) if low <= each <= high] or [low])
    if "multipleOf" in schema:
        return st.integers(-(10**9), 10**9).map(lambda tenths: tenths / 10)
    low_f, high_f = (float(least) if least is not None else -1e15), (float(most) if most is not None else 1e15)
    return st.floats(low_f, high_f, allow_nan=False)


def _nested(depth: int) -> Any:
    value: Any = 1
    for number in range(depth):
        value = {"a": value} if number % 2 else [value]
    return value


_ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    JSON_VALUES,
    st.sampled_from(["", " ", "x" * 10_000, "2026-02-30T00:00:00Z", "NaN", "\u202e\u0000", "Accepted "]),
    st.sampled_from([-1, 0, 2**31, 2**53 + 1, 10**18, -0.5, 1e300]),
    st.sampled_from([[], {}, [[]], [None], {"": None}, _nested(28), _nested(40), list(range(300))]),
).map(copy.deepcopy)


@st.composite
def mutated(draw: st.DrawFn, of: Message) -> Any:
    """A payload that fits, after one to three things were done to it: left out, added, replaced, emptied."""
    payload = draw(st.booleans().map(lambda full: example(of, full=full)) | valid(of))
    if draw(st.integers(0, 19)) == 0:
        return draw(_ODD)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(payload))
        draw(st.sampled_from(_MUTATIONS))(draw, payload, places)
    return payload


Place = tuple[Any, Any]
"""A dict or list, and a key or index in it."""


def _places(value: Any) -> Iterator[Place]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _leave_out(draw: st.DrawFn, _payload: Any, places: list[Place]) -> None:
    if places:
        holder, key = draw(st.sampled_from(places))
        del holder[key]


def _add(draw: st.DrawFn, payload: Any, places: list[Place]) -> None:
    holders = [payload, *(holder for holder, _ in places)]
    holder = draw(st.sampled_from(holders))
    if isinstance(holder, dict):
        holder[draw(st.text(_PLAIN, max_size=12) | st.just("connectorId"))] = draw(_ODD)
    else:
        holder.append(draw(_ODD))


def _replace(draw: st.DrawFn, _payload: Any, places: list[Place]) -> None:
    if places:
        holder, key = draw(st.sampled_from(places))
        holder[key] = draw(_ODD)


def _as_another_type(draw: st.DrawFn, _payload: Any, places: list[Place]) -> None:
    if places:
        holder, key = draw(st.sampled_from(places))
        value = holder[key]
        holder[key] = draw(st.sampled_from([str(value)[:200], [value], {"value": value}, len(str(value))]))


def _many(draw: st.DrawFn, _payload: Any, places: list[Place]) -> None:
    lists = [holder[key] for holder, key in places if isinstance(holder[key], list) and holder[key]]
    if lists:
        chosen = draw(st.sampled_from(lists))
        chosen.extend(copy.deepcopy(chosen[0]) for _ in range(draw(st.sampled_from([1, 20, 200]))))


_MUTATIONS: list[Callable[[st.DrawFn, Any, list[Place]], None]] = [_leave_out, _add, _replace, _as_another_type, _many]
