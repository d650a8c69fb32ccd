"""The past on disk, read beside the writer through connections that cannot write.

Start at `DiskHistory`. Reads are short: a row check on each, a deadline on all, because a reader that stays holds the
write-ahead log back (D11). A damaged row is left out, never served, and reported.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

from edge_agent.store.database import connect_reading, sync_directory
from edge_agent.store.rows import RowDamaged, checked, command_of, transaction_of
from edge_agent.store.trouble import trouble_of
from sitelink.clock import Clock
from sitelink.errors import StoreUnavailable
from sitelink.ids import CommandId, StationKey
from sitelink.model import Command, Transaction
from sitelink.ops import Op, decode_op

log = structlog.get_logger()

T = TypeVar("T")
READERS = 2
DEADLINE_S = 5.0
READ_TRIES = 4
READ_AGAIN_S = 0.1
"""A read that the writer interrupts to shorten its log begins anew after this: longer than the log takes."""
ROWS_MAX = 5000
LOOKED_BACK = 200_000
"""Journal keys that a search by kind goes back at most."""
CHECK_EVERY_STEPS = 10_000
"""Steps of SQLite's machine between two looks at the deadline."""
PAGES_AT_ONCE = 1024
"""Of a backup, between two looks whether the store closes."""

# The newest ids come out of an index; only their rows are read.
TRANSACTIONS = (
    'SELECT id, body, crc FROM "transaction" WHERE id IN'
    ' (SELECT id FROM "transaction" WHERE station = ? ORDER BY id DESC LIMIT ?) ORDER BY id DESC'
)
OPS = "SELECT seq, body, crc FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"
# The kind is the second field of an op's body (`sitelink.ops`): no need to read them whole.
OPS_OF = (
    "SELECT seq, body, crc FROM (SELECT seq, body, crc, CAST(substr(body, 1, 120) AS TEXT) AS head FROM journal"
    " WHERE seq < ? AND seq > (SELECT coalesce(max(seq), 0) FROM journal WHERE seq < ?) - ? ORDER BY seq DESC)"
    " WHERE {where} ORDER BY seq DESC LIMIT ?"
)
TELEMETRY = "SELECT seq, body, crc FROM telemetry WHERE seq > ? ORDER BY seq LIMIT ?"
GAPS = "SELECT from_seq, to_seq, reason, count FROM gap ORDER BY id DESC LIMIT ?"
COMMAND = "SELECT key, body, crc FROM command WHERE key = ?"


class Gap(msgspec.Struct, frozen=True):
    """Telemetry that was not kept: `count` values between two seqs."""

    from_seq: int
    to_seq: int
    reason: str
    count: int


