"""The settings of the box: one TOML file and `--set key=value`, checked, into frozen records.

Start at `load`. Every key stands in docs/settings.md; a house test fails when one does not.
"""

import tomllib
import types
import typing
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import fields

MIB = 1024 * 1024


class SettingsInvalid(Exception):
    """One sentence: file, key, what was found, what is allowed."""


class Ocpp(msgspec.Struct, frozen=True):
    bind: str = "0.0.0.0"  # noqa: S104 -- the site's charge points are the purpose
    port: int = 9000
    security: typing.Literal["pair", "strict", "open"] = "pair"
    heartbeat_interval_s: int = 60
    retry_interval_s: int = 20
    max_connections: int = 1024
    max_message_bytes: int = MIB
    quirks: str = ""
    tls_port: int = 9443
    tls_rsa_suites: bool = False


class Http(msgspec.Struct, frozen=True):
    bind: str = "0.0.0.0"  # noqa: S104 -- phones on the site's network are the purpose
    port: int = 8080
    public_url: str = ""
    hosts: tuple[str, ...] = ()
    metrics: bool = True
    tls_port: int = 8443


class Authorisation(msgspec.Struct, frozen=True):
    unknown: typing.Literal["accept", "reject"] = "accept"
    concurrent: typing.Literal["accept", "reject"] = "accept"
    local_list: typing.Literal["off", "on"] = "off"


class Certificates(msgspec.Struct, frozen=True):
    names: tuple[str, ...] = ()
    trusted_roots: str = ""
    sign: typing.Literal["site", "operator"] = "site"


class Commands(msgspec.Struct, frozen=True):
    start_patience_s: float = 60
    stop_patience_s: float = 60
    reboot_patience_s: float = 600


class Files(msgspec.Struct, frozen=True):
    address: str = ""
    ftp: bool = True
    ftp_port: int = 2121
    ftp_passive_first: int = 0
    ftp_passive_last: int = 0
    upload_max_bytes: int = 50 * MIB
    total_max_bytes: int = 500 * MIB
    keep_free_bytes: int = 64 * MIB
    least_bytes_per_s: int = 1024
    firmware_max_bytes: int = 256 * MIB
    firmware_total_max_bytes: int = 1024 * MIB
    upload_patience_s: float = 600
    firmware_patience_s: float = 3600


class Storage(msgspec.Struct, frozen=True):
    telemetry_max_rows: int = 2_000_000
    journal_max_rows: int = 1_000_000
    reserve_bytes: int = 8 * MIB


class Relay(msgspec.Struct, frozen=True):
    url: str = ""
    claim: str = ""


class Log(msgspec.Struct, frozen=True):
    level: typing.Literal["debug", "info", "warning", "error"] = "info"


class Settings(msgspec.Struct, frozen=True):
    data_dir: Path = Path("gatepost-data")
    ocpp: Ocpp = Ocpp()
    http: Http = Http()
    authorisation: Authorisation = Authorisation()
    certificates: Certificates = Certificates()
    commands: Commands = Commands()
    files: Files = Files()
    storage: Storage = Storage()
    relay: Relay = Relay()
    log: Log = Log()


def load(file: Path | None, overrides: typing.Sequence[str] = ()) -> Settings:
    """Defaults, then the file, then `key=value` overrides. Raises SettingsInvalid."""
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
    settings = _build(Settings, data, str(file) if file else "--set", "")
    return typing.cast(Settings, settings)


def keys(of: Any = Settings, prefix: str = "") -> list[str]:
    """Every key, dotted."""
    found = []
    for each in fields(of):
        inner = _type_of(of, each.name)
        found += keys(inner, f"{prefix}{each.name}.") if _is_table(inner) else [f"{prefix}{each.name}"]
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
    known = {each.name for each in fields(of)}
    for key in data:
        if key not in known:
            allowed = ", ".join(sorted(known))
            raise SettingsInvalid(f"{source}: {prefix}{key}: no such setting; known here: {allowed}")
    values = {}
    for key, value in data.items():
        inner = _type_of(of, key)
        name = f"{prefix}{key}"
        values[key] = _build(inner, value, source, f"{name}.") if _is_table(inner) else _value(
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
