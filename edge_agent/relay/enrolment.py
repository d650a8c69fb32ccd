"""Who this box is to its cloud: a device key made here, and the gateway it stands for. Start at `Enrolment.open`.

Both lie beside the database and are no part of its backup: one that is restored on another box does not make it the
same gateway. Nobody but the owner of the folder can read them.
"""

import base64
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sitelink.errors import RelayRefused

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


class Enrolment:
    """`record` None: the cloud does not know this box yet."""

    def __init__(self, data_dir: Path, key: Ed25519PrivateKey, record: Record | None) -> None:
        self._data_dir = data_dir
        self._key = key
        self.record = record

    @classmethod
    def open(cls, data_dir: Path) -> "Enrolment":
        """Read the key and the record; a key is made where there is none. Raises OSError."""
        key_file = data_dir / KEY_FILE
        try:
            raw = key_file.read_bytes()
        except FileNotFoundError:
            raw = b""
        if len(raw) != KEY_BYTES:
            raw = Ed25519PrivateKey.generate().private_bytes_raw()
            _write(key_file, raw)
        return cls(data_dir, Ed25519PrivateKey.from_private_bytes(raw), _record_in(data_dir / RECORD_FILE))

    @property
    def public_key(self) -> str:
        """Raw, in base64, as the cloud keeps it."""
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def sign(self, what: bytes) -> str:
        return base64.b64encode(self._key.sign(what)).decode()

    async def enrol(self, url: str, claim: str, software: str) -> Record:
        """Show the claim to the cloud of `url`. Raises RelayRefused with its code, OSError where it is not reached."""
        body = {
            "claim": claim, "public_key": self.public_key, "box": {"name": socket.gethostname(), "software": software},
        }  # fmt: skip
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=TIMEOUT_S), trust_env=True) as session,
                session.post(http_url(url, "enrol"), json=body, allow_redirects=False) as response,
            ):
                answer = msgspec.json.decode(await response.content.read(64 * 1024))
                status = response.status
        except ClientError as error:
            raise ConnectionError(str(error)) from error
        except msgspec.DecodeError as error:
            raise RelayRefused(code="captive_portal") from error
        if status != 200 or not isinstance(answer, dict) or "gateway" not in answer:
            code = answer.get("code") if isinstance(answer, dict) else None
            raise RelayRefused(code=str(code or "captive_portal")[:60])
        record = Record(str(answer["gateway"]), url, str(answer.get("team", "")), str(answer.get("site", "")))
        _write(self._data_dir / RECORD_FILE, msgspec.json.encode(record))
        self.record = record
        return record

    def leave(self) -> None:
        """Forget the gateway. The key stays: a claim that is brought again enrols the same box."""
        (self._data_dir / RECORD_FILE).unlink(missing_ok=True)
        self.record = None


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
