"""What a charge point was when: its connection and what it did, as spans with what ended each. Pure.

Made of the ops a box told about a station; before the first of them nothing is known. Start at `timeline_of`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from sitelink import events as e
from sitelink.model import Command
from sitelink.ops import Op
from sitelink.states import ActionName, ConnectorStatus

KINDS = (
    "station.connected", "station.heard", "station.disconnected", "station.forgotten", "station.faulted",
    "station.fault_cleared", "connector.changed", "transaction.started", "transaction.stopped",
)  # fmt: skip
"""Of the ops it is made of."""
CONNECTED, DISCONNECTED, ERROR, UNKNOWN = "connected", "disconnected", "error", "not known"
_WHILE_CHARGING = frozenset(
    {ConnectorStatus.CHARGING, ConnectorStatus.SUSPENDED_EV, ConnectorStatus.SUSPENDED_EVSE, ConnectorStatus.OCCUPIED}
)
NEAR = timedelta(minutes=2)
"""So close to each other a charge or an order and a change of state belong together."""


class Ending(msgspec.Struct, frozen=True):
    """Why something ended: a code with its `fields`. `at` is when that was told."""

    code: str
    at: datetime
    fields: dict[str, str] = {}


class Span(msgspec.Struct, frozen=True):
    """`what`: CONNECTED, DISCONNECTED, ERROR, UNKNOWN or a ConnectorStatus. `until` None: it lasts.

    `ending` None: it lasts, or nobody said why it ended.
    """

    what: str
    since: datetime
    until: datetime | None = None
    ending: Ending | None = None


class Timeline(msgspec.Struct, frozen=True):
    """Oldest first. Spans that began before `since` begin there."""

    since: datetime
    now: datetime
    connection: tuple[Span, ...]
    operation: tuple[Span, ...]


class _Lane:
    """Spans one after the other."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def become(self, what: str, at: datetime, ending: Ending) -> None:
        last = self.spans[-1] if self.spans else None
        if last is not None and last.what == what:
            return
        if last is not None:
            self.spans[-1] = msgspec.structs.replace(last, until=max(at, last.since), ending=ending)
        self.spans.append(Span(what, at))

    def explain(self, ending: Ending) -> None:
        """A better reason for the end of the last span, where it came just now."""
        if len(self.spans) > 1:
            before, after = self.spans[-2:]
            plain = before.ending is not None and before.ending.code == "reported"
            if plain and _near(after.since, ending.at) and _fits(ending, before.what, after.what):
                self.spans[-2] = msgspec.structs.replace(before, ending=ending)

    @property
    def what(self) -> str:
        """As it is now."""
        return self.spans[-1].what if self.spans else UNKNOWN

    def within(self, since: datetime) -> tuple[Span, ...]:
        return tuple(
            msgspec.structs.replace(span, since=max(span.since, since))
            for span in self.spans if span.until is None or span.until > since
        )  # fmt: skip


class _Story:
    def __init__(self, connector: int, commands: Sequence[Command]) -> None:
        self._connector = connector
        self._commands = commands
        self.connection = _Lane()
        self.operation = _Lane()
        self._faults: set[str] = set()
        self._connected = False
        self._status = UNKNOWN
        self._told: Ending | None = None
        """What was last said of a charge here."""

    def hear(self, op: Op) -> None:
        event, at = op.event, op.t.wall
        if isinstance(event, (e.StationConnected, e.StationHeard)):
            self._connect(at, "connected" if isinstance(event, e.StationConnected) else "heard")
        elif isinstance(event, (e.StationDisconnected, e.StationForgotten)):
            self._lose(at, event.reason if isinstance(event, e.StationDisconnected) else "forgotten")
        elif isinstance(event, e.StationFaulted):
            self._faults.add(event.code)
            self._trouble(Ending(event.code, at, event.detail), at)
        elif isinstance(event, e.StationFaultCleared):
            self._faults.discard(event.code)
            self._trouble(Ending("fault_cleared", at), at)
        elif isinstance(event, e.ConnectorChanged) and event.connector == self._connector:
            self._report(event.status.value, event.at)
        elif isinstance(event, e.TransactionStarted) and event.connector == self._connector:
            self._charge(Ending("charge_began", event.at, {"id": str(event.id)}), ActionName.START)
        elif isinstance(event, e.TransactionStopped):
            ending = Ending("charge_ended", event.at, {"id": str(event.id), "reason": event.reason})
            self._charge(ending, ActionName.STOP)

    def _connect(self, at: datetime, code: str) -> None:
        self._connected = True
        self._trouble(Ending(code, at), at)
        self.operation.become(self._status, at, Ending(code, at))

    def _lose(self, at: datetime, reason: str) -> None:
        self._connected = False
        ordered = self._ordered(at, ActionName.REBOOT)
        self.connection.become(DISCONNECTED, at, ordered or Ending(reason, at))
        self.operation.become(UNKNOWN, at, ordered or Ending("connection_lost", at))

    def _trouble(self, ending: Ending, at: datetime) -> None:
        if self._connected or self._faults:
            self.connection.become(ERROR if self._faults else CONNECTED, at, ending)

    def _report(self, status: str, at: datetime) -> None:
        self._status = status
        told = self._told if self._told is not None and _near(self._told.at, at) else None
        if told is not None and not _fits(told, self.operation.what, status):
            told = None
        self.operation.become(status, at, told or Ending("reported", at, {"status": status}))

    def _charge(self, ending: Ending, action: ActionName) -> None:
        self._told = self._ordered(ending.at, action, ending) or ending
        self.operation.explain(self._told)

    def _ordered(self, at: datetime, action: ActionName, charge: Ending | None = None) -> Ending | None:
        """The order that led to it, by the name of who gave it."""
        for command in reversed(self._commands):
            if command.action is action and command.requested_at <= at and _near(command.requested_at, at):
                fields = {**(charge.fields if charge is not None else {}), "by": command.by.name or ""}
                return Ending(f"ordered_{action.value}", at, fields)
        return None


def timeline_of(
    ops: Iterable[Op], connector: int, since: datetime, now: datetime, commands: Sequence[Command] = ()
) -> Timeline:
    """`ops`: of one station, oldest first, from before `since` if there are any. `commands`: to it, oldest first."""
    story = _Story(connector, commands)
    for op in ops:
        story.hear(op)
    return Timeline(since, now, story.connection.within(since), story.operation.within(since))


def _fits(charge: Ending, before: str, after: str) -> bool:
    """Whether the beginning or end of a charge is why `before` became `after`."""
    began = charge.code in ("charge_began", f"ordered_{ActionName.START.value}")
    return (after if began else before) in _WHILE_CHARGING


def _near(one: datetime, other: datetime) -> bool:
    return abs(one - other) <= NEAR
