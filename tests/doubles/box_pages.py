"""A box's pages over a core in memory, on a real port of 127.0.0.1, with browsers and programs to ask them."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientResponse, CookieJar
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import BaseRunner

from edge_agent.charge_points.trace import Trace
from edge_agent.pages.app import PageSettings, build_app
from edge_agent.pages.ports import Figures
from edge_agent.site.jobs import Imported
from sitelink.frames import Frame
from sitelink.ids import StationKey, station_key
from tests.doubles.clock import FakeClock
from tests.doubles.core import Core, ScriptedStations
from web_ui.front import runner_of
from web_ui.live import Streams

SESSION_KEY = b"k" * 32
FIGURES = Figures(
    version="0", seq=0, trouble=None, salvaged=False, disk_free_bytes=None, charge_points_known=0,
    charge_points_connected=0, jobs_open=1, ocpp={},
)  # fmt: skip


class FrontServer(TestServer):
    """Serves as the program does, with the limits in front."""

    async def _make_runner(self, **_options: Any) -> BaseRunner:
        return runner_of(self.app, head_within_s=0.2)


class AskedStations(ScriptedStations):
    """Stations that also answer any call with `result`, or raise it."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.result: dict[str, Any] | Exception = {}
        self.calls: list[tuple[StationKey, str, dict[str, Any]]] = []
        self.traces: dict[StationKey, Trace] = {}

    async def call(self, station: StationKey, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((station, action, payload))
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def framed(self, identity: str, direction: str, frame: Any) -> None:
        """A frame went over: text as it is, anything else as JSON."""
        trace = self.traces.setdefault(station_key(identity), Trace())
        trace.add(self._clock.now(), direction, frame if isinstance(frame, str) else json.dumps(frame))

    def frames(self, station: StationKey) -> Sequence[Frame]:
        return self.traces[station].shown() if station in self.traces else ()

    def newest_frame(self, station: StationKey) -> int:
        return self.traces[station].newest if station in self.traces else 0


@dataclass
class Box:
    """A running box with one imported job. `origin` is what our own page sends along."""

    core: Core
    imported: Imported
    server: TestServer
    stations: AskedStations
    streams: Streams
    clients: list[TestClient[Any, Any]] = field(default_factory=list)
    streams_read: list[ClientResponse] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    @property
    def origin(self) -> str:
        return f"http://{self.host}"

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.imported.token}"}

    def row(self, name: str = "Bay 1") -> str:
        return self.core.row(name).id

    def client(self) -> TestClient[Any, Any]:
        """A caller without a session."""
        client = TestClient(self.server, cookie_jar=CookieJar(unsafe=True))
        self.clients.append(client)
        return client

    async def browser(self) -> "Browser":
        """A browser that has opened the job's link."""
        browser = Browser(self, self.client())
        answer = await browser.client.post("/api/session", json={"token": self.imported.token}, headers=browser.own)
        assert answer.status == 200, await answer.text()
        return browser


class Browser:
    """Sends what a browser on plain HTTP sends: cookie and Origin, no Sec-Fetch-Site."""

    def __init__(self, box: Box, client: TestClient[Any, Any]) -> None:
        self.box = box
        self.client = client

    @property
    def own(self) -> dict[str, str]:
        return {"Origin": self.box.origin}

    async def get(self, path: str, **headers: str) -> ClientResponse:
        return await self.client.get(path, headers=headers)

    async def csrf(self) -> str:
        """The hidden field of the page's forms."""
        text = await (await self.client.get("/j")).text()
        return text.split('name="csrf" value="', 1)[1].split('"', 1)[0]

    async def submit(self, path: str, fields: Mapping[str, str], **headers: str) -> ClientResponse:
        """Send a form of the page, without script, and do not follow the redirect."""
        data = {"csrf": await self.csrf(), **fields}
        return await self.client.post(path, data=data, headers={**self.own, **headers}, allow_redirects=False)


@asynccontextmanager
async def running_box(
    core: Core | None = None, settings: PageSettings | None = None, site_root: bytes = b""
) -> AsyncIterator[Box]:
    """Import a job, serve the pages, end everything."""
    core = core or Core()
    imported = await core.import_job()
    stations = AskedStations(core.clock)
    streams = Streams(check_every_s=0.02, ping_every_s=0.04)
    app = build_app(
        core.jobs, stations, core.journal, settings or PageSettings(), SESSION_KEY, core.clock, lambda: FIGURES,
        tokens=core.tokens, lists=core.lists, oddities=core.oddities, streams=streams,
        host_name=lambda: "gate-7f3a", site_root=site_root,
        transfers=core.transfers, keys=core.keys, certificates=core.certificates, search=core.search,
    )  # fmt: skip
    server = FrontServer(app)
    await server.start_server()
    box = Box(core, imported, server, stations, streams)
    try:
        yield box
    finally:
        for answer in box.streams_read:
            answer.close()
        for client in box.clients:
            await client.session.close()
        await server.close()
