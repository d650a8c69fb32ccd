"""A real box: `edge-agent run` as a process on ports of its own, with its command line and its job API."""

import asyncio
import json
import shutil
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp

from tests.doubles.demo_processes import as_options, end, free_port, run_command, start_box

HARBOUR_GARAGE: dict[str, Any] = {
    "number": "1042",
    "site": {"name": "Harbour Garage", "address": "Quay Street 14"},
    "description": "Fourteen new charge points in the residents' garage.",
    "instructions": "Breakers are in cabinet C2, labelled by bay.",
}


def job_data(names: Sequence[str], **changes: Any) -> dict[str, Any]:
    """A job whose rows are called Bay 1, Bay 2, … with these identities ("" for none)."""
    rows = [{"name": f"Bay {n}", "identity": name or None} for n, name in enumerate(names, 1)]
    return {**HARBOUR_GARAGE, "charge_points": rows, **changes}


class BoxProcess:
    """`kill` is kill -9; `start` after it is the same box again: same data directory, same ports."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self.settings = {
            "data_dir": str(data_dir),
            "http.bind": "127.0.0.1",
            "http.port": str(free_port(0)),
            "http.tls_port": str(free_port(0)),
            "ocpp.bind": "127.0.0.1",
            "ocpp.port": str(free_port(0)),
            "ocpp.tls_port": str(free_port(0)),
            "files.ftp_port": "0",
            **settings,
        }
        self.token = ""
        self.process: Process | None = None
        self._starts = 0
        self._logs = Path(tempfile.mkdtemp(prefix="gatepost-box-"))

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.settings['http.port']}"

    @property
    def ocpp(self) -> str:
        return f"ws://127.0.0.1:{self.settings['ocpp.port']}"

    @property
    def ocpp_tls(self) -> str:
        return f"wss://localhost:{self.settings['ocpp.tls_port']}"

    async def root(self) -> str:
        """The root of the site's own authority, as the page hands it to installers."""
        async with aiohttp.ClientSession(self.http) as session, session.get("/ca.pem") as response:
            assert response.status == 200
            return await response.text()

    @property
    def link(self) -> str:
        return f"{self.http}/j#{self.token}"

    @property
    def log(self) -> str:
        """What all its lives said."""
        logs = sorted(self._logs.glob("box-*.log"))
        return "".join(log.read_text("utf-8", "replace") for log in logs)

    async def start(self, *, healthy: bool = True) -> Self:
        """With `healthy` False, any answer of the box is enough."""
        self._starts += 1
        log = self._logs / f"box-{self._starts:03}.log"
        self.process = await start_box(self.settings, log, healthy=healthy)
        return self

    async def stop(self) -> None:
        if self.process is not None:
            await end(self.process)

    def forget(self) -> None:
        """Remove the logs."""
        shutil.rmtree(self._logs, ignore_errors=True)

    async def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def cli(self, *arguments: str) -> Any:
        """`edge-agent …` beside the running box, its JSON answer."""
        return await run_command(*arguments, *as_options({"data_dir": str(self.data_dir)}))

    async def import_job(self, job: dict[str, Any]) -> dict[str, Any]:
        file = self.data_dir.parent / "job.json"
        file.write_text(json.dumps(job))
        made: dict[str, Any] = await self.cli("job", "import", str(file))
        self.token = made["token"]
        return made

    @asynccontextmanager
    async def api(self, token: str | None = None) -> AsyncIterator[aiohttp.ClientSession]:
        """A session that speaks for the link's holder, or for whoever holds `token`."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        async with aiohttp.ClientSession(self.http, headers=headers) as session:
            yield session

    async def job(self) -> dict[str, Any]:
        """`GET /api/v1/job`."""
        async with self.api() as session, session.get("/api/v1/job") as response:
            view: dict[str, Any] = await response.json()
            assert response.status == 200, view
            return view

    async def row(self, name: str) -> dict[str, Any]:
        return next(row for row in (await self.job())["charge_points"] if row["name"] == name)

    async def until(self, name: str, status: str, timeout_s: float = 20) -> dict[str, Any]:
        """The row once it has this status."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while (row := await self.row(name))["status"] != status:
            assert asyncio.get_running_loop().time() < deadline, f"{name} is {row['status']!r}, not {status!r}: {row}"
            await asyncio.sleep(0.1)  # another process: there is nothing to wait on but its answers
        return row

    async def act(self, name: str, action: str, **how: Any) -> dict[str, Any]:
        """Press a button and follow the command to its end."""
        row = await self.row(name)
        async with self.api() as session:
            body = {"action": action, **how}
            async with session.post(f"/api/v1/job/charge-points/{row['id']}/actions", json=body) as response:
                accepted = await response.json()
                assert response.status == 202, accepted
            async with asyncio.timeout(30):
                while True:
                    async with session.get(f"/api/v1/job/commands/{accepted['command_id']}") as response:
                        command: dict[str, Any] = await response.json()
                    if command["state"] not in ("sent", "answered"):
                        return command
                    await asyncio.sleep(0.05)


@asynccontextmanager
async def running_box(tmp_path: Path, **settings: str) -> AsyncIterator[BoxProcess]:
    """A box for the length of the block."""
    box = await BoxProcess(tmp_path / "data", **settings).start()
    try:
        yield box
    finally:
        await box.stop()
        box.forget()
