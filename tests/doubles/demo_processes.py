"""The processes of the demo: the box and its stations, started, watched and ended by those who started them.

A child that ends by itself is said, not hidden. When the demo ends, however it ends, so do they: the stations with
their standard input, the box by the kernel's parent-death signal (Linux). Start at `Stations` and `start_box`.
"""

import asyncio
import ctypes
import json
import os
import random
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Any, Self

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
READY_S = 30.0
END_S = 8.0
_PR_SET_PDEATHSIG = 1


class BoxFailed(Exception):
    """The box did not start; the text says what it said."""


FREE_FROM, FREE_EACH, FREE_LANES = 12_000, 5_000, 4
"""Ports below those that systems give to clients, and for each of several processes that run tests others."""
_given: set[int] = set()
"""Ports that somebody may be about to listen at."""


def free_port(wanted: int) -> int:
    """`wanted` when nobody listens there, else one that is free and that nobody else is about to ask for."""
    lane = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % FREE_LANES
    first = FREE_FROM + FREE_EACH * lane
    others = [port for port in random.sample(range(first, first + FREE_EACH), 500) if port not in _given]
    for port in (*([wanted] if wanted else []), *others):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
            _given.add(port)
            return port
    raise BoxFailed("no port is free")


async def start_box(
    settings: dict[str, str], log: Path, *, healthy: bool = True, program: str = "edge_agent"
) -> Process:
    """`edge-agent run`, its log in a file. Raises BoxFailed when it is not healthy (or answers) within READY_S."""
    with log.open("wb") as output:
        box = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", program, "run", *as_options(settings)),
            cwd=ROOT,
            stdin=DEVNULL,
            stdout=output,
            stderr=output,
            env=environment(),
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
    try:
        await _until_healthy(box, f"http://127.0.0.1:{settings['http.port']}/healthz", {200} if healthy else {200, 503})
    except BoxFailed as exc:
        await end(box)
        raise BoxFailed(f"{exc}. Its log ends:\n{log.read_text('utf-8', 'replace')[-1500:]}") from None
    except BaseException:
        await end(box)
        raise
    return box


async def run_command(*arguments: str, program: str = "edge_agent", typed: str | None = None) -> Any:
    """`edge-agent …`, its JSON answer; `typed` goes to its standard input. Raises BoxFailed with its words."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", program, *arguments), cwd=ROOT, stdin=DEVNULL if typed is None else PIPE, stdout=PIPE,
        stderr=PIPE, env=environment(),
    )  # fmt: skip
    output, errors = await process.communicate(None if typed is None else typed.encode())
    if process.returncode:
        raise BoxFailed(f"{program} {arguments[0]} failed: {errors.decode().strip()[-500:]}")
    return json.loads(output)


async def end(process: Process) -> None:
    """Politely, then by force. Only this process."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def as_options(settings: dict[str, str]) -> list[str]:
    return [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


class Stations:
    """One or more virtual charge points in one process. `states` holds the last state line of each identity."""

    def __init__(self, process: Process, identities: list[str]) -> None:
        self.process = process
        self.identities = identities
        self.states: dict[str, dict[str, Any]] = {}

    @classmethod
    async def start(cls, url: str, identities: list[str], *options: str) -> Self:
        names = [part for identity in identities for part in ("--identity", identity)]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.doubles.charge_point", "--url", url, *names, "--control", *options),
            cwd=ROOT,
            stdin=PIPE,
            stdout=PIPE,
            env=environment(),
            start_new_session=True,
        )
        return cls(process, identities)

    def order(self, identity: str, do: str, **details: Any) -> None:
        """Says nothing when the process has ended; `watch` does."""
        if self.process.stdin is not None and not self.process.stdin.is_closing():
            line = json.dumps({"do": do, "identity": identity, **details})
            self.process.stdin.write(line.encode() + b"\n")

    async def watch(self) -> int:
        """Follow its words until it ends; its exit code."""
        assert self.process.stdout is not None
        async for text in self.process.stdout:
            line = json.loads(text)
            if line["event"] == "state":
                self.states[line["identity"]] = line
        return await self.process.wait()

    async def end(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        await end(self.process)


async def _until_healthy(box: Process, url: str, fine: set[int]) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + READY_S
    async with aiohttp.ClientSession() as session:
        while loop.time() < deadline:
            if box.returncode is not None:
                raise BoxFailed(f"The box ended with exit code {box.returncode}")
            try:
                async with session.get(url) as response:
                    if response.status in fine:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
    raise BoxFailed(f"The box was not healthy after {READY_S:.0f} seconds")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
