"""The fold: the one place where state changes, the same on the box and in the cloud.

Pure. `apply(state, op)` says which records the op makes anew and which it removes; it changes nothing itself.
Applying an op a second time changes nothing more. Start at `apply`; one small function a kind stands in
`sitelink.folding`, by what it is about.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sitelink import events as e
from sitelink.folding import commands, id_tokens, jobs, meters, security, settings, stations, transactions, transfers
from sitelink.folding.changes import NOTHING, Changes, Fold
from sitelink.model import EarlyOp, SiteState
from sitelink.ops import Op, decode_op, encode_op
from sitelink.shared import copied, is_shared

FOLDS: dict[type[e.Event], Fold] = {
    **jobs.FOLDS, **stations.FOLDS, **security.FOLDS, **transactions.FOLDS, **id_tokens.FOLDS, **commands.FOLDS,
    **transfers.FOLDS, **settings.FOLDS, **meters.FOLDS,
}  # fmt: skip


def apply(state: SiteState, op: Op) -> Changes:
    """What `op` changes. An op of the site's log about something that is not there yet waits for it."""
    fold = FOLDS.get(type(op.event))
    if fold is None:
        return NOTHING
    changes = fold(state, op, op.event)
    if changes is NOTHING:
        return _kept_for_later(state, op) if _is_early(state, op) else NOTHING
    return _with_those_that_waited(state, changes) if state.early_ops else changes


def apply_to(state: SiteState, changes: Changes) -> None:
    """Write the changes into `state`."""
    for entity in changes.put:
        state.put(entity)
    for key in changes.drop:
        state.drop(key)


# ---- ops that come before what they are about: after a restore, boxes bring back a log in pieces (SYNC §2.8) ----

EARLY_MAX = 1000
"""Of a site. Beyond them the oldest is no longer waited for; it stays in the log."""


def _is_early(state: SiteState, op: Op) -> bool:
    kind, _, id_ = op.entity.partition(":")
    known: dict[str, Mapping[Any, object]] = {"job": state.jobs, "cp": state.charge_points, "link": state.links}
    return kind in known and id_ not in known[kind] and is_shared(op.entity, op.job)


def _kept_for_later(state: SiteState, op: Op) -> Changes:
    if op.op_id in state.early_ops:
        return NOTHING
    waiting = sorted(state.early_ops.values(), key=lambda early: early.number)
    number = waiting[-1].number + 1 if waiting else 1
    early = EarlyOp(op=op.op_id, about=op.entity, number=number, body=encode_op(op).decode())
    return Changes(put=(early,), drop=tuple(old.key for old in waiting[: max(0, len(waiting) + 1 - EARLY_MAX)]))


def _with_those_that_waited(state: SiteState, changes: Changes) -> Changes:
    """`changes`, and what was said before about records that they bring."""
    after: SiteState | None = None
    put = {entity.key: entity for entity in changes.put}
    drop = dict.fromkeys(changes.drop)
    for early in _waiting_for(state, changes):
        if after is None:
            after = copied(state)
            apply_to(after, changes)
        after.drop(early.key)
        drop[early.key] = None
        more = apply(after, decode_op(early.body.encode()))
        apply_to(after, more)
        put |= {entity.key: entity for entity in more.put}
        drop |= dict.fromkeys(more.drop)
    return Changes(put=tuple(entity for key, entity in put.items() if key not in drop), drop=tuple(drop))


def _waiting_for(state: SiteState, changes: Changes) -> Iterator[EarlyOp]:
    """In their order."""
    new = {entity.key for entity in changes.put}
    for early in sorted(state.early_ops.values(), key=lambda each: each.number):
        if early.about in new:
            yield early
