"""The link between a real box and a real cloud is cut after so many bytes, either way: nothing is lost or doubled.

Two programs and their stores on disk; between them a wire that is cut once, wherever it is told. The box is killed
before each cut, so that it has something to tell when it comes. Nightly after every byte up to 2,000, else after a few.
"""

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.doubles.demo_cloud import DemoCloud, start_cloud
from tests.doubles.demo_processes import end, free_port, start_box

UP, DOWN = "up", "down"
# All well before the 1,150 and 1,390 bytes after which such a session has told everything.
A_FEW = ((UP, (1, 240, 480, 720)), (DOWN, (1, 130, 400, 900)))
BYTES = 2000
EACH = 100
AT_ONCE = 6
AGREE_S = 60.0
WAIT_MOST_S = 0.2


class Wire:
    """Passes bytes on; the first connection after `arm` is cut after `left` bytes of one way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._left: int | None = None
        self._way = UP
        self._open = asyncio.Event()
        self._open.set()
        self.cuts = 0

    def shut(self) -> None:
        """Who comes waits."""
        self._open.clear()

    def arm(self, way: str, after: int) -> None:
        self._way, self._left = way, after
        self._open.set()

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await self._open.wait()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
            both = (writer, far_writer)
            await asyncio.gather(self._pump(reader, far_writer, UP, both), self._pump(far_reader, writer, DOWN, both))

    async def _pump(self, reader: StreamReader, writer: StreamWriter, way: str, both: Sequence[StreamWriter]) -> None:
        data = b""
        try:
            while data := await reader.read(65536):
                if way == self._way and self._left is not None:
                    passed, self._left = data[: self._left], max(0, self._left - len(data))
                    writer.write(passed)
                    if self._left == 0:
                        self._left = None
                        self.cuts += 1
                        await writer.drain()
                        return
                else:
                    writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            for each in both:
                if data:
                    each.transport.abort()
                else:
                    each.close()


class Site:
    """A box of its own at a cloud, with a job of one charge point, and what was written about it on both sides."""

    def __init__(self, cloud: DemoCloud, session: aiohttp.ClientSession, folder: Path, wire: Wire, port: int) -> None:
        self._cloud = cloud
        self._session = session
        self._folder = folder
        self.wire = wire
        self._settings = {
            "data_dir": str(folder / "box"), "relay.url": f"ws://127.0.0.1:{port}/relay",
            **{name: str(free_port(0)) for name in ("http.port", "ocpp.port", "http.tls_port", "ocpp.tls_port")},
        }  # fmt: skip
        self.written: list[str] = []
        self._job = ""
        self._token = ""
        self._row = ""

    @property
    def _box(self) -> str:
        return f"http://127.0.0.1:{self._settings['http.port']}/api/v1/job"

    async def begin(self, name: str) -> None:
        site = (await self._desk("POST", "/sites", {"name": name}))["id"]
        claim = (await self._desk("POST", "/gateways", {"siteId": site, "name": name}))["claim"]
        rows = [{"name": "Bay 1", "identity": f"CP-{name}"}]
        self._job = (await self._desk("POST", "/installer-jobs", {"siteId": site, "chargePoints": rows}))["id"]
        self._token = (await self._desk("POST", f"/installer-jobs/{self._job}/links", {}))["token"]
        self._row = (await self._desk("GET", f"/installer-jobs/{self._job}"))["charge_points"][0]["id"]
        box = await start_box({**self._settings, "relay.claim": claim}, self._folder / "box.log")
        await self._agreed()
        await self._killed(box)

    async def cut(self, way: str, after: int) -> None:
        """Both sides write while they do not hear each other; then they do, are cut, and hear each other again."""
        self.wire.shut()
        desk, box_text = f"desk {way} {after}", f"box {way} {after}"
        await self._desk("PATCH", f"/installer-jobs/{self._job}/charge-points/{self._row}", {"note": desk})
        box = await start_box(self._settings, self._folder / "box.log")
        try:
            await self._here("POST", f"/charge-points/{self._row}/notes", {"text": box_text})
            self.written += [desk, box_text]
            self.wire.arm(way, after)
            await self._agreed()
        finally:
            await self._killed(box)

    async def _killed(self, box: Process) -> None:
        box.kill()
        await box.wait()

    async def _agreed(self) -> None:
        """Both have all that was written, each once, in one order; nothing waits on either side."""
        here: list[str] = []
        there: list[str] = []
        async with asyncio.timeout(AGREE_S):
            while True:
                with contextlib.suppress(aiohttp.ClientError, KeyError):
                    own = await self._here("GET", "")
                    far = await self._desk("GET", f"/installer-jobs/{self._job}")
                    here, there = _notes(own), _notes(far)
                    settled = not own["relay"]["backlog"] and far["sync"]["delivered"]
                    if settled and here == there and sorted(here) == sorted(self.written):
                        return
                await asyncio.sleep(WAIT_MOST_S)

    async def _here(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self._session.request(method, self._box + path, json=body, headers=headers) as response:
            answer = await response.json()
            assert response.status < 300 or method == "GET", answer
            return answer

    async def _desk(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self._cloud.api_token}"}
        url = f"{self._cloud.url}/api/v1{path}"
        async with self._session.request(method, url, json=body, headers=headers) as response:
            answer = await response.json()
            assert response.status < 300, answer
            return answer


def _notes(view: Any) -> list[str]:
    return [note["text"] for note in view["charge_points"][0]["notes"]]


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[DemoCloud, aiohttp.ClientSession]]:
    cloud = await start_cloud(folder, free_port(0), "Elsewhere")
    try:
        async with aiohttp.ClientSession() as session:
            yield cloud, session
    finally:
        await end(cloud.process)


async def play(cloud: DemoCloud, session: aiohttp.ClientSession, folder: Path, way: str, at: Sequence[int]) -> int:
    """How many of the cuts came before the session was over."""
    folder.mkdir()
    wire = Wire(int(cloud.url.rpartition(":")[2]))
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    try:
        site = Site(cloud, session, folder, wire, server.sockets[0].getsockname()[1])
        await site.begin(f"{way}-{at[0]}")
        for after in at:
            await site.cut(way, after)
        return wire.cuts
    finally:
        server.close()


@pytest.mark.timeout(300)
async def test_cut_after_a_few_bytes_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    async with running(tmp_path) as (cloud, session):
        cuts = await asyncio.gather(*(play(cloud, session, tmp_path / way, way, at) for way, at in A_FEW))
    assert cuts == [len(at) for _, at in A_FEW]


@pytest.mark.nightly
@pytest.mark.timeout(4 * 3600)
async def test_cut_after_every_byte_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    lanes = asyncio.Semaphore(AT_ONCE)

    async def piece(way: str, first: int) -> int:
        async with lanes:
            at = range(first, min(first + EACH, BYTES + 1))
            return await play(cloud, session, tmp_path / f"{way}{first}", way, at)

    async with running(tmp_path) as (cloud, session):
        pieces = [piece(way, first) for way in (UP, DOWN) for first in range(1, BYTES + 1, EACH)]
        cuts = await asyncio.gather(*pieces)
    print(f"{sum(cuts)} of {2 * BYTES} cuts came before the session was over")
    assert sum(cuts) > BYTES
