"""The fold: the one place where state changes, the same on the box and in the cloud.

Pure. `apply(state, op)` says which records the op makes anew and which it removes; it changes nothing itself.
Applying an op a second time changes nothing more. Start at `apply`; one small function a kind stands in
`sitelink.folding`, by what it is about.
"""

from sitelink import events as e
from sitelink.folding import commands, id_tokens, jobs, security, settings, stations, transactions, transfers
from sitelink.folding.changes import NOTHING, Changes, Fold
from sitelink.model import SiteState
from sitelink.ops import Op

FOLDS: dict[type[e.Event], Fold] = {
    **jobs.FOLDS, **stations.FOLDS, **security.FOLDS, **transactions.FOLDS, **id_tokens.FOLDS, **commands.FOLDS,
    **transfers.FOLDS, **settings.FOLDS,
}  # fmt: skip


def apply(state: SiteState, op: Op) -> Changes:
    """What `op` changes. An op about something unknown here changes nothing: it stays in the log for later."""
    fold = FOLDS.get(type(op.event))
    return fold(state, op, op.event) if fold else NOTHING


def apply_to(state: SiteState, changes: Changes) -> None:
    """Write the changes into `state`."""
    for entity in changes.put:
        state.put(entity)
    for key in changes.drop:
        state.drop(key)
