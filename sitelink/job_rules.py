"""The rules of a job: what may be edited when, and what completing means.

Pure decisions, each a fact or a refusal, the same on the box and in the cloud. Start at `decide_edit` and
`decide_complete`. Sources: the installer guide; UX §1.2 (consequences), §1.4; DESIGN §7 (2) and "Contract details";
SYNC §2.7.
"""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from sitelink.decisions import Decide, Decision, Sight
from sitelink.errors import (
    AlreadyCompleted,
    ChargeActive,
    ConnectorInvalid,
    IdentityInUse,
    JobExists,
    JobNotCompleted,
    JobReadOnly,
    NoteInvalid,
    NotFound,
)
from sitelink.events import (
    ChargePointListed,
    Event,
    FieldSet,
    JobArchived,
    JobCompleted,
    JobImported,
    JobReopened,
    LinkCreated,
    LinkRevoked,
    MeterListed,
    NoteAdded,
    PairingOpened,
    StationFaultCleared,
)
from sitelink.ids import ChargePointId, JobId, LinkId, OpId, check_identity, station_key
from sitelink.job_file import JobFile
from sitelink.model import ChargePoint, Job, Register, SiteState
from sitelink.ops import Author, Fact
from sitelink.states import JobStatus, LinkRole
from sitelink.status import status_of

NOTE_MAX_CHARACTERS = 2000
NOTES_MAX = 500
CONNECTOR_MAX = 100
PAIRING_WINDOW_S = 30 * 60
SERIAL_CHANGED = "serial_changed"
_COMPLETION_NAMESPACE = uuid.UUID("b1f2a2c4-6a4e-4a57-9f0e-3a2c1f6f5d10")


def job_of(state: SiteState, job: JobId) -> Job:
    """Raises NotFound."""
    found = state.jobs.get(job)
    if found is None:
        raise NotFound(what="job", key=job)
    return found


def find_job(state: SiteState, id_or_number: str) -> Job:
    """By id, else by number. Raises NotFound."""
    found = state.jobs.get(JobId(id_or_number))
    found = found or next((job for job in state.jobs.values() if job.number == id_or_number), None)
    if found is None:
        raise NotFound(what="job", key=id_or_number)
    return found


def row_of(state: SiteState, job: Job, row: ChargePointId) -> ChargePoint:
    """Raises NotFound, also for a row of another job."""
    found = state.charge_points.get(row)
    if found is None or row not in job.charge_points:
        raise NotFound(what="charge_point", key=row)
    return found


def open_job(state: SiteState, job: JobId) -> Job:
    """Raises NotFound, or JobReadOnly when the job is not open."""
    found = job_of(state, job)
    if found.status is not JobStatus.OPEN:
        raise JobReadOnly(status=found.status.value, number=found.number)
    return found


def decide_import(
    file: JobFile, author: Author, *, job: JobId, link: LinkId, token_sha256: str, new_ids: Sequence[str],
    test_token: str, replace: bool,
) -> Decide[JobId]:  # fmt: skip
    """Take a job in, with its first link. Raises JobExists for a known number without `replace`.

    `new_ids` has one id for each row; with `replace`, a row whose name stays keeps its id and its notes.
    """

    def decide(ledger: Sight) -> Decision[JobId]:
        state = ledger.state
        known = next((each for each in state.jobs.values() if each.number == file.number), None)
        if known is not None and not replace:
            raise JobExists(number=file.number)
        kept = {row.name: row for row in state.rows(known)} if known else {}
        for row in kept.values():
            if state.charge_of(row) is not None:
                raise ChargeActive(name=row.name)
        rows = tuple(
            ChargePointListed(
                id=kept[entry.name].id if entry.name in kept else ChargePointId(new_id),
                name=entry.name, identity=entry.identity or "", connector=entry.connector, model=entry.model,
                integration=entry.integration, active=entry.active, maintenance=entry.maintenance,
            )
            for entry, new_id in zip(file.charge_points, new_ids, strict=True)
        )  # fmt: skip
        imported = JobImported(
            number=file.number, site_name=file.site.name, site_address=file.site.address, charge_points=rows,
            test_token=known.test_token if known else test_token, description=file.description or "",
            instructions=file.instructions or "", contact=file.contact,
            activate_by_default=file.activate_by_default, open_pairing=file.open_pairing,
            meters=tuple(MeterListed(**msgspec.structs.asdict(meter)) for meter in file.meters),
        )  # fmt: skip
        id_ = known.id if known else job
        seen = tuple(head.op for row in kept.values() for register in _registers(row) for head in register.heads)
        facts = (
            Fact(f"job:{id_}", imported, author, job=id_, bases=tuple(dict.fromkeys(seen))),
            Fact(f"link:{link}", LinkCreated(id_, token_sha256, LinkRole.INSTALLER), author, job=id_),
        )
        return Decision(facts, id_)

    return decide


