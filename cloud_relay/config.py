"""The settings of the cloud. How they are read: `programs.settings`.

Every key stands in docs/settings.md; a house test fails when one does not. Start at `Settings`.
"""

from pathlib import Path
from typing import Literal

import msgspec


class Http(msgspec.Struct, frozen=True):
    bind: str = "0.0.0.0"  # noqa: S104 -- boxes and people everywhere are the purpose
    port: int = 8090
    public_url: str = ""
    hosts: tuple[str, ...] = ()
    metrics: bool = True


class Database(msgspec.Struct, frozen=True):
    url: str = ""
    connections: int = 8


class Mail(msgspec.Struct, frozen=True):
    """`host` empty: no letters are sent."""

    host: str = ""
    port: int = 587
    user: str = ""
    password: str = ""
    sender: str = msgspec.field(default="", name="from")
    tls: Literal["starttls", "tls", "none"] = "starttls"


class Oidc(msgspec.Struct, frozen=True):
    """`issuer` empty: people sign in with passwords only."""

    issuer: str = ""
    client_id: str = ""
    client_secret: str = ""
    name: str = "Single sign-on"


class Webhooks(msgspec.Struct, frozen=True):
    """`allow_http`: also without TLS, and to addresses that are not public."""

    allow_http: bool = False


class Bus(msgspec.Struct, frozen=True):
    url: str = ""


class Log(msgspec.Struct, frozen=True):
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(msgspec.Struct, frozen=True):
    data_dir: Path = Path("gatepost-cloud")
    http: Http = Http()
    database: Database = Database()
    bus: Bus = Bus()
    mail: Mail = Mail()
    oidc: Oidc = Oidc()
    webhooks: Webhooks = Webhooks()
    log: Log = Log()
