"""Pages that keep themselves fresh."""

import asyncio
from pathlib import Path

import aiohttp

from cloud_relay.fleet.ids import SiteId, TeamId
from cloud_relay.fleet.news import SiteNews
from tests.doubles.console import Console, Person, running_console
from tests.doubles.fleet import box_of


async def heard(stream: aiohttp.ClientResponse) -> str:
    """The next event that names something."""
    async with asyncio.timeout(10):
        async for line in stream.content:
            if line.startswith(b"event:"):
                return line.decode().strip()
    return "end"


def streaming(console: Console, person: Person, query: str) -> aiohttp.client._RequestContextManager:
    return person.http.get(f"{console.url}{person.base}/events?{query}", headers={"Accept": "text/event-stream"})


async def test_a_page_hears_of_its_site_and_of_no_other(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        box = await box_of(console)
        text = (await person.get(f"{person.base}/sites/{box.place.site}")).text
        seq = int(text.partition('data-seq="')[2].partition('"')[0])
        news = console.cloud.gateways._news
        async with streaming(console, person, f"site={box.place.site}&after={seq}") as stream:
            assert stream.status == 200
            await stream.content.readuntil(b"member\n\n")
            news.tell(SiteNews(TeamId("another"), box.place.site))
            news.tell(SiteNews(box.place.team, SiteId("another")))
            news.tell(SiteNews(box.place.team, box.place.site))
            assert await heard(stream) == "event: page"
            assert await stream.content.readline() == b"id: %d\n" % (seq + 3)


async def test_what_came_between_page_and_stream_is_not_lost(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        async with streaming(console, person, "after=7") as stream:
            assert await heard(stream) == "event: page"


async def test_a_stream_is_for_members(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person, other = await console.person(), await console.member(team="Other")
        async with streaming(console, person, "") as stream:
            assert stream.status == 401
        other.team = person.team
        async with streaming(console, other, "") as stream:
            assert stream.status == 404