def decide_link(
    job: JobId, link: LinkId, token_sha256: str, role: LinkRole, author: Author, *, instead: bool = False
) -> Decide[None]:
    """A new link; with `instead`, those the job had are revoked by it. Raises NotFound."""

    def decide(ledger: Sight) -> Decision[None]:
        if job:
            job_of(ledger.state, job)
        event = LinkCreated(job, token_sha256, role, author.name)
        facts = [Fact(f"link:{link}", event, author, job=job or None)]
        if instead:
            old = [each for each in ledger.state.links.values() if each.job == job and each.revoked_at is None]
            facts += [Fact(f"link:{each.id}", LinkRevoked(), author, job=job or None) for each in old]
        return Decision(tuple(facts), None)

    return decide


def decide_admin_tokens_end(wanted: str, author: Author) -> Decide[list[LinkId]]:
    """End the admin token of this id, else all that were made under this name. Raises NotFound."""

    def decide(ledger: Sight) -> Decision[list[LinkId]]:
        good = [link for link in ledger.state.links.values() if link.role is LinkRole.ADMIN and link.revoked_at is None]
        ended = [link for link in good if link.id == wanted] or [link for link in good if link.name == wanted]
        if not ended:
            raise NotFound(what="admin_token", key=wanted[:64])
        facts = tuple(Fact(f"link:{link.id}", LinkRevoked(), author) for link in ended)
        return Decision(facts, [link.id for link in ended])

    return decide


def decide_edit(
    job: JobId,
    row: ChargePointId,
    author: Author,
    *,
    identity: str | None = None,
    connector: int | None = None,
    bases: Sequence[OpId] | None = None,
) -> Decide[None]:
    """Correct a row. `bases` are the heads the author's screen showed; None replaces whatever is current.

    Raises IdentityInvalid, ConnectorInvalid, IdentityInUse, ChargeActive, JobReadOnly, NotFound.
    """
    wanted: dict[str, str | int] = {}
    if identity is not None:
        wanted["identity"] = check_identity(identity)
    if connector is not None:
        if not 1 <= connector <= CONNECTOR_MAX:
            raise ConnectorInvalid(found=connector, allowed=f"1 to {CONNECTOR_MAX}")
        wanted["connector"] = connector

    def decide(ledger: Sight) -> Decision[None]:
        state = ledger.state
        found = open_job(state, job)
        before = row_of(state, found, row)
        changing = {name: value for name, value in wanted.items() if _changes(_register(before, name), value, bases)}
        if not changing:
            return Decision((), None)
        if state.charge_of(before) is not None:
            raise ChargeActive(name=before.name)
        _refuse_double(
            state, found, {row}, str(changing.get("identity", before.identity)),
            int(changing.get("connector", before.connector)),
        )  # fmt: skip
        facts = [_set(before, name, value, author, bases) for name, value in changing.items()]
        return Decision((*facts, *confirmed_by(state, changing.get("identity"), author, job)), None)

    return decide


def _register(row: ChargePoint, field: str) -> Register:
    register: Register = getattr(row, f"{field}_register")
    return register


def _registers(row: ChargePoint) -> tuple[Register, ...]:
    return row.identity_register, row.connector_register, row.active_register, row.maintenance_register


def _changes(register: Register, value: str | int | bool, bases: Sequence[OpId] | None) -> bool:
    """Saving what stands there already is no edit, unless it settles a conflict."""
    if len(register.heads) == 1:
        return register.heads[0].value != value
    seen = {head.op for head in register.heads} if bases is None else set(bases)
    return any(head.op in seen for head in register.heads) or register.value != value


