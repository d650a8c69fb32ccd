"""Files on their way between stations and the box: written down first, run at most once, followed to their end.

Start at `Transfers.request`. What decides stands in `transfer_rules`; the files themselves are the business of
`edge_agent.files`, which tells here what arrived. An end is what the station said and what really went over, both.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from edge_agent.site import transfer_rules as rules
from edge_agent.site.ports import Committed, Decide, Decision, Files, FirmwareImage, Journal, Ledger, Stations, Stored
from edge_agent.site.transfer_rules import Asked, Verdict
from sitelink import events as e
from sitelink.clock import Clock
from sitelink.commands import FetchLog, Order, OrderAnswer, ReadTransferMethods, UpdateFirmware
from sitelink.errors import FileGone, NoAnswer, NotFound, SiteError, StationOffline, StoreUnavailable
from sitelink.ids import StationKey, TransferId
from sitelink.model import Transfer
from sitelink.ops import BOX, STATION, Author, Fact
from sitelink.states import CommandState, TransferKind, TransferMethod

log = structlog.get_logger()

RECORD_AGAIN_S = 2.0
LEARNING_S = 5.0
TRIES_RECORDED_MAX = 20
FILE_NAME_BYTES = 16


class TransferPatience(msgspec.Struct, frozen=True):
    """How long nothing at all may be heard of a file, in seconds; `grace_s`: how long the last word stands alone."""

    upload_s: float = 600
    firmware_s: float = 3600
    grace_s: float = 30


class LogRange(msgspec.Struct, frozen=True):
    """Of which time entries are wanted."""

    oldest: datetime | None = None
    latest: datetime | None = None


class Transfers:
    """Runs transfers. `run` is a long-lived task; `touched` is told when a file has come further."""

    def __init__(
        self, journal: Journal, stations: Stations, files: Files, clock: Clock, new_id: Callable[[], str],
        patience: TransferPatience | None = None, touched: Callable[[StationKey], None] = lambda _station: None,
    ) -> None:  # fmt: skip
        self._journal = journal
        self._stations = stations
        self._files = files
        self._clock = clock
        self._new_id = new_id
        self._patience = patience or TransferPatience()
        self._touched = touched
        self._queue: asyncio.Queue[_Work | Decide[None]] = asyncio.Queue()
        self._waiters: set[asyncio.Event] = set()
        journal.subscribe(self._committed)
        files.listen(self)

    # ---- what is asked ----

    async def request(
        self, station: StationKey, kind: TransferKind, author: Author, *, transfer: TransferId | None = None,
        method: TransferMethod | None = None, image: str | None = None, unsigned: bool = False,
        span: LogRange | None = None, install_at: datetime | None = None,
    ) -> TransferId:  # fmt: skip
        """Write a transfer down and set it going. One that is known by its id is answered from the record.

        Raises NotFound, StationOffline, TransferRunning, TransferUnavailable, FirmwareUnsigned.
        """
        chosen = transfer or TransferId(self._new_id())
        if chosen in self._journal.state.transfers:
            return chosen
        if not self._stations.is_online(station):
            raise StationOffline(identity=station, sent=False)
        if method is None:
            await self._learn_methods(station)
        found = await self._files.image(image or "") if kind is TransferKind.FIRMWARE else None
        asked = Asked(kind=kind, method=method, image=found, unsigned=unsigned)
        file = f"{kind.value}-{secrets.token_hex(FILE_NAME_BYTES)}.bin"
        decide = rules.decide_request(chosen, station, asked, author, file=file, methods=self._files.methods)
        if await self._journal.write(decide):
            self._queue.put_nowait(_Work(chosen, found, span or LogRange(), install_at))
        return chosen

    async def _learn_methods(self, station: StationKey) -> None:
        """Ask a station once how it sends files; one that does not say in time is taken for one that does not say."""
        known = self._journal.state.stations.get(station)
        if known is None or rules.says_methods(known):
            return
        try:
            async with asyncio.timeout(LEARNING_S):
                answer = await self._stations.send(station, ReadTransferMethods())
        except (TimeoutError, NoAnswer, StationOffline):
            return
        if answer.accepted and isinstance(answer.payload, dict):
            fact = Fact(f"station:{station}", e.StationConfigured(answer.payload), STATION)
            await self._journal.write(lambda _ledger: Decision((fact,), None))

    def so_far(self) -> dict[TransferId, int]:
        """Bytes that have gone over, of the files that are under way."""
        running = (each.id for each in self._journal.state.transfers.values() if each.running)
        return {id_: size for id_ in running if (size := self._files.so_far(id_)) is not None}

    def transfer(self, transfer: TransferId) -> Transfer:
        """Raises NotFound."""
        found = self._journal.state.transfers.get(transfer)
        if found is None:
            raise NotFound(what="transfer", key=transfer[:64])
        return found

    def file(self, transfer: TransferId) -> Path:
        """The file that came. Raises NotFound, FileGone."""
        found = self.transfer(transfer)
        path = self._files.path(found.file) if found.file and found.kind is not TransferKind.FIRMWARE else None
        if path is None or found.moved_at is None:
            raise FileGone(transfer=transfer)
        return path

    # ---- firmware on the box ----

    async def images(self) -> list[FirmwareImage]:
        return await self._files.images()

    async def add_image(
        self, name: str, chunks: AsyncIterator[bytes], version: str | None, signature: str | None,
        certificate: str | None,
    ) -> FirmwareImage:  # fmt: skip
        return await self._files.add_image(name, chunks, version, signature, certificate)

    async def remove_image(self, image: str) -> FirmwareImage:
        return await self._files.remove_image(image)

    # ---- what the files tell ----

    def arrived(self, transfer: TransferId, size: int, sha256: str) -> None:
        self._record_soon(transfer, e.TransferMoved(size, sha256))

    def failed(self, transfer: TransferId, problem: str, size: int) -> None:
        known = self._journal.state.transfers.get(transfer)
        if known is not None and known.tries < TRIES_RECORDED_MAX:
            self._record_soon(transfer, e.TransferTried(problem, size))

    def progressed(self, transfer: TransferId) -> None:
        known = self._journal.state.transfers.get(transfer)
        if known is not None:
            self._touched(known.station)
            self._wake()

    def removed(self, file: str) -> None:
        self._queue.put_nowait(rules.decide_gone({file}))

    def _record_soon(self, transfer: TransferId, event: e.Event) -> None:
        fact = Fact(f"transfer:{transfer}", event, BOX)
        self._queue.put_nowait(lambda _ledger: Decision((fact,), None))

    # ---- running ----

    async def run(self) -> None:
        """Take up transfers for ever, and write down what the files tell."""
        async with asyncio.TaskGroup() as group:
            while True:
                work = await self._queue.get()
                if isinstance(work, _Work):
                    group.create_task(self._attempt(work), name=f"transfer {work.transfer}")
                else:
                    await self._write(work)

    async def interrupt_unfinished(self) -> None:
        """At start: nothing is rerun. Files and record are brought in step."""
        transfers = list(self._journal.state.transfers.values())
        arrived: dict[TransferId, tuple[int, str]] = {}
        for each in transfers:
            stored = await self._stored(each) if each.running else None
            if stored is not None:
                arrived[each.id] = (stored.size, stored.sha256)
        uploads = [each for each in transfers if each.kind is not TransferKind.FIRMWARE]
        kept = {each.file for each in uploads if each.file and (each.moved_at is not None or each.id in arrived)}
        try:
            count = await self._journal.write(rules.decide_interrupted(arrived))
            gone = await self._files.tidy(kept)
            await self._journal.write(rules.decide_gone(gone))
        except StoreUnavailable:
            log.warning("transfers_not_interrupted")
        else:
            if count:
                log.warning("transfers_interrupted", count=count)

    async def _stored(self, transfer: Transfer) -> Stored | None:
        if transfer.kind is TransferKind.FIRMWARE or transfer.file is None:
            return None
        return await self._files.stored(transfer.file)

    async def _attempt(self, work: "_Work") -> None:
        """A bug ends this transfer alone; the way is closed whatever happens."""
        try:
            await self._execute(work)
        except Exception:
            log.exception("transfer_failed", transfer=work.transfer)
            await self._end(work.transfer, Verdict(CommandState.FAILED, "not_run"))
        finally:
            await self._files.close(work.transfer)

    async def _execute(self, work: "_Work") -> None:
        transfer = self.transfer(work.transfer)
        try:
            order = await self._order(transfer, work)
        except SiteError as error:
            log.warning("transfer_not_opened", transfer=transfer.id, code=error.code)
            await self._end(transfer.id, Verdict(CommandState.FAILED, "not_opened"))
            return
        if await self._send(transfer, order):
            await self._follow(transfer)

    async def _order(self, transfer: Transfer, work: "_Work") -> Order:
        """Opens the way. Raises SiteError."""
        station = self._journal.state.stations.get(transfer.station)
        ip = station.ip if station is not None else None
        if work.image is None:
            location = await self._files.expect(transfer.id, transfer.file or "", transfer.method, ip)
            return FetchLog(
                transfer.kind, transfer.request, location, oldest=work.span.oldest, latest=work.span.latest
            )  # fmt: skip
        location = await self._files.offer(transfer.id, work.image.id, transfer.method, ip)
        return UpdateFirmware(
            transfer.request, location, self._clock.now(), install_at=work.install_at,
            signature=work.image.signature if transfer.signed else None,
            certificate=work.image.certificate if transfer.signed else None,
        )  # fmt: skip

    async def _send(self, transfer: Transfer, order: Order) -> bool:
        """Whether there is something to follow. Some stations answer only when the file is made, or never."""

        async def late(answer: OrderAnswer) -> None:
            await self._answered(transfer, answer, late=True)

        try:
            answer = await self._stations.send(transfer.station, order, late)
        except StationOffline as error:
            if not error.fields.get("sent"):
                await self._end(transfer.id, Verdict(CommandState.FAILED, "offline"))
                return False
        except NoAnswer:
            pass
        else:
            return await self._answered(transfer, answer, late=False)
        return True

    async def _answered(self, transfer: Transfer, answer: OrderAnswer, *, late: bool) -> bool:
        state, outcome = rules.reading(transfer, answer)
        event = e.TransferAnswered(
            answer=answer.word, state=state, outcome=outcome, late=late, station_file=answer.file
        )  # fmt: skip
        await self._write_fact(transfer.id, event, STATION)
        return outcome is None

    async def _follow(self, transfer: Transfer) -> None:
        """Until it has an end: by word, by file, by a boot, or because nothing more is heard."""
        firmware = transfer.kind is TransferKind.FIRMWARE
        patience_s = self._patience.firmware_s if firmware else self._patience.upload_s
        while True:
            seen = self._signs(transfer.id)
            if not seen.transfer.running:
                return
            verdict = rules.verdict(seen.transfer, self._journal.state.stations.get(transfer.station))
            if verdict is not None and verdict.settled:
                break
            if not await self._more(transfer.id, seen, patience_s if verdict is None else self._patience.grace_s):
                break
        station = self._journal.state.stations.get(transfer.station)
        await self._end(transfer.id, verdict or rules.given_up(seen.transfer, station))

    async def _more(self, transfer: TransferId, seen: "_Signs", within_s: float) -> bool:
        """Whether anything more was heard of it in time."""
        wake = asyncio.Event()
        self._waiters.add(wake)
        try:
            async with asyncio.timeout(within_s):
                while self._signs(transfer) == seen:
                    wake.clear()
                    await wake.wait()
        except TimeoutError:
            return False
        finally:
            self._waiters.discard(wake)
        return True

    def _signs(self, transfer: TransferId) -> "_Signs":
        known = self.transfer(transfer)
        station = self._journal.state.stations.get(known.station)
        boots, firmware = (station.boots, station.firmware) if station is not None else (0, None)
        return _Signs(known, boots, firmware, self._files.so_far(transfer))

    def _committed(self, _committed: Committed) -> None:
        self._wake()

    def _wake(self) -> None:
        for wake in self._waiters:
            wake.set()

    # ---- writing down ----

    async def _end(self, transfer: TransferId, verdict: Verdict) -> None:
        known = self._journal.state.transfers.get(transfer)
        station = self._journal.state.stations.get(known.station) if known is not None else None
        detail: dict[str, object] = {}
        if known is not None and known.kind is TransferKind.FIRMWARE:
            detail = {"version": station.firmware if station is not None else None, "wanted": known.version}
        elif known is not None and known.problem:
            detail = {"problem": known.problem}
        await self._write_fact(transfer, e.TransferEnded(verdict.state, verdict.outcome, detail), BOX)

    async def _write_fact(self, transfer: TransferId, event: e.Event, author: Author) -> None:
        fact = Fact(f"transfer:{transfer}", event, author)

        def decide(_ledger: Ledger) -> Decision[None]:
            return Decision((fact,), None)

        await self._write(decide)

    async def _write(self, decide: Decide[None]) -> None:
        """If need be when the disk takes something again."""
        while True:
            try:
                await self._journal.write(decide)
                return
            except StoreUnavailable:
                await asyncio.sleep(RECORD_AGAIN_S)


class _Work(msgspec.Struct, frozen=True):
    """A transfer to run, with what the record does not hold."""

    transfer: TransferId
    image: FirmwareImage | None
    span: LogRange
    install_at: datetime | None


class _Signs(msgspec.Struct, frozen=True):
    """By which a file is known to have come further."""

    transfer: Transfer
    boots: int
    firmware: str | None
    so_far: int | None
