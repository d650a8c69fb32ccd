"""The op: the envelope of every fact, on disk, on the wire and in the fold.

Pure. A `Fact` is what somebody wants recorded; the journal makes an `Op` of it by adding what only the writer knows
(its id, the op before it, the time). `encode_op` and `decode_op` are exact inverses. Source: SYNC §2.2 and §2.3.
"""

from datetime import datetime
from typing import Any

import msgspec

from sitelink.events import KIND_BY_TYPE, TYPE_BY_KIND, Event
from sitelink.ids import JobId, OpId
from sitelink.states import AuthorType


class Author(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who did it. `link` is the id of the installer's link, never its token; `name` is what the person gave."""

    type: AuthorType
    link: str | None = None
    name: str | None = None


BOX = Author(type=AuthorType.BOX)
STATION = Author(type=AuthorType.STATION)


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """When, as far as this box can know. Nothing orders or merges by it; `q` says how good `wall` is."""

    boot: str
    mono_ms: int
    wall: datetime
    q: str = "unsynced"


class Fact(msgspec.Struct, frozen=True):
    """An op before it is written. `entity` is `job:…`, `cp:…`, `station:…`, `knock:…`, `command:…`,
    `transfer:…`, `id_token:…`, `link:…`, `security:…`, `meter:…` or `box:`."""

    entity: str
    event: Event
    author: Author
    job: JobId | None = None
    field: str | None = None
    bases: tuple[OpId, ...] = ()
    op_id: OpId | None = None
    """Given where the fact decides its own id (completion: the same press on two phones is one op)."""


class Op(msgspec.Struct, frozen=True):
    """A recorded fact. `prev` is the op this box wrote before it: two ops with one `prev` betray a restored backup."""

    op_id: OpId
    entity: str
    event: Event
    author: Author
    prev: OpId | None
    t: Stamp
    job: JobId | None = None
    field: str | None = None
    bases: tuple[OpId, ...] = ()
    v: int = 1

    @property
    def kind(self) -> str:
        return KIND_BY_TYPE[type(self.event)]


class _Wire(msgspec.Struct, omit_defaults=True):
    op_id: OpId
    kind: str
    entity: str
    value: Any
    author: Author
    t: Stamp
    prev: OpId | None = None
    job: JobId | None = None
    field: str | None = None
    bases: tuple[OpId, ...] = ()
    v: int = 1


class _Read(_Wire):
    value: msgspec.Raw
    """Whose type `kind` says."""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Read)


def encode_op(op: Op) -> bytes:
    """One JSON object, no newline."""
    return _encoder.encode(
        _Wire(
            op_id=op.op_id, kind=op.kind, entity=op.entity, value=op.event,
            author=op.author, t=op.t, prev=op.prev, job=op.job, field=op.field, bases=op.bases, v=op.v,
        )
    )  # fmt: skip


def decode_op(body: bytes | str) -> Op:
    """Raises KeyError for a kind this version does not know, msgspec.DecodeError for anything malformed."""
    try:
        wire = _decoder.decode(body)
        event: Any = msgspec.json.decode(wire.value, type=TYPE_BY_KIND[wire.kind])
    except (UnicodeDecodeError, RecursionError) as error:  # msgspec lets both through as they are
        raise msgspec.DecodeError(str(error)) from error
    return Op(
        op_id=wire.op_id, entity=wire.entity, event=event, author=wire.author, prev=wire.prev, t=wire.t,
        job=wire.job, field=wire.field, bases=wire.bases, v=wire.v,
    )  # fmt: skip
