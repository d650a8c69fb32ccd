"""What is measured: a real box or a reference server, as a process of its own, with its processor time and memory.

Start at `box` and `reference`. Linux only (/proc).
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.doubles.demo_processes import ROOT, as_options, end, environment, free_port, run_command, start_box

FOLDER = os.environ.get("GATEPOST_BENCH_FOLDER") or None
"""Where databases go, when not into the temporary folder: the disk to be measured."""


@dataclass(frozen=True, slots=True)
class Target:
    """A running server. `token` opens the job of a box, `folder` is where it stores."""

    name: str
    pid: int
    port: int
    tls_port: int = 0
    http_port: int = 0
    token: str = ""
    folder: Path | None = None


def identity(number: int) -> str:
    return f"BENCH{number:05}"


@asynccontextmanager
async def box(
    stations: int = 0, *, fsync_ms: float = 0, settings: dict[str, str] | None = None, again: bool = False
) -> AsyncIterator[Target]:
    """`edge-agent run` with a job that names so many charge points. Raises BoxFailed.

    `again`: it ran before, so its certificates and its database are there.
    """
    folder = Path(tempfile.mkdtemp(prefix="gatepost-bench-", dir=FOLDER))
    ports = {name: free_port(0) for name in ("ocpp.port", "ocpp.tls_port", "http.port", "http.tls_port")}
    chosen = {"data_dir": str(folder / "box"), "ocpp.bind": "127.0.0.1", "log.level": "warning", **(settings or {})}
    chosen |= {name: str(port) for name, port in ports.items() if name not in chosen}
    program = "bench.slow_disk" if fsync_ms else "bench.released"
    os.environ["GATEPOST_BENCH_FSYNC_MS"] = str(fsync_ms)
    try:
        if again:
            await end(await start_box(chosen, folder / "box.log", program=program))
        process = await start_box(chosen, folder / "box.log", program=program)
        try:
            token = await _job(folder, stations) if stations else ""
            yield Target(
                "box", process.pid, ports["ocpp.port"], ports["ocpp.tls_port"], ports["http.port"], token,
                folder / "box",
            )  # fmt: skip
        finally:
            await end(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _job(folder: Path, stations: int) -> str:
    rows = [{"name": f"Bay {n}", "identity": identity(n), "active": True} for n in range(stations)]
    file = folder / "job.json"
    file.write_text(json.dumps({"number": "B1", "site": {"name": "Bench"}, "charge_points": rows}))
    job = await run_command("job", "import", str(file), *as_options({"data_dir": str(folder / "box")}))
    return str(job["token"])


@asynccontextmanager
async def reference(mode: str, *, fsync_ms: float = 0) -> AsyncIterator[Target]:
    """See `bench.reference_server`."""
    options = [mode, "--fsync-ms", str(fsync_ms), *(["--folder", FOLDER] if FOLDER else [])]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.reference_server", *options), cwd=ROOT, env=environment(),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield Target(mode, process.pid, int(await process.stdout.readline()))
    finally:
        await end(process)


def cpu_s(pid: int) -> float:
    """Processor seconds of all its threads so far, to the nanosecond."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / 1e9


def rss_mb(pid: int) -> float:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["VmRSS"].split()[0]) / 1024


def fsync_ms(folder: Path, times: int = 50) -> float:
    """Median of a 4 KiB write with fdatasync on the disk of `folder`."""
    file = folder / "fsync.probe"
    found = []
    descriptor = os.open(file, os.O_CREAT | os.O_WRONLY)
    try:
        for _ in range(times):
            began = time.perf_counter()
            os.pwrite(descriptor, b"x" * 4096, 0)
            os.fdatasync(descriptor)
            found.append(time.perf_counter() - began)
    finally:
        os.close(descriptor)
        file.unlink()
    return 1e3 * sorted(found)[times // 2]
