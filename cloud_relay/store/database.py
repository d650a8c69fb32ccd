"""How each of the two databases is connected to, and what a transaction is. Knows nothing of what stands in the tables.

SQLite: one writing connection on a thread of its own, beside a few that only read. PostgreSQL: a pool of threads, each
transaction serializable and begun again when the database says that it would not have come out the same one after the
other. Start at `connect`. Sources: sqlite.org/wal.html; PostgreSQL 16 §13.2.3, §13.5.
"""

import fcntl
import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import QueuePool

from sitelink.errors import StoreUnavailable

T = TypeVar("T")
Work = Callable[[Connection], T]

SQLITE_FILE = "gatepost-cloud.sqlite3"
BUSY_TIMEOUT_MS = 5000
SQLITE_READERS = 4
POSTGRESQL = "postgresql+psycopg"
TRIES_MAX = 8
FIRST_PAUSE_S = 0.005
_BEGIN_AGAIN = frozenset({"40001", "40P01"})
"""PostgreSQL appendix A: serialization_failure, deadlock_detected."""


class StoreCannotOpen(Exception):
    """One sentence: what is in the way."""


class Database(Protocol):
    """A database. `work` runs in one transaction on a thread of the database's; the future holds its result only
    after the commit. Of `work` that raises nothing stays."""

    @property
    def dialect(self) -> str:
        """sqlite or postgresql."""
        ...

    def write(self, work: Work[T]) -> "Future[T]": ...

    def read(self, work: Work[T]) -> "Future[T]":
        """Sees one moment of the database throughout; cannot write."""
        ...

    def close(self) -> None:
        """Waits for what is under way."""
        ...


def connect(url: str, data_dir: Path, connections: int = 8) -> Database:
    """`url` as in the setting database.url; empty: a SQLite file in `data_dir`. Raises StoreCannotOpen."""
    try:
        parsed = make_url(url) if url else sqlite_url(data_dir / SQLITE_FILE)
        name = parsed.get_backend_name()
        if name == "sqlite":
            return SqliteDatabase(Path(parsed.database or ""))
        if name == "postgresql":
            return PostgresqlDatabase(parsed.set(drivername=POSTGRESQL), connections)
    except (ArgumentError, NoSuchModuleError) as error:
        raise StoreCannotOpen("database.url cannot be read as an address; write sqlite:///FILE or "
                              "postgresql://USER@HOST/NAME.") from error  # fmt: skip
    raise StoreCannotOpen(f"database.url: {name} is not served; allowed: sqlite, postgresql.")


def sqlite_url(file: Path) -> URL:
    return URL.create("sqlite", database=str(file.absolute()))


class SqliteDatabase:
    """A file. SQLite before 3.51.3 can corrupt a WAL database that two connections write or checkpoint at the same
    moment, so every transaction that writes holds a lock beside the file: commands may run beside a server."""

    dialect = "sqlite"

    def __init__(self, file: Path) -> None:
        if not file.name or str(file) == ":memory:":
            raise StoreCannotOpen("database.url: a SQLite database needs a file.")
        self._file = file
        try:
            if not file.parent.exists():
                file.parent.mkdir(mode=0o700, parents=True)
            os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            lock = file.with_name(f"{file.name}.lock")
            self._lock = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreCannotOpen(f"{file}: cannot be opened: {error.strerror}.") from error
        self._writing = sa.create_engine(sqlite_url(file), creator=self._writer, poolclass=QueuePool, pool_size=1,
                                         max_overflow=0)  # fmt: skip
        self._reading = sa.create_engine(sqlite_url(file), creator=self._reader, poolclass=QueuePool,
                                         pool_size=SQLITE_READERS, max_overflow=0)  # fmt: skip
        _begin_with(self._writing, "BEGIN IMMEDIATE")
        _begin_with(self._reading, "BEGIN")
        self._writers = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._readers = ThreadPoolExecutor(SQLITE_READERS, thread_name_prefix="store-reader")

    def write(self, work: Work[T]) -> "Future[T]":
        return self._writers.submit(self._write, work)

    def read(self, work: Work[T]) -> "Future[T]":
        return self._readers.submit(_once, self._reading, work)

    def close(self) -> None:
        self._readers.shutdown()
        self._reading.dispose()
        with self._alone():  # the last connection to close checkpoints
            self._writers.submit(self._writing.dispose).result()
        self._writers.shutdown()
        os.close(self._lock)

    def _write(self, work: Work[T]) -> T:
        with self._alone():
            return _once(self._writing, work)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _writer(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = FAST")
        return connection

    def _reader(self) -> sqlite3.Connection:
        uri = f"{self._file.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA query_only = ON")
        return connection


class PostgresqlDatabase:
    """A server. `synchronous_commit` is asked for, whatever the server's default is."""

    dialect = "postgresql"

    def __init__(self, url: URL, connections: int) -> None:
        self._engine = sa.create_engine(
            url, pool_size=connections, max_overflow=0, pool_pre_ping=True,
            connect_args={"options": "-c synchronous_commit=on -c timezone=UTC", "application_name": "gatepost"},
        )  # fmt: skip
        self._writing = self._engine.execution_options(isolation_level="SERIALIZABLE")
        self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="store")

    def write(self, work: Work[T]) -> "Future[T]":
        return self._threads.submit(_until_it_lands, self._writing, work)

    def read(self, work: Work[T]) -> "Future[T]":
        return self._threads.submit(_until_it_lands, self._reading, work)

    def close(self) -> None:
        self._threads.shutdown()
        self._engine.dispose()


def _begin_with(engine: Engine, statement: str) -> None:
    """SQLAlchemy leaves BEGIN to the driver, which would begin later and weaker."""

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)


def _once(engine: Engine, work: Work[T]) -> T:
    """Raises StoreUnavailable where the database, not the work, is the reason."""
    try:
        with engine.connect() as connection, connection.begin():
            return work(connection)
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailable(reason=_reason(error)) from error


def _until_it_lands(engine: Engine, work: Work[T]) -> T:
    """Two transactions that cannot be put one after the other: one of them is begun again, after a pause that grows."""
    for attempt in range(TRIES_MAX):
        try:
            with engine.connect() as connection, connection.begin():
                return work(connection)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) in _BEGIN_AGAIN:
                if attempt == TRIES_MAX - 1:
                    raise StoreUnavailable(reason="busy") from error
                time.sleep(FIRST_PAUSE_S * 2**attempt * (0.5 + random.random()))  # noqa: S311 -- only spreads
            elif isinstance(error, (OperationalError, InterfaceError)):
                raise StoreUnavailable(reason=_reason(error)) from error
            else:
                raise
    raise AssertionError("the last attempt returns or raises")


_SQLITE_REASONS = {sqlite3.SQLITE_FULL: "disk_full", sqlite3.SQLITE_READONLY: "read_only",
                   sqlite3.SQLITE_CORRUPT: "damaged", sqlite3.SQLITE_NOTADB: "damaged",
                   sqlite3.SQLITE_BUSY: "busy"}  # fmt: skip


def _reason(error: DBAPIError) -> str:
    """A code for why: disk_full, read_only, damaged, busy, away (a server that is not reached), failed."""
    code: Any = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE_REASONS.get(code & 0xFF, "failed")
    if error.connection_invalidated or getattr(error.orig, "sqlstate", None) is None:
        return "away"
    return {"53100": "disk_full", "25006": "read_only"}.get(str(getattr(error.orig, "sqlstate", "")), "failed")
