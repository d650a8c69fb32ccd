"""The box's end of the link as a pure session: frames and news in, effects out.

No socket, no disk, no clock. The shell (`edge_agent.relay`) hands in what happened, does the effects in their order and
reports back. Numbers on the wire belong to this one stream: they begin at 1 and are never stored, so that a disk that
was restored or copied cannot use one twice (SYNC §2.2). Start at `BoxSession.receive`.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from sitelink.ids import OpId
from sitelink.wire import messages as m
from sitelink.wire.codec import crc_of_ops
from sitelink.wire.effects import (
    Acked,
    Close,
    Effect,
    Load,
    MakeDigest,
    MakeNow,
    Run,
    Send,
    TakeFeed,
    TakeSnapshot,
    Welcomed,
)

LOG = "log"
LIVE = "live"
"""Telemetry of the last minutes, and all that comes."""
BACKLOG = "backlog"
"""Older telemetry, oldest first."""
TELEMETRY_BATCH_BYTES = 64 * 1024
"""So that a job edit waits a minute at most, even at 9.6 kbit/s (SYNC §2.5)."""
PING_EVERY_S = 20.0
PINGS_MISSED = 3
DIGEST_EVERY_S = 3600.0
NOW_FROM_BACKLOG = 500
"""From so many waiting ops on, how things stand is told beside them."""


class About(msgspec.Struct, frozen=True):
    """What the box says of itself."""

    gateway: str
    stream: str
    software: str
    clock: m.ClockState | None = None
    features: tuple[str, ...] = ()


class Standing(msgspec.Struct, frozen=True):
    """Where its store stands: in the log, in its own journal (`acked`), and how much waits.

    Telemetry: `live_after` is where the last minutes begin, `missing` what older the cloud has not, as (after, upto).
    """

    epoch: str | None
    cursor: int
    acked: int
    live_after: int
    missing: tuple[tuple[int, int], ...]
    pending: m.Pending
    tip: OpId | None


class _Sent(msgspec.Struct, frozen=True):
    """A batch on its way: its last number, and the seqs it covers, above `after` up to `upto`."""

    number: int
    after: int
    upto: int
    ops: int
    size: int


@dataclass
class _Channel:
    """What is on its way of one channel. `rows` were read and not yet sent; `after` is the last seq that was read.

    `until` is where a stretch of it ends, `missing` are the stretches after that; a channel without an end goes on with
    what is written.
    """

    name: str
    after: int
    batch_bytes: int
    until: int | None = None
    missing: tuple[tuple[int, int], ...] = ()
    next_number: int = 1
    rows: deque[tuple[int, int, bytes]] = field(default_factory=deque)
    """The seq before it, its seq, its body."""
    gaps: tuple[tuple[str, int, str], ...] = ()
    sent: deque[_Sent] = field(default_factory=deque)
    loading: bool = False
    may_have_more: bool = True

    def took(self, rows: Sequence[tuple[int, bytes]], upto: int, *, more: bool) -> None:
        before = self.after
        for seq, body in rows:
            self.rows.append((before, seq, body))
            before = seq
        self.after = max(self.after, upto)
        self.may_have_more = more
        if not more and self.until is not None and self.missing:
            (self.after, self.until), *rest = self.missing
            self.missing, self.may_have_more = tuple(rest), True

    def rewind(self, after: int, next_number: int) -> None:
        """Everything that was not acknowledged is read again."""
        self.after, self.next_number = after, next_number
        self.rows.clear()
        self.sent.clear()
        self.may_have_more = True


class BoxSession:
    """One connection, from the first frame to the last. Every method returns what is to be done, in order."""

    def __init__(self, about: About, standing: Standing, sign: Callable[[bytes], str]) -> None:
        self._about = about
        self._sign = sign
        self._standing = standing
        self._log = _Channel(LOG, standing.acked, m.BATCH_MAX_BYTES)
        (after, until), *rest = standing.missing or ((0, 0),)
        backlog = _Channel(BACKLOG, after, TELEMETRY_BATCH_BYTES, until, tuple(rest))
        self._channels = {
            LOG: self._log, LIVE: _Channel(LIVE, standing.live_after, TELEMETRY_BATCH_BYTES), BACKLOG: backlog,
        }  # fmt: skip
        backlog.may_have_more = bool(standing.missing)
        self._acked = standing.acked
        self._cursor = standing.cursor
        self._epoch: str | None = standing.epoch
        self._credits = m.Credits()
        self.live = False
        self._start_over: bool | None = None
        """A snapshot is on its way, and with true all ops are offered again after it. None: no snapshot is."""
        self._parts: list[m.Snapshot] = []
        self._storing = False
        self._feeds: deque[m.Feed] = deque()
        self._paused_until: float | None = None
        self._now_s = 0.0
        self._pinged_at: float | None = None
        self._pings_out = 0
        self._digest_at: float | None = None
        self._now_told = False
        """How things stand was told beside older ops, and they are not all there yet."""
        self._closed = False

    # ---- frames ----

    def receive(self, message: m.AnyMessage) -> list[Effect]:
        if self._closed:
            return []
        self._pings_out = 0
        if isinstance(message, m.Challenge):
            return self._challenged(message)
        if isinstance(message, m.Bye):
            return self._close(message.code, message.after_ms / 1000)
        if isinstance(message, m.Ping):
            return [Send(m.Pong(message.nonce))]
        if isinstance(message, m.Pong):
            return []
        if isinstance(message, m.Welcome):
            return self._welcomed(message)
        return self._when_live(message) if self.live else self._close("out_of_order")

    def _challenged(self, message: m.Challenge) -> list[Effect]:
        if self.live:
            return self._close("out_of_order")
        common = [each for each in m.PROTOCOLS if each in message.protocols]
        if not common:
            return self._close("upgrade", 3600)
        about, standing = self._about, self._standing
        signature = self._sign(m.to_sign(message.nonce, about.gateway, about.stream))
        hello = m.Hello(
            gateway=about.gateway, stream=about.stream, signature=signature, protocols=tuple(common),
            features=about.features, software=about.software, epoch=standing.epoch, cursor=standing.cursor,
            pending=standing.pending, clock=about.clock, tip=standing.tip,
        )  # fmt: skip
        return [Send(hello)]

    def _welcomed(self, message: m.Welcome) -> list[Effect]:
        if self.live or message.protocol not in m.PROTOCOLS:
            return self._close("out_of_order" if self.live else "upgrade", 0 if self.live else 3600)
        self.live = True
        self._credits = message.credits
        self._digest_at = self._now_s + DIGEST_EVERY_S
        done: list[Effect] = [Welcomed(message.time, message.error_ms, message.team, message.site)]
        if self._standing.pending.log >= NOW_FROM_BACKLOG:
            done.append(MakeNow())
            self._now_told = True
        if message.mode != "resume":
            self._start_over = message.mode == "reoffer"
            return done
        if message.epoch != self._epoch:
            return self._close("out_of_order")
        return [*done, *self._go_on()]

    def _when_live(self, message: m.AnyMessage) -> list[Effect]:
        if isinstance(message, m.Ack):
            return self._acknowledged(message)
        if isinstance(message, m.Nack):
            return self._not_taken(message)
        if isinstance(message, m.Feed):
            self._feeds.append(message)
            return self._take_next()
        if isinstance(message, m.Snapshot):
            return self._snapshot_part(message)
        if isinstance(message, m.Cmd):
            return [Run(message)]
        return []

    # ---- what goes up ----

    def grown(self) -> list[Effect]:
        """There are new ops."""
        self._log.may_have_more = self._channels[LIVE].may_have_more = True
        return self._go_on()

    def loaded(
        self, load: Load, rows: Sequence[tuple[int, bytes]], *, upto: int, more: bool,
        gaps: tuple[tuple[str, int, str], ...] = (),
    ) -> list[Effect]:  # fmt: skip
        """What was read: seq and body. `upto`: the last seq looked at, those kept at the box included."""
        found = self._channels[load.channel]
        found.loading = False
        if load.after == found.after:  # else it went back meanwhile
            found.took(rows, upto, more=more)
            found.gaps = gaps or found.gaps
        return [*self._passed_over(), *self._go_on()]

    def _passed_over(self) -> list[Effect]:
        """All that is left above the mark stays at the box: it counts as told."""
        log = self._log
        if log.rows or log.sent or log.after <= self._acked:
            return []
        before, self._acked = self._acked, log.after
        return [Acked(LOG, ((before, log.after),))]

    def _go_on(self) -> list[Effect]:
        """Send what may be sent, and have read what is next: the log first, then what is measured now, then older."""
        done: list[Effect] = []
        if not self.live or self._closed or self._start_over is not None or self._paused_until is not None:
            return done
        for channel in self._channels.values():
            while channel.rows and self._has_credit(channel):
                done.append(Send(self._batch(channel)))
            if channel.rows:
                break
            if channel.may_have_more and not channel.loading:
                channel.loading = True
                done.append(Load(channel.name, channel.after, channel.until, m.OPS_MAX))
            if channel.loading:
                break
        return done

    def _has_credit(self, channel: _Channel) -> bool:
        allowed = self._credits
        ops = sum(each.ops for each in channel.sent)
        size = sum(each.size for each in channel.sent)
        return len(channel.sent) < allowed.batches and (
            not channel.sent or (ops < allowed.ops * allowed.batches and size < allowed.bytes * allowed.batches)
        )

    def _batch(self, channel: _Channel) -> m.Batch:
        ops: list[msgspec.Raw] = []
        size, after, last = 0, channel.rows[0][0], 0
        while channel.rows and len(ops) < self._credits.ops:
            before, seq, body = channel.rows[0]
            if ops and channel.until is not None and before != last:  # another stretch begins
                break
            if ops and size + len(body) > channel.batch_bytes:
                break
            channel.rows.popleft()
            ops.append(msgspec.Raw(body))
            size, last = size + len(body), seq
        first = channel.next_number
        channel.next_number += len(ops)
        channel.sent.append(_Sent(channel.next_number - 1, after, last, len(ops), size))
        gaps, channel.gaps = channel.gaps, ()
        return m.Batch(
            stream=self._about.stream, first=first, ops=tuple(ops), crc=crc_of_ops(ops), channel=channel.name, gaps=gaps
        )

    def _acknowledged(self, ack: m.Ack) -> list[Effect]:
        channel = self._channels.get(ack.channel)
        if channel is None or ack.upto >= channel.next_number:
            return self._close("ack_of_nothing")
        done: list[_Sent] = []
        while channel.sent and channel.sent[0].number <= ack.upto:
            done.append(channel.sent.popleft())
        if not done:
            return []
        if channel is self._log:
            self._acked = done[-1].upto
        stretches = tuple((each.after, each.upto) for each in done)
        acked = Acked(channel.name, stretches, ack.placed, ack.dispositions)
        return [acked, *self._passed_over(), *self._caught_up(), *self._go_on()]

    def _caught_up(self) -> list[Effect]:
        log = self._log
        if not self._now_told or log.rows or log.sent or log.may_have_more:
            return []
        self._now_told = False
        return [Send(m.Now(()))]

    def _not_taken(self, nack: m.Nack) -> list[Effect]:
        channel = self._channels.get(nack.channel)
        if nack.code in ("fenced", "upgrade", "too_big") or channel is None:
            return self._close(nack.code, nack.after_ms / 1000)
        if channel is not self._log:  # a new stream begins with what is missing
            return self._close(nack.code, nack.after_ms / 1000)
        channel.rewind(self._acked, nack.upto + 1)
        if nack.code == "retry_later":
            self._paused_until = self._now_s + nack.after_ms / 1000
        return self._go_on()

    # ---- what comes down ----

    def _take_next(self) -> list[Effect]:
        """One at a time: the store must have one before it can take the next."""
        while self._feeds and not self._storing and self._start_over is None:
            feed = self._feeds.popleft()
            items = tuple(item for item in feed.items if item.place > self._cursor)
            if feed.epoch != self._epoch or feed.after > self._cursor:
                return self._close("feed_gap")
            if items:
                self._storing = True
                return [TakeFeed(feed.epoch, self._cursor, items)]
        return []

    def _snapshot_part(self, part: m.Snapshot) -> list[Effect]:
        if part.part == 1:
            self._parts.clear()
        if part.part != len(self._parts) + 1 or (self._parts and part.id != self._parts[0].id):
            return self._close("snapshot_torn")
        self._parts.append(part)
        if part.part < part.parts:
            return []
        parts, start_over = tuple(self._parts), bool(self._start_over)
        self._start_over = start_over
        return [TakeSnapshot(parts, start_over)]

    def snapshot_taken(self) -> list[Effect]:
        """What is shown and what waits may be another now: begin anew, which costs a second and happens seldom."""
        return self._close("again")

    def feed_taken(self, upto: int) -> list[Effect]:
        """The log up to `upto` is on disk."""
        self._storing = False
        self._cursor = upto
        done: list[Effect] = [Send(m.FeedAck(upto)), *self._take_next()]
        if not self._storing and self.live:
            done.append(MakeDigest())
        return done

    def digest_made(self, sha256: str) -> list[Effect]:
        return [Send(m.Digest(self._cursor, sha256))] if self.live and not self._storing and not self._closed else []

    def now_made(self, records: tuple[tuple[str, msgspec.Raw], ...]) -> list[Effect]:
        return [Send(m.Now(records))] if self.live and not self._closed else []

    def command_done(self, ack: m.CmdAck) -> list[Effect]:
        return [Send(ack)] if self.live and not self._closed else []

    # ---- time ----

    def tick(self, now_s: float, nonce: str) -> list[Effect]:
        """Now and then, at least every few seconds. `now_s` is a steady clock's."""
        self._now_s = now_s
        if self._closed:
            return []
        done: list[Effect] = []
        if self._paused_until is not None and now_s >= self._paused_until:
            self._paused_until = None
            done += self._go_on()
        if self._digest_at is not None and now_s >= self._digest_at:
            self._digest_at = now_s + DIGEST_EVERY_S
            done.append(MakeDigest())
        if self._pinged_at is None or now_s - self._pinged_at >= PING_EVERY_S:
            if self._pings_out >= PINGS_MISSED:
                return self._close("silent")
            self._pinged_at, self._pings_out = now_s, self._pings_out + (self._pinged_at is not None)
            done.append(Send(m.Ping(nonce)))
        return done

    def _close(self, code: str, after_s: float = 0) -> list[Effect]:
        self._closed = True
        self.live = False
        return [Close(code, after_s)]
