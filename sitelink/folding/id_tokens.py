"""The fold of id tokens and the lists stations keep of them. Pure. Start at `FOLDS`."""

from msgspec.structs import replace

from sitelink import events as e
from sitelink.folding.changes import NOTHING, Changes, Fold
from sitelink.ids import IdTokenKey, StationKey, id_token_key
from sitelink.model import IdToken, LocalList, SiteState
from sitelink.ops import Op
from sitelink.states import LocalListState


def _id_token_listed(_state: SiteState, op: Op, event: e.IdTokenListed) -> Changes:
    """As it stands in the op: nothing of what was listed before stays."""
    listed = IdToken(
        id=IdTokenKey(op.entity.partition(":")[2]), id_token=event.id_token, changed_at=op.t.wall, status=event.status,
        type=event.type, expires=event.expires, group=event.group, charge_points=event.charge_points, note=event.note,
        source=event.source,
    )  # fmt: skip
    return Changes(put=(listed,))


def _id_token_removed(state: SiteState, op: Op, _event: e.IdTokenRemoved) -> Changes:
    return Changes(drop=(op.entity,)) if op.entity.partition(":")[2] in state.id_tokens else NOTHING


def _local_list_taken(state: SiteState, op: Op, event: e.LocalListTaken) -> Changes:
    key = StationKey(op.entity.partition(":")[2])
    before = state.local_lists.get(key)
    listed = {id_token_key(entry.id_token): entry for entry in event.entries}
    gone = {id_token_key(entry.id_token) for entry in event.removed} - listed.keys()
    kept = {} if event.full or before is None else {k: v for k, v in before.entries.items() if k not in gone}
    entries = {**kept, **listed}
    taken = LocalList(
        station=key, at=op.t.wall, state=LocalListState.SENDING if event.more else LocalListState.CURRENT,
        version=event.version, entries=entries, left_out=event.left_out,
    )  # fmt: skip
    return Changes(put=(taken,))


def _local_list_not_taken(state: SiteState, op: Op, event: e.LocalListNotTaken) -> Changes:
    key = StationKey(op.entity.partition(":")[2])
    before = state.local_lists.get(key) or LocalList(station=key, at=op.t.wall, state=event.state)
    return Changes(put=(replace(before, at=op.t.wall, state=event.state, reason=event.reason),))


FOLDS: dict[type[e.Event], Fold] = {
    e.IdTokenListed: _id_token_listed,
    e.IdTokenRemoved: _id_token_removed,
    e.LocalListTaken: _local_list_taken,
    e.LocalListNotTaken: _local_list_not_taken,
}
