"""The store, put together: opens the data directory, salvages where it must, starts the writer.

Start at `open_store`. Whoever opens a store runs `Store.watch` as a long-lived task: it ends the process when the
writer failed for good. Source: STYLE §5; RELIABILITY §1.4, D1 to D7, D11.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from edge_agent.store import meta
from edge_agent.store.database import (
    DATABASE,
    StoreCannotOpen,
    connect_writing,
    lock_of,
    make_directory,
)
from edge_agent.store.journal import DiskJournal
from edge_agent.store.ledger import DiskLedger
from edge_agent.store.loading import load
from edge_agent.store.migrations import migrate
from edge_agent.store.outbox import Outbox
from edge_agent.store.reader import DiskHistory
from edge_agent.store.retention import Reserve, Retention
from edge_agent.store.rows import RowDamaged
from edge_agent.store.salvage import finish_interrupted, salvage, schema_is_sound, whole
from edge_agent.store.telemetry_box import TelemetryBox
from edge_agent.store.trouble import is_damage, trouble_of
from edge_agent.store.uplink import DiskUplink
from edge_agent.store.writer import SUSPECT, Writer
from sitelink.clock import Clock

log = structlog.get_logger()

WORDS = {
    "disk_full": "the disk is full",
    "read_only": "the disk takes no writing",
    "failed": "the disk does not answer as it should",
    "damaged": "the database is damaged and could not be salvaged",
}


@dataclass(frozen=True)
class StoreSettings:
    data_dir: Path
    telemetry_max_rows: int = 2_000_000
    journal_max_rows: int = 1_000_000
    transactions_max_rows: int = 500_000
    reserve_bytes: int = 8 * 1024 * 1024
    keep_unsent: bool = False
    """A cloud is waiting: log ops it has not got are never pruned."""
    probe_s: float = 2.0
    """How often a disk in trouble is tried again."""


class StoreFailed(Exception):
    """The writer failed for good; only a new start of the process can tell what is on disk."""


class Store:
    """An open store."""

    def __init__(
        self, journal: DiskJournal, history: DiskHistory, outbox: Outbox, telemetry: TelemetryBox,
        salvaged: meta.Salvaged | None, telemetry_max_rows: int,
    ) -> None:  # fmt: skip
        self.journal = journal
        self.history = history
        self.outbox = outbox
        self.uplink = DiskUplink(journal, history, outbox, telemetry, telemetry_max_rows)
        self._salvaged = salvaged

    @property
    def salvaged(self) -> meta.Salvaged | None:
        """A damaged database was set aside and nobody has said yet that they know."""
        return self._salvaged

    async def acknowledge_salvage(self) -> None:
        """Somebody has seen it. The files stay where they are. Raises StoreUnavailable."""
        await self.journal.run(lambda ledger: meta.forget(ledger.connection, meta.Salvaged))
        self._salvaged = None

    async def backup(self, path: Path) -> None:
        """See `DiskHistory.backup`."""
        await self.history.backup(path)

    async def watch(self) -> None:
        """Raises StoreFailed when the process must end; else never returns."""
        error = await asyncio.shield(self.journal.failure)
        raise StoreFailed(str(error)) from error


@asynccontextmanager
async def open_store(settings: StoreSettings, clock: Clock, new_id: Callable[[], str]) -> AsyncIterator[Store]:
    """Raises StoreLocked, DatabaseNewer, StoreCannotOpen."""
    data_dir = settings.data_dir
    make_directory(data_dir)
    with lock_of(data_dir):
        reserve = Reserve(data_dir, settings.reserve_bytes)
        ledger = await asyncio.to_thread(_open, settings, reserve, clock, new_id)
        salvaged = meta.read(ledger.connection, meta.Salvaged)
        acked = meta.read(ledger.connection, meta.Acked) or meta.Acked()
        journal = DiskJournal(ledger.state.copy(), ledger.seq, asyncio.get_running_loop())
        history = DiskHistory(data_dir / DATABASE, clock, lambda damage: journal.submit(_report(damage)))
        outbox = Outbox(journal, history, acked, ledger.counters.journal_ever)
        told = meta.read(ledger.connection, meta.TelemetryAcked) or meta.TelemetryAcked()
        telemetry = TelemetryBox(journal, history, told)
        retention = Retention(
            reserve, telemetry_max_rows=settings.telemetry_max_rows, journal_max_rows=settings.journal_max_rows,
            transactions_max_rows=settings.transactions_max_rows, keep_unsent=settings.keep_unsent,
        )  # fmt: skip
        writer = Writer(ledger, retention, journal, clock, data_dir, settings.probe_s)
        journal.attach(writer, history.end_long_reads)
        writer.start()
        try:
            yield Store(journal, history, outbox, telemetry, salvaged, settings.telemetry_max_rows)
        finally:
            journal.detach()
            await asyncio.shield(asyncio.to_thread(history.close))
            await asyncio.shield(asyncio.to_thread(writer.stop))


def _report(damage: RowDamaged) -> Callable[[DiskLedger], None]:
    def raise_it(_ledger: DiskLedger) -> None:
        raise damage

    return raise_it


# ---- opening, on a thread ----


def _open(settings: StoreSettings, reserve: Reserve, clock: Clock, new_id: Callable[[], str]) -> DiskLedger:
    """Open and load; on a full disk once more with the reserve given up."""
    data_dir = settings.data_dir
    reserve.hold()
    thin = False
    while True:
        try:
            ledger = _open_or_salvage(data_dir, clock, new_id)
            ledger.thin = thin
            return ledger
        except (sqlite3.Error, OSError, RowDamaged) as error:
            code = trouble_of(error, data_dir, committing=False).code
            if code == "disk_full" and reserve.release():
                thin = True
                continue
            raise StoreCannotOpen(f"{data_dir}: {WORDS[code]} ({error}).", code) from error


def _open_or_salvage(data_dir: Path, clock: Clock, new_id: Callable[[], str]) -> DiskLedger:
    finish_interrupted(data_dir)
    if not (data_dir / SUSPECT).exists():
        try:
            return _open_sound(data_dir, clock, new_id)
        except Exception as error:
            if not is_damage(error, data_dir):
                raise
            log.error("database_damaged", error=str(error))
    salvage(data_dir, clock.now())
    return _open_sound(data_dir, clock, new_id)


def _open_sound(data_dir: Path, clock: Clock, new_id: Callable[[], str]) -> DiskLedger:
    """Raises what `is_damage` knows, sqlite3.Error, OSError, DatabaseNewer; the connection is closed then."""
    path = data_dir / DATABASE
    connection = connect_writing(path)
    try:
        if not whole(connection, path.stat().st_size):
            raise RowDamaged("database", "integrity_check")
        steps = migrate(connection)
        if steps:
            log.info("database_migrated", steps=steps)
        if not schema_is_sound(connection, changed=bool(steps)):
            raise RowDamaged("database", "schema")
        return DiskLedger(connection, load(connection), clock, new_id)
    except BaseException:
        connection.close()
        raise
