"""Remote actions: written down first, run at most once, and followed until something actually changed.

Start at `Dispatch.request`. A command's two parts are two ops: what the station answered, and the outcome.
Sources: OCPP 1.6 §5.11, §5.12, §5.14, §5.18; DESIGN §7 (18); SYNC §2.7; OCPP.md §4.2 and §4.4.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import msgspec
import structlog

from edge_agent.site.installer_token import token_for
from edge_agent.site.ports import Committed, Decision, Journal, Ledger, Stations
from sitelink import events as e
from sitelink.actions import SCHEDULED, actions_of
from sitelink.commands import Order, OrderAnswer, RemoteStart, RemoteStop, Reset, UnlockConnector
from sitelink.errors import ActionUnavailable, ConfirmationNeeded, NoAnswer, StationOffline, StoreUnavailable
from sitelink.ids import ChargePointId, CommandId, JobId
from sitelink.job_rules import job_of, row_of
from sitelink.model import ChargePoint, Command, SiteState, Station, Transaction
from sitelink.ops import BOX, STATION, Author, Fact
from sitelink.states import (
    COMMAND_RUNNING,
    ActionName,
    AuthorType,
    ChargePointState,
    CommandState,
    ConnectorStatus,
    Registration,
)
from sitelink.status import charge_point_state_of

log = structlog.get_logger()

RECORD_AGAIN_S = 2.0
STATION_REFUSES = frozenset({"Rejected", "NotSupported", "UnlockFailed"})
"""Words of a CALLRESULT that say no; any other refusal is a CALLERROR code."""


class Patience(msgspec.Struct, frozen=True):
    """How long an effect is awaited, in seconds."""

    start_s: float = 60
    stop_s: float = 60
    reboot_s: float = 600


class Dispatch:
    """Runs commands. `run` is a long-lived task; without it commands are written down and wait."""

    def __init__(self, journal: Journal, stations: Stations, patience: Patience | None = None) -> None:
        self._journal = journal
        self._stations = stations
        self._patience = patience or Patience()
        self._queue: asyncio.Queue[_Work] = asyncio.Queue(1000)
        self._waiters: set[asyncio.Event] = set()
        journal.subscribe(self._committed)

    async def request(
        self, job: JobId, row: ChargePointId, action: ActionName, author: Author, *,
        command: CommandId, confirm: bool = False, hard: bool = False,
    ) -> CommandId:  # fmt: skip
        """Write a command down and set it going. One that is known by its id is answered from the record.

        Raises ActionUnavailable, ConfirmationNeeded, NotFound.
        """

        def decide(ledger: Ledger) -> Decision[_Before | None]:
            state = ledger.state
            if command in state.commands:
                return Decision((), None)
            found = job_of(state, job)
            charge_point = row_of(state, found, row)
            by_operator = author.type is AuthorType.OPERATOR
            views = actions_of(state, found, charge_point, by_operator=by_operator)
            view = next(each for each in views if each.name is action)
            if view.reason is not None:
                raise ActionUnavailable(action=action.value, reason=view.reason, name=charge_point.name)
            station = state.stations.get(charge_point.station)
            if view.confirm and not confirm:
                raise ConfirmationNeeded(action=action.value, name=charge_point.name)
            event = e.CommandRequested(
                action=action, charge_point=row, station=charge_point.station, connector=charge_point.connector,
                detail=_detail(action, token_for(station, found.test_token), ledger, charge_point, hard),
            )  # fmt: skip
            before = _Before.of(station)
            return Decision((Fact(f"command:{command}", event, author, job=job),), before)

        before = await self._journal.write(decide)
        if before is not None:
            await self._queue.put(_Work(command, before))
        return command

    async def run(self) -> None:
        """Take up commands for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                work = await self._queue.get()
                group.create_task(self._attempt(work), name=f"command {work.command}")

    async def interrupt_unfinished(self) -> None:
        """At start: what was under way when the box stopped is recorded as interrupted, and not rerun."""

        def decide(ledger: Ledger) -> Decision[int]:
            unfinished = [each for each in ledger.state.commands.values() if each.state in COMMAND_RUNNING]
            ended = e.CommandEnded(CommandState.INTERRUPTED, "interrupted")
            return Decision(tuple(Fact(f"command:{each.id}", ended, BOX) for each in unfinished), len(unfinished))

        try:
            count = await self._journal.write(decide)
        except StoreUnavailable:
            log.warning("commands_not_interrupted")
        else:
            if count:
                log.warning("commands_interrupted", count=count)

    async def _attempt(self, work: "_Work") -> None:
        """A bug ends this command alone."""
        try:
            await self._execute(work)
        except Exception:
            log.exception("command_failed", command=work.command)
            await self._end(work.command, CommandState.FAILED, "not_run")

    async def _execute(self, work: "_Work") -> None:
        command = self._journal.state.commands[work.command]
        answer = work.answer
        if answer is None:
            answer = await self._send(command, work.before)
            if answer is None and command.action is not ActionName.REBOOT:
                return
        if answer is not None and not await self._answered(command, answer, late=work.answer is not None):
            return
        await self._follow(command, work.before)

    async def _send(self, command: Command, before: "_Before") -> OrderAnswer | None:
        """The station's answer. None: there was none; for a reboot that is no failure yet (some just drop the link)."""

        async def late(answer: OrderAnswer) -> None:
            await self._queue.put(_Work(command.id, before, answer))

        reboot = command.action is ActionName.REBOOT
        try:
            return await self._stations.send(command.station, order_of(command), late)
        except StationOffline as error:
            sent = bool(error.fields.get("sent"))
            if not (reboot and sent):
                await self._end(command.id, CommandState.FAILED, "link_lost" if sent else "offline")
        except NoAnswer:
            if not reboot or self._stations.is_online(command.station):
                await self._end(command.id, CommandState.TIMED_OUT, "no_answer")
        return None

    async def _answered(self, command: Command, answer: OrderAnswer, *, late: bool) -> bool:
        """Record the answer. True when an effect is to be awaited."""
        state, outcome = _reading(command.action, answer)
        if outcome == "refused":
            outcome = _why_refused(self._journal.state, command)
        event = e.CommandAnswered(answer=answer.word, state=state, outcome=outcome, late=late)
        await self._record(command.id, event, STATION)
        return state is CommandState.ANSWERED

    def _reboot_patience_s(self, command: Command) -> float:
        station = self._journal.state.stations.get(command.station)
        return max(self._patience.reboot_s, station.traits.back_after_reset_s if station else 0)

    async def _follow(self, command: Command, before: "_Before") -> None:
        """Wait for what was asked to become true in the state."""
        if self._journal.state.commands[command.id].state not in COMMAND_RUNNING:
            return
        if command.action is ActionName.START:
            started = await self._until(lambda state: _started(state, command), self._patience.start_s)
            await self._conclude(command, started, "started", "nothing_started")
        elif command.action is ActionName.STOP:
            stopped = await self._until(lambda state: _stopped(state, command), self._patience.stop_s)
            await self._conclude(command, stopped, "stopped", "nothing_stopped")
        elif command.action is ActionName.REBOOT:
            back = await self._until(lambda state: _back(state, command, before), self._reboot_patience_s(command))
            waits = self._journal.state.commands[command.id].answer == SCHEDULED
            await self._conclude(command, back, "rebooted", "reboot_waits" if waits else "not_back")

    async def _conclude(self, command: Command, seen: dict[str, object] | None, done: str, not_done: str) -> None:
        if seen is not None:
            await self._end(command.id, CommandState.DONE, done, seen)
        else:
            await self._end(command.id, CommandState.TIMED_OUT, not_done)

    async def _until(
        self, effect: Callable[[SiteState], dict[str, object] | None], patience_s: float
    ) -> dict[str, object] | None:
        wake = asyncio.Event()
        self._waiters.add(wake)
        try:
            async with asyncio.timeout(patience_s):
                while True:
                    wake.clear()
                    seen = effect(self._journal.state)
                    if seen is not None:
                        return seen
                    await wake.wait()
        except TimeoutError:
            return None
        finally:
            self._waiters.discard(wake)

    def _committed(self, _committed: Committed) -> None:
        for wake in self._waiters:
            wake.set()

    async def _end(
        self, command: CommandId, state: CommandState, outcome: str, detail: dict[str, object] | None = None
    ) -> None:
        await self._record(command, e.CommandEnded(state, outcome, detail or {}), BOX)

    async def _record(self, command: CommandId, event: e.Event, author: Author) -> None:
        """What became of a command is written down, if need be when the disk takes something again."""
        fact = Fact(f"command:{command}", event, author)
        while True:
            try:
                await self._journal.write(lambda _ledger: Decision((fact,), None))
                return
            except StoreUnavailable:
                await asyncio.sleep(RECORD_AGAIN_S)


