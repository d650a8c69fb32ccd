"""One WebSocket of one box: hands frames to the pure session, does what it says, in order.

A thin shell. What frames mean is in `sitelink.wire.cloud`, what becomes of them in `fleet.gateways`. Effects are done
one after the other; a bug ends that link alone. Start at `get_relay`.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Iterable

import structlog
from aiohttp import WSMsgType, web

from cloud_relay.fleet.gateways import Gateways
from cloud_relay.fleet.log_records import Place
from cloud_relay.fleet.registration import Refused, Welcomed
from sitelink.clock import Clock
from sitelink.errors import StoreUnavailable
from sitelink.wire import messages as m
from sitelink.wire.cloud import CloudSession, Taken
from sitelink.wire.codec import FrameInvalid, decode, encode
from sitelink.wire.effects import (
    Answered,
    Close,
    Compare,
    Effect,
    FeedTaken,
    LoadFeed,
    LoadSnapshot,
    Register,
    Send,
    Shown,
    Take,
)

log = structlog.get_logger()

TICK_S = 5.0
WRITE_WITHIN_S = 30.0
RETRY_AFTER_MS = 2000
GATEWAYS: web.AppKey[Gateways] = web.AppKey("gateways", Gateways)
CLOCK: web.AppKey[Clock] = web.AppKey("link_clock")


async def get_relay(request: web.Request) -> web.StreamResponse:
    """A box comes."""
    socket = web.WebSocketResponse(
        max_msg_size=m.MESSAGE_MAX_BYTES, autoping=True, compress=True, writer_limit=256 * 1024
    )
    await socket.prepare(request)
    await BoxSocket(socket, request.app[GATEWAYS], request.app[CLOCK]).run()
    return socket


class BoxSocket:
    """See `fleet.gateways.Wire`."""

    def __init__(self, socket: web.WebSocketResponse, gateways: Gateways, clock: Clock) -> None:
        self._socket = socket
        self._gateways = gateways
        self._clock = clock
        self._session = CloudSession(secrets.token_urlsafe(24))
        self._todo: deque[Effect] = deque()
        self._wake = asyncio.Event()
        self._welcomed: Welcomed | None = None
        self._log = log

    async def run(self) -> None:
        """Until either side closes."""
        try:
            async with asyncio.TaskGroup() as group:
                worker = group.create_task(self._work(), name="link effects")
                ticker = group.create_task(self._tick(), name="link ticks")
                self._do(self._session.opened())
                await self._read()
                worker.cancel()
                ticker.cancel()
        except* ConnectionError:
            pass
        finally:
            if self._welcomed is not None:
                await self._gateways.left(self._welcomed.enrolled.gateway, self)
                self._log.info("link_closed")

    # ---- what the core says ----

    def news(self, end: int) -> None:
        self._do(self._session.news(end))

    def order(self, cmd: m.Cmd) -> None:
        self._do(self._session.command(cmd))

    def end(self, code: str) -> None:
        self._do(self._session.refused(code))

    # ---- the socket ----

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            try:
                found = decode(message.data)
            except FrameInvalid as error:
                self._log.warning("link_frame_invalid", problem=str(error)[:300])
                await self._socket.close(code=1008)
                return
            if found is not None:
                self._do(self._session.receive(found))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._do(self._session.tick(self._clock.monotonic(), secrets.token_hex(4)))

    def _do(self, effects: Iterable[Effect]) -> None:
        self._todo.extend(effects)
        self._wake.set()

    async def _work(self) -> None:
        """What the session wants, in its order."""
        while True:
            while self._todo:
                try:
                    await self._effect(self._todo.popleft())
                except (StoreUnavailable, ConnectionError, TimeoutError) as error:
                    self._log.warning("link_broken", error=type(error).__name__)
                    await self._close("retry_later")
                except Exception:
                    self._log.exception("link_failed")
                    await self._close("failed")
            self._wake.clear()
            await self._wake.wait()

    async def _effect(self, effect: Effect) -> None:
        session = self._session
        if isinstance(effect, Send):
            async with asyncio.timeout(WRITE_WITHIN_S):
                await self._socket.send_str(encode(effect.message).decode())
        elif isinstance(effect, Take):
            if self._welcomed is not None:
                self._do(session.taken(await self._take(effect.batch, self._welcomed)))
        elif isinstance(effect, Register):
            await self._register(effect)
        elif isinstance(effect, Close):
            await self._close(effect.code)
        elif self._welcomed is not None:
            await self._serve(effect, self._welcomed)

    async def _serve(self, effect: Effect, welcomed: Welcomed) -> None:
        session, gateways = self._session, self._gateways
        gateway, site = welcomed.enrolled.gateway, welcomed.enrolled.site
        if isinstance(effect, LoadFeed):
            self._do(session.feed_loaded(await gateways.feed(site, effect.after, effect.items)))
        elif isinstance(effect, FeedTaken):
            await gateways.feed_taken(gateway, effect.upto)
        elif isinstance(effect, LoadSnapshot):
            at, records = await gateways.snapshot(site)
            self._do(session.snapshot_loaded(secrets.token_hex(8), at, records))
        elif isinstance(effect, Compare):
            same = await gateways.compare(site, effect.at, effect.sha256)
            self._do(session.compared(same=same))
        elif isinstance(effect, Answered):
            gateways.answered(effect.ack)
        elif isinstance(effect, Shown):
            gateways.shown(gateway, effect.records)

    async def _take(self, batch: m.Batch, welcomed: Welcomed) -> Taken:
        enrolled = welcomed.enrolled
        place = Place(enrolled.team, enrolled.team_name, enrolled.site)
        try:
            return await self._gateways.take(place, enrolled.gateway, batch)
        except StoreUnavailable as error:
            self._log.warning("batch_not_stored", reason=error.fields.get("reason"))
            return Taken(nack=m.Nack("retry_later", batch.channel, batch.first - 1, RETRY_AFTER_MS))

    async def _register(self, effect: Register) -> None:
        found = await self._gateways.register(effect.hello, effect.nonce)
        if isinstance(found, Refused):
            self._log.warning("link_refused", gateway=effect.hello.gateway[:64], code=found.code)
            self._do(self._session.refused(found.code, found.after_ms))
            return
        self._welcomed = found
        gateway = found.enrolled.gateway
        self._log = log.bind(gateway=gateway)
        self._gateways.came(gateway, found.enrolled.site, self)
        self._log.info("link_opened", mode=found.registered.mode, software=effect.hello.software[:64])
        self._do(self._session.registered(found.registered))

    async def _close(self, code: str) -> None:
        self._todo.clear()
        await self._socket.close(code=1000, message=code.encode()[:100])
