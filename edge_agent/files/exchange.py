"""The files adapter as the core sees it: opens a way, says its URL, tells what arrived, and closes it again.

News from whatever thread an upload runs in reach the core on the event loop. Start at `Exchange`; it is
`edge_agent.site.ports.Files`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import structlog

from edge_agent.files.library import Library, read_in_chunks
from edge_agent.files.offers import IMAGE_PATH, UPLOAD_PATH, Offer
from edge_agent.files.settings import FilesSettings
from edge_agent.files.uploads import Told, UploadLimits, Uploads, Way
from edge_agent.site.ports import FileNews, FirmwareImage, Stored
from sitelink.clock import Clock
from sitelink.errors import FileRefused, TransferUnavailable
from sitelink.ids import TransferId
from sitelink.states import TransferMethod

if TYPE_CHECKING:
    from aiohttp import web

log = structlog.get_logger()

OFFERS_TOLD_EVERY_BYTES = 256 * 1024
FTP_METHODS = {TransferMethod.FTP, TransferMethod.FTPS}


class Exchange:
    """See `edge_agent.site.ports.Files`. `address_for` is the address by which a station at an IP reaches this box."""

    def __init__(
        self, settings: FilesSettings, clock: Clock, new_id: Callable[[], str], address_for: Callable[[str | None], str]
    ) -> None:
        self._settings = settings
        self._address_for = address_for
        self._news: FileNews | None = None
        self._loop = asyncio.get_running_loop()
        told = Told(
            arrived=partial(self._tell, "arrived"),
            failed=partial(self._tell, "failed"),
            progressed=partial(self._tell, "progressed"),
            removed=partial(self._tell, "removed"),
        )
        limits = UploadLimits(
            one_bytes=settings.upload_max_bytes, all_bytes=settings.total_max_bytes,
            keep_free_bytes=settings.keep_free_bytes, least_bytes_per_s=settings.least_bytes_per_s,
            window_s=settings.window_s,
        )  # fmt: skip
        self._uploads = Uploads(settings.data_dir, limits, told, clock.monotonic)
        self._library = Library(
            settings.data_dir, settings.firmware_max_bytes, settings.firmware_total_max_bytes, clock.now, new_id
        )  # fmt: skip
        self._offers: dict[TransferId, Offer] = {}
        self._ftp: Any = None
        self._ports: dict[TransferMethod, int] = {}

    # ---- wiring ----

    def listen(self, news: FileNews) -> None:
        self._news = news

    def serves(self, method: TransferMethod, port: int) -> None:
        """The box's HTTP application answers there."""
        self._ports[method] = port

    def routes(self) -> "list[web.RouteDef]":
        from edge_agent.files.http import station_routes  # with the pages, which are loaded after the OCPP port listens

        return station_routes(self._uploads, self._find_offer, self._offer_progressed)

    def _tell(self, what: str, *arguments: Any) -> None:
        """From any thread. After the loop has ended nobody listens."""
        try:
            self._loop.call_soon_threadsafe(self._deliver, what, arguments)
        except RuntimeError:
            log.info("file_news_after_the_end", what=what)

    def _deliver(self, what: str, arguments: tuple[Any, ...]) -> None:
        if self._news is not None:
            getattr(self._news, what)(*arguments)

    # ---- ways ----

    @property
    def methods(self) -> frozenset[TransferMethod]:
        own = set(self._ports)
        if self._settings.ftp:
            own.add(TransferMethod.FTP)
            if self._settings.certificate() is not None:
                own.add(TransferMethod.FTPS)
        return frozenset(own)

    async def expect(self, transfer: TransferId, file: str, method: TransferMethod, ip: str | None) -> str:
        way = self._uploads.expect(transfer, file, method)
        host = _host(self._settings.address or self._address_for(ip))
        if method not in FTP_METHODS:
            return f"{method.value}://{host}:{self._ports[method]}{UPLOAD_PATH}/{way.token}"
        port = await self._start_ftp(transfer, ip)
        return _ftp_url(way, host, port)

    async def _start_ftp(self, transfer: TransferId, ip: str | None) -> int:
        from edge_agent.files.ftp import FtpCannotListen, FtpServer

        if self._ftp is None:
            self._ftp = FtpServer(self._uploads, self._settings.ftp_settings(), self._settings.certificate)
        try:
            return int(await asyncio.to_thread(self._ftp.start))
        except FtpCannotListen as error:
            self._uploads.close(transfer)
            log.warning("ftp_cannot_listen", problem=str(error))
            raise TransferUnavailable(reason="ftp_port", ip=ip) from error

    async def offer(self, transfer: TransferId, image: str, method: TransferMethod, ip: str | None) -> str:
        found = await asyncio.to_thread(self._library.image, image)
        way = Way(transfer, found.name, method)
        self._offers[transfer] = Offer(
            transfer, way.token, self._library.path(found), found.name, found.size, found.sha256
        )  # fmt: skip
        host = _host(self._settings.address or self._address_for(ip))
        return f"{method.value}://{host}:{self._ports[method]}{IMAGE_PATH}/{way.token}/{quote(found.name)}"

    async def close(self, transfer: TransferId) -> None:
        self._offers.pop(transfer, None)
        await asyncio.to_thread(self._uploads.close, transfer)
        if self._ftp is not None and not self._uploads.methods & FTP_METHODS:
            await asyncio.to_thread(self._ftp.stop)

    async def stop(self) -> None:
        """The box goes down: nothing is expected any more."""
        for transfer in [*self._offers, *self._uploads.transfers]:
            await self.close(transfer)
        if self._ftp is not None:
            await asyncio.to_thread(self._ftp.stop)

    @property
    def ftp_port(self) -> int | None:
        return self._ftp.port if self._ftp is not None else None

    def so_far(self, transfer: TransferId) -> int | None:
        offer = self._offers.get(transfer)
        return offer.sent if offer is not None else self._uploads.so_far(transfer)

    def _find_offer(self, token: str) -> Offer | None:
        import hmac

        given, found = token.encode("utf-8", "surrogatepass"), None
        for offer in self._offers.values():
            if hmac.compare_digest(offer.token.encode(), given):
                found = offer
        return found

    def _offer_progressed(self, offer: Offer) -> None:
        if self._news is None or self._offers.get(offer.transfer) is not offer:
            return
        if offer.whole and not offer.told_whole:
            offer.told_whole = True
            self._news.arrived(offer.transfer, offer.size, offer.sha256)
        elif offer.sent - offer.told_at >= OFFERS_TOLD_EVERY_BYTES:
            offer.told_at = offer.sent
            self._news.progressed(offer.transfer)

    # ---- files ----

    async def stored(self, file: str) -> Stored | None:
        return await asyncio.to_thread(self._uploads.stored, file)

    def path(self, file: str) -> Path | None:
        return self._uploads.is_there(file)

    async def tidy(self, known: Collection[str]) -> list[str]:
        return await asyncio.to_thread(self._uploads.tidy, known)

    # ---- firmware ----

    async def images(self) -> list[FirmwareImage]:
        return await asyncio.to_thread(self._library.images)

    async def image(self, image: str) -> FirmwareImage:
        return await asyncio.to_thread(self._library.image, image)

    async def add_image(
        self, name: str, chunks: AsyncIterator[bytes], version: str | None = None,
        signature: str | None = None, certificate: str | None = None,
    ) -> FirmwareImage:  # fmt: skip
        return await self._library.add(name, chunks, version, signature, certificate)

    async def add_image_from(
        self, path: Path, version: str | None, signature: str | None, certificate: str | None
    ) -> FirmwareImage:
        async def chunks() -> AsyncIterator[bytes]:
            reading = read_in_chunks(path)
            while (chunk := await asyncio.to_thread(next, reading, None)) is not None:
                yield chunk

        try:
            return await self._library.add(path.name, chunks(), version, signature, certificate)
        except OSError as error:
            raise FileRefused(path=str(path), problem="not_readable") from error

    async def remove_image(self, image: str) -> FirmwareImage:
        return await asyncio.to_thread(self._library.remove, image)


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address and not address.startswith("[") else address


def _ftp_url(way: Way, host: str, port: int) -> str:
    return f"{way.method.value}://{way.token}:{way.password}@{host}:{port}/"