class _Work(msgspec.Struct, frozen=True):
    """A command to run, or its answer that came late, with what the station was like before it was sent."""

    command: CommandId
    before: "_Before"
    answer: OrderAnswer | None = None


class _Before(msgspec.Struct, frozen=True):
    """What the station was like before the order."""

    boots: int = 0
    link_changed_at: datetime | None = None

    @classmethod
    def of(cls, station: Station | None) -> "_Before":
        return cls(station.boots, station.changed_at) if station else cls()


def _detail(action: ActionName, test_token: str, ledger: Ledger, row: ChargePoint, hard: bool) -> dict[str, object]:
    """What the order needs beside station and connector, kept with the command."""
    if action is ActionName.START:
        return {"id_token": test_token, "remote_start": int(ledger.next_transaction_id())}
    transaction = ledger.state.transaction_of(row)
    if action is ActionName.STOP and transaction is not None:
        return {"transaction": transaction.id, "name": transaction.name}
    if action is ActionName.UNLOCK:
        return {"plug": _plug(ledger.state.stations.get(row.station), row.connector, transaction)}
    if action is ActionName.REBOOT:
        return {"kind": "hard" if hard else "soft"}
    return {}


def _plug(station: Station | None, place: int, transaction: Transaction | None) -> int:
    """The plug a car hangs on, as far as that is known; else the first."""
    if transaction is not None and transaction.plug is not None:
        return transaction.plug
    connector = station.connectors.get(place) if station is not None else None
    plugs = connector.plugs if connector is not None else {}
    return next((plug for plug, status in sorted(plugs.items()) if status is ConnectorStatus.OCCUPIED), 1)


