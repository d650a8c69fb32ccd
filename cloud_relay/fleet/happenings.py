"""What an op means to somebody outside: the events of webhooks, read off what was true before and after it. Pure.

Comparing, instead of going by kinds of op, makes an op that changes nothing no event, and finds a charge point
connected by whatever way it came to be. Start at `look` and `happened`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from cloud_relay.fleet.webhook_records import Happening
from sitelink.events import NoteAdded, TransactionStarted, TransactionStopped, TransactionUpdated
from sitelink.ids import ChargePointId, JobId, StationKey, TransactionId
from sitelink.model import ChargePoint, Job, SiteState, Transaction
from sitelink.ops import Op
from sitelink.redact import mask_id_token
from sitelink.states import JobStatus
from sitelink.status import Status, status_of

FIELDS = ("identity", "connector", "active", "maintenance")
_OF_A_TRANSACTION = (TransactionStarted, TransactionUpdated, TransactionStopped)
_JOB_KINDS = {
    JobStatus.COMPLETED: "job.completed", JobStatus.ARCHIVED: "job.archived", JobStatus.CANCELLED: "job.cancelled",
    JobStatus.OPEN: "job.reopened",
}  # fmt: skip


class _Row(msgspec.Struct, frozen=True):
    status: Status
    active: bool
    conflicts: frozenset[str]


class Before(msgspec.Struct, frozen=True):
    """What an op may change, as it was."""

    rows: Mapping[ChargePointId, _Row]
    job: Job | None
    transaction: Transaction | None


def look(state: SiteState, op: Op) -> Before:
    """To be called before the op is folded."""
    rows = {row.id: _row(state, row) for row in _rows(state, op)}
    return Before(rows, _job(state, op), _transaction(state, op))


def happened(before: Before, state: SiteState, op: Op) -> Iterator[Happening]:
    """`state` as it is after the op."""
    yield from _of_the_job(before.job, _job(state, op), op)
    for row in _rows(state, op):
        yield from _of_a_row(before.rows.get(row.id), state, row, op)
    if isinstance(op.event, NoteAdded):
        yield from _of_a_note(state, op, op.event)
    yield from _of_a_transaction(before.transaction, state, op)


# ---- what an op is about ----


def _rows(state: SiteState, op: Op) -> list[ChargePoint]:
    kind, _, id_ = op.entity.partition(":")
    if kind == "station":
        return [row for _, row in state.rows_of_station(StationKey(id_))]
    if kind == "cp":
        row = state.charge_points.get(ChargePointId(id_))
        return [row] if row is not None else []
    job = _job(state, op)
    return state.rows(job) if job is not None else []


def _job(state: SiteState, op: Op) -> Job | None:
    kind, _, id_ = op.entity.partition(":")
    return state.jobs.get(JobId(id_)) if kind == "job" else None


def _transaction(state: SiteState, op: Op) -> Transaction | None:
    return state.transactions.get(op.event.id) if isinstance(op.event, _OF_A_TRANSACTION) else None


def _row(state: SiteState, row: ChargePoint) -> _Row:
    conflicts = frozenset(name for name in FIELDS if getattr(row, f"{name}_register").conflicting)
    return _Row(status_of(state, row), row.active, conflicts)


# ---- what became of it ----


def _of_the_job(before: Job | None, after: Job | None, op: Op) -> Iterator[Happening]:
    if after is None or (before is not None and before.status is after.status):
        return
    kind = "job.created" if before is None else _JOB_KINDS[after.status]
    more: dict[str, Any] = {"charge_points": len(after.charge_points)}
    if after.completion is not None and after.status is JobStatus.COMPLETED:
        more |= {"activated": len(after.completion.activated), "reason": after.completion.reason}
    yield _happening(kind, op, {"job": {**_job_data(after), **more}})


def _of_a_row(before: _Row | None, state: SiteState, row: ChargePoint, op: Op) -> Iterator[Happening]:
    if before is None:
        return
    after, about = _row(state, row), _row_data(state, row)
    if before.status.connected != after.status.connected:
        name = "connected" if after.status.connected else "disconnected"
        yield _happening(f"charge_point.{name}", op, about, row.id)
    if before.status.text != after.status.text:
        told = {**about, "was": before.status.text, "explanation": after.status.explanation}
        yield _happening("charge_point.state_changed", op, told, row.id)
    if before.active != after.active:
        yield _happening(f"charge_point.{'activated' if after.active else 'deactivated'}", op, about, row.id)
    for field in sorted(before.conflicts ^ after.conflicts):
        name = "begun" if field in after.conflicts else "ended"
        heads = getattr(row, f"{field}_register").heads
        values = [{"value": head.value, "by": _by(head.by.type, head.by.name), "at": head.at} for head in heads]
        told = {**about, "field": field, "values": values}
        yield _happening(f"conflict.{name}", op, told, f"{row.id}/{field}")


def _of_a_note(state: SiteState, op: Op, event: NoteAdded) -> Iterator[Happening]:
    row = state.charge_points.get(ChargePointId(op.entity.partition(":")[2]))
    if row is not None and any(note.id == op.op_id for note in row.notes):
        yield _happening("note.written", op, {**_row_data(state, row), "note": {"id": op.op_id, "text": event.text}})


def _of_a_transaction(before: Transaction | None, state: SiteState, op: Op) -> Iterator[Happening]:
    if not isinstance(op.event, _OF_A_TRANSACTION):
        return
    after = _transaction(state, op)
    if after is None:
        return
    if after.started_at is not None and (before is None or before.started_at is None):
        yield _happening("transaction.started", op, _transaction_data(state, after), after.id)
    if after.stopped_at is not None and (before is None or before.stopped_at is None):
        yield _happening("transaction.stopped", op, _transaction_data(state, after), after.id)


# ---- how it is told ----


def _happening(kind: str, op: Op, data: dict[str, Any], of: str | TransactionId = "") -> Happening:
    told = msgspec.to_builtins({**data, "by": _by(op.author.type, op.author.name)}, str_keys=True)
    return Happening(kind, f"{op.op_id}/{kind}/{of}", op.t.wall, told)


def _by(type_: str, name: str | None) -> dict[str, Any]:
    return {"type": str(type_), "name": name}


def _job_data(job: Job) -> dict[str, Any]:
    return {"id": job.id, "number": job.number, "status": job.status.value, "round": job.round}


def _row_data(state: SiteState, row: ChargePoint) -> dict[str, Any]:
    job, status = state.jobs.get(row.job), status_of(state, row)
    about = {
        "id": row.id, "name": row.name, "identity": row.identity, "connector": row.connector, "status": status.text,
        "integration_state": status.integration.value if status.integration is not None else None,
        "state": status.state.value, "active": row.active,
    }  # fmt: skip
    return {"charge_point": about, "job": {"id": row.job, "number": job.number if job is not None else None}}


def _transaction_data(state: SiteState, of: Transaction) -> dict[str, Any]:
    """The id token masked: it is personal, and who can copy it can charge with it."""
    found = state.row_of_connector(of.station, of.connector)
    known = of.meter_stop_wh is not None and of.meter_start_wh is not None
    used = (of.meter_stop_wh or 0) - (of.meter_start_wh or 0) if known else None
    told = {
        "id": of.id, "station": of.station, "connector": of.connector, "started_at": of.started_at,
        "stopped_at": of.stopped_at, "meter_start_wh": of.meter_start_wh, "meter_stop_wh": of.meter_stop_wh,
        "energy_wh": used, "reason": of.reason, "test": of.test,
        "id_token": mask_id_token(of.id_token) if of.id_token is not None else None,
    }  # fmt: skip
    return {**(_row_data(state, found[1]) if found is not None else {}), "transaction": told}
