"""The box's HTTP side: the application and the ports it answers on.

What serves pages takes longer to load than all the rest of the box together, so `compose` loads this module once the
charge points are served, on a thread. Start at `PageServer`.
"""

import ssl
from types import TracebackType
from typing import Self

from aiohttp import web

from edge_agent.pages.app import PageSettings, build_app
from edge_agent.pages.waiting import build_waiting_app
from web_ui.front import runner_of

__all__ = ["PageServer", "PageSettings", "build_app", "build_waiting_app"]


class PageServer:
    """One application on any number of ports, for as long as the block runs."""

    def __init__(self, app: web.Application, bind: str) -> None:
        self._runner = runner_of(app)
        self._bind = bind

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def listen(self, port: int, context: ssl.SSLContext | None = None) -> int:
        """The port it got. Raises OSError."""
        before = len(self._runner.addresses)
        await web.TCPSite(self._runner, self._bind, port, ssl_context=context).start()
        return int(self._runner.addresses[before][1])
