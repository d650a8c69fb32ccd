"""What a files adapter tells, written down; and an adapter of its own on real ports of 127.0.0.1."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from edge_agent.files.exchange import Exchange
from edge_agent.files.settings import FilesSettings
from programs.clock import SystemClock
from sitelink.ids import TransferId
from sitelink.states import TransferMethod
from web_ui.front import runner_of
from web_ui.surface import ANY_HOST


@dataclass
class News:
    """See `edge_agent.site.ports.FileNews`."""

    told: list[tuple[str, Any]] = field(default_factory=list)
    steps: int = 0

    def arrived(self, transfer: TransferId, size: int, sha256: str) -> None:
        self.told.append(("arrived", (transfer, size, sha256)))

    def failed(self, transfer: TransferId, problem: str, size: int) -> None:
        self.told.append(("failed", (transfer, problem)))

    def progressed(self, transfer: TransferId) -> None:
        self.steps += 1

    def removed(self, file: str) -> None:
        self.told.append(("removed", file))

    async def wait_for(self, count: int) -> list[tuple[str, Any]]:
        """Until so much was told."""
        await until(lambda: len(self.told) >= count)
        return self.told


async def until(condition: Callable[[], bool], within_s: float = 10) -> None:
    """Wait for a condition, with a limit."""
    for _ in range(int(within_s * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited too long")


@dataclass
class Served:
    """An exchange whose HTTP routes are served at `port`."""

    exchange: Exchange
    news: News
    port: int
    folder: Path


@asynccontextmanager
async def serving_files(data_dir: Path, **changes: Any) -> AsyncIterator[Served]:
    """The adapter as `compose` mounts it, with ports the system chooses. Answers any Host, as its routes ask for."""
    settings = FilesSettings(
        **{"data_dir": data_dir, "ftp_bind": "127.0.0.1", "ftp_port": 0, "keep_free_bytes": 0, **changes}
    )
    numbers = iter(range(1, 10_000))
    exchange = Exchange(settings, SystemClock(), lambda: f"id-{next(numbers)}", lambda _ip: "127.0.0.1")
    news = News()
    exchange.listen(news)
    app = web.Application(client_max_size=64 * 1024)
    app.router.add_routes(exchange.routes())
    assert all(getattr(route.handler, ANY_HOST) for route in app.router.routes())
    runner = runner_of(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = int(runner.addresses[0][1])
    exchange.serves(TransferMethod.HTTP, port)
    try:
        yield Served(exchange, news, port, data_dir / "uploads")
    finally:
        await exchange.stop()
        await runner.cleanup()
