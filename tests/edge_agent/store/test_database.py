"""The file and its lock."""

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.store.database import (
    DATABASE,
    StoreCannotOpen,
    StoreLocked,
    connect_reading,
    connect_writing,
    lock_of,
    transaction,
)
from tests.edge_agent.store.facts import opened


async def test_directory_and_files_are_private(tmp_path: Path) -> None:
    data_dir = tmp_path / "deep" / "data"
    async with opened(data_dir, reserve_bytes=4096):
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data_dir.iterdir()}
    assert len(modes) >= 3
    assert set(modes.values()) == {0o600}, modes


async def test_a_second_process_is_told_who_holds_the_directory(tmp_path: Path) -> None:
    child = (
        "import sys\nfrom pathlib import Path\nfrom edge_agent.store.database import lock_of\n"
        "with lock_of(Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", child, str(tmp_path)]
    with subprocess.Popen(  # noqa: ASYNC220 -- its one line is all that is waited for
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreLocked, match=f"in use by another process \\(pid {holder.pid}\\)"):
            async with opened(tmp_path):
                pass
        holder.kill()
    async with opened(tmp_path):
        pass


def test_the_lock_is_let_go(tmp_path: Path) -> None:
    for _ in range(2):
        with lock_of(tmp_path):
            pass


async def test_a_place_that_is_no_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreCannotOpen, match="file"):
        async with opened(tmp_path / "file" / "data"):
            pass


def test_the_writing_connection_is_durable(tmp_path: Path) -> None:
    connection = connect_writing(tmp_path / DATABASE)
    found = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint")
    }
    connection.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "wal_autocheckpoint": 0}


def test_a_reading_connection_cannot_write(tmp_path: Path) -> None:
    writing = connect_writing(tmp_path / DATABASE)
    writing.execute("CREATE TABLE t (x)")
    reading = connect_reading(tmp_path / DATABASE)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reading.execute("INSERT INTO t VALUES (1)")
    reading.close()
    writing.close()


def test_a_transaction_lands_whole_or_not_at_all(tmp_path: Path) -> None:
    connection = connect_writing(tmp_path / DATABASE)
    connection.execute("CREATE TABLE t (x)")

    def half() -> None:
        with transaction(connection):
            connection.execute("INSERT INTO t VALUES (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    with transaction(connection):
        connection.execute("INSERT INTO t VALUES (2)")
    assert connection.execute("SELECT x FROM t").fetchall() == [(2,)]
    connection.close()
