"""What a box shows while some of its edits are not in the site's log yet: the log, and its own edits on top.

Pure. Start at `received`. The log as far as it is known here gives the confirmed records; the ops that this box wrote
and has not seen in the log are its pending ones. What people see is confirmed, with the pending ops folded onto it in
the order they were written. Of confirmed records only those are kept that a pending op has changed (`Base`): all others
are what is shown. When nothing is pending, both are the same, and box and cloud have folded the same log.
Source: SYNC §2.1 "Why it converges".
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from sitelink.apply import apply, apply_to
from sitelink.folding.changes import Changes
from sitelink.model import Entity, SiteState
from sitelink.ops import Op
from sitelink.shared import copied, is_shared_record, shared_records

Base = Mapping[str, Entity | None]
"""Confirmed records by key, where they are not what is shown; None: confirmed is that there is none."""


class Rebased(msgspec.Struct, frozen=True):
    """`changes` bring what is shown up to date; `base` is the new one."""

    changes: Changes
    base: dict[str, Entity | None]


def before_pending(base: Base, changes: Changes, shown: Mapping[str, Entity]) -> dict[str, Entity | None]:
    """What must be kept as confirmed before `changes` of a pending op come upon what is shown."""
    keys = [entity.key for entity in changes.put if is_shared_record(entity)]
    return {key: shown.get(key) for key in (*keys, *changes.drop) if key not in base}


def confirmed(state: SiteState, base: Base) -> SiteState:
    """The state by the log alone: what is shown, with the base put back."""
    copy = copied(state)
    for key, entity in base.items():
        if entity is None:
            copy.drop(key)
        else:
            copy.put(entity)
    return copy


def received(state: SiteState, base: Base, ops: Iterable[Op], pending: Sequence[Op]) -> Rebased:
    """`ops` are the next ones of the log, its own among them; `pending` is what is left of its own after them."""
    return onto(state, folded(confirmed(state, base), ops), pending)


def onto(state: SiteState, log: SiteState, pending: Sequence[Op]) -> Rebased:
    """What turns `state`, as it is shown, into `log` with the pending ops on top."""
    next_base: dict[str, Entity | None] = {}
    known = shared_records(log)
    after = copied(log)
    for op in pending:
        changes = shared_part(apply(after, op))
        next_base |= before_pending(next_base, changes, known)
        apply_to(after, changes)
    return Rebased(_difference(shared_records(state), shared_records(after)), next_base)


def folded(log: SiteState, ops: Iterable[Op]) -> SiteState:
    """`log` with the shared part of the ops' changes. It is changed and returned."""
    for op in ops:
        apply_to(log, shared_part(apply(log, op)))
    return log


def shared_part(changes: Changes) -> Changes:
    """An op of the log changes shared records and nothing else."""
    return Changes(put=tuple(entity for entity in changes.put if is_shared_record(entity)), drop=changes.drop)


def _difference(before: Mapping[str, Entity], after: Mapping[str, Entity]) -> Changes:
    put = tuple(entity for key, entity in after.items() if before.get(key) != entity)
    return Changes(put=put, drop=tuple(sorted(key for key in before if key not in after)))
