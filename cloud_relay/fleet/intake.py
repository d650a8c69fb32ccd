"""What a box brings, into the books: every op once, in its order, and then the ack.

Runs in one transaction; the caller acknowledges after its commit. Nothing that is sent is dropped: what cannot be
folded is parked, what is poison is set aside and shown. Start at `take`. Source: SYNC §2.4, §2.8; RELIABILITY S6, S8.
"""

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from cloud_relay.fleet.follow_ups import follow
from cloud_relay.fleet.log_records import BoxLink, KnownOp, Measured, Quarantined
from cloud_relay.fleet.site_desk import SiteDesk
from sitelink.events import MeterRead, MeterValuesReported
from sitelink.ids import JobId, OpId, StationKey
from sitelink.ops import Op, decode_op
from sitelink.shared import KEPT_AT_THE_BOX, is_shared
from sitelink.wire import messages as m
from sitelink.wire.cloud import Taken


class _Head(msgspec.Struct):
    op_id: OpId
    kind: str
    entity: str
    prev: OpId | None = None
    job: JobId | None = None


_head = msgspec.json.Decoder(_Head)
_Row = tuple[bytes, _Head | None]


def take(desk: SiteDesk, link: BoxLink, batch: m.Batch) -> tuple[Taken, BoxLink]:
    """Store a batch of the link's stream, and what becomes of the link by it. `Taken.nack`: nothing was stored."""
    if link.stream != batch.stream:
        return Taken(nack=m.Nack("fenced", batch.channel)), link
    if batch.channel != "log":
        return _measure(desk, link, batch)
    if batch.first > link.taken + 1:
        return Taken(nack=m.Nack("gap", upto=link.taken)), link
    bodies = [bytes(op) for op in batch.ops[link.taken + 1 - batch.first :]]
    rows: list[_Row] = [(body, _head_of(body)) for body in bodies]
    ids = [head.op_id for _, head in rows if head is not None]
    known = dict(desk.books.logs.known(desk.site, ids)) if ids else {}
    notes = _Notes([], [])
    alarm = _betrayed(desk, link, rows, known)
    tip = link.tip
    disposition = "late" if link.late_since is not None else "applied"  # from a box that was replaced
    for body, head in rows:
        if head is None:
            _set_aside(desk, body, "", "poison")
            continue
        tip = head.op_id
        _take_one(desk, body, head, known, notes, disposition)
    follow(desk, notes.dispositions)
    upto = max(link.taken, batch.first + len(batch.ops) - 1)
    ack = m.Ack(upto=upto, dispositions=tuple(notes.dispositions), placed=tuple(notes.placed))
    moved = msgspec.structs.replace(
        link, taken=upto, written=desk.written, tip=tip, seen_at=desk.now, alarm=alarm or link.alarm
    )
    return Taken(ack=ack), moved


class _Notes(msgspec.Struct):
    """What the ack will say."""

    dispositions: list[tuple[OpId, str, str]]
    placed: list[tuple[OpId, int]]


def _head_of(body: bytes) -> _Head | None:
    try:
        return _head.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _take_one(
    desk: SiteDesk, body: bytes, head: _Head, known: dict[OpId, KnownOp], notes: _Notes, disposition: str
) -> None:
    before = known.get(head.op_id)
    digest = hashlib.sha256(body).digest()
    if before is not None:
        if before.place is not None:
            notes.placed.append((head.op_id, before.place))
        if before.sha256 != digest and before.gateway == desk.gateway:
            _set_aside(desk, body, head.op_id, "same_id_other_content")
            notes.dispositions.append((head.op_id, "quarantined", "same_id_other_content"))
        return
    if head.kind in KEPT_AT_THE_BOX or len(body) > m.OP_MAX_BYTES:
        reason = "secret" if head.kind in KEPT_AT_THE_BOX else "too_big"
        _set_aside(desk, body if reason == "too_big" else b"", head.op_id, reason)
        notes.dispositions.append((head.op_id, "quarantined", reason))
        return
    place = _fold_one(desk, body, head, notes, disposition)
    known[head.op_id] = KnownOp(head.op_id, digest, place, desk.gateway)
    if place is not None:
        notes.placed.append((head.op_id, place))


def _fold_one(desk: SiteDesk, body: bytes, head: _Head, notes: _Notes, disposition: str) -> int | None:
    try:
        op = decode_op(body)
    except KeyError:
        notes.dispositions.append((head.op_id, "parked", head.kind[:60]))
        shared = is_shared(head.entity, head.job)
        return desk.park(head.op_id, head.kind, head.entity, head.prev, body, shared=shared)
    except msgspec.DecodeError:
        _set_aside(desk, body, head.op_id, "poison")
        notes.dispositions.append((head.op_id, "quarantined", "poison"))
        return None
    return desk.bring(op, body, disposition=disposition)


def _set_aside(desk: SiteDesk, body: bytes, op_id: str, reason: str) -> None:
    if desk.gateway is not None:
        desk.books.logs.quarantine(Quarantined(desk.site, desk.gateway, op_id[:64], reason, body, desk.now))


def _betrayed(desk: SiteDesk, link: BoxLink, rows: Sequence[_Row], known: Mapping[OpId, KnownOp]) -> str | None:
    """Two ops with one op before them: the disk was restored from a backup, or copied (SYNC §2.2 `prev`)."""
    fresh = [head for _, head in rows if head is not None and head.op_id not in known and head.prev is not None]
    before = {head.prev for head in fresh if head.prev is not None and head.prev != link.tip}
    own = {head.op_id for _, head in rows if head is not None}
    if not before or desk.gateway is None:
        return None
    return "restored" if desk.books.logs.followed(desk.gateway, before - own) else None


# ---- telemetry ----


def _measure(desk: SiteDesk, link: BoxLink, batch: m.Batch) -> tuple[Taken, BoxLink]:
    """Values once each, by op id; the newest of a connector are part of what is shown."""
    rows = []
    for raw in batch.ops:
        op = _measured_op(bytes(raw))
        if op is None or not isinstance(op.event, (MeterValuesReported, MeterRead)) or desk.gateway is None:
            _set_aside(desk, bytes(raw), "", "poison")
            continue
        event, about = op.event, op.entity.partition(":")[2]
        connector, transaction = (0, None) if isinstance(event, MeterRead) else (event.connector, event.transaction)
        rows.append(
            Measured(
                op_id=op.op_id, site=desk.site, gateway=desk.gateway, station=about, connector=connector,
                transaction=transaction, at=event.at, body=bytes(raw),
            )
        )  # fmt: skip
        if _is_newer(desk, about, event):
            desk.show(op)
    desk.books.logs.measure(rows)
    ack = m.Ack(upto=batch.first + len(batch.ops) - 1, channel=batch.channel)
    return Taken(ack=ack), msgspec.structs.replace(link, seen_at=desk.now)


def _measured_op(body: bytes) -> Op | None:
    try:
        return decode_op(body)
    except (KeyError, msgspec.DecodeError):
        return None


def _is_newer(desk: SiteDesk, about: str, event: MeterValuesReported | MeterRead) -> bool:
    if isinstance(event, MeterRead):
        job, _, name = about.partition("/")
        shown = desk.state.meters.get((JobId(job), name))
        return shown is None or event.at > shown.at
    known = desk.state.readings.get((StationKey(about), event.connector))
    return known is None or event.at > known.at
