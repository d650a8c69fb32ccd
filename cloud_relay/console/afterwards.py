"""Writes that nobody may wait for: an answer must not take longer because somebody is known here.

What is put here is lost when the process ends before it was written: nothing that was confirmed belongs here.
Start at `Afterwards`.
"""

import asyncio
from collections.abc import Callable

import structlog
from aiohttp import web

from cloud_relay.fleet.ports import Books, Store
from sitelink.errors import SiteError

log = structlog.get_logger()

AFTERWARDS: web.AppKey["Afterwards"] = web.AppKey("afterwards")
WAITING_MAX = 200


class Afterwards:
    """Each is a transaction of its own, one after the other."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: asyncio.Queue[tuple[Callable[[Books], None], Callable[[], None]]] = asyncio.Queue(WAITING_MAX)

    def write(self, work: Callable[[Books], None], then: Callable[[], None] = lambda: None) -> None:
        """`then` is called after the commit. Too many waiting: this one is dropped, and that is logged."""
        try:
            self._waiting.put_nowait((work, then))
        except asyncio.QueueFull:
            log.warning("afterwards_dropped", waiting=WAITING_MAX)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            work, then = await self._waiting.get()
            try:
                await self._store.write(work)
                then()
            except SiteError as error:
                log.warning("afterwards_failed", problem=error.code)
