"""The cloud's end of the link as a pure session: frames and news in, effects out.

The counterpart of `sitelink.wire.box`; who runs it is `cloud_relay.links`. One batch is stored at a time and
acknowledged after its commit, in order. The feed goes down in windows that the box confirms. Start at
`CloudSession.receive`.
Source: SYNC §2.4 to §2.6.
"""

from collections import deque
from collections.abc import Sequence
from datetime import datetime

import msgspec

from sitelink.wire import messages as m
from sitelink.wire.codec import crc_of_ops
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

HELLO_WITHIN_S = 10.0
PING_EVERY_S = 20.0
PINGS_MISSED = 3
BATCHES_WAITING_MAX = 16
"""More than anybody has credit for."""
FEED_ITEMS = 200
FEED_WINDOW = 1000
"""Places of the log that may be on their way down unconfirmed."""


class Registered(msgspec.Struct, frozen=True):
    """The stream is the only one of its gateway now. `end`: the newest place of the site's log.

    `whole_log`: a box that was never here before gets all ops from the first one, no records. So it can bring them
    back if the cloud is restored to a day before them.
    """

    session: str
    epoch: str
    mode: str
    end: int
    now: datetime
    kept: int = 0
    """For `reoffer`: up to this place the log is as it was before any restore."""
    whole_log: bool = False
    team: str = ""
    site: str = ""


class Taken(msgspec.Struct, frozen=True):
    """What became of a batch. `nack`: nothing was stored."""

    ack: m.Ack | None = None
    nack: m.Nack | None = None


