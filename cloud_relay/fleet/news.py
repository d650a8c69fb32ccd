"""Who follows what happens on sites: live pages, webhooks, alerts. Start at `News.tell`."""

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec

from cloud_relay.fleet.ids import SiteId, TeamId
from sitelink.ops import Op

WAITING_MAX = 256


class SiteNews(msgspec.Struct, frozen=True):
    """Something about a site is committed. `place`: the end of its log, where that may have moved. `links`: how its
    gateways stand changed.
    """

    team: TeamId
    site: SiteId
    place: int | None = None
    ops: tuple[Op, ...] = ()
    links: bool = False


class News:
    """Within this node; `cloud_relay.bus` carries news between nodes."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[SiteNews], None]] = []
        self.count = 0
        """Of all that was told: a page drawn at another count may be stale."""

    def tell(self, news: SiteNews) -> None:
        """On the event loop, after the commit."""
        self.count += 1
        for listener in tuple(self._listeners):
            listener(news)

    def listen(self, listener: Callable[[SiteNews], None]) -> Callable[[], None]:
        """Until the returned function is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def of(self, wanted: Callable[[SiteNews], bool]) -> AsyncIterator[SiteNews]:
        """News as they come. Who is too slow misses some, and hears the newest."""
        waiting: asyncio.Queue[SiteNews] = asyncio.Queue(WAITING_MAX)

        def heard(news: SiteNews) -> None:
            if not wanted(news):
                return
            if waiting.full():
                waiting.get_nowait()
            waiting.put_nowait(news)

        stop = self.listen(heard)
        try:
            while True:
                yield await waiting.get()
        finally:
            stop()
