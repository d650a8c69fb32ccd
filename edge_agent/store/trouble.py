"""What an error of the disk means: which trouble it is, and whether the process may go on.

Pure but for one look at the file system. Start at `trouble_of`. A failed fsync is final: the kernel may have dropped
the pages, so trying again would report as stored what is not (RELIABILITY D4). Source: sqlite.org/rescode.html.
"""

import errno
import os
import sqlite3
from pathlib import Path

import msgspec

from edge_agent.store.rows import RowDamaged

ALMOST_NOTHING_BYTES = 64 * 1024
_FINAL = frozenset({"SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC", "SQLITE_READONLY_DBMOVED"})
_DISK = (
    "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_CANTOPEN",
    "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PERM", "SQLITE_AUTH", "SQLITE_NOMEM", "SQLITE_PROTOCOL",
)  # fmt: skip
_CODE_BY_ERRNO = {
    errno.ENOSPC: "disk_full", errno.EDQUOT: "disk_full", errno.EFBIG: "disk_full", errno.EROFS: "read_only",
    errno.EACCES: "read_only", errno.EPERM: "read_only",
}  # fmt: skip


class Verdict(msgspec.Struct, frozen=True):
    """`code` as in `edge_agent.site.ports.Trouble`. `final`: the process must end, never go on."""

    code: str
    final: bool = False


def is_of_the_disk(error: BaseException) -> bool:
    """Whether storage is to blame, and not what was to be stored."""
    if isinstance(error, sqlite3.Error):
        return (getattr(error, "sqlite_errorname", None) or "").startswith(_DISK)
    return isinstance(error, OSError | RowDamaged)


def trouble_of(error: BaseException, data_dir: Path, *, committing: bool) -> Verdict:
    """`committing`: the error came out of COMMIT or a checkpoint, where an I/O error leaves it open what is stored."""
    if isinstance(error, RowDamaged):
        return Verdict("damaged", final=True)
    if isinstance(error, OSError):
        return Verdict(_CODE_BY_ERRNO.get(error.errno or 0, "failed"))
    name = getattr(error, "sqlite_errorname", None) or ""
    if name in _FINAL:
        return Verdict("failed", final=True)
    if name.startswith("SQLITE_FULL"):
        return Verdict("disk_full")
    if name.startswith("SQLITE_READONLY"):
        return Verdict("read_only")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return Verdict("damaged", final=True)
    if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")):
        explained = _explained(data_dir)
        return Verdict(explained) if explained else Verdict("failed", final=committing and "IOERR" in name)
    return Verdict("failed")


def is_damage(error: BaseException, data_dir: Path) -> bool:
    """Whether an error met while opening says that the file is not what we wrote.

    Flipped bits reach us in many shapes: as damage, as a table that does not exist, as text that is none.
    """
    if isinstance(error, UnicodeDecodeError | msgspec.DecodeError | RowDamaged):
        return True
    if not isinstance(error, sqlite3.Error):
        return False
    return not is_of_the_disk(error) or trouble_of(error, data_dir, committing=False).code == "damaged"


def free_bytes(data_dir: Path) -> int:
    """What this process may still write there."""
    found = os.statvfs(data_dir)
    return found.f_bavail * found.f_frsize


def _explained(data_dir: Path) -> str | None:
    """SQLite says "I/O error" also where the disk is full or read-only (its shared memory file, a quota)."""
    try:
        found = os.statvfs(data_dir)
    except OSError:
        return None
    if found.f_flag & os.ST_RDONLY:
        return "read_only"
    return "disk_full" if found.f_bavail * found.f_frsize < ALMOST_NOTHING_BYTES else None