def _set(row: ChargePoint, field: str, value: str | int | bool, author: Author, bases: Sequence[OpId] | None) -> Fact:
    heads = tuple(head.op for head in _register(row, field).heads)
    replaced = heads if bases is None else tuple(op for op in heads if op in bases)
    return Fact(f"cp:{row.id}", FieldSet(value), author, job=row.job, field=field, bases=replaced)


def _refuse_double(state: SiteState, job: Job, besides: set[ChargePointId], identity: str, connector: int) -> None:
    """Two rows may share a station, not a plug."""
    if not identity:
        return
    for other in state.rows(job):
        if other.id in besides or not other.identity:
            continue
        if (other.station, other.connector) == (station_key(identity), connector):
            raise IdentityInUse(
                charge_point=other.id, name=other.name, identity=other.identity, connector=other.connector
            )


def confirmed_by(state: SiteState, identity: object, author: Author, job: JobId | None = None) -> tuple[Fact, ...]:
    """Whoever names a station anew means the one that answers now: a serial that changed is accepted by it."""
    station = state.stations.get(station_key(str(identity or "")))
    if station is None or all(fault.code != SERIAL_CHANGED for fault in station.faults):
        return ()
    return (Fact(f"station:{station.id}", StationFaultCleared(SERIAL_CHANGED), author, job=job),)


def decide_confirm(job: JobId, row: ChargePointId, author: Author) -> Decide[None]:
    """The station that answers under another serial than before is the right one: it was exchanged."""

    def decide(ledger: Sight) -> Decision[None]:
        state = ledger.state
        return Decision(confirmed_by(state, row_of(state, open_job(state, job), row).identity, author, job), None)

    return decide


def decide_swap(job: JobId, a: ChargePointId, b: ChargePointId, author: Author) -> Decide[None]:
    """Exchange two rows' identities and connectors. Raises as `decide_edit`."""

    def decide(ledger: Sight) -> Decision[None]:
        state = ledger.state
        found = open_job(state, job)
        one, other = row_of(state, found, a), row_of(state, found, b)
        for row in (one, other):
            if state.charge_of(row) is not None:
                raise ChargeActive(name=row.name)
        facts = [
            _set(row, field, value, author, None)
            for row, source in ((one, other), (other, one))
            for field, value in (("identity", source.identity), ("connector", source.connector))
            if _changes(_register(row, field), value, None)
        ]
        return Decision(tuple(facts), None)

    return decide


def decide_note(
    job: JobId, row: ChargePointId, author: Author, text: str, *, by_operator: bool = False
) -> Decide[None]:
    """Add a note. An operator may also write when the job is no longer open. Raises NoteInvalid."""
    cleaned = text.replace("\r\n", "\n").strip()
    if not cleaned:
        raise NoteInvalid(problem="empty", allowed=NOTE_MAX_CHARACTERS)
    if len(cleaned) > NOTE_MAX_CHARACTERS:
        raise NoteInvalid(problem="too_long", allowed=NOTE_MAX_CHARACTERS, found=len(cleaned))

    def decide(ledger: Sight) -> Decision[None]:
        state = ledger.state
        found = job_of(state, job) if by_operator else open_job(state, job)
        before = row_of(state, found, row)
        if len(before.notes) >= NOTES_MAX:
            raise NoteInvalid(problem="too_many", allowed=NOTES_MAX)
        return Decision((Fact(f"cp:{row}", NoteAdded(cleaned), author, job=job),), None)

    return decide


