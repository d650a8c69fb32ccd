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

from aiohttp import ClientSession

from bench.figures import Result, median
from bench.group_d import client_context
from bench.targets import FOLDER, Target, box, cpu_s, identity, rss_mb
from bench.wire import Charger
from tests.doubles.demo_processes import ROOT, as_options, end, environment, free_port

CONNECTIONS = 300
SETTLE_S = 1.5


async def measure(rounds: int, _seconds: float) -> list[Result]:
    memory = [await _memory_mb() for _ in range(rounds)]
    plain, tls = [], []
    for _ in range(rounds):
        async with box(CONNECTIONS) as target:
            await asyncio.sleep(SETTLE_S)
            plain.append(await _each_kib(target, tls=False))
        async with box(CONNECTIONS) as target:
            await asyncio.sleep(SETTLE_S)
            tls.append(await _each_kib(target, tls=True))
    starts = [await _start_s() for _ in range(rounds)]
    first, drawn, idle = (median(each) for each in zip(*memory, strict=True))
    first_s, first_cpu_s, start_s, start_cpu_s = (median(each) for each in zip(*starts, strict=True))
    return [
        Result(
            "E1", "memory, idle, page up", idle, "MB", 50, 42,
            f"{drawn:.0f} MB after a page was drawn, {first:.0f} MB in the run that made its certificates",
            smaller_is_better=True,
        ),
        Result("E2", "memory each connection, plain", median(plain), "KiB", 25, 18, smaller_is_better=True),
        Result("E2t", "memory each connection, TLS", median(tls), "KiB", 90, 65, smaller_is_better=True),
        Result(
            "E3", "exec to listening", start_s, "s", 0.45, 0.30,
            f"{start_cpu_s:.2f} s of processor time; the very first start {first_s:.2f} s, {first_cpu_s:.2f} s",
            smaller_is_better=True,
        ),
    ]  # fmt: skip


async def _memory_mb() -> tuple[float, float, float]:
    """Of a box on its first start, of one whose page was drawn, and of one that started again and is idle."""
    async with box() as target:
        await asyncio.sleep(SETTLE_S)
        first = rss_mb(target.pid)
    async with box(again=True) as target:
        await asyncio.sleep(SETTLE_S)
        idle = rss_mb(target.pid)
        url = f"http://127.0.0.1:{target.http_port}/j"
        async with ClientSession() as session, session.get(url, headers={"Accept": "text/html"}) as answer:
            await answer.read()
        await asyncio.sleep(SETTLE_S)
        return first, rss_mb(target.pid), idle


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


async def _start_s() -> tuple[float, float, float, float]:
    """From exec until the OCPP port takes a connection, and processor time till then: a first start, and the next."""
    folder = Path(tempfile.mkdtemp(prefix="gatepost-bench-", dir=FOLDER))
    port = free_port(0)
    settings = {"data_dir": str(folder / "box"), "ocpp.port": str(port), "ocpp.bind": "127.0.0.1"}
    settings |= {name: str(free_port(0)) for name in ("http.port", "ocpp.tls_port", "http.tls_port")}
    try:
        return *await _until_listening(settings, port), *await _until_listening(settings, port)
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