class DiskHistory:
    """See `edge_agent.site.ports.History`. Every method raises StoreUnavailable when the disk does not give it."""

    def __init__(self, path: Path, clock: Clock, on_damage: Callable[[RowDamaged], None]) -> None:
        self._path = path
        self._data_dir = path.parent
        self._clock = clock
        self._on_damage = on_damage
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="store reader")
        self._idle: list[sqlite3.Connection] = []
        self._busy: list[sqlite3.Connection] = []
        self._closed = False

    async def transactions(self, station: StationKey, limit: int = 200) -> Sequence[Transaction]:
        return await self._rows("transaction", TRANSACTIONS, (station, min(limit, ROWS_MAX)), transaction_of)

    async def ops(self, after: int, limit: int = 500) -> Sequence[tuple[int, Op]]:
        return await self._rows("journal", OPS, (after, min(limit, ROWS_MAX)), _numbered("journal"))

    async def ops_of(self, kinds: Collection[str], limit: int, before: int | None = None) -> Sequence[tuple[int, Op]]:
        """Log ops of these kinds, newest first; of the last LOOKED_BACK ones."""
        newest = 2**62 if before is None else before
        wanted = tuple(f'"kind":"{kind}"' for kind in sorted(kinds))
        sql = OPS_OF.format(where=" OR ".join("instr(head, ?)" for _ in wanted))
        values = (newest, newest, LOOKED_BACK, *wanted, min(limit, ROWS_MAX))
        return await self._rows("journal", sql, values, _numbered("journal"))

    async def telemetry(self, after: int, limit: int = 500) -> Sequence[tuple[int, Op]]:
        """Telemetry with a seq above `after`, in order."""
        return await self._rows("telemetry", TELEMETRY, (after, min(limit, ROWS_MAX)), _numbered("telemetry"))

    async def bodies(self, after: int, limit: int = 500) -> Sequence[tuple[int, bytes]]:
        """As `ops`, each as the JSON it is stored as."""
        return await self.read_bodies("journal", OPS, (after, min(limit, ROWS_MAX)))

    async def read_bodies(self, table: str, sql: str, values: tuple[object, ...]) -> Sequence[tuple[int, bytes]]:
        """Seq and body of rows; `sql` gives seq, body and crc."""

        def body_of(seq: int, body: bytes, crc: int) -> tuple[int, bytes]:
            return seq, checked(table, seq, body, crc)

        return await self._rows(table, sql, values, body_of)

    async def command(self, id_: CommandId) -> Command | None:
        """However old, as long as it is kept (the last 1,000 that ended)."""
        found = await self._rows("command", COMMAND, (f"command:{id_}",), command_of)
        return found[0] if found else None

    async def gaps(self, limit: int = 100) -> Sequence[Gap]:
        """Newest first."""
        return await self._rows("gap", GAPS, (limit,), Gap)

    async def backup(self, path: Path) -> None:
        """Copy everything committed into a new file, while the box works, and have it on disk.

        Given up when the store closes. Raises FileExistsError, OSError, StoreUnavailable; nothing is left behind then.
        """
        await self._on_thread(lambda connection: _copy(connection, path, self._go_on), deadline_s=None)

    def _go_on(self, *_pages: int) -> None:
        if self._closed:
            raise StoreUnavailable(reason="failed")

    def end_long_reads(self) -> None:
        """Interrupt what is being read now; it begins anew, and fails when it never gets done. From any thread."""
        for connection in tuple(self._busy):
            with suppress(sqlite3.ProgrammingError):  # closed meanwhile
                connection.interrupt()

    def close(self) -> None:
        """Blocks until running reads ended; their deadline is near."""
        self._closed = True
        self.end_long_reads()
        self._pool.shutdown()
        while self._idle:
            self._idle.pop().close()

    async def _rows(self, table: str, sql: str, values: tuple[object, ...], make: Callable[..., T]) -> Sequence[T]:
        def read(connection: sqlite3.Connection) -> list[T]:
            found = []
            for row in connection.execute(sql, values).fetchall():
                try:
                    found.append(make(*row))
                except RowDamaged as damage:
                    log.error("row_damaged", table=damage.table, key=damage.key)
                    self._on_damage(damage)
                except (KeyError, msgspec.DecodeError) as error:
                    log.error("row_not_understood", table=table, key=row[0], error=str(error))
            return found

        return await self._on_thread(read, DEADLINE_S)

    async def _on_thread(self, read: Callable[[sqlite3.Connection], T], deadline_s: float | None) -> T:
        if self._closed:
            raise StoreUnavailable(reason="failed")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, read, deadline_s)

    def _read(self, read: Callable[[sqlite3.Connection], T], deadline_s: float | None) -> T:
        until = None if deadline_s is None else self._clock.monotonic() + deadline_s
        for left in reversed(range(READ_TRIES)):
            try:
                with self._connection(until) as connection:
                    return read(connection)
            except sqlite3.Error as error:
                if left and until is not None and self._was_in_the_way(error, until):
                    time.sleep(READ_AGAIN_S)
                    continue
                verdict = trouble_of(error, self._data_dir, committing=False)
                log.warning("read_failed", code=verdict.code, error=str(error))
                if verdict.code == "damaged":
                    self._on_damage(RowDamaged("database", str(error)))
                raise StoreUnavailable(reason=verdict.code) from error
        raise AssertionError("the last try answers or raises")

    def _was_in_the_way(self, error: sqlite3.Error, until: float) -> bool:
        """Interrupted for the writer's log (`end_long_reads`) before its time was up: read again, from what is now."""
        interrupted = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
        return interrupted and not self._closed and self._clock.monotonic() <= until

    @contextmanager
    def _connection(self, until: float | None) -> Iterator[sqlite3.Connection]:
        connection = self._idle.pop() if self._idle else connect_reading(self._path)
        if until is not None:
            connection.set_progress_handler(lambda: self._clock.monotonic() > until, CHECK_EVERY_STEPS)
        self._busy.append(connection)
        try:
            yield connection
        except BaseException:
            self._busy.remove(connection)
            connection.close()
            raise
        self._busy.remove(connection)
        connection.set_progress_handler(None, 0)
        self._idle.append(connection)


def _numbered(table: str) -> Callable[[int, bytes, int], tuple[int, Op]]:
    def op_of(seq: int, body: bytes, crc: int) -> tuple[int, Op]:
        return seq, decode_op(checked(table, seq, body, crc))

    return op_of


def _copy(connection: sqlite3.Connection, path: Path, go_on: Callable[..., None]) -> None:
    """The copy is whole or not there under its name. One snapshot: else every commit would begin the copy anew."""
    if path.exists():
        raise FileExistsError(path)
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    try:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with closing(sqlite3.connect(partial, isolation_level=None)) as target:
            connection.backup(target, pages=PAGES_AT_ONCE, progress=go_on)
            target.execute("PRAGMA journal_mode = DELETE")
        connection.execute("COMMIT")
        partial.rename(path)
        sync_directory(path.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
