"""The live stream of a page (server-sent events): which regions went stale, nothing else.

A stream ends when its link does, at shutdown, when the reader is gone or too slow; the browser comes back by itself
with Last-Event-ID. Source: WHATWG HTML §9.2; SECURITY §4.1 L5. Start at `stream`.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from sitelink.errors import SiteError, TooMany
from sitelink.ids import JobId
from web_ui.access import GATE, Visitor, jobs_of, valid_link
from web_ui.faults import report
from web_ui.ports import Stale

AT_A_DESK_S = 60.0
"""How long an operator's stream lasts: coming back, whether they may still look is looked at again."""
FOLLOWED_EVERY_S = 0.5
"""How soon a reader hears of what is in no commit: frames."""


@dataclass(slots=True)
class Streams:
    """All live streams of this program. Times in seconds."""

    max_open: int = 64
    ping_every_s: float = 15.0
    check_every_s: float = 3.0
    """How soon a revoked link ends its streams."""
    send_within_s: float = 10.0
    open: int = 0
    closing: asyncio.Event = field(default_factory=asyncio.Event)


STREAMS: web.AppKey[Streams] = web.AppKey("streams", Streams)


class _Ended(Exception):
    """The stream is over, in good order."""


async def stream(request: web.Request, visitor: Visitor, *more: AsyncGenerator[bytes]) -> web.StreamResponse:
    """Send news of the link's job, and `more`, until the link ends. Raises TooMany when all streams are taken."""
    news, clock = _news(request, visitor.link.job), request.app[GATE].clock
    until = clock.monotonic() + AT_A_DESK_S if visitor.desk is not None else None

    def has_ended() -> bool:
        return _has_ended(request, visitor) if until is None else clock.monotonic() > until

    return await serve(request, (news, *more), has_ended)


async def serve(
    request: web.Request, sources: Sequence[AsyncGenerator[bytes]], has_ended: Callable[[], bool]
) -> web.StreamResponse:
    """Send what the sources give until one of them ends, or `has_ended` says so. Raises TooMany."""
    streams = request.app[STREAMS]
    if streams.open >= streams.max_open:
        raise TooMany(retry_after_s=5)
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
    )
    streams.open += 1
    try:
        await response.prepare(request)
        await _send(streams, response, b"retry: 2000\n: welcome\n\n")
        async with asyncio.TaskGroup() as group:
            for source in sources:
                group.create_task(_pass_on(streams, response, source))
            group.create_task(_watch(request, response, has_ended))
    except* (_Ended, ConnectionError, TimeoutError):
        pass
    except* Exception as bugs:  # the answer has begun: end it, the reader comes back; logged and counted
        report(request, bugs)
    finally:
        streams.open -= 1
    return response


def last_event_id(request: web.Request) -> int | None:
    """What the reader has already: the header of a reconnect, else `?after=` of a page drawn at that seq."""
    text = request.headers.get("Last-Event-ID") or request.query.get("after", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def event_bytes(stale: Stale) -> bytes:
    """One event: named by the region, its id the seq to resume after."""
    return b"event: %s\nid: %d\ndata: %s\n\n" % (stale.region.encode(), stale.seq, msgspec.json.encode(stale))


async def followed(
    newest: Callable[[], object], event: str, every_s: float = FOLLOWED_EVERY_S
) -> AsyncGenerator[bytes]:
    """An event without data at once and each time `newest` gives something else, looked at so often.

    At once, since nobody knows how old the page is that asks: what came between its drawing and this is not lost.
    It has no id: a reader that comes back reads everything anew. Only while somebody reads.
    """
    said = object()
    while True:
        now = newest()
        if now != said:
            said = now
            yield b"event: %s\ndata: {}\n\n" % event.encode()
        await asyncio.sleep(every_s)


async def _news(request: web.Request, job: JobId) -> AsyncGenerator[bytes]:
    news = jobs_of(request).news(job, last_event_id(request))
    try:
        async for stale in news:
            yield event_bytes(stale)
    finally:
        if isinstance(news, AsyncGenerator):
            await news.aclose()


async def _pass_on(streams: Streams, response: web.StreamResponse, source: AsyncGenerator[bytes]) -> None:
    async with contextlib.aclosing(source):
        async for event in source:
            await _send(streams, response, event)
    raise _Ended


async def _watch(request: web.Request, response: web.StreamResponse, has_ended: Callable[[], bool]) -> None:
    """Ends the stream with its permission, its reader or its program; pings in between notice a dead reader."""
    streams = request.app[STREAMS]
    quiet_s = 0.0
    while True:
        try:
            async with asyncio.timeout(streams.check_every_s):
                await streams.closing.wait()
            raise _Ended
        except TimeoutError:
            quiet_s += streams.check_every_s
        if request.transport is None or request.transport.is_closing() or has_ended():
            raise _Ended
        if quiet_s >= streams.ping_every_s:
            quiet_s = 0.0
            await _send(streams, response, b": ping\n\n")


def _has_ended(request: web.Request, visitor: Visitor) -> bool:
    link = jobs_of(request).link(visitor.link.id)
    try:
        return link is None or not valid_link(request, link)
    except SiteError:
        return True


async def _send(streams: Streams, response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(streams.send_within_s):
        await response.write(data)


async def close_streams(app: web.Application) -> None:
    """on_shutdown: let every stream end, so that the server need not wait for them."""
    app[STREAMS].closing.set()
