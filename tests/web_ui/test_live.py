import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse

from edge_agent.site.ports import Decision
from sitelink.errors import TooMany
from sitelink.events import LinkRevoked
from sitelink.ops import Author, Fact
from sitelink.states import AuthorType
from tests.doubles.box_pages import Box, Browser, running_box
from web_ui.live import followed


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        yield running


class Stream:
    """Reads events of an open stream, each as its fields."""

    def __init__(self, answer: ClientResponse) -> None:
        self.answer = answer

    async def block(self) -> dict[str, str]:
        """The next event, comment or retry; {} at the end."""
        async with asyncio.timeout(5):
            text = (await self.answer.content.readuntil(b"\n\n")).decode().strip("\n")
        pairs = (line.split(": ", 1) for line in text.split("\n") if line)
        return {name or "comment": value for name, value in pairs}

    async def event(self) -> dict[str, str]:
        while True:
            block = await self.block()
            if "event" in block:
                return block

    async def ended(self) -> bool:
        async with asyncio.timeout(5):
            await self.answer.content.read()
        return self.answer.content.at_eof()


async def listen(browser: Browser, query: str = "", **headers: str) -> Stream:
    answer = await browser.client.get(f"/api/v1/job/events{query}", headers=headers)
    browser.box.streams_read.append(answer)
    assert (answer.status, answer.content_type) == (200, "text/event-stream")
    assert answer.headers["Cache-Control"] == "no-store"
    return Stream(answer)


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 -- what is awaited is in the server, not ours to signal
            await asyncio.sleep(0.01)


async def edit(box: Box, name: str, identity: str) -> None:
    author = Author(type=AuthorType.INSTALLER)
    await box.core.jobs.edit(box.core.job().id, box.core.row(name).id, author, identity=identity)


async def test_an_edit_is_told_by_its_regions(box: Box) -> None:
    stream = await listen(await box.browser())
    await until(lambda: box.core.feed.readers == 1)
    await edit(box, "Bay 1", "NEW")
    regions = set()
    while f"cp:{box.row()}" not in regions:
        event = await stream.event()
        data = json.loads(event["data"])
        assert event["event"] == data["region"]
        assert int(event["id"]) == data["seq"] == box.core.journal.seq
        regions.add(event["event"])


async def test_a_page_that_comes_back_hears_what_it_missed(box: Box) -> None:
    browser = await box.browser()
    seen = box.core.journal.seq
    await edit(box, "Bay 2", "NEW")
    for stream in (await listen(browser, **{"Last-Event-ID": str(seen)}), await listen(browser, f"?after={seen}")):
        regions = {(await stream.event())["event"] for _ in range(4)}
        assert regions == {f"cp:{box.row('Bay 2')}", "header", "completion", "seen"}


async def test_the_header_of_a_reconnect_wins_over_the_pages_number(box: Box) -> None:
    browser = await box.browser()
    first = box.core.journal.seq
    await edit(box, "Bay 1", "ONE")
    stream = await listen(browser, f"?after={first}", **{"Last-Event-ID": str(box.core.journal.seq)})
    await until(lambda: box.core.feed.readers == 1)
    await edit(box, "Bay 2", "TWO")
    event = await stream.event()
    assert int(event["id"]) == box.core.journal.seq


@pytest.mark.parametrize("number", ["nonsense", "-1", "9" * 40, "٣"])
async def test_a_number_that_is_none_means_from_now_on(box: Box, number: str) -> None:
    browser = await box.browser()
    stream = await listen(browser, f"?after={number}")
    assert await stream.block() == {"retry": "2000", "comment": "welcome"}


async def test_a_quiet_stream_is_pinged(box: Box) -> None:
    stream = await listen(await box.browser())
    await stream.block()
    assert await stream.block() == {"comment": "ping"}


async def test_a_revoked_link_ends_its_streams_and_cannot_come_back(box: Box) -> None:
    browser = await box.browser()
    stream = await listen(browser)
    (link,) = box.core.journal.state.links
    fact = Fact(f"link:{link}", LinkRevoked(), Author(type=AuthorType.OPERATOR), job=box.core.job().id)
    await box.core.journal.write(lambda _ledger: Decision((fact,), None))
    assert await stream.ended()
    assert (await browser.get("/api/v1/job/events")).status == 410


async def test_streams_are_counted_and_limited(box: Box) -> None:
    browser = await box.browser()
    box.streams.max_open = 2
    streams = [await listen(browser) for _ in range(2)]
    refused = await browser.get("/api/v1/job/events")
    assert (refused.status, refused.headers["Retry-After"]) == (429, "5")
    assert (await refused.json())["code"] == TooMany.code
    streams[0].answer.close()
    await until(lambda: box.streams.open == 1)
    await listen(browser)
    assert "gatepost_http_live_pages 2.0" in await (await box.client().get("/metrics")).text()


async def test_a_reader_that_goes_away_leaves_nothing_behind(box: Box) -> None:
    stream = await listen(await box.browser())
    await until(lambda: box.core.feed.readers == 1)
    stream.answer.close()
    await until(lambda: box.streams.open == 0 and box.core.feed.readers == 0)


async def test_closing_the_program_ends_streams_at_once() -> None:
    async with running_box() as box:
        stream = await listen(await box.browser())
        async with asyncio.timeout(3):
            await box.server.app.shutdown()
            assert await stream.ended()


async def test_a_stream_needs_a_session(box: Box) -> None:
    assert (await box.client().get("/api/v1/job/events")).status == 401


async def test_what_is_followed_is_told_at_once_and_then_only_when_it_changed() -> None:
    numbers = iter([1, 1, 1, 2, 2])
    asked = 0

    def newest() -> int:
        nonlocal asked
        asked += 1
        return next(numbers)

    news = followed(newest, "frames:row-1", every_s=0)
    async with asyncio.timeout(5):
        assert await anext(news) == b"event: frames:row-1\ndata: {}\n\n"
        assert asked == 1
        assert await anext(news) == b"event: frames:row-1\ndata: {}\n\n"
        assert asked == 4
    await news.aclose()
