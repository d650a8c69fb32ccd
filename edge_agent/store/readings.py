"""What meters said, thinner the older it is: a file of its own, beside the store. Start at `ReadingsFile`.

Every second of the last hour, every minute of the last month, every quarter of an hour of the last year; what is older
than its grade is gone, so the file stays below 12.5 MB for each meter of the usual 13 values. Readings are told once
and never proved: losing the last minute of them to a power cut is no loss, so commits do not wait for the disk.
"""

import asyncio
import shutil
import sqlite3
import struct
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import TypeVar

import structlog

from edge_agent.store.database import StoreCannotOpen, connect_writing, transaction
from sitelink.clock import Clock
from sitelink.meter_values import Grade, Moment, thinned
from web_ui.ports import MeterKey

log = structlog.get_logger()

T = TypeVar("T")

FILE = "readings.sqlite3"
DAMAGED = "readings.damaged"
METERS_KEPT = 100
AHEAD_S = 3600
"""What is dated so far ahead was kept while the clock was wrong."""
END_OF_TIME_S = 2**40
SCHEMA = """
CREATE TABLE IF NOT EXISTS meter (id INTEGER PRIMARY KEY, job TEXT, name TEXT, at INTEGER, UNIQUE (job, name));
CREATE TABLE IF NOT EXISTS shape (id INTEGER PRIMARY KEY, keys TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS reading (
    meter INTEGER, grade INTEGER, at INTEGER, shape INTEGER, data BLOB, PRIMARY KEY (meter, grade, at)
) WITHOUT ROWID;
"""


