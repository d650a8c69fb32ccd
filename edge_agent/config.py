"""The settings of the box. How they are read: `programs.settings`.

Every key stands in docs/settings.md; a house test fails when one does not. Start at `Settings`.
"""

from pathlib import Path
from typing import Literal

import msgspec

MIB = 1024 * 1024


class Ocpp(msgspec.Struct, frozen=True):
    bind: str = "0.0.0.0"  # noqa: S104 -- the site's charge points are the purpose
    port: int = 9000
    security: Literal["pair", "strict", "open"] = "pair"
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
    unknown: Literal["accept", "reject"] = "accept"
    concurrent: Literal["accept", "reject"] = "accept"
    local_list: Literal["off", "on"] = "off"


class Certificates(msgspec.Struct, frozen=True):
    names: tuple[str, ...] = ()
    trusted_roots: str = ""
    sign: Literal["site", "operator"] = "site"


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
    proxy: str = ""


class Mqtt(msgspec.Struct, frozen=True):
    url: str = ""
    username: str = ""
    password: str = ""
    topic: str = "gatepost"
    discovery: str = "homeassistant"
    name: str = ""
    every_s: float = 10


class Log(msgspec.Struct, frozen=True):
    level: Literal["debug", "info", "warning", "error"] = "info"


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
    mqtt: Mqtt = Mqtt()
    log: Log = Log()
