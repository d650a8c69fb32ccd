"""Group E: memory of an idle box, what each connection adds, plain and over TLS, and how soon it listens.

Start at `measure`.
"""

import asyncio
import shutil
import socket
import ssl
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Result, median
from bench.group_d import client_context
from bench.targets import FOLDER, Target, box, cpu_s, identity, rss_mb
from bench.wire import Charger
from tests.doubles.demo_processes import ROOT, as_options, end, environment, free_port

CONNECTIONS = 300
SETTLE_S = 1.5


async def measure(rounds: int, _seconds: float) -> list[Result]:
    idle: list[float] = []
    plain: list[float] = []
    tls: list[float] = []
    for _ in range(rounds):
        async with box(CONNECTIONS) as target:
            await asyncio.sleep(SETTLE_S)
            idle.append(rss_mb(target.pid))
            plain.append(await _each_kib(target, tls=False))
        async with box(CONNECTIONS) as target:
            await asyncio.sleep(SETTLE_S)
            tls.append(await _each_kib(target, tls=True))
    starts = [await _start_s() for _ in range(rounds)]
    start_s, start_cpu_s = median(each[0] for each in starts), median(each[1] for each in starts)
    return [
        Result("E1", "memory, idle, page up", median(idle), "MB", 50, 42, smaller_is_better=True),
        Result("E2", "memory each connection, plain", median(plain), "KiB", 25, 18, smaller_is_better=True),
        Result("E2t", "memory each connection, TLS", median(tls), "KiB", 90, 65, smaller_is_better=True),
        Result(
            "E3", "exec to listening", start_s, "s", 0.45, 0.30, f"{start_cpu_s:.2f} s of processor time",
            smaller_is_better=True,
        ),
    ]  # fmt: skip


async def _each_kib(target: Target, *, tls: bool) -> float:
    """Connected, and one Heartbeat each: no transactions, which are state and not connection."""
    context = client_context() if tls else None
    port = target.tls_port if tls else target.port
    first = [await _connected(port, number, context) for number in range(20)]
    await asyncio.sleep(SETTLE_S)
    before = rss_mb(target.pid)
    more = [await _connected(port, number, context) for number in range(20, CONNECTIONS)]
    await asyncio.sleep(SETTLE_S)
    grown = rss_mb(target.pid) - before
    for charger in (*first, *more):
        charger.close()
    return 1024 * grown / len(more)


async def _connected(port: int, number: int, context: ssl.SSLContext | None) -> Charger:
    charger = await Charger.connect(port, identity(number), "ocpp1.6", context)
    await charger.call("Heartbeat", {})
    return charger


async def _start_s() -> tuple[float, float]:
    """From exec until the OCPP port takes a connection, with a state that is already there; and processor time."""
    folder = Path(tempfile.mkdtemp(prefix="gatepost-bench-", dir=FOLDER))
    port = free_port(0)
    settings = {"data_dir": str(folder / "box"), "ocpp.port": str(port), "ocpp.bind": "127.0.0.1"}
    settings |= {name: str(free_port(0)) for name in ("http.port", "ocpp.tls_port", "http.tls_port")}
    try:
        await _until_listening(settings, port)
        return await _until_listening(settings, port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _until_listening(settings: dict[str, str], port: int) -> tuple[float, float]:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.released", "run", *as_options(settings)), cwd=ROOT, env=environment(),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while process.returncode is None and time.perf_counter() - began < 30:
            with socket.socket() as probe:
                probe.settimeout(0.5)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return time.perf_counter() - began, cpu_s(process.pid)
            await asyncio.sleep(0.002)
        raise RuntimeError(f"the box did not listen on port {port}")
    finally:
        await end(process)
