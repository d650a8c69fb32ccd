"""The file, its lock, and how a connection to it is made. Knows nothing of what stands in the tables.

Start at `lock_of` and `connect_writing`. There is exactly one writing connection: SQLite before 3.51.3 can corrupt a
WAL database with two. Sources: sqlite.org/wal.html, sqlite.org/pragma.html.
"""

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DATABASE = "gatepost.sqlite3"
LOCK = "gatepost.lock"
BUSY_TIMEOUT_MS = 5000
WAL_KEPT_BYTES = 16 * 1024 * 1024
"""What a write-ahead log that was long once is cut back to. It stays below 64 MB in any case (D11)."""
CACHE_KIB = 4096


class StoreCannotOpen(Exception):
    """One sentence: what is in the way. `trouble`: the disk's (disk_full, read_only, damaged, failed), may pass."""

    def __init__(self, problem: str, trouble: str | None = None) -> None:
        super().__init__(problem)
        self.trouble = trouble


_TROUBLE_BY_ERRNO = {
    errno.EROFS: "read_only",
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EIO: "failed",
}


class StoreLocked(StoreCannotOpen):
    """Another process works in this data directory."""


def make_directory(data_dir: Path) -> None:
    """Private to its owner when it is new; one that is there stays as it is. Raises StoreCannotOpen."""
    try:
        if not data_dir.exists():
            data_dir.mkdir(mode=0o700, parents=True)
    except OSError as error:
        trouble = _TROUBLE_BY_ERRNO.get(error.errno or 0)
        raise StoreCannotOpen(f"{data_dir}: cannot be made: {error.strerror}", trouble) from error


@contextmanager
def lock_of(data_dir: Path) -> Iterator[None]:
    """Hold the data directory for this process. The system lets go of it even after kill -9. Raises StoreLocked."""
    try:
        descriptor = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        trouble = _TROUBLE_BY_ERRNO.get(error.errno or 0)
        raise StoreCannotOpen(f"{data_dir / LOCK}: cannot be opened: {error.strerror}", trouble) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreLocked(f"{data_dir} is in use by another process{_holder(descriptor)}") from error
        with suppress(OSError):  # only a hint for people; a full disk is no reason not to start
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        yield
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    return f" (pid {text})" if text.isdecimal() else ""


def connect_writing(path: Path) -> sqlite3.Connection:
    """The writing connection: WAL, every commit on disk before it returns, checkpoints only when asked for.

    Transactions are explicit. It may be used from one thread at a time. Raises sqlite3.Error, OSError.
    """
    new = not path.exists()
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise StoreCannotOpen(f"{path}: this file system cannot hold a write-ahead log")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}")
        connection.execute("PRAGMA secure_delete = FAST")
        if new:  # and gone for good is the rollback journal it took to make a write-ahead log of it
            sync_directory(path.parent)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write and never checkpoints. Raises sqlite3.Error."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=16)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cache_size = -1024")
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it lands, or none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise


def roll_back(connection: sqlite3.Connection) -> None:
    """Back to the last commit; SQLite may have gone there by itself."""
    with suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def sync_directory(directory: Path) -> None:
    """Make renames in it durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
