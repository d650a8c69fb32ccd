"""Keys and certificates on disk: whole or not there, and readable by their owner alone.

Start at `write`. A power cut leaves the file before or the file after, never half of one.
"""

import os
import stat
from pathlib import Path

OWNER_ONLY = stat.S_IRUSR | stat.S_IWUSR


def make_folder(folder: Path) -> None:
    """With mode 0700, also where it was there before."""
    folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    folder.chmod(stat.S_IRWXU)


def write(file: Path, content: bytes) -> None:
    """Put `content` in the place of what stands there, with mode 0600, on disk when it returns. Raises OSError."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(file: Path) -> bytes | None:
    """None where there is no such file."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
