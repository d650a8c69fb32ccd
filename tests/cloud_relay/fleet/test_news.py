"""Who follows a site hears of it, and who is slow hears the newest."""

import asyncio

from cloud_relay.fleet.ids import SiteId, TeamId
from cloud_relay.fleet.news import WAITING_MAX, News, SiteNews

HERE = SiteNews(TeamId("t"), SiteId("s"), 1)
THERE = SiteNews(TeamId("t"), SiteId("other"), 1)


async def test_only_what_is_wanted_is_heard_and_only_while_somebody_listens() -> None:
    news, heard = News(), []
    stop = news.listen(heard.append)
    news.tell(HERE)
    stop()
    news.tell(HERE)
    assert heard == [HERE]
    following = news.of(lambda each: each.site == "s")
    first = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0)
    news.tell(THERE)
    news.tell(HERE)
    assert await first == HERE
    await following.aclose()  # type: ignore[attr-defined]


async def test_who_is_too_slow_hears_the_newest() -> None:
    news = News()
    following = news.of(lambda _each: True)
    first = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0)
    for place in range(WAITING_MAX + 50):
        news.tell(SiteNews(TeamId("t"), SiteId("s"), place))
    await first
    rest = [(await anext(following)).place for _ in range(WAITING_MAX - 1)]
    assert rest[-1] == WAITING_MAX + 49
