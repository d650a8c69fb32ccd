"""A virtual charge point moves files: uploads by HTTP, HTTPS, FTP and FTPS, downloads by HTTP and HTTPS.

A shell: what is sent and why is decided in `charge_point_files.py`. TLS verifies against the roots the station holds.
FTPS is the explicit kind (AUTH TLS), with the data encrypted too. Start at `upload`.
"""

import asyncio
import ftplib
import io
import ssl
from urllib.parse import unquote, urlsplit

import aiohttp

from tests.doubles.charge_point_dial import tls_context
from tests.doubles.charge_point_flash import Flash

TIMEOUT_S = 20.0
MAX_BYTES = 64 * 1024 * 1024


class NotMoved(Exception):
    """The transfer failed; `code` is the UploadLogStatusEnumType that says why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def target(location: str, name: str, *, always_append: bool) -> str:
    """A location that ends with "/" is a folder; everything else is the file itself, unless stations always append."""
    if location.endswith("/"):
        return location + name
    return f"{location}/{name}" if always_append else location


async def upload(url: str, content: bytes, flash: Flash, *, method: str = "PUT") -> None:
    """Raises NotMoved."""
    scheme = urlsplit(url).scheme.lower()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            if scheme in {"http", "https"}:
                await _upload_http(url, content, flash, method)
            elif scheme in {"ftp", "ftps"}:
                await asyncio.to_thread(_upload_ftp, url, content, flash)
            else:
                raise NotMoved("NotSupportedOperation", f"cannot upload by {scheme!r}")
    except ftplib.error_perm as exc:
        raise NotMoved("PermissionDenied", str(exc)) from exc
    except (OSError, EOFError, TimeoutError, ValueError, ftplib.Error, aiohttp.ClientError) as exc:
        raise NotMoved("UploadFailure", f"{type(exc).__name__}: {exc}") from exc


async def download(url: str, flash: Flash) -> bytes:
    """Raises NotMoved."""
    if urlsplit(url).scheme.lower() not in {"http", "https"}:
        raise NotMoved("NotSupportedOperation", f"cannot download from {url!r}")
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            aiohttp.ClientSession() as session,
            session.get(url, ssl=_ssl(url, flash)) as response,
        ):
            if response.status != 200:
                raise NotMoved("UploadFailure", f"HTTP {response.status}")
            content = bytearray()
            async for chunk in response.content.iter_chunked(65_536):
                content += chunk
                if len(content) > MAX_BYTES:
                    raise NotMoved("UploadFailure", "too large")
            return bytes(content)
    except (OSError, TimeoutError, ValueError, aiohttp.ClientError) as exc:
        raise NotMoved("UploadFailure", f"{type(exc).__name__}: {exc}") from exc


async def _upload_http(url: str, content: bytes, flash: Flash, method: str) -> None:
    async with aiohttp.ClientSession() as session:
        headers = {"Content-Type": "application/octet-stream"}
        async with session.request(method, url, data=content, headers=headers, ssl=_ssl(url, flash)) as response:
            if response.status in {401, 403}:
                raise NotMoved("PermissionDenied", f"HTTP {response.status}")
            if response.status >= 300:
                raise NotMoved("UploadFailure", f"HTTP {response.status}")


def _upload_ftp(url: str, content: bytes, flash: Flash) -> None:
    parts = urlsplit(url)
    encrypted = parts.scheme.lower() == "ftps"
    client = ftplib.FTP_TLS(context=_ftp_context(flash)) if encrypted else ftplib.FTP()
    try:
        client.connect(parts.hostname or "", parts.port or 21, timeout=TIMEOUT_S / 2)
        client.login(unquote(parts.username or "anonymous"), unquote(parts.password or "station@"))
        if isinstance(client, ftplib.FTP_TLS):
            client.prot_p()
        client.storbinary(f"STOR {unquote(parts.path).lstrip('/')}", io.BytesIO(content))
        client.quit()
    finally:
        client.close()


def _ssl(url: str, flash: Flash) -> ssl.SSLContext | bool:
    return tls_context(flash) if url.lower().startswith("https:") else True


def _ftp_context(flash: Flash) -> ssl.SSLContext:
    return tls_context(flash)
