"""Pages of a team that keep themselves fresh: a stream that says when a page may be stale. Start at `get_events`.

Such a page says `data-events` and `data-seq` (of `seq_here`) in its body, and `data-region` at what changes. Its script
draws it again and takes over the regions; several changes in a row are one.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable

from aiohttp import web

from cloud_relay.console.browser import is_still_member
from cloud_relay.console.job_links import NEWS
from cloud_relay.console.members import caller_here
from cloud_relay.fleet.news import News, SiteNews
from web_ui import live
from web_ui.ports import Stale
from web_ui.routes import Route

TEAM_EVERY_S = 5.0
SITE_EVERY_S = 0.5
"""How soon after each other a page is said to be stale."""
MEMBER_CHECKED_EVERY_S = 15.0


def seq_here(request: web.Request) -> int:
    """Where the stream of a page that is drawn now begins. Never 0: to the script that is a page that is not live."""
    return request.app[NEWS].count + 1


async def get_events(request: web.Request) -> web.StreamResponse:
    """Of the whole team, or with `site` of that one."""
    caller, site = caller_here(request), request.query.get("site", "")

    def concerns(news: SiteNews) -> bool:
        return news.team == caller.team and site in ("", news.site)

    every_s = SITE_EVERY_S if site else TEAM_EVERY_S
    stale = _stale(request.app[NEWS], concerns, live.last_event_id(request), every_s)
    return await live.serve(request, (stale, _while_member(request, caller.team)), lambda: False)


async def _stale(
    news: News, concerns: Callable[[SiteNews], bool], after: int | None, every_s: float
) -> AsyncGenerator[bytes]:
    """An event at once where anything was told since the page was drawn."""
    fresh = asyncio.Event()
    stop = news.listen(lambda each: fresh.set() if concerns(each) else None)
    with contextlib.ExitStack() as stack:
        stack.callback(stop)
        if after is not None and after != news.count + 1:
            fresh.set()
        while True:
            await fresh.wait()
            fresh.clear()
            yield live.event_bytes(Stale(news.count + 1, "page"))
            await asyncio.sleep(every_s)


async def _while_member(request: web.Request, team: str) -> AsyncGenerator[bytes]:
    """Ends, and with it the stream, when the browser is signed out or its person leaves the team."""
    while await is_still_member(request, team):
        yield b": member\n\n"
        await asyncio.sleep(MEMBER_CHECKED_EVERY_S)


ROUTES = (
    Route("GET", "/t/{team}/events", get_events, "When a page may be stale.", media="text/event-stream",
          auth="member", scope="sites:read", query=("site",)),
)  # fmt: skip
