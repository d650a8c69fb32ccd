"""The fold of jobs, their rows and links. Pure. Start at `FOLDS`. Source for fields with several authors: SYNC §2.3."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from sitelink import events as e
from sitelink.folding.changes import NOTHING, Changes, Fold
from sitelink.folding.stations import without_fault
from sitelink.ids import ChargePointId, JobId, LinkId
from sitelink.model import ChargePoint, Completion, Head, Job, Link, Note, Register, SiteState
from sitelink.ops import Op
from sitelink.states import JobStatus

HEADS_MAX = 16
FIELDS = frozenset({"identity", "connector", "active", "maintenance"})


def fold_register(register: Register, op: Op, value: str | int | bool | None) -> Register:
    """heads = (heads − bases) ∪ {op}. A head disappears only when somebody who saw it replaced it."""
    if any(head.op == op.op_id for head in register.heads):
        return register
    kept = tuple(head for head in register.heads if head.op not in op.bases)
    return Register(heads=(*kept, Head(op=op.op_id, value=value, by=op.author, at=op.t.wall))[-HEADS_MAX:])


def _job(state: SiteState, op: Op) -> Job | None:
    return state.jobs.get(JobId(op.entity.partition(":")[2]))


def _row(state: SiteState, op: Op) -> ChargePoint | None:
    return state.charge_points.get(ChargePointId(op.entity.partition(":")[2]))


def _job_imported(state: SiteState, op: Op, event: e.JobImported) -> Changes:
    """A second import of the same job (`--replace`) lays its rows anew; notes of rows that stay are kept."""
    job_id = JobId(op.entity.partition(":")[2])
    before = state.jobs.get(job_id)
    if before is not None and before.imported_by == op.op_id:
        return NOTHING

    def head(value: str | int | bool | None) -> Register:
        return Register(heads=(Head(op=op.op_id, value=value, by=op.author, at=op.t.wall),))

    def notes(row: ChargePointId) -> tuple[Note, ...]:
        known = state.charge_points.get(row)
        return known.notes if known else ()

    rows = tuple(
        ChargePoint(
            id=row.id, job=job_id, name=row.name, model=row.model, integration=row.integration, notes=notes(row.id),
            identity_register=head(row.identity), connector_register=head(row.connector),
            active_register=head(row.active), maintenance_register=head(row.maintenance),
        )
        for row in event.charge_points
    )  # fmt: skip
    rounds = before.round + (before.status is not JobStatus.OPEN) if before else 1
    job = Job(
        id=job_id, number=event.number, site_name=event.site_name, site_address=event.site_address,
        description=event.description, instructions=event.instructions, contact=event.contact, round=rounds,
        charge_points=tuple(row.id for row in rows), test_token=event.test_token, imported_by=op.op_id,
        created_at=before.created_at if before else op.t.wall,
        activate_by_default=event.activate_by_default, open_pairing=event.open_pairing, meters=event.meters,
    )  # fmt: skip
    gone = set(before.charge_points) - set(job.charge_points) if before else set()
    return Changes(put=(job, *rows), drop=tuple(f"cp:{id_}" for id_ in sorted(gone)))


def _field_set(state: SiteState, op: Op, event: e.FieldSet) -> Changes:
    row = _row(state, op)
    if row is None or op.field not in FIELDS:
        return NOTHING
    name = f"{op.field}_register"
    changed = replace(row, **{name: fold_register(getattr(row, name), op, event.value)})
    if op.field != "identity" or changed.identity == row.identity:
        return Changes(put=(changed,))
    # Whoever names a station anew means the one that answers now: a serial that changed is accepted by it.
    station = state.stations.get(changed.station)
    confirmed = without_fault(station, "serial_changed") if station else None
    return Changes(put=(replace(changed, owner=None), *((confirmed,) if confirmed else ())))


def _note_added(state: SiteState, op: Op, event: e.NoteAdded) -> Changes:
    row = _row(state, op)
    if row is None or any(note.id == op.op_id for note in row.notes):
        return NOTHING
    note = Note(id=op.op_id, by=op.author, text=event.text, at=op.t.wall)
    return Changes(put=(replace(row, notes=(*row.notes, note)),))


def _job_completed(state: SiteState, op: Op, event: e.JobCompleted) -> Changes:
    job = _job(state, op)
    if job is None or job.status is not JobStatus.OPEN or job.round != event.round:
        return NOTHING
    completion = Completion(
        at=op.t.wall, by=op.author, activate_all=event.activate_all, activated=event.activate,
        name=event.name, reason=event.reason, as_built=event.as_built,
    )  # fmt: skip
    rows = []
    for row in state.rows(job):
        if row.id in event.activate:
            seen = tuple(head.op for head in row.active_register.heads)
            register = fold_register(row.active_register, replace(op, bases=seen), True)
            rows.append(replace(row, active_register=register))
    return Changes(put=(replace(job, status=JobStatus.COMPLETED, completion=completion), *rows))


def _job_reopened(state: SiteState, op: Op, _event: e.JobReopened) -> Changes:
    job = _job(state, op)
    if job is None or job.status not in (JobStatus.COMPLETED, JobStatus.ARCHIVED):
        return NOTHING
    return Changes(put=(replace(job, status=JobStatus.OPEN, round=job.round + 1, completion=None, ended_at=None),))


def _job_ended(status: JobStatus) -> Callable[[SiteState, Op, Any], Changes]:
    def fold(state: SiteState, op: Op, _event: Any) -> Changes:
        job = _job(state, op)
        if job is None or job.status is status:
            return NOTHING
        return Changes(put=(replace(job, status=status, ended_at=op.t.wall),))

    return fold


def _pairing_opened(state: SiteState, op: Op, event: e.PairingOpened) -> Changes:
    job = _job(state, op)
    return Changes(put=(replace(job, pairing=op.t, pairing_for_s=event.for_s),)) if job else NOTHING


def _ownership_learned(state: SiteState, op: Op, event: e.OwnershipLearned) -> Changes:
    row = _row(state, op)
    return Changes(put=(replace(row, owner=event.team),)) if row else NOTHING


def _link_created(state: SiteState, op: Op, event: e.LinkCreated) -> Changes:
    link_id = LinkId(op.entity.partition(":")[2])
    if link_id in state.links:
        return NOTHING
    link = Link(
        id=link_id, job=event.job, token_sha256=event.token_sha256, role=event.role, created_at=op.t.wall,
        name=event.name,
    )  # fmt: skip
    return Changes(put=(link,))


def _link_revoked(state: SiteState, op: Op, _event: e.LinkRevoked) -> Changes:
    link = state.links.get(LinkId(op.entity.partition(":")[2]))
    return Changes(put=(replace(link, revoked_at=op.t.wall),)) if link and not link.revoked_at else NOTHING


FOLDS: dict[type[e.Event], Fold] = {
    e.JobImported: _job_imported,
    e.FieldSet: _field_set,
    e.NoteAdded: _note_added,
    e.JobCompleted: _job_completed,
    e.JobReopened: _job_reopened,
    e.JobArchived: _job_ended(JobStatus.ARCHIVED),
    e.JobCancelled: _job_ended(JobStatus.CANCELLED),
    e.PairingOpened: _pairing_opened,
    e.OwnershipLearned: _ownership_learned,
    e.LinkCreated: _link_created,
    e.LinkRevoked: _link_revoked,
}
