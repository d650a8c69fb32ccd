"""What a session of the link wants done: it does nothing itself. Pure.

The shell does it and tells the session what came of it, by the method each one names.
"""

from dataclasses import dataclass
from typing import Any

from sitelink.ids import OpId
from sitelink.wire.messages import AnyMessage, Batch, Cmd, CmdAck, FeedItem, Hello, Snapshot


@dataclass(frozen=True)
class Send:
    """Write a frame."""

    message: AnyMessage


@dataclass(frozen=True)
class Close:
    """Close the socket. `code` says why, `after_s` is how long the other side asks to be left alone."""

    code: str
    after_s: float = 0


# ---- the box's ----


@dataclass(frozen=True)
class Load:
    """Read ops of a channel above `after`, up to `until` where that is given: `BoxSession.loaded`."""

    channel: str
    after: int
    until: int | None
    ops: int


@dataclass(frozen=True)
class Acked:
    """The cloud has these stretches of a channel, each above a seq up to a seq; `placed` are places in the site's log.

    No answer.
    """

    channel: str
    stretches: tuple[tuple[int, int], ...]
    placed: tuple[tuple[OpId, int], ...] = ()
    dispositions: tuple[tuple[OpId, str, str], ...] = ()


@dataclass(frozen=True)
class TakeFeed:
    """Store the items and the cursor, in one transaction: `BoxSession.feed_taken`."""

    epoch: str
    after: int
    items: tuple[FeedItem, ...]


@dataclass(frozen=True)
class TakeSnapshot:
    """Store the records as what the log gives: `BoxSession.snapshot_taken`. `start_over`: all ops count as not sent."""

    parts: tuple[Snapshot, ...]
    start_over: bool


@dataclass(frozen=True)
class MakeDigest:
    """Of the confirmed records: `BoxSession.digest_made`."""


@dataclass(frozen=True)
class MakeNow:
    """How the charge points stand: `BoxSession.now_made`."""


@dataclass(frozen=True)
class Run:
    """Do what the cloud orders: `BoxSession.command_done`."""

    cmd: Cmd


@dataclass(frozen=True)
class Welcomed:
    """The link is up. The cloud's clock, and who it is for."""

    time: Any
    error_ms: int
    team: str
    site: str


# ---- the cloud's ----


@dataclass(frozen=True)
class Register:
    """Check the signature, make this stream the only one of the gateway: `CloudSession.registered` or `refused`."""

    hello: Hello
    nonce: str


@dataclass(frozen=True)
class Take:
    """Store a batch, then `CloudSession.taken`."""

    batch: Batch


@dataclass(frozen=True)
class LoadFeed:
    """Read the site's log above `after`: `CloudSession.feed_loaded`."""

    after: int
    items: int


@dataclass(frozen=True)
class LoadSnapshot:
    """All shared records of the site: `CloudSession.snapshot_loaded`."""


@dataclass(frozen=True)
class Compare:
    """The box's digest at a place: `CloudSession.compared`."""

    at: int
    sha256: str


@dataclass(frozen=True)
class FeedTaken:
    """The box has the log up to `upto` on its disk. No answer."""

    upto: int


@dataclass(frozen=True)
class Shown:
    """How the box's charge points stand now. No answer."""

    records: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Answered:
    """The box took an order, or did not. No answer."""

    ack: CmdAck


Effect = (
    Send | Close | Load | Acked | TakeFeed | TakeSnapshot | MakeDigest | MakeNow | Run | Welcomed | Register | Take
    | LoadFeed | LoadSnapshot | Compare | FeedTaken | Shown | Answered
)  # fmt: skip
