"""The shell of the link: one socket after the other, and what the pure session wants done, in its order.

Outbound only, over TLS, through whatever proxy the environment names. Nothing here decides: frames go to
`sitelink.wire.box`, its effects to the store and the core. What fails ends the attempt, never the box.
Start at `Link.run`. Source: SYNC §2.4, §2.5.
"""

import asyncio
import contextlib
import random
import secrets
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from edge_agent.relay.backoff import LEAST_S, Backoff
from edge_agent.relay.enrolment import Enrolment, Record
from edge_agent.relay.verdicts import verdict_of
from edge_agent.site.ports import Journal, Uplink
from edge_agent.site.remote import Remote
from sitelink.clock import Clock
from sitelink.decisions import Received
from sitelink.errors import RelayRefused, StoreUnavailable
from sitelink.ops import Op, decode_op
from sitelink.records import decode_record
from sitelink.wire import effects as f
from sitelink.wire import messages as m
from sitelink.wire.box import LOG, About, BoxSession, Standing
from sitelink.wire.codec import FrameInvalid, decode, encode
from web_ui.ports import Relay

log = structlog.get_logger()

OPEN_WITHIN_S = 20.0
WRITE_WITHIN_S = 60.0
TICK_S = 5.0
STREAM_BYTES = 16
RENEW_BELOW_S = 1.0
CODE_MAX_CHARACTERS = 20


