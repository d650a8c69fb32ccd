"""Which of the installer's four buttons may be pressed now, and if not, why not.

Pure. Start at `actions_of`. The reason is a code of web_ui.wording. Source: UX §1.5, "Remote action availability".
"""

import msgspec

from sitelink.model import ChargePoint, Command, Job, SiteState, Station
from sitelink.states import COMMAND_RUNNING, ActionName, ChargePointState, IntegrationState, JobStatus
from sitelink.status import Status, speaks_2x, status_of

_STARTABLE = frozenset(
    {
        ChargePointState.AVAILABLE,
        ChargePointState.PASSIVE,
        ChargePointState.BUSY_NON_CHARGING,
        ChargePointState.BUSY_RESERVED,
    }
)
SCHEDULED = "Scheduled"
"""What a station answers to a reboot it will do when the charge has ended."""


class ActionView(msgspec.Struct, frozen=True):
    name: ActionName
    enabled: bool
    reason: str | None = None
    """Why it is disabled: job_not_open, no_serial, serial_in_use, not_connected, connection_error, already_charging,
    nothing_charging, state_not_startable, maintenance, command_running, unlock_not_supported."""
    confirm: bool = False
    """A car is charging there, or for a reboot anywhere at the charge point: the press must say so."""


def actions_of(state: SiteState, job: Job, row: ChargePoint, *, by_operator: bool = False) -> tuple[ActionView, ...]:
    """All four, in the guide's order; a disabled one says why. `by_operator`: who asks looks after the charge point
    beyond its job, and may do all but start a test there.
    """
    status = status_of(state, row)
    return tuple(_action(state, job, row, status, name, by_operator=by_operator) for name in ActionName)


def _action(
    state: SiteState, job: Job, row: ChargePoint, status: Status, name: ActionName, *, by_operator: bool
) -> ActionView:
    beyond = by_operator and name is not ActionName.START and job.status is not JobStatus.CANCELLED
    reason = _reason_against(state, job, row, status, name, beyond_its_job=beyond)
    return ActionView(name, reason is None, reason, confirm=_ends_a_charge(state, row, name))


def _ends_a_charge(state: SiteState, row: ChargePoint, name: ActionName) -> bool:
    if name is ActionName.REBOOT:
        return bool(row.identity) and state.is_charging(row.station)
    return name is ActionName.UNLOCK and state.charge_of(row) is not None


def _reason_against(
    state: SiteState, job: Job, row: ChargePoint, status: Status, name: ActionName, *, beyond_its_job: bool
) -> str | None:
    if job.status is not JobStatus.OPEN and not beyond_its_job:
        return "job_not_open"
    if not row.identity.strip():
        return "no_serial"
    if row.owner:
        return "serial_in_use"
    if status.integration is IntegrationState.ERROR:
        return "connection_error"
    if status.integration is not IntegrationState.CONNECTED:
        return "not_connected"
    if any(_runs(command, name) for command in (*commands_of(state, row), *_reboots_beside(state, row))):
        return "command_running"
    if name is ActionName.STOP:
        return None if state.transaction_of(row) is not None else "nothing_charging"
    if name is ActionName.START:
        return _reason_against_start(state, row, status, charging=state.charge_of(row) is not None)
    if name is ActionName.UNLOCK and not _can_unlock(state.stations.get(row.station)):
        return "unlock_not_supported"
    return None


def _reason_against_start(state: SiteState, row: ChargePoint, status: Status, *, charging: bool) -> str | None:
    if charging:
        return "already_charging"
    if status.state is ChargePointState.MAINTENANCE:
        return "maintenance"
    station = state.stations.get(row.station)
    stuck = status.state is ChargePointState.BUSY_NON_RELEASED and station and _starts_again(station)
    return None if status.state in _STARTABLE or stuck else "state_not_startable"


def _starts_again(station: Station) -> bool:
    """With the cable of the charge before: one of OCPP 2.x may, one of 1.6 only where Finishing means nothing."""
    return station.traits.finishing_sticks or speaks_2x(station)


def _can_unlock(station: Station | None) -> bool:
    """Not once it said that it cannot (OCPP.md §4.4): a fixed cable has nothing to unlock."""
    return station is None or (station.traits.unlock and ActionName.UNLOCK.value not in station.refused)


def _runs(command: Command, wanted: ActionName) -> bool:
    """One of a kind at a time, and nothing else while a reboot is under way; one that waits for the charge to end
    (OCPP 2.x B12) must not keep anybody from ending it."""
    if command.state not in COMMAND_RUNNING:
        return False
    return command.action is wanted or (command.action is ActionName.REBOOT and command.answer != SCHEDULED)


def commands_of(state: SiteState, row: ChargePoint) -> list[Command]:
    """Remote actions at the row's connector that are still in memory, oldest first."""
    return [each for each in state.commands.values() if each.charge_point == row.id]


def _reboots_beside(state: SiteState, row: ChargePoint) -> list[Command]:
    """Those ordered at other rows of the same charge point: it restarts whole."""
    return [
        each for each in state.commands.values()
        if each.action is ActionName.REBOOT and each.station == row.station and each.charge_point != row.id
    ]  # fmt: skip