def decide_complete(
    job: JobId, author: Author, *, activate_all: bool, reason: str | None, name: str | None
) -> Decide[None]:
    """Complete the job, once a round: the op's id follows from job and round, so two presses are one op."""

    def decide(ledger: Sight) -> Decision[None]:
        state = ledger.state
        found = job_of(state, job)
        if found.status is JobStatus.COMPLETED and found.completion is not None:
            done = found.completion
            raise AlreadyCompleted(at=done.at, by=done.name or done.by.name, number=found.number)
        open_job(state, job)
        rows = state.rows(found)
        activate = tuple(row.id for row in rows if not row.active and not row.owner) if activate_all else ()
        event = JobCompleted(
            activate=activate, round=found.round, activate_all=activate_all, reason=reason or None, name=name or None,
            as_built=[_as_built(state, row) for row in rows],
        )  # fmt: skip
        op_id = OpId(str(uuid.uuid5(_COMPLETION_NAMESPACE, f"{job}/complete/{found.round}")))
        seen = tuple(head.op for row in rows for register in _registers(row) for head in register.heads)
        fact = Fact(f"job:{job}", event, author, job=job, op_id=op_id, bases=tuple(dict.fromkeys(seen)))
        return Decision((fact,), None)

    return decide


def _as_built(state: SiteState, row: ChargePoint) -> dict[str, Any]:
    """A row as it stands: the line of the commissioning record."""
    station = state.stations.get(row.station) if row.identity else None
    test = state.last_transaction_of(row, test=True)
    return {
        "id": row.id, "name": row.name, "identity": row.identity, "connector": row.connector,
        "status": status_of(state, row).text, "serial": station.serial if station else None,
        "vendor": station.vendor if station else None, "model": station.model if station else None,
        "firmware": station.firmware if station else None,
        "tested_wh": (test.meter_stop_wh or 0) - (test.meter_start_wh or 0) if test and test.stopped_at else None,
        "heads": [head.op for head in (*row.identity_register.heads, *row.connector_register.heads)],
    }  # fmt: skip


def decide_activity(
    rows: Iterable[ChargePointId], author: Author, *, active: bool | None = None, maintenance: bool | None = None
) -> Decide[int]:
    """The operator's part: switch rows on or off, or to maintenance. Answers how many changed. Raises ChargeActive."""
    wanted = {name: value for name, value in (("active", active), ("maintenance", maintenance)) if value is not None}
    chosen = tuple(rows)

    def decide(ledger: Sight) -> Decision[int]:
        facts = []
        for id_ in chosen:
            row = ledger.state.charge_points.get(id_)
            if row is None:
                raise NotFound(what="charge_point", key=id_)
            changing = {name: value for name, value in wanted.items() if _changes(_register(row, name), value, None)}
            if changing.get("active") is False and ledger.state.charge_of(row) is not None:
                raise ChargeActive(name=row.name)
            facts += [_set(row, name, value, author, None) for name, value in changing.items()]
        return Decision(tuple(facts), len({fact.entity for fact in facts}))

    return decide


def decide_row_activity(
    job: JobId, row: ChargePointId, author: Author, *, active: bool | None = None, maintenance: bool | None = None
) -> Decide[int]:
    """The same for one row of a job. Raises NotFound, also for a row of another job, ChargeActive."""
    decide_one = decide_activity([row], author, active=active, maintenance=maintenance)

    def decide(ledger: Sight) -> Decision[int]:
        row_of(ledger.state, job_of(ledger.state, job), row)
        return decide_one(ledger)

    return decide


def decide_reopen(job: JobId, author: Author) -> Decide[None]:
    """Back to open, next round. Raises JobNotCompleted."""

    def decide(ledger: Sight) -> Decision[None]:
        found = job_of(ledger.state, job)
        if found.status not in (JobStatus.COMPLETED, JobStatus.ARCHIVED):
            raise JobNotCompleted(status=found.status.value, number=found.number)
        return _one(job, JobReopened(), author)

    return decide


def decide_archive(job: JobId, author: Author) -> Decide[None]:
    """Idempotent: an archived job stays as it is."""

    def decide(ledger: Sight) -> Decision[None]:
        if job_of(ledger.state, job).status is JobStatus.ARCHIVED:
            return Decision((), None)
        return _one(job, JobArchived(), author)

    return decide


def decide_pairing(job: JobId, author: Author) -> Decide[None]:
    """Let stations the job names connect for the first time, for 30 minutes."""

    def decide(ledger: Sight) -> Decision[None]:
        open_job(ledger.state, job)
        return _one(job, PairingOpened(PAIRING_WINDOW_S), author)

    return decide


def _one(job: JobId, event: Event, author: Author) -> Decision[None]:
    return Decision((Fact(f"job:{job}", event, author, job=job),), None)
