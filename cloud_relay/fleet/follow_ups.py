"""What follows in the cloud from what was written about a site, in the same transaction.

Whose identities are (claimed in the order of the log, DESIGN §7 (19)), what goes live by a completion (once a charge
point and round, SYNC §2.7), and what the box is told of conflicts. Start at `follow`.
"""

from collections.abc import Iterable

from cloud_relay.fleet.log_records import Activation, Owner
from cloud_relay.fleet.site_desk import SiteDesk
from sitelink.events import FieldSet, JobCompleted, OwnershipLearned
from sitelink.ids import JobId, OpId, StationKey, station_key
from sitelink.model import ChargePoint
from sitelink.ops import Author, Fact, Op
from sitelink.states import AuthorType, JobStatus

CLOUD = Author(type=AuthorType.CLOUD)
Dispositions = list[tuple[OpId, str, str]]


def follow(desk: SiteDesk, dispositions: Dispositions | None = None) -> None:
    """Everything that follows from what the desk has touched so far."""
    ops = tuple(desk.touched.ops)
    if dispositions is not None:
        dispositions += _conflicts(desk, ops)
    ended = [job for job in desk.touched.jobs.values() if job.status is JobStatus.CANCELLED]
    for row in (*desk.touched.rows.values(), *(row for job in ended for row in desk.state.rows(job))):
        claim(desk, row)
    for op in ops:
        if isinstance(op.event, JobCompleted):
            _activate(desk, JobId(op.entity.partition(":")[2]))


def _conflicts(desk: SiteDesk, ops: Iterable[Op]) -> Iterable[tuple[OpId, str, str]]:
    for op in ops:
        row = desk.touched.rows.get(op.entity.partition(":")[2]) if isinstance(op.event, FieldSet) else None
        if row is not None and op.field and getattr(row, f"{op.field}_register").conflicting:
            yield op.op_id, "conflict", op.field


# ---- whose identities are ----


def claim(desk: SiteDesk, row: ChargePoint) -> None:
    """The first team that names an identity has it, until no row of that charge point does any more."""
    named = row.station if _counts(desk, row) else StationKey("")
    given_up = desk.books.identities.given_up(desk.site, row.id)
    if given_up is not None and given_up == named:
        _release_others(desk, row, StationKey(""))
        owner = desk.books.identities.owner(named)
        tell(desk, row, owner.team_name if owner is not None and owner.team != desk.team else None)
        return
    if given_up is not None:  # another name is a new beginning
        desk.books.identities.take_back(desk.site, row.id)
    _release_others(desk, row, named)
    if not named:
        return
    owner = desk.books.identities.owner(named)
    if owner is None:
        desk.books.identities.claim(Owner(named, desk.team, desk.team_name, desk.site, row.id, desk.now))
    other = owner.team_name if owner is not None and owner.team != desk.team else None
    desk.books.identities.wait(named, desk.site, row.id, waits=other is not None)
    tell(desk, row, other)


def _counts(desk: SiteDesk, row: ChargePoint) -> bool:
    """Its job was not called off, and it is in it."""
    job = desk.state.jobs.get(row.job)
    return job is not None and job.status is not JobStatus.CANCELLED and row.id in desk.state.charge_points


def _release_others(desk: SiteDesk, row: ChargePoint, named: StationKey) -> None:
    """What this row claimed and does not name now goes to another row of the site that does, or back to nobody."""
    for identity in desk.books.identities.claimed_by(desk.site, row.id):
        if identity == named:
            continue
        others = (each for each in desk.state.charge_points.values() if each.station == identity and each.id != row.id)
        heir = next((each for each in others if _may_inherit(desk, each)), None)
        desk.books.identities.release(identity)
        if heir is not None:
            desk.books.identities.claim(Owner(identity, desk.team, desk.team_name, desk.site, heir.id, desk.now))
        else:
            desk.released.append(identity)


def _may_inherit(desk: SiteDesk, row: ChargePoint) -> bool:
    return _counts(desk, row) and desk.books.identities.given_up(desk.site, row.id) != row.station


def tell(desk: SiteDesk, row: ChargePoint, other: str | None) -> None:
    """The verdict, to whoever folds the site's log. A charge point of another team's is never live here."""
    facts = []
    if row.checked != row.identity or row.owner != other:
        facts.append(Fact(f"cp:{row.id}", OwnershipLearned(other, row.identity), CLOUD, job=row.job))
    if other is not None and row.active:
        seen = tuple(head.op for head in row.active_register.heads)
        facts.append(Fact(f"cp:{row.id}", FieldSet(False), CLOUD, job=row.job, field="active", bases=seen))
    desk.record(facts)


def recheck(desk: SiteDesk, identity: str) -> None:
    """An identity was released: rows of this site that wait for it may have it."""
    for row in tuple(desk.state.charge_points.values()):
        if row.identity and row.station == station_key(identity):
            claim(desk, row)


# ---- what goes live ----


def _activate(desk: SiteDesk, job_id: JobId) -> None:
    job = desk.state.jobs.get(job_id)
    if job is None or job.completion is None or job.status is not JobStatus.COMPLETED:
        return
    for id_ in job.completion.activated:
        row = desk.state.charge_points.get(id_)
        if row is None:
            continue
        state, detail = "registered", {}
        if row.owner is not None:
            state, detail = "refused", {"reason": "identity_in_use", "team": row.owner}
        elif id_ in job.completion.unseen:
            state, detail = "held", {"reason": "edited_elsewhere"}
        desk.books.identities.activate(Activation(desk.site, job_id, id_, job.round, state, desk.now, detail))
