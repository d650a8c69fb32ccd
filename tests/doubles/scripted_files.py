"""The files of a box as a test plays them: ways that are opened and closed, and images in memory."""

import hashlib
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime
from pathlib import Path

from edge_agent.site.ports import FileNews, FirmwareImage, Stored
from sitelink.errors import NotFound, SiteError
from sitelink.ids import TransferId
from sitelink.states import TransferMethod


class ScriptedFiles:
    """See `edge_agent.site.ports.Files`."""

    def __init__(self) -> None:
        self.methods = frozenset({TransferMethod.HTTP, TransferMethod.FTP})
        self.news: FileNews | None = None
        self.open: dict[TransferId, str] = {}
        self.closed: list[TransferId] = []
        self.sizes: dict[TransferId, int] = {}
        self.on_disk: dict[str, Stored] = {}
        self.tidied: Collection[str] = ()
        self.library: dict[str, FirmwareImage] = {}
        self.refusal: SiteError | None = None

    def listen(self, news: FileNews) -> None:
        self.news = news

    async def expect(self, transfer: TransferId, file: str, method: TransferMethod, ip: str | None) -> str:
        if self.refusal is not None:
            raise self.refusal
        self.open[transfer] = file
        return f"{method.value}://192.0.2.1/{transfer}"

    async def offer(self, transfer: TransferId, image: str, method: TransferMethod, ip: str | None) -> str:
        if self.refusal is not None:
            raise self.refusal
        self.open[transfer] = self.library[image].name
        return f"{method.value}://192.0.2.1/{transfer}/{self.library[image].name}"

    async def close(self, transfer: TransferId) -> None:
        self.open.pop(transfer, None)
        self.closed.append(transfer)

    def so_far(self, transfer: TransferId) -> int | None:
        return self.sizes.get(transfer)

    async def stored(self, file: str) -> Stored | None:
        return self.on_disk.get(file)

    def path(self, file: str) -> Path | None:
        found = self.on_disk.get(file)
        return found.path if found else None

    async def tidy(self, known: Collection[str]) -> list[str]:
        self.tidied = known
        return [file for file in known if file not in self.on_disk]

    async def images(self) -> list[FirmwareImage]:
        return list(self.library.values())

    async def image(self, image: str) -> FirmwareImage:
        if image not in self.library:
            raise NotFound(what="firmware", key=image)
        return self.library[image]

    async def add_image(
        self, name: str, chunks: AsyncIterator[bytes], version: str | None = None,
        signature: str | None = None, certificate: str | None = None,
    ) -> FirmwareImage:  # fmt: skip
        content = b"".join([chunk async for chunk in chunks])
        image = FirmwareImage(
            id=f"fw-{len(self.library) + 1}", name=name, size=len(content), version=version, signature=signature,
            certificate=certificate, sha256=hashlib.sha256(content).hexdigest(),
            added_at=datetime(2026, 11, 3, tzinfo=UTC),
        )  # fmt: skip
        self.library[image.id] = image
        return image

    async def add_image_from(
        self, path: Path, version: str | None, signature: str | None, certificate: str | None
    ) -> FirmwareImage:
        async def chunks() -> AsyncIterator[bytes]:
            yield path.read_bytes()

        return await self.add_image(path.name, chunks(), version, signature, certificate)

    async def remove_image(self, image: str) -> FirmwareImage:
        found = await self.image(image)
        del self.library[image]
        return found
