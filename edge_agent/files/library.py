"""The firmware images on the box: each a file under its checksum, with a small JSON beside it that says what it is.

An image is there once its JSON is. Start at `Library.add`. Nothing here looks into an image.
"""

import asyncio
import hashlib
import os
import re
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from edge_agent.site.ports import FirmwareImage
from sitelink.errors import FirmwareInvalid, NotFound

log = structlog.get_logger()

FOLDER = "firmware"
NAME_MAX_CHARACTERS = 100
VERSION_MAX_CHARACTERS = 50
SIGNATURE_MAX_CHARACTERS = 800
CERTIFICATE_MAX_CHARACTERS = 5500
CHUNK_BYTES = 1024 * 1024
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_UNFINISHED = ".part"


class Library:
    """`one_bytes` and `all_bytes` are the most an image and all of them may have."""

    def __init__(
        self, data_dir: Path, one_bytes: int, all_bytes: int, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._folder = data_dir / FOLDER
        self._one_bytes = one_bytes
        self._all_bytes = all_bytes
        self._now = now
        self._new_id = new_id

    def images(self) -> list[FirmwareImage]:
        """Newest first."""
        try:
            described = [self._described(path) for path in self._folder.glob("*.json")]
        except OSError:
            return []
        return sorted((each for each in described if each), key=lambda each: each.added_at, reverse=True)

    def image(self, id_: str) -> FirmwareImage:
        """Raises NotFound."""
        found = next((each for each in self.images() if each.id == id_), None)
        if found is None or not self.path(found).is_file():
            raise NotFound(what="firmware", key=id_[:64])
        return found

    def path(self, image: FirmwareImage) -> Path:
        return self._folder / f"{image.sha256}.bin"

    async def add(
        self, name: str, chunks: AsyncIterator[bytes], version: str | None = None,
        signature: str | None = None, certificate: str | None = None,
    ) -> FirmwareImage:  # fmt: skip
        """Keep an image. The same content again replaces what is said of it. Raises FirmwareInvalid."""
        _check(version, signature, certificate)
        await asyncio.to_thread(self._folder.mkdir, mode=stat.S_IRWXU, parents=True, exist_ok=True)
        unfinished = self._folder / f"{self._new_id()}{_UNFINISHED}"
        try:
            size, sha256 = await self._write(unfinished, chunks)
            image = FirmwareImage(
                id=sha256[:16], name=clean_name(name), version=version, size=size, sha256=sha256,
                signature=signature, certificate=certificate, added_at=self._now(),
            )  # fmt: skip
            await asyncio.to_thread(self._keep, unfinished, image)
        finally:
            with suppress(OSError):
                unfinished.unlink()
        log.info("firmware_added", name=image.name, version=version, bytes=size, sha256=sha256)
        return image

    def remove(self, id_: str) -> FirmwareImage:
        """Raises NotFound."""
        image = self.image(id_)
        (self._folder / f"{image.sha256}.json").unlink(missing_ok=True)
        self.path(image).unlink(missing_ok=True)
        log.info("firmware_removed", name=image.name, sha256=image.sha256)
        return image

    def _described(self, path: Path) -> FirmwareImage | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=FirmwareImage)
        except (OSError, msgspec.DecodeError):
            log.warning("firmware_not_described", file=path.name)
            return None

    async def _write(self, path: Path, chunks: AsyncIterator[bytes]) -> tuple[int, str]:
        size, digest = 0, hashlib.sha256()
        kept = sum(each.size for each in self.images())
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as out:
            async for chunk in chunks:
                size += len(chunk)
                if size > self._one_bytes:
                    raise FirmwareInvalid(problem="too_large", allowed_bytes=self._one_bytes)
                if kept + size > self._all_bytes:
                    raise FirmwareInvalid(problem="no_room", allowed_bytes=self._all_bytes)
                digest.update(chunk)
                try:
                    await asyncio.to_thread(out.write, chunk)
                except OSError as error:
                    raise FirmwareInvalid(problem="not_written") from error
            if not size:
                raise FirmwareInvalid(problem="empty")
            await asyncio.to_thread(_flush, out.fileno(), out.flush)
        return size, digest.hexdigest()

    def _keep(self, unfinished: Path, image: FirmwareImage) -> None:
        unfinished.rename(self.path(image))
        described = self._folder / f"{image.sha256}.json"
        fresh = described.with_suffix(_UNFINISHED)
        fresh.write_bytes(msgspec.json.encode(image))
        with fresh.open("rb") as out:
            os.fsync(out.fileno())
        fresh.rename(described)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _flush(descriptor: int, flush: Callable[[], None]) -> None:
    flush()
    os.fsync(descriptor)


def clean_name(name: str) -> str:
    """What is left of a file's name is safe in a URL and on any disk; stations choose by its ending."""
    last = re.split(r"[/\\]", name)[-1]
    cleaned = _NOT_IN_A_NAME.sub("_", last).strip("._")[-NAME_MAX_CHARACTERS:]
    return cleaned or "firmware.bin"


def _check(version: str | None, signature: str | None, certificate: str | None) -> None:
    for name, text, most in (
        ("version", version, VERSION_MAX_CHARACTERS),
        ("signature", signature, SIGNATURE_MAX_CHARACTERS),
        ("certificate", certificate, CERTIFICATE_MAX_CHARACTERS),
    ):
        if text is not None and not 0 < len(text) <= most:
            raise FirmwareInvalid(problem="not_allowed", where=name, allowed=most)
    if (signature is None) is not (certificate is None):
        raise FirmwareInvalid(problem="half_signed")


def read_in_chunks(path: Path) -> Iterator[bytes]:
    """Raises OSError."""
    with path.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            yield chunk
