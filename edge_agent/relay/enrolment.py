"""Who this box is to its cloud: a device key made here, and the gateway it stands for. Start at `Enrolment.open`.

Both lie beside the database and are no part of its backup: one that is restored on another box does not make it the
same gateway. Nobody but the owner of the folder can read them.
"""

import base64
import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientSession,
    ClientTimeout,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sitelink.errors import RelayRefused
from sitelink.wire.messages import to_sign_announcement

KEY_FILE = "device.key"
RECORD_FILE = "gateway.json"
KEY_BYTES = 32
TIMEOUT_S = 30.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Record(msgspec.Struct, frozen=True):
    """What the cloud said. `url`: the setting it was enrolled under."""

    gateway: str
    url: str
    team: str = ""
    site: str = ""


class Announcement(msgspec.Struct, frozen=True):
    """What people are to type in the console, and how long it is good. `code` None: the one before holds."""

    code: str | None
    good_for_s: float
    again_in_s: float


class Enrolment:
    """`record` None: the cloud does not know this box yet."""

    def __init__(self, data_dir: Path, key: Ed25519PrivateKey, record: Record | None, proxy: str = "") -> None:
        self._data_dir = data_dir
        self._key = key
        self._proxy = proxy
        self.record = record

    @classmethod
    def open(cls, data_dir: Path, proxy: str = "") -> "Enrolment":
        """Read the key and the record; a key is made where there is none. `proxy` empty: as the environment says.

        Raises OSError.
        """
        key_file = data_dir / KEY_FILE
        try:
            raw = key_file.read_bytes()
        except FileNotFoundError:
            raw = b""
        if len(raw) != KEY_BYTES:
            raw = Ed25519PrivateKey.generate().private_bytes_raw()
            _write(key_file, raw)
        return cls(data_dir, Ed25519PrivateKey.from_private_bytes(raw), _record_in(data_dir / RECORD_FILE), proxy)

    @property
    def public_key(self) -> str:
        """Raw, in base64, as the cloud keeps it."""
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def sign(self, what: bytes) -> str:
        return base64.b64encode(self._key.sign(what)).decode()

    async def enrol(self, url: str, claim: str, software: str) -> Record:
        """Show the claim to the cloud of `url`. Raises RelayRefused with its code, OSError where it is not reached."""
        body = {"claim": claim, "public_key": self.public_key, "box": _box(software)}
        answer = await self._post(http_url(url, "enrol"), body)
        return self._take(url, answer)

    async def announce(self, url: str, software: str, *, renew: bool) -> Announcement | Record:
        """Say that this box is there: what to show meanwhile, or what it was claimed as. Raises as `enrol`."""
        body = {
            "public_key": self.public_key, "signature": self.sign(to_sign_announcement(self.public_key)),
            "renew": renew, "box": _box(software),
        }  # fmt: skip
        answer = await self._post(http_url(url, "announce"), body)
        if answer.get("gateway"):
            return self._take(url, answer)
        try:
            return msgspec.convert(answer, Announcement)
        except msgspec.ValidationError as error:
            raise RelayRefused(code="captive_portal") from error

    async def _post(self, address: str, body: dict[str, Any]) -> dict[str, Any]:
        """Raises RelayRefused, OSError."""
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=TIMEOUT_S), trust_env=True) as session,
                session.post(address, json=body, allow_redirects=False, proxy=self._proxy or None) as response,
            ):
                if response.status == 407:  # of a proxy before an unencrypted cloud, on this machine
                    raise RelayRefused(code="proxy_password")
                answer = msgspec.json.decode(await response.content.read(64 * 1024))
                status = response.status
        except ClientHttpProxyError as error:
            raise RelayRefused(code="proxy_password" if error.status == 407 else "proxy") from error
        except ClientConnectorCertificateError as error:
            raise _cause(error.certificate_error) from error
        except ClientConnectorError as error:
            raise error.os_error from error
        except ClientError as error:
            raise ConnectionError(type(error).__name__) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RelayRefused(code="captive_portal") from error
        if status != 200 or not isinstance(answer, dict):
            code = answer.get("code") if isinstance(answer, dict) else None
            raise RelayRefused(code=str(code or "captive_portal")[:60])
        return answer

    def _take(self, url: str, answer: dict[str, Any]) -> Record:
        if "gateway" not in answer:
            raise RelayRefused(code="captive_portal")
        record = Record(str(answer["gateway"]), url, str(answer.get("team", "")), str(answer.get("site", "")))
        _write(self._data_dir / RECORD_FILE, msgspec.json.encode(record))
        self.record = record
        return record

    def leave(self) -> None:
        """Forget the gateway. The key stays: a claim that is brought again enrols the same box."""
        (self._data_dir / RECORD_FILE).unlink(missing_ok=True)
        self.record = None


def problem_of_proxy(proxy: str) -> str | None:
    """The same for `relay.proxy`, which may hold a password and is never repeated."""
    try:
        parts = urlsplit(proxy)
        good = not proxy or (parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0)
    except ValueError:
        good = False
    return None if good else "relay.proxy: write it as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT."


def _box(software: str) -> dict[str, str]:
    return {"name": socket.gethostname()[:64], "software": software}


def _cause(error: Exception) -> OSError:
    """Of a certificate that is not trusted: ssl's own, which is an OSError."""
    return error if isinstance(error, OSError) else ConnectionError(type(error).__name__)


def http_url(url: str, last: str) -> str:
    """`wss://HOST/relay` → `https://HOST/relay/LAST`."""
    parts = urlsplit(url)
    scheme = "https" if parts.scheme == "wss" else "http"
    return urlunsplit((scheme, parts.netloc, f"{parts.path.rstrip('/')}/{last}", "", ""))


def problem_of_url(url: str) -> str | None:
    """One sentence, where `relay.url` will not do."""
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        return f"relay.url {url}: write it as wss://HOST/relay."
    if parts.scheme == "ws" and parts.hostname not in LOOPBACK:
        return f"relay.url {url}: unencrypted only to this machine itself; write wss://."
    return None


def _record_in(file: Path) -> Record | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Record)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _write(file: Path, content: bytes) -> None:
    fresh = file.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
