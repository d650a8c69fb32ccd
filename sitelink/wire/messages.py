"""The messages of the link between box and cloud, one JSON object a frame. Version 1.

Pure. Names are those of SYNC §2.4. Unknown fields are passed over, and so are messages of an unknown type: the ends may
be of different versions. Ops travel as they are stored, byte for byte. Start at `Hello`.
"""

from datetime import datetime
from typing import Any

import msgspec

from sitelink.ids import CommandId, OpId

PROTOCOL = 1
"""The highest version this program speaks."""
PROTOCOLS = (1,)
OPS_MAX = 500
BATCH_MAX_BYTES = 256 * 1024
OP_MAX_BYTES = 256 * 1024
MESSAGE_MAX_BYTES = 1024 * 1024
SNAPSHOT_PART_BYTES = 256 * 1024


class Message(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True):
    """A frame."""


class Credits(msgspec.Struct, frozen=True):
    """How much may be on its way without an ack."""

    batches: int = 4
    bytes: int = BATCH_MAX_BYTES
    ops: int = OPS_MAX


class Pending(msgspec.Struct, frozen=True):
    """What waits at the box: ops of the log, rows of telemetry."""

    log: int = 0
    telemetry: int = 0


class ClockState(msgspec.Struct, frozen=True):
    """The box's clock as it said Hello. Nothing is ordered by it."""

    wall: datetime
    boot: str
    mono_ms: int
    q: str = "unsynced"


class Challenge(Message, frozen=True, tag="challenge"):
    """Cloud → box, the first frame: sign `nonce` (SYNC: the cloud authenticates the device key first)."""

    nonce: str
    protocols: tuple[int, ...] = PROTOCOLS


class Hello(Message, frozen=True, tag="hello"):
    """Box → cloud. `signature`: Ed25519 by the device key over `to_sign(nonce, gateway, stream)`, base64.

    `stream` is 128 random bits made for this Hello and never stored. `cursor`: the place in the site's log up to which
    this box has everything, in the epoch it knows. `tip`: the last op it wrote, by which a restored backup shows.
    `oldest`: whether its journal still begins at its first op.
    """

    gateway: str
    stream: str
    signature: str
    protocols: tuple[int, ...] = PROTOCOLS
    features: tuple[str, ...] = ()
    software: str = ""
    epoch: str | None = None
    cursor: int = 0
    pending: Pending = Pending()
    clock: ClockState | None = None
    tip: OpId | None = None


class Welcome(Message, frozen=True, tag="welcome"):
    """Cloud → box: this stream is the only one of its gateway from here on.

    `mode`: `resume` (feed from the cursor), `snapshot` (the box's cursor is of no use: a snapshot follows), `reoffer`
    (a snapshot follows, and the box offers everything it still has: the cloud was restored).
    `time` with `error_ms` is the cloud's clock.
    """

    protocol: int
    session: str
    epoch: str
    time: datetime
    mode: str = "resume"
    features: tuple[str, ...] = ()
    credits: Credits = Credits()
    error_ms: int = 1000
    software_min: str = ""
    team: str = ""
    site: str = ""


class Batch(Message, frozen=True, tag="batch"):
    """Box → cloud. Numbers `first` … of this stream and channel, contiguous from 1. `crc`: CRC-32 over the ops.

    channel: `log`, `live` (telemetry as it comes) or `backlog` (older telemetry). `gaps`: telemetry that was not kept,
    as [from … to, how many, reason].
    """

    stream: str
    first: int
    ops: tuple[msgspec.Raw, ...]
    crc: int
    channel: str = "log"
    gaps: tuple[tuple[str, int, str], ...] = ()


class Ack(Message, frozen=True, tag="ack"):
    """Cloud → box, after the commit: everything up to number `upto` of the channel is on disk.

    `dispositions`: [op id, disposition, detail] of those that were not simply applied. `placed`: [op id, place] of ops
    of the site's log that this batch brought, or had been there before.
    """

    upto: int
    channel: str = "log"
    dispositions: tuple[tuple[OpId, str, str], ...] = ()
    placed: tuple[tuple[OpId, int], ...] = ()


class Nack(Message, frozen=True, tag="nack"):
    """Cloud → box: not taken. code: retry_later, gap (send again from `upto` + 1), fenced, upgrade, too_big, crc."""

    code: str
    channel: str = "log"
    upto: int = 0
    after_ms: int = 0


class FeedItem(msgspec.Struct, frozen=True):
    """The op at a place of the site's log, also one that this box wrote: its disk may have been restored since."""

    place: int
    op: msgspec.Raw


class Feed(Message, frozen=True, tag="feed"):
    """Cloud → box: the site's log from `after` + 1 on."""

    epoch: str
    after: int
    items: tuple[FeedItem, ...]


class FeedAck(Message, frozen=True, tag="feed_ack"):
    """Box → cloud: the log up to `upto` is on its disk."""

    upto: int


class Snapshot(Message, frozen=True, tag="snapshot"):
    """Cloud → box: part `part` of `parts` of all shared records as of place `at` of the log.

    `kept`, after the cloud was restored: up to this place its log is as the box may know it.
    """

    id: str
    epoch: str
    at: int
    part: int
    parts: int
    records: tuple[tuple[str, msgspec.Raw], ...]
    """[key, record]."""
    kept: int = 0


class Digest(Message, frozen=True, tag="digest"):
    """Either way: what the shared records come to at place `at` (`sitelink.digest`)."""

    at: int
    sha256: str


class Now(Message, frozen=True, tag="now"):
    """Box → cloud: how its charge points stand, [key, record], while older ops still wait. Shown, and never kept.

    Without records: the log has come as far as that.
    """

    records: tuple[tuple[str, msgspec.Raw], ...]


class Cmd(Message, frozen=True, tag="cmd"):
    """Cloud → box: do it now or not at all. `ttl_ms` counts from the moment it comes, on the box's steady clock."""

    command: CommandId
    action: str
    arguments: dict[str, Any]
    ttl_ms: int
    by: str = ""


class CmdAck(Message, frozen=True, tag="cmd_ack"):
    """Box → cloud: it is written down there and goes to the charge point, or why not (`code` of sitelink.errors).

    What comes of it are ops.
    """

    command: CommandId
    code: str | None = None
    fields: dict[str, Any] = {}
    result: Any = None


class Ping(Message, frozen=True, tag="ping"):
    """Either way, every 20 s; three without an answer: the link is dead."""

    nonce: str


class Pong(Message, frozen=True, tag="pong"):
    nonce: str


class Bye(Message, frozen=True, tag="bye"):
    """Cloud → box, the last frame: fenced, revoked, replaced, quarantined, upgrade, unknown_gateway, bad_signature or
    full. `after_ms`: not before.
    """

    code: str
    after_ms: int = 0


AnyMessage = (
    Challenge | Hello | Welcome | Batch | Ack | Nack | Feed | FeedAck | Snapshot | Digest | Now | Cmd | CmdAck | Ping
    | Pong | Bye
)  # fmt: skip


def to_sign(nonce: str, gateway: str, stream: str) -> bytes:
    """What the device key signs: good for one socket and one stream."""
    return f"gatepost link v1\n{nonce}\n{gateway}\n{stream}".encode()


def to_sign_announcement(public_key: str) -> bytes:
    """What the device key signs when its box announces itself: that it is there, and nothing of a link."""
    return f"gatepost announce v1\n{public_key}".encode()