class Dial(connect):
    """Never follows a redirection: whoever sends one is not our cloud, and nothing of ours goes there."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Link:
    """`changed` is called when what a page says of the link is another thing now."""

    def __init__(
        self, url: str, claim: str, enrolment: Enrolment, journal: Journal, uplink: Uplink, remote: Remote,
        clock: Clock, software: str, changed: Callable[[], None], proxy: str = "",
    ) -> None:  # fmt: skip
        self._url = url
        self._claim = claim
        self._enrolment = enrolment
        self._uplink = uplink
        self._remote = remote
        self._clock = clock
        self._software = software
        self._changed = changed
        self._proxy = proxy
        self._sooner = asyncio.Event()
        self.code: str | None = None
        """What people type in the console to claim this box, while it waits for that."""
        self._code_ends_s = 0.0
        self._backoff = Backoff(random.random)
        self._since: datetime | None = None
        self._connected = False
        self.problem: str | None = None
        """Why there is no link: a code."""
        self.attempts = 0
        self._live: _Live | None = None
        journal.subscribe(lambda _committed: self._live.grown() if self._live is not None else None)

    @property
    def state(self) -> Relay:
        """As the page shows it."""
        return Relay(configured=True, connected=self._connected, since=self._since, backlog=self._uplink.backlog)

    async def run(self) -> None:
        """For ever."""
        while True:
            began = self._clock.monotonic()
            code, asked_s = await self._attempt()
            now = self._clock.monotonic()
            if self._down(code):
                log.info("link_down", code=code)
            wait_s = self._backoff.after(code, lasted_s=now - began, now_s=now, asked_s=asked_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._sooner.wait()
            self._sooner.clear()

    async def enrol(self, claim: str) -> Record:
        """Show this claim now, and connect. Raises RelayRefused, OSError."""
        record = await self._enrolment.enrol(self._url, claim, self._software)
        self._enrolled(record)
        self._sooner.set()
        return record

    async def leave(self) -> None:
        """Forget the cloud: the link ends, and a claim of the settings is not shown again before the next start."""
        self._enrolment.leave()
        self._claim = ""
        if self._live is not None:
            await self._live.end("left")
        self._sooner.set()

    @property
    def code_good_for_s(self) -> float:
        """Of the code that is shown."""
        return max(0.0, self._code_ends_s - self._clock.monotonic())

    async def _attempt(self) -> tuple[str, float]:
        """One link from its beginning to its end: why it ended, and how long the other side asks to be left alone."""
        self.attempts += 1
        try:
            if self._enrolment.record is None and (again_s := await self._enrol()):
                return "waits_for_claim", again_s
            await self._uplink.begin()
            async with Dial(
                self._url, proxy=self._proxy or True, max_size=m.MESSAGE_MAX_BYTES, open_timeout=OPEN_WITHIN_S,
                ping_interval=None, user_agent_header=f"gatepost/{self._software}",
            ) as socket:  # fmt: skip
                return await self._serve(socket)
        except RelayRefused as refused:
            return str(refused.fields.get("code")), 300.0
        except StoreUnavailable:
            return "disk", 0.0
        except (OSError, InvalidHandshake, TimeoutError) as error:
            verdict = verdict_of(error)
            return verdict.code, verdict.after_s
        except Exception:
            log.exception("link_failed")
            return "failed", 0.0

    async def _enrol(self) -> float:
        """0: it is enrolled. Else it shows a code, and is to ask again after so many seconds.

        Raises RelayRefused, OSError.
        """
        if self._claim:
            record = await self._enrolment.enrol(self._url, self._claim, self._software)
            self._enrolled(record)
            return 0.0
        renew = self.code is None or self.code_good_for_s < RENEW_BELOW_S
        found = await self._enrolment.announce(self._url, self._software, renew=renew)
        if isinstance(found, Record):
            self._enrolled(found)
            self.code = None
            return 0.0
        if found.code is not None:
            self.code = found.code[:CODE_MAX_CHARACTERS]
        self._code_ends_s = self._clock.monotonic() + found.good_for_s
        return max(LEAST_S, found.again_in_s)

    def _enrolled(self, record: Record) -> None:
        """What failed before says nothing about the link that begins now."""
        log.info("box_enrolled", gateway=record.gateway, team=record.team, site=record.site)
        self._backoff = Backoff(random.random)

    async def _serve(self, socket: ClientConnection) -> tuple[str, float]:
        record = self._enrolment.record
        if record is None:
            raise RelayRefused(code="no_claim")
        now = self._clock.now()
        found = await self._uplink.standing(now)
        standing = Standing(
            epoch=found.epoch, cursor=found.cursor, acked=found.acked, live_after=found.live_after,
            missing=found.missing, pending=m.Pending(found.log, found.telemetry), tip=found.tip,
        )  # fmt: skip
        clock = m.ClockState(now, self._clock.boot_id(), int(self._clock.monotonic() * 1000))
        about = About(record.gateway, secrets.token_hex(STREAM_BYTES), self._software, clock)
        session = BoxSession(about, standing, self._enrolment.sign)
        live = _Live(socket, session, self._uplink, self._remote, self._clock, self._up)
        self._live = live
        try:
            return await live.run()
        finally:
            self._live = None
            live.ended()

    def _up(self) -> None:
        self._connected, self._since, self.problem = True, self._clock.now(), None
        log.info("link_up")
        self._changed()

    def _down(self, code: str) -> bool:
        """Whether that is news."""
        if not self._connected and self.problem == code:
            return False
        if self._connected or self._since is None:
            self._since = self._clock.now()
        self._connected, self.problem = False, code
        self._changed()
        return True


class _Live:
    """One socket that is open."""

    def __init__(
        self, socket: ClientConnection, session: BoxSession, uplink: Uplink, remote: Remote, clock: Clock,
        up: Callable[[], None],
    ) -> None:  # fmt: skip
        self._socket = socket
        self._session = session
        self._uplink = uplink
        self._remote = remote
        self._clock = clock
        self._up = up
        self._todo: deque[f.Effect] = deque()
        self._wake = asyncio.Event()
        self._ended = asyncio.Event()
        self._orders: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None

    def ended(self) -> None:
        self._ended.set()

    def grown(self) -> None:
        """There are new ops."""
        self._do(self._session.grown())

    async def end(self, code: str) -> None:
        """Returns when nothing of it is at work any more."""
        self._do([f.Close(code)])
        await self._ended.wait()

    async def run(self) -> tuple[str, float]:
        """Why it ended, and how long the other side asks to be left alone."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            reader = group.create_task(self._read(), name="link reader")
            ticker = group.create_task(self._tick(), name="link ticker")
            try:
                return await self._work()
            finally:
                for task in (reader, ticker, *self._orders):
                    task.cancel()

    async def _read(self) -> None:
        code = "closed"
        with contextlib.suppress(ConnectionClosed):
            try:
                async for data in self._socket:
                    found = decode(data)
                    if found is not None:
                        self._do(self._session.receive(found))
            except FrameInvalid as error:
                log.warning("link_frame_invalid", problem=str(error)[:300])
                code = "frame_invalid"
        self._do([f.Close(code)])

    async def _tick(self) -> None:
        while True:
            self._do(self._session.tick(self._clock.monotonic(), secrets.token_hex(4)))
            await asyncio.sleep(TICK_S)

    def _do(self, effects: Iterable[f.Effect]) -> None:
        self._todo.extend(effects)
        self._wake.set()

    async def _work(self) -> tuple[str, float]:
        """What the session wants, in its order, until it is to be closed."""
        while True:
            while self._todo:
                effect = self._todo.popleft()
                if isinstance(effect, f.Close):
                    return effect.code, effect.after_s
                try:
                    await self._effect(effect)
                except ConnectionClosed:
                    return "closed", 0.0
                except TimeoutError:
                    return "silent", 0.0
            self._wake.clear()
            await self._wake.wait()

    async def _effect(self, effect: f.Effect) -> None:
        session = self._session
        if isinstance(effect, f.Send):
            async with asyncio.timeout(WRITE_WITHIN_S):
                await self._socket.send(encode(effect.message).decode())
        elif isinstance(effect, f.Load):
            found = await self._uplink.load(effect.channel, effect.after, effect.until, effect.ops)
            self._do(session.loaded(effect, found.rows, upto=found.upto, more=found.more))
        elif isinstance(effect, f.Acked):
            await self._uplink.acked(effect.channel, effect.stretches, effect.placed if effect.channel == LOG else ())
        elif isinstance(effect, f.TakeFeed):
            upto = effect.items[-1].place
            await self._remote.receive(Received(effect.epoch, upto, _ops_in(effect.items)))
            self._do(session.feed_taken(upto))
        elif isinstance(effect, f.TakeSnapshot):
            await self._remote.receive(_snapshot(effect))
            self._do(session.snapshot_taken())
        elif isinstance(effect, f.MakeDigest):
            self._do(session.digest_made(await self._uplink.digest()))
        elif isinstance(effect, f.MakeNow):
            self._do(session.now_made(self._remote.now()))
        elif isinstance(effect, f.Welcomed):
            self._up()
        elif isinstance(effect, f.Run) and self._group is not None:
            task = self._group.create_task(self._run(effect.cmd, self._clock.monotonic()), name="order")
            self._orders.add(task)
            task.add_done_callback(self._orders.discard)

    async def _run(self, cmd: m.Cmd, came_at: float) -> None:
        """An order does not hold up the rest; a bug in it ends it alone."""
        try:
            ack = await self._remote.order(cmd, came_at)
        except Exception:
            log.exception("order_failed", action=cmd.action[:60])
            ack = m.CmdAck(cmd.command, code="server_fault")
        self._do(self._session.command_done(ack))


def _ops_in(items: Iterable[m.FeedItem]) -> tuple[tuple[int, Op], ...]:
    """Those this version knows; the place of one it does not know counts all the same."""
    found = []
    for item in items:
        try:
            found.append((item.place, decode_op(bytes(item.op))))
        except (KeyError, msgspec.DecodeError) as error:
            log.warning("op_not_understood", place=item.place, error=type(error).__name__)
    return tuple(found)


def _snapshot(effect: f.TakeSnapshot) -> Received:
    head = effect.parts[0]
    records = []
    for part in effect.parts:
        for key, body in part.records:
            try:
                records.append(decode_record(key, body))
            except (KeyError, msgspec.DecodeError) as error:
                log.warning("record_not_understood", key=key[:60], error=type(error).__name__)
    return Received(head.epoch, head.at, (), tuple(records), effect.start_over, head.kept)
