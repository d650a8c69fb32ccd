"""What box and cloud both may write, what only the box writes, and what never leaves it.

Pure. Facts about jobs, their rows, links, id tokens and settings go through the one log of the site, whoever writes
them, and both ends fold that log; everything else happened at the box and is only told. Start at `is_shared`.
Source: SYNC §2.3.
"""

from sitelink.ids import JobId
from sitelink.model import ChargePoint, EarlyOp, Entity, IdToken, Job, Link, Setting, SiteState
from sitelink.states import LinkRole

SHARED_KINDS = frozenset({"job", "cp", "link", "id_token", "setting"})
"""Kinds of entity, as the prefix of their keys."""
SHARED_TYPES = (Job, ChargePoint, Link, IdToken, Setting, EarlyOp)
PLACES = ("jobs", "charge_points", "links", "id_tokens", "settings", "early_ops")
"""Where a SiteState keeps them."""
KEPT_AT_THE_BOX = frozenset({"credentials.set", "key.offered", "key.answered", "key.proven"})
"""Kinds of op that hold what a password is checked with."""


def is_shared(entity: str, job: JobId | None) -> bool:
    """Whether an op about `entity` belongs into the site's log. A link to the box itself (no job) does not."""
    kind = entity.partition(":")[0]
    return kind in SHARED_KINDS and (kind != "link" or job is not None)


def is_shared_record(entity: Entity) -> bool:
    """The same for a record."""
    return isinstance(entity, SHARED_TYPES) and not (isinstance(entity, Link) and entity.role is LinkRole.ADMIN)


def leaves_the_box(kind: str, entity: str, job: JobId | None) -> bool:
    """Whether an op is told to the cloud at all. An admin token and what a password is checked with are not."""
    return kind not in KEPT_AT_THE_BOX and (job is not None or not entity.startswith("link:"))


def shared_records(state: SiteState) -> dict[str, Entity]:
    """All of them by key, in no particular order."""
    found: dict[str, Entity] = {}
    for place in PLACES:
        for entity in getattr(state, place).values():
            if is_shared_record(entity):
                found[entity.key] = entity
    return found


def copied(state: SiteState) -> SiteState:
    """A state whose shared records can be changed without changing `state`; the others are the same dictionaries."""
    copy = SiteState()
    for place, records in vars(state).items():
        if place in PLACES:
            setattr(copy, place, dict(records))
        elif not place.startswith("_"):
            setattr(copy, place, records)
    return copy