class ReadingsFile:
    """See `edge_agent.site.ports.Readings`. Made when the first reading is kept."""

    def __init__(self, data_dir: Path, clock: Clock, keep_free_bytes: int = 0) -> None:
        self._path = data_dir / FILE
        self._clock = clock
        self._keep_free_bytes = keep_free_bytes
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._shape_ids: dict[tuple[str, ...], int] = {}
        self._shapes: dict[int, tuple[str, ...]] = {}
        self._trouble = ""

    async def keep(self, told: Mapping[MeterKey, Sequence[Moment]]) -> bool:
        return await asyncio.to_thread(self._guarded, lambda: self._keep(told)) is not None

    async def read(self, meter: MeterKey, grade: Grade, since_s: int) -> Sequence[Moment]:
        found = await asyncio.to_thread(self._guarded, lambda: self._read(meter, grade, since_s))
        return found or []

    def close(self) -> None:
        with self._lock:
            self._close()

    # ---- in a thread ----

    def _guarded(self, work: Callable[[], T]) -> T | None:
        """None: it was not possible now. A damaged file is set aside, and the next call begins a new one."""
        with self._lock:
            try:
                found = work()
            except sqlite3.DatabaseError as error:
                self._close()
                if getattr(error, "sqlite_errorcode", 0) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                    self._set_aside()
                self._report(error)
            except (sqlite3.Error, OSError, StoreCannotOpen) as error:
                self._close()
                self._report(error)
            else:
                self._trouble = ""
                return found
            return None

    def _report(self, error: Exception) -> None:
        """Once, for as long as it stays the same."""
        if self._trouble != str(error):
            self._trouble = str(error)
            log.warning("readings_not_kept", problem=self._trouble)

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None
        self._shape_ids, self._shapes = {}, {}

    def _set_aside(self) -> None:
        log.warning("readings_damaged", aside=DAMAGED)
        with suppress(OSError):
            self._path.replace(self._path.with_name(DAMAGED))
        for ending in ("-wal", "-shm"):
            self._path.with_name(FILE + ending).unlink(missing_ok=True)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = connect_writing(self._path)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA wal_autocheckpoint = 256")
            connection.execute("PRAGMA cache_size = -512")
            connection.executescript(SCHEMA)
            self._connection = connection
        return self._connection

    # ---- keeping ----

    def _keep(self, told: Mapping[MeterKey, Sequence[Moment]]) -> bool:
        if shutil.disk_usage(self._path.parent).free < self._keep_free_bytes:
            raise OSError("the disk is nearly full")
        connection, now_s = self._open(), int(self._clock.now().timestamp())
        with transaction(connection):
            for meter, moments in told.items():
                id_ = self._noted(connection, meter, now_s)
                self._write(connection, id_, Grade.SECOND, moments)
                for finer, grade in ((Grade.SECOND, Grade.MINUTE), (Grade.MINUTE, Grade.QUARTER)):
                    self._write(connection, id_, grade, self._thinned(connection, id_, finer, grade, now_s))
            for id_, grade in product([row[0] for row in connection.execute("SELECT id FROM meter")], Grade):
                connection.execute(
                    "DELETE FROM reading WHERE meter = ? AND grade = ? AND (at < ? OR at > ?)",
                    (id_, grade.step_s, now_s - grade.kept_s, now_s + AHEAD_S),
                )
            self._forget_meters(connection)
        return True

    def _noted(self, connection: sqlite3.Connection, meter: MeterKey, now_s: int) -> int:
        query = (
            "INSERT INTO meter (job, name, at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at RETURNING id"
        )
        return int(connection.execute(query, (*meter, now_s)).fetchone()[0])

    def _forget_meters(self, connection: sqlite3.Connection) -> None:
        """Those that were read longest ago, beyond so many."""
        gone = connection.execute("SELECT id FROM meter ORDER BY at DESC LIMIT -1 OFFSET ?", (METERS_KEPT,)).fetchall()
        for (id_,) in gone:
            connection.execute("DELETE FROM reading WHERE meter = ?", (id_,))
            connection.execute("DELETE FROM meter WHERE id = ?", (id_,))

    def _write(self, connection: sqlite3.Connection, meter: int, grade: Grade, moments: Iterable[Moment]) -> None:
        rows = [
            (meter, grade.step_s, each.at_s, self._shape(connection, tuple(each.values)),
             struct.pack(f"<{len(each.values)}d", *each.values.values()))
            for each in moments
        ]  # fmt: skip
        connection.executemany("INSERT OR REPLACE INTO reading VALUES (?, ?, ?, ?, ?)", rows)

    def _thinned(
        self, connection: sqlite3.Connection, meter: int, finer: Grade, grade: Grade, now_s: int
    ) -> list[Moment]:
        """The whole steps that are not there yet, made of what is finer."""
        query = "SELECT max(at) FROM reading WHERE meter = ? AND grade = ? AND at <= ?"
        last = connection.execute(query, (meter, grade.step_s, now_s)).fetchone()[0]
        begin = last + grade.step_s if last is not None else 0
        end = now_s - now_s % grade.step_s
        return thinned(self._moments(connection, meter, finer, begin, end), grade.step_s)

    # ---- reading ----

    def _read(self, meter: MeterKey, grade: Grade, since_s: int) -> list[Moment]:
        connection = self._open()
        row = connection.execute("SELECT id FROM meter WHERE job = ? AND name = ?", meter).fetchone()
        return self._moments(connection, row[0], grade, since_s, END_OF_TIME_S) if row else []

    def _moments(
        self, connection: sqlite3.Connection, meter: int, grade: Grade, since_s: int, until_s: int
    ) -> list[Moment]:
        query = "SELECT at, shape, data FROM reading WHERE meter = ? AND grade = ? AND at >= ? AND at < ? ORDER BY at"
        rows = connection.execute(query, (meter, grade.step_s, since_s, until_s))
        return [
            Moment(
                at_s, dict(zip(self._keys(connection, shape), struct.unpack(f"<{len(data) // 8}d", data), strict=True))
            )
            for at_s, shape, data in rows
        ]

    def _shape(self, connection: sqlite3.Connection, keys: tuple[str, ...]) -> int:
        """Which values stand in a row is said once for all rows that have the same."""
        if keys not in self._shape_ids:
            connection.execute("INSERT OR IGNORE INTO shape (keys) VALUES (?)", (" ".join(keys),))
            found = connection.execute("SELECT id FROM shape WHERE keys = ?", (" ".join(keys),)).fetchone()
            self._shape_ids[keys] = int(found[0])
        return self._shape_ids[keys]

    def _keys(self, connection: sqlite3.Connection, shape: int) -> tuple[str, ...]:
        if shape not in self._shapes:
            found = connection.execute("SELECT keys FROM shape WHERE id = ?", (shape,)).fetchone()
            self._shapes[shape] = tuple(found[0].split())
        return self._shapes[shape]