def order_of(command: Command) -> Order:
    """The order a command stands for."""
    if command.action is ActionName.START:
        return RemoteStart(command.connector, command.detail["id_token"], command.detail.get("remote_start", 0))
    if command.action is ActionName.STOP:
        return RemoteStop(command.detail["transaction"], command.detail.get("name"))
    if command.action is ActionName.UNLOCK:
        return UnlockConnector(command.connector, command.detail.get("plug", 1))
    return Reset(hard=command.detail.get("kind") == "hard")


def _reading(action: ActionName, answer: OrderAnswer) -> tuple[CommandState, str | None]:
    """What an answer means for the command: its state and, when that is the end, the outcome."""
    if answer.accepted:
        return (CommandState.DONE, "unlocked") if action is ActionName.UNLOCK else (CommandState.ANSWERED, None)
    if answer.word == "UnlockFailed":
        return CommandState.FAILED, "unlock_failed"
    if answer.word == "NotSupported":
        return CommandState.REFUSED, "not_supported"
    if answer.word == "OngoingAuthorizedTransaction":
        return CommandState.REFUSED, "unlock_while_charging"
    if answer.word in ("UnknownConnector", "UnknownEvse"):
        return CommandState.REFUSED, "unknown_connector"
    if answer.word in STATION_REFUSES:
        return CommandState.REFUSED, "refused"
    return CommandState.FAILED, "call_error"


def _why_refused(state: SiteState, command: Command) -> str:
    """Many refuse a start until the cable of the charge before was pulled; a refused stop leaves the reset to be
    tried (OCPP.md §4.4)."""
    row = state.charge_points.get(command.charge_point)
    finishing = row is not None and charge_point_state_of(state, row) is ChargePointState.BUSY_NON_RELEASED
    if finishing and command.action is ActionName.START:
        return "unplug_first"
    return "stop_refused" if command.action is ActionName.STOP else "refused"


def _started(state: SiteState, command: Command) -> dict[str, object] | None:
    """A transaction at the connector that was not there before, by the test token where the station kept it.

    In OCPP 2.x it tells which remote start it answers (F02); one that does not must at least show the token.
    """
    station = state.stations.get(command.station)
    running = station.transactions.get(command.connector) if station else None
    transaction = state.transactions.get(running) if running is not None else None
    if transaction is None or not transaction.authorised:
        return None
    told = transaction.remote_start
    if told not in (None, command.detail.get("remote_start")):
        return None
    if told is None and transaction.name is not None and not transaction.test:
        return None  # somebody's own card
    return {"transaction": transaction.id, "at": transaction.started_at, "test": transaction.test}


def _stopped(state: SiteState, command: Command) -> dict[str, object] | None:
    transaction = state.transactions.get(command.detail["transaction"])
    if transaction is None:
        return {"transaction": command.detail["transaction"]}
    if transaction.stopped_at is None:
        return None
    used = None
    plausible = not transaction.flags
    if plausible and transaction.meter_stop_wh is not None and transaction.meter_start_wh is not None:
        used = transaction.meter_stop_wh - transaction.meter_start_wh
    return {"transaction": transaction.id, "at": transaction.stopped_at, "energy_wh": used}


def _back(state: SiteState, command: Command, before: "_Before") -> dict[str, object] | None:
    """A boot, or a link that was lost and is there again (OCPP.md §4.2: some answer a Reset with nothing)."""
    station = state.stations.get(command.station)
    if station is None or not station.connected or station.registration is not Registration.ACCEPTED:
        return None
    if _Before.of(station) == before:
        return None
    if state.commands[command.id].answer == SCHEDULED and station.boots == before.boots:
        return None  # a link that was lost meanwhile is no reboot
    since = (station.booted_at if station.boots != before.boots else station.changed_at) or command.requested_at
    return {"seconds": max(0, round((since - command.requested_at).total_seconds())), "at": since}