class CloudSession:
    """One connection. Every method returns what is to be done, in order."""

    def __init__(self, nonce: str, allowed: m.Credits | None = None) -> None:
        self._nonce = nonce
        self._credits = allowed or m.Credits()
        self._hello: m.Hello | None = None
        self.live = False
        self._closed = False
        self._batches: deque[m.Batch] = deque()
        self._taking = False
        self._epoch = ""
        self._kept = 0
        self._fed = 0
        """The place up to which the log was sent."""
        self._confirmed = 0
        """The place up to which the box has it."""
        self._end = 0
        self._loading = False
        self._began_s: float | None = None
        self._pinged_at: float | None = None
        self._pings_out = 0

    def opened(self) -> list[Effect]:
        return [Send(m.Challenge(self._nonce))]

    # ---- frames ----

    def receive(self, message: m.AnyMessage) -> list[Effect]:
        if self._closed:
            return []
        self._pings_out = 0
        if isinstance(message, m.Ping):
            return [Send(m.Pong(message.nonce))]
        if isinstance(message, m.Pong):
            return []
        if isinstance(message, m.Hello):
            return self._greeted(message)
        return self._when_live(message) if self.live else self.refused("out_of_order")

    def _greeted(self, hello: m.Hello) -> list[Effect]:
        if self._hello is not None:
            return self.refused("out_of_order")
        self._hello = hello
        if not set(hello.protocols) & set(m.PROTOCOLS):
            return self.refused("upgrade", 3_600_000)
        return [Register(hello, self._nonce)]

    def registered(self, known: Registered) -> list[Effect]:
        """The gateway is who it says, and its stream the only one."""
        hello = self._hello
        if hello is None or self._closed:
            return []
        self.live = True
        self._epoch, self._end, self._kept = known.epoch, known.end, known.kept
        welcome = m.Welcome(
            protocol=max(set(hello.protocols) & set(m.PROTOCOLS)), session=known.session, epoch=known.epoch,
            time=known.now, mode=known.mode, credits=self._credits, team=known.team, site=known.site,
        )  # fmt: skip
        if known.mode == "resume":
            self._fed = self._confirmed = hello.cursor
            return [Send(welcome), *self._feed_on()]
        if known.whole_log:
            return [Send(welcome), *self.snapshot_loaded(known.session, 0, ())]
        self._loading = True
        return [Send(welcome), LoadSnapshot()]

    def refused(self, code: str, after_ms: int = 0) -> list[Effect]:
        """Say why, and close."""
        self._closed, self.live = True, False
        return [Send(m.Bye(code, after_ms)), Close(code)]

    def _when_live(self, message: m.AnyMessage) -> list[Effect]:
        if isinstance(message, m.Batch):
            return self._batch(message)
        if isinstance(message, m.FeedAck):
            self._confirmed = max(self._confirmed, min(message.upto, self._fed))
            return [FeedTaken(self._confirmed), *self._feed_on()]
        if isinstance(message, m.Digest):
            return [Compare(message.at, message.sha256)]
        if isinstance(message, m.Now):
            return [Shown(message.records)]
        if isinstance(message, m.CmdAck):
            return [Answered(message)]
        return []

    # ---- what comes up ----

    def _batch(self, batch: m.Batch) -> list[Effect]:
        if len(batch.ops) > self._credits.ops or len(self._batches) >= BATCHES_WAITING_MAX:
            return self.refused("out_of_order")
        if crc_of_ops(batch.ops) != batch.crc:
            return self.refused("crc")
        self._batches.append(batch)
        return self._take_next()

    def _take_next(self) -> list[Effect]:
        if self._taking or not self._batches or self._closed:
            return []
        self._taking = True
        return [Take(self._batches.popleft())]

    def taken(self, taken: Taken) -> list[Effect]:
        """The batch is committed, or nothing of it is."""
        self._taking = False
        if self._closed:
            return []
        if taken.ack is not None:
            return [Send(taken.ack), *self._take_next()]
        nack = taken.nack
        if nack is None:
            return self._take_next()
        if nack.code in ("fenced", "quarantined"):
            return self.refused(nack.code)
        self._batches.clear()  # they begin beyond what is missing now
        return [Send(nack)]

    # ---- what goes down ----

    def news(self, end: int) -> list[Effect]:
        """The site's log is this long now."""
        self._end = max(self._end, end)
        return self._feed_on()

    def _feed_on(self) -> list[Effect]:
        if not self.live or self._loading or self._fed >= self._end or self._fed - self._confirmed >= FEED_WINDOW:
            return []
        self._loading = True
        return [LoadFeed(self._fed, FEED_ITEMS)]

    def feed_loaded(self, items: Sequence[m.FeedItem]) -> list[Effect]:
        """The next of the log, in order."""
        self._loading = False
        if self._closed:
            return []
        if not items:
            self._end = self._fed
            return []
        after, self._fed = self._fed, items[-1].place
        return [Send(m.Feed(self._epoch, after, tuple(items))), *self._feed_on()]

    def snapshot_loaded(self, id_: str, at: int, records: Sequence[tuple[str, bytes]]) -> list[Effect]:
        """All shared records as of place `at`."""
        self._loading = False
        if self._closed:
            return []
        parts = _parted(records)
        self._fed = self._confirmed = at
        self._end = max(self._end, at)
        sends: list[Effect] = [
            Send(m.Snapshot(id_, self._epoch, at, number, len(parts), part, self._kept))
            for number, part in enumerate(parts, 1)
        ]
        return [*sends, *self._feed_on()]

    def compared(self, *, same: bool) -> list[Effect]:
        """Its records are ours, or it needs all of them anew."""
        if same or not self.live or self._loading:
            return []
        self._loading = True
        return [LoadSnapshot()]

    def command(self, cmd: m.Cmd) -> list[Effect]:
        return [Send(cmd)] if self.live and not self._closed else []

    # ---- time ----

    def tick(self, now_s: float, nonce: str) -> list[Effect]:
        """Now and then, at least every few seconds. `now_s` is a steady clock's."""
        if self._closed:
            return []
        if self._began_s is None:
            self._began_s = now_s
        if not self.live:
            return self.refused("silent") if now_s - self._began_s > HELLO_WITHIN_S and self._hello is None else []
        if self._pinged_at is not None and now_s - self._pinged_at < PING_EVERY_S:
            return []
        if self._pings_out >= PINGS_MISSED:
            return self.refused("silent")
        self._pinged_at, self._pings_out = now_s, self._pings_out + (self._pinged_at is not None)
        return [Send(m.Ping(nonce))]


def _parted(records: Sequence[tuple[str, bytes]]) -> list[tuple[tuple[str, msgspec.Raw], ...]]:
    """In pieces a frame can hold; at least one, that there is nothing must be told too."""
    parts: list[list[tuple[str, msgspec.Raw]]] = [[]]
    size = 0
    for key, body in records:
        if parts[-1] and size + len(body) > m.SNAPSHOT_PART_BYTES:
            parts.append([])
            size = 0
        parts[-1].append((key, msgspec.Raw(body)))
        size += len(body)
    return [tuple(part) for part in parts]
