"""Settings: one TOML file and `--set key=value`, checked, into the frozen records of a program.

A program describes its settings as msgspec structs with defaults, a struct a table. Start at `load`.
"""

import tomllib
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec.structs import fields

S = TypeVar("S", bound=msgspec.Struct)


class SettingsInvalid(Exception):
    """One sentence: file, key, what was found, what is allowed."""


def load(of: type[S], file: Path | None, overrides: typing.Sequence[str] = ()) -> S:
    """Defaults of `of`, then the file, then `key=value` overrides. Raises SettingsInvalid."""
    data: dict[str, Any] = {}
    if file is not None:
        try:
            data = tomllib.loads(file.read_text("utf-8"))
        except OSError as error:
            raise SettingsInvalid(f"{file}: cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsInvalid(f"{file}: not TOML: {error}") from error
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise SettingsInvalid(f"--set {override}: write it as key=value")
        _put(data, key.strip(), text)
    return typing.cast(S, _build(of, data, str(file) if file else "--set", ""))


def keys(of: Any, prefix: str = "") -> list[str]:
    """Every key of these settings, dotted. A field that Python could not name so is renamed in its struct."""
    found = []
    for each in fields(of):
        inner, name = _type_of(of, each.name), f"{prefix}{each.encode_name}"
        found += keys(inner, f"{name}.") if _is_table(inner) else [name]
    return found


def _put(data: dict[str, Any], key: str, text: str) -> None:
    *tables, last = key.split(".")
    for table in tables:
        data = data.setdefault(table, {})
        if not isinstance(data, dict):
            raise SettingsInvalid(f"--set {key}: {table} is a value, not a table")
    data[last] = _Text(text)


class _Text(str):
    """A value given on the command line: its type is decided by the setting it goes to."""


def _type_of(of: Any, name: str) -> Any:
    return typing.get_type_hints(of)[name]


def _is_table(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)


def _build(of: Any, data: Any, source: str, prefix: str) -> object:
    if not isinstance(data, dict):
        raise SettingsInvalid(f"{source}: {prefix.rstrip('.')}: found {data!r}, a table is needed")
    known = {each.encode_name: each.name for each in fields(of)}
    for key in data:
        if key not in known:
            allowed = ", ".join(sorted(known))
            raise SettingsInvalid(f"{source}: {prefix}{key}: no such setting; known here: {allowed}")
    values = {}
    for key, value in data.items():
        inner = _type_of(of, known[key])
        name = f"{prefix}{key}"
        values[known[key]] = _build(inner, value, source, f"{name}.") if _is_table(inner) else _value(
            inner, value, f"{'--set' if isinstance(value, _Text) else source}: {name}"
        )  # fmt: skip
    return of(**values)


def _value(wanted: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(wanted)
    if origin is typing.Literal:
        allowed = typing.get_args(wanted)
        if str(value) not in allowed:
            raise SettingsInvalid(f"{where}: found {value!r}, allowed: {', '.join(allowed)}")
        return str(value)
    if origin in (tuple, types.GenericAlias):
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise SettingsInvalid(f"{where}: found {value!r}, a list of texts is needed")
        return tuple(part.strip() for part in parts if part.strip())
    if wanted is Path:
        return Path(str(value)).expanduser()
    if wanted is bool:
        return _bool(value, where)
    if wanted in (int, float):
        return _number(wanted, value, where)
    if not isinstance(value, str):
        raise SettingsInvalid(f"{where}: found {value!r}, a text is needed")
    return str(value)


def _bool(value: Any, where: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, _Text) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise SettingsInvalid(f"{where}: found {value!r}, allowed: true, false")


def _number(wanted: type, value: Any, where: str) -> int | float:
    try:
        if isinstance(value, bool) or (isinstance(value, str) and not isinstance(value, _Text)):
            raise ValueError(value)
        number: int | float = wanted(value)
    except (ValueError, TypeError) as error:
        raise SettingsInvalid(f"{where}: found {value!r}, a number is needed") from error
    if number < 0 or (where.endswith("port") and number > 65535):
        raise SettingsInvalid(f"{where}: found {value!r}, allowed: 0 to 65535" if "port" in where else
                              f"{where}: found {value!r}, not below 0")  # fmt: skip
    return number
