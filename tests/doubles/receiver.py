"""A server of somebody's that takes webhooks: real HTTP on loopback. Start at `receiver`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True)
class Letter:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers`: status and body of the next answers; afterwards 200. While `held` is clear, nobody is answered."""

    url: str = ""
    answers: list[tuple[int, str]] = field(default_factory=list)
    came: asyncio.Queue[Letter] = field(default_factory=asyncio.Queue)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    location: str = ""

    async def letter(self) -> Letter:
        async with asyncio.timeout(15):
            return await self.came.get()

    async def _take(self, request: web.Request) -> web.Response:
        self.came.put_nowait(Letter(request.path_qs, dict(request.headers), await request.read()))
        await self.held.wait()
        status, text = self.answers.pop(0) if self.answers else (200, "thanks")
        headers = {"Location": self.location} if self.location else {}
        return web.Response(status=status, text=text, headers=headers)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    found.held.set()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found._take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield found
    finally:
        found.held.set()
        await runner.cleanup()
