"""The fold of remote actions. Pure. Start at `FOLDS`."""

from msgspec.structs import replace

from sitelink import events as e
from sitelink.folding.changes import NOTHING, Changes, Fold
from sitelink.ids import CommandId
from sitelink.model import Command, SiteState
from sitelink.ops import Op
from sitelink.states import COMMAND_RUNNING

NOT_SUPPORTED = "not_supported"
"""Outcome of a command the station cannot do: it is not offered again."""


def _command(state: SiteState, op: Op) -> Command | None:
    return state.commands.get(CommandId(op.entity.partition(":")[2]))


def _command_requested(state: SiteState, op: Op, event: e.CommandRequested) -> Changes:
    if _command(state, op) is not None:
        return NOTHING
    command = Command(
        id=CommandId(op.entity.partition(":")[2]), action=event.action, charge_point=event.charge_point,
        station=event.station, connector=event.connector, by=op.author, requested_at=op.t.wall, detail=event.detail,
    )  # fmt: skip
    return Changes(put=(command,))


def _command_answered(state: SiteState, op: Op, event: e.CommandAnswered) -> Changes:
    command = _command(state, op)
    if command is None or command.answer is not None:
        return NOTHING
    ended = None if event.state in COMMAND_RUNNING else op.t.wall
    answered = replace(
        command, answer=event.answer, answered_at=op.t.wall, state=event.state, late=event.late,
        outcome=event.outcome, ended_at=ended,
    )  # fmt: skip
    station = state.stations.get(command.station)
    if event.outcome != NOT_SUPPORTED or station is None or command.action.value in station.refused:
        return Changes(put=(answered,))
    return Changes(put=(answered, replace(station, refused=(*station.refused, command.action.value))))


def _command_ended(state: SiteState, op: Op, event: e.CommandEnded) -> Changes:
    command = _command(state, op)
    if command is None or command.state not in COMMAND_RUNNING:
        return NOTHING
    return Changes(
        put=(
            replace(command, state=event.state, outcome=event.outcome, outcome_detail=event.detail, ended_at=op.t.wall),
        )
    )


FOLDS: dict[type[e.Event], Fold] = {
    e.CommandRequested: _command_requested,
    e.CommandAnswered: _command_answered,
    e.CommandEnded: _command_ended,
}
