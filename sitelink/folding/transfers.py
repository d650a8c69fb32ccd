"""The fold of files on their way. Pure. Start at `FOLDS`."""

from msgspec.structs import replace

from sitelink import events as e
from sitelink.folding.changes import NOTHING, Changes, Fold
from sitelink.ids import TransferId
from sitelink.model import ENDED_TRANSFERS_KEPT, TOLD_KEPT, SiteState, Told, Transfer
from sitelink.ops import Op
from sitelink.states import COMMAND_RUNNING


def _transfer(state: SiteState, op: Op) -> Transfer | None:
    return state.transfers.get(TransferId(op.entity.partition(":")[2]))


def _transfer_requested(state: SiteState, op: Op, event: e.TransferRequested) -> Changes:
    if _transfer(state, op) is not None:
        return NOTHING
    transfer = Transfer(
        id=TransferId(op.entity.partition(":")[2]), kind=event.kind, station=event.station, request=event.request,
        method=event.method, by=op.author, requested_at=op.t.wall, file=event.file, version=event.version,
        version_before=event.version_before, boots_before=event.boots_before, signed=event.signed, size=event.size,
        sha256=event.sha256,
    )  # fmt: skip
    ended = [each.key for each in state.transfers.values() if not each.running]
    return Changes(put=(transfer,), drop=tuple(ended[: max(0, len(ended) - ENDED_TRANSFERS_KEPT)]))


def _transfer_answered(state: SiteState, op: Op, event: e.TransferAnswered) -> Changes:
    transfer = _transfer(state, op)
    if transfer is None or transfer.answer is not None:
        return NOTHING
    answered = replace(
        transfer, answer=event.answer, answered_at=op.t.wall, late=event.late, station_file=event.station_file
    )  # fmt: skip
    if not transfer.running:
        return Changes(put=(answered,))
    ended_at = None if event.state in COMMAND_RUNNING else op.t.wall
    return Changes(put=(replace(answered, state=event.state, outcome=event.outcome, ended_at=ended_at),))


def _transfer_told(state: SiteState, op: Op, event: e.TransferTold) -> Changes:
    """Also of one that has ended: what the station says later is shown, and ends nothing again."""
    transfer = _transfer(state, op)
    told = Told(word=event.word, at=op.t.wall)
    if transfer is None or told in transfer.told:
        return NOTHING
    return Changes(put=(replace(transfer, told=(*transfer.told, told)[-TOLD_KEPT:]),))


def _transfer_moved(state: SiteState, op: Op, event: e.TransferMoved) -> Changes:
    transfer = _transfer(state, op)
    if transfer is None or transfer.moved_at is not None:
        return NOTHING
    return Changes(put=(replace(transfer, size=event.size, sha256=event.sha256, moved_at=op.t.wall),))


def _transfer_tried(state: SiteState, op: Op, event: e.TransferTried) -> Changes:
    transfer = _transfer(state, op)
    if transfer is None or transfer.tried_by == op.op_id:
        return NOTHING
    return Changes(put=(replace(transfer, tries=transfer.tries + 1, problem=event.problem, tried_by=op.op_id),))


def _transfer_ended(state: SiteState, op: Op, event: e.TransferEnded) -> Changes:
    transfer = _transfer(state, op)
    if transfer is None or not transfer.running:
        return NOTHING
    return Changes(
        put=(
            replace(
                transfer, state=event.state, outcome=event.outcome, outcome_detail=event.detail, ended_at=op.t.wall
            ),
        )
    )  # fmt: skip


def _transfer_file_removed(state: SiteState, op: Op, _event: e.TransferFileRemoved) -> Changes:
    transfer = _transfer(state, op)
    return Changes(put=(replace(transfer, file=None),)) if transfer and transfer.file else NOTHING


FOLDS: dict[type[e.Event], Fold] = {
    e.TransferRequested: _transfer_requested,
    e.TransferAnswered: _transfer_answered,
    e.TransferTold: _transfer_told,
    e.TransferMoved: _transfer_moved,
    e.TransferTried: _transfer_tried,
    e.TransferEnded: _transfer_ended,
    e.TransferFileRemoved: _transfer_file_removed,
}
