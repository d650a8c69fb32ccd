"""What an error of the disk means."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from edge_agent.store.rows import RowDamaged
from edge_agent.store.trouble import Verdict, free_bytes, is_of_the_disk, trouble_of


def sqlite_error(name: str) -> sqlite3.Error:
    error = sqlite3.OperationalError(name)
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("name", "committing", "verdict"),
    [
        ("SQLITE_FULL", True, Verdict("disk_full")),
        ("SQLITE_READONLY", False, Verdict("read_only")),
        ("SQLITE_READONLY_DIRECTORY", False, Verdict("read_only")),
        ("SQLITE_READONLY_DBMOVED", False, Verdict("failed", final=True)),
        ("SQLITE_CORRUPT", False, Verdict("damaged", final=True)),
        ("SQLITE_CORRUPT_INDEX", False, Verdict("damaged", final=True)),
        ("SQLITE_NOTADB", False, Verdict("damaged", final=True)),
        ("SQLITE_IOERR_READ", False, Verdict("failed")),
        ("SQLITE_IOERR_WRITE", True, Verdict("failed", final=True)),
        ("SQLITE_IOERR_FSYNC", False, Verdict("failed", final=True)),
        ("SQLITE_IOERR_DIR_FSYNC", True, Verdict("failed", final=True)),
        ("SQLITE_BUSY", True, Verdict("failed")),
        ("SQLITE_CANTOPEN", True, Verdict("failed")),
    ],
)
def test_sqlites_codes(tmp_path: Path, name: str, committing: bool, verdict: Verdict) -> None:
    assert trouble_of(sqlite_error(name), tmp_path, committing=committing) == verdict
    assert is_of_the_disk(sqlite_error(name))


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "disk_full"), (errno.EDQUOT, "disk_full"), (errno.EROFS, "read_only"), (errno.EIO, "failed")],
)
def test_the_systems_codes(tmp_path: Path, number: int, code: str) -> None:
    assert trouble_of(OSError(number, os.strerror(number)), tmp_path, committing=False).code == code


def test_a_wrong_statement_is_no_fault_of_the_disk() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (x NOT NULL)")
    for wrong in ("INSERT INTO t VALUES (NULL)", "SELECT"):
        with pytest.raises(sqlite3.Error) as caught:
            connection.execute(wrong)
        assert not is_of_the_disk(caught.value)
    connection.close()
    assert not is_of_the_disk(ZeroDivisionError())
    assert is_of_the_disk(RowDamaged("journal", 1))


def test_free_space_is_what_the_file_system_says(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0
