"""The fold of jobs, their rows and links. Pure. Start at `FOLDS`. Source for fields with several authors: SYNC §2.3."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from sitelink import events as e
from sitelink.folding.changes import NOTHING, Changes, Fold
from sitelink.ids import ChargePointId, JobId, LinkId, station_key
from sitelink.model import ChargePoint, Completion, Head, Job, Link, Note, Register, SiteState, Wiring
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
    """A second import of the same job (`--replace`) lays its rows anew; notes of rows that stay are kept.

    `bases` are the heads that whoever replaced it saw: what somebody wrote elsewhere meanwhile stays, and so does a row
    that was to go.
    """
    job_id = JobId(op.entity.partition(":")[2])
    before = state.jobs.get(job_id)
    if before is not None and before.imported_by == op.op_id:
        return NOTHING

    rows = tuple(_laid(state, op, job_id, listed) for listed in event.charge_points)
    listed_ids = {row.id for row in rows}
    stay = tuple(
        row for row in (state.rows(before) if before else ())
        if row.id not in listed_ids and op.bases and any(head.op not in op.bases for head in _heads(row))
    )  # fmt: skip
    rounds = before.round + (before.status is not JobStatus.OPEN) if before else 1
    job = Job(
        id=job_id, number=event.number, site_name=event.site_name, site_address=event.site_address,
        description=event.description, instructions=event.instructions, contact=event.contact, round=rounds,
        charge_points=tuple(row.id for row in (*rows, *stay)), test_token=event.test_token, imported_by=op.op_id,
        created_at=before.created_at if before else op.t.wall,
        activate_by_default=event.activate_by_default, open_pairing=event.open_pairing, meters=event.meters,
    )  # fmt: skip
    gone = set(before.charge_points) - set(job.charge_points) if before else set()
    return Changes(put=(job, *rows), drop=tuple(f"cp:{id_}" for id_ in sorted(gone)))


def _laid(state: SiteState, op: Op, job: JobId, listed: e.ChargePointListed) -> ChargePoint:
    known = state.charge_points.get(listed.id)

    def register(name: str, value: str | int | bool) -> Register:
        before: Register = getattr(known, f"{name}_register") if known is not None and op.bases else Register()
        return fold_register(before, op, value)

    return ChargePoint(
        id=listed.id, job=job, name=listed.name, model=listed.model, integration=listed.integration,
        notes=known.notes if known else (), identity_register=register("identity", listed.identity),
        connector_register=register("connector", listed.connector), active_register=register("active", listed.active),
        maintenance_register=register("maintenance", listed.maintenance),
    )  # fmt: skip


def _heads(row: ChargePoint) -> tuple[Head, ...]:
    registers = (row.identity_register, row.connector_register, row.active_register, row.maintenance_register)
    return tuple(head for register in registers for head in register.heads)


def _field_set(state: SiteState, op: Op, event: e.FieldSet) -> Changes:
    row = _row(state, op)
    if row is None or op.field not in FIELDS:
        return NOTHING
    name = f"{op.field}_register"
    changed = replace(row, **{name: fold_register(getattr(row, name), op, event.value)})
    if op.field != "identity" or changed.identity == row.identity:
        return Changes(put=(changed,))
    return Changes(put=(replace(changed, owner=None),))


def _note_added(state: SiteState, op: Op, event: e.NoteAdded) -> Changes:
    row = _row(state, op)
    if row is None or any(note.id == op.op_id for note in row.notes):
        return NOTHING
    note = Note(id=op.op_id, by=op.author, text=event.text, at=op.t.wall)
    return Changes(put=(replace(row, notes=(*row.notes, note)),))


def _job_completed(state: SiteState, op: Op, event: e.JobCompleted) -> Changes:
    """`bases` are all heads it saw. A job that was ended elsewhere before keeps it, and nothing becomes active by it
    (SYNC §2.7).
    """
    job = _job(state, op)
    if job is None or job.round != event.round or job.completion is not None:
        return NOTHING
    rows = state.rows(job)
    unseen = tuple(row.id for row in rows if op.bases and _has_unseen(row.identity_register, op))
    ended = job.status is not JobStatus.OPEN
    completion = Completion(
        at=op.t.wall, by=op.author, activate_all=event.activate_all, activated=() if ended else event.activate,
        name=event.name, reason=event.reason, as_built=event.as_built, unseen=unseen, too_late=ended,
    )  # fmt: skip
    if ended:
        return Changes(put=(replace(job, completion=completion),))
    active = tuple(_activated(row, op) for row in rows if row.id in event.activate)
    return Changes(put=(replace(job, status=JobStatus.COMPLETED, completion=completion), *active))


def _has_unseen(register: Register, op: Op) -> bool:
    return any(head.op not in op.bases for head in register.heads)


def _activated(row: ChargePoint, op: Op) -> ChargePoint:
    """Ops of earlier versions do not say what they saw: theirs was all there was."""
    seen = op.bases or tuple(head.op for head in row.active_register.heads)
    return replace(row, active_register=fold_register(row.active_register, replace(op, bases=seen), True))


def _job_reopened(state: SiteState, op: Op, _event: e.JobReopened) -> Changes:
    job = _job(state, op)
    if job is None or job.status not in (JobStatus.COMPLETED, JobStatus.ARCHIVED):
        return NOTHING
    return Changes(put=(replace(job, status=JobStatus.OPEN, round=job.round + 1, completion=None, ended_at=None),))


def _meter_put(state: SiteState, op: Op, event: e.MeterPut) -> Changes:
    """Where it stood before; a new one last. Of two edits of one meter the later in the log stands."""
    job = _job(state, op)
    if job is None:
        return NOTHING
    taken = {event.instead_of, event.meter.name}
    places = [place for place, meter in enumerate(job.meters) if meter.name in taken]
    rest = [meter for meter in job.meters if meter.name not in taken]
    at = min(places[0], len(rest)) if places else len(rest)
    meters = (*rest[:at], event.meter, *rest[at:])
    if meters == job.meters:
        return NOTHING
    return Changes(put=(replace(job, meters=meters, wirings=_still_true(job, event)),))


def _still_true(job: Job, event: e.MeterPut) -> tuple[Wiring, ...]:
    """A meter that only has another name is wired as it was; of one that is another, nothing is known."""
    before = next((meter for meter in job.meters if meter.name == event.instead_of), None)
    same = before is not None and replace(before, name=event.meter.name) == event.meter
    renamed = (replace(each, meter=event.meter.name) if same and each.meter == event.instead_of else each
               for each in job.wirings)  # fmt: skip
    gone = set() if same else {event.instead_of, event.meter.name}
    return tuple(each for each in renamed if each.meter not in gone)


def _wiring_proved(state: SiteState, op: Op, event: e.WiringProved) -> Changes:
    job = _job(state, op)
    if job is None or all(meter.name != event.meter for meter in job.meters):
        return NOTHING
    wiring = Wiring(event.meter, op.t.wall, op.author, event.values, event.findings, event.charge)
    others = tuple(each for each in job.wirings if each.meter != event.meter)
    return Changes(put=(replace(job, wirings=(*others, wiring)),))


def _meter_removed(state: SiteState, op: Op, event: e.MeterRemoved) -> Changes:
    job = _job(state, op)
    if job is None or all(meter.name != event.name for meter in job.meters):
        return NOTHING
    meters = tuple(meter for meter in job.meters if meter.name != event.name)
    wirings = tuple(wiring for wiring in job.wirings if wiring.meter != event.name)
    return Changes(put=(replace(job, meters=meters, wirings=wirings),))


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
    """A verdict on an identity that the row no longer has says nothing."""
    row = _row(state, op)
    if row is None or (event.identity is not None and station_key(event.identity) != row.station):
        return NOTHING
    return Changes(put=(replace(row, owner=event.team, checked=row.identity),))


def _link_created(state: SiteState, op: Op, event: e.LinkCreated) -> Changes:
    link_id = LinkId(op.entity.partition(":")[2])
    if link_id in state.links:
        return NOTHING
    link = Link(
        id=link_id, job=event.job, token_sha256=event.token_sha256, role=event.role, created_at=op.t.wall,
        name=event.name, expires_at=event.expires_at,
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
    e.MeterPut: _meter_put,
    e.MeterRemoved: _meter_removed,
    e.WiringProved: _wiring_proved,
    e.JobArchived: _job_ended(JobStatus.ARCHIVED),
    e.JobCancelled: _job_ended(JobStatus.CANCELLED),
    e.PairingOpened: _pairing_opened,
    e.OwnershipLearned: _ownership_learned,
    e.LinkCreated: _link_created,
    e.LinkRevoked: _link_revoked,
}
