"""Keeps the lists of id tokens in step that stations hold for when they are offline.

Start at `LocalLists.run`. What a list should hold and how it gets there is decided in `local_list`; here it is sent,
to a few stations at a time, and what a station confirmed is written down. While `authorisation.local_list` is off
nothing is sent except by request (`bring_up_to_date`). Sources: OCPP 1.6 §5.15; OCPP 2.0.1 D01, D02; OCPP.md §4.2.
"""

import asyncio
import contextlib
import math
from collections import defaultdict
from datetime import datetime

import msgspec
import structlog

from edge_agent.site.local_list import characters_of, plan, takes_leave, wanted
from edge_agent.site.ports import Committed, Decision, Journal, Stations
from sitelink import events as e
from sitelink.box_settings import value_of
from sitelink.commands import ClearCache, GetLocalListVersion, ListLimits, OrderAnswer, ReadListLimits, SendLocalList
from sitelink.errors import NoAnswer, SiteError
from sitelink.ids import StationKey
from sitelink.inventory import LIST_ENTRIES
from sitelink.model import LocalList
from sitelink.ops import BOX, STATION, Fact
from sitelink.states import LocalListState, Registration, ReportKind

log = structlog.get_logger()

AT_ONCE = 4
"""Stations that are sent to at the same time."""
_OF_THE_SITE = (
    e.IdTokenListed, e.IdTokenRemoved, e.JobImported, e.JobCompleted, e.JobReopened, e.JobArchived, e.JobCancelled,
    e.FieldSet, e.OwnershipLearned, e.SettingSet,
)  # fmt: skip
"""What can change every list."""
_NOT_SUPPORTED = frozenset({"NotSupported", "NotImplemented"})
_SEND_WHOLE = frozenset({"VersionMismatch", "Failed"})
"""Answers that ask for the whole list (OCPP 1.6 §5.15, OCPP 2.0.1 D01.FR.18)."""


class Pace(msgspec.Struct, frozen=True):
    """`coalesce_s`: from a change until it is sent. `settle_s`: from a boot, which some want to end in peace."""

    coalesce_s: float = 2.0
    settle_s: float = 5.0


class ListView(msgspec.Struct, frozen=True):
    """A station's list as an operator sees it."""

    version: int
    entries: int
    left_out: int
    state: LocalListState
    reason: str
    at: datetime


class LocalLists:
    """`enabled`: stations are kept up to date by themselves, as long as nothing else was said from above."""

    def __init__(self, journal: Journal, stations: Stations, *, enabled: bool, pace: Pace | None = None) -> None:
        self._journal = journal
        self._stations = stations
        self._enabled = enabled
        self._pace = pace or Pace()
        self._due: dict[StationKey, float] = {}
        self._outdated: set[StationKey] = set()
        """What a list should hold is not looked for while somebody waits: with many tokens that takes its time."""
        self._unverified: set[StationKey] = set()
        """Booted since their version was last asked."""
        self._limits: dict[StationKey, ListLimits] = {}
        self._locks: defaultdict[StationKey, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._wake = asyncio.Event()
        self._sleeps_until = math.inf
        """By the loop's clock: what is due later wakes nobody."""
        journal.subscribe(self._committed)

    # ---- by itself ----

    def _committed(self, committed: Committed) -> None:
        if committed.changes and not committed.ops:  # records of the cloud, all at once
            self._mark_all()
        for op in committed.logged:
            event, key = op.event, StationKey(op.entity.partition(":")[2])
            if isinstance(event, _OF_THE_SITE):
                self._mark_all()
            elif isinstance(event, e.StationBooted) and event.verdict is Registration.ACCEPTED:
                self._unverified.add(key)
                self._mark(key, self._pace.settle_s)
            elif isinstance(event, e.StationForgotten):
                self._forget(key)
            elif isinstance(event, (e.StationConnected, e.StationConfigured, e.StationTestTokenSet)):
                self._mark(key, self._pace.settle_s)

    def _mark_all(self) -> None:
        for station in self._journal.state.stations:
            self._mark(station, self._pace.coalesce_s)

    def _forget(self, station: StationKey) -> None:
        for memory in (self._due, self._limits):
            memory.pop(station, None)
        for names in (self._outdated, self._unverified):
            names.discard(station)

    def _mark(self, station: StationKey, within_s: float) -> None:
        """The first change counts, so that a stream of changes does not put it off for ever."""
        if station in self._due:
            return
        due = self._due[station] = asyncio.get_running_loop().time() + within_s
        if due < self._sleeps_until:
            self._wake.set()

    async def run(self) -> None:
        """Send what is due, or find out that it would be, for ever."""
        for station in list(self._journal.state.stations):
            self._mark(station, self._pace.settle_s)
        slots = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            while True:
                await self._something_due()
                now = asyncio.get_running_loop().time()
                for station in [key for key, due in self._due.items() if due <= now]:
                    del self._due[station]
                    await slots.acquire()
                    task = group.create_task(self._attempt(station), name=f"list of {station}")
                    task.add_done_callback(lambda _: slots.release())

    async def _something_due(self) -> None:
        while True:
            self._wake.clear()
            now = asyncio.get_running_loop().time()
            next_due = min(self._due.values(), default=None)
            if next_due is not None and next_due <= now:
                return
            self._sleeps_until = math.inf if next_due is None else next_due
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if next_due is None else next_due - now):
                    await self._wake.wait()

    async def _attempt(self, station: StationKey) -> None:
        """A failure ends this attempt alone; the next change, boot or connection brings the next one."""
        try:
            if self._is_enabled and self._is_ready(station) and self._has_work(station):
                await self.bring_up_to_date(station)
            self._look_at(station)
        except SiteError as error:
            log.warning("local_list_not_sent", charge_point=station, code=error.code)
        except Exception:
            log.exception("local_list_failed", charge_point=station)

    @property
    def _is_enabled(self) -> bool:
        above = value_of(self._journal.state, "authorisation.local_list")
        return self._enabled if above is None else above == "on"

    def _is_ready(self, station: StationKey) -> bool:
        known = self._journal.state.stations.get(station)
        accepted = known is not None and known.registration is Registration.ACCEPTED
        return accepted and self._stations.is_online(station)

    def _has_work(self, station: StationKey) -> bool:
        held = self._journal.state.local_lists.get(station)
        if held is None or station in self._unverified or station not in self._limits:
            return True
        if held.state in (LocalListState.NOT_SUPPORTED, LocalListState.NOT_ENABLED):
            return False  # until it boots again
        return held.state is not LocalListState.CURRENT or self._is_outdated(held)

    # ---- one station ----

    def view(self, station: StationKey) -> ListView | None:
        """None where nothing was ever sent."""
        held = self._journal.state.local_lists.get(station)
        if held is None:
            return None
        outdated = held.state is LocalListState.CURRENT and station in self._outdated
        state = LocalListState.OUTDATED if outdated else held.state
        return ListView(held.version, len(held.entries), held.left_out, state, held.reason, held.at)

    def _look_at(self, station: StationKey) -> None:
        held = self._journal.state.local_lists.get(station)
        if held is not None and self._is_outdated(held):
            self._outdated.add(station)
        else:
            self._outdated.discard(station)

    def _is_outdated(self, held: LocalList) -> bool:
        limits = self._limits.get(held.station)
        if limits is None:  # of a box that was restarted: as long as nothing else is known, what it holds is a measure
            guessed = self._limits_unsaid(held.station)
            limits = msgspec.structs.replace(guessed, entries=len(held.entries) if held.left_out else None)
        return wanted(self._journal.state, held.station, limits)[0] != held.entries

    async def bring_up_to_date(self, station: StationKey, *, full: bool = False, clear_cache: bool = False) -> None:
        """Make the station's list what it should be; `full` even where it is. Raises StationOffline, NoAnswer,
        StoreUnavailable."""
        async with self._locks[station]:
            if clear_cache:
                await self._stations.send(station, ClearCache())
            try:
                limits = await self._limits_of(station)
                if limits.enabled is False:
                    await self._record(station, e.LocalListNotTaken(LocalListState.NOT_ENABLED))
                    return
                reported = await self._version_of(station)
                if reported is not None and not await self._send(station, limits, reported, full=full):
                    await self._send(station, limits, await self._version_of(station) or reported, full=True, last=True)
            except NoAnswer:
                await self._record(station, e.LocalListNotTaken(LocalListState.FAILED, "no_answer"))
                raise
            self._unverified.discard(station)
            self._outdated.discard(station)

    async def _limits_of(self, station: StationKey) -> ListLimits:
        answer = await self._stations.send(station, ReadListLimits())
        unsaid = self._limits_unsaid(station)
        limits = answer.payload if isinstance(answer.payload, ListLimits) else unsaid
        if limits.typed:
            limits = msgspec.structs.replace(limits, id_token_characters=unsaid.id_token_characters)
        inventory = self._journal.state.report_of(station, ReportKind.INVENTORY)
        if limits.entries is None and inventory is not None:  # of 2.x: the highest value Entries may have
            limits = msgspec.structs.replace(limits, entries=inventory.facts.get(LIST_ENTRIES))
        self._limits[station] = limits
        return limits

    def _limits_unsaid(self, station: StationKey) -> ListLimits:
        """What its version alone says."""
        known = self._journal.state.stations.get(station)
        typed = known is not None and (known.version or "").startswith("2")
        return ListLimits(id_token_characters=characters_of(known.version if known else None), typed=typed)

    async def _version_of(self, station: StationKey) -> int | None:
        """What it says it has; None, written down, where it keeps no list."""
        answer = await self._stations.send(station, GetLocalListVersion())
        if answer.accepted and isinstance(answer.payload, int) and answer.payload >= 0:
            return answer.payload
        none = answer.accepted or answer.word in _NOT_SUPPORTED
        state = LocalListState.NOT_SUPPORTED if none else LocalListState.FAILED
        await self._record(station, e.LocalListNotTaken(state, answer.word))
        return None

    async def _send(
        self, station: StationKey, limits: ListLimits, reported: int, *, full: bool, last: bool = False
    ) -> bool:
        """False: it asks for the whole list. What else it may answer is written down."""
        state = self._journal.state
        goal, left_out = wanted(state, station, limits)
        held = state.local_lists.get(station)
        steps = plan(goal, held, reported, limits, full=full)
        if not steps and held is not None and held.state is not LocalListState.CURRENT:
            await self._record(station, e.LocalListTaken(held.version, full=False, left_out=left_out))
        for number, step in enumerate(steps, 1):
            answer = await self._stations.send(station, step)
            if not answer.accepted:
                return await self._refused(station, answer, last=last)
            await self._record(station, _taken(step, more=number < len(steps), left_out=left_out))
        if steps and takes_leave(goal, held):
            with contextlib.suppress(NoAnswer):  # the list is there all the same, and comes before the cache
                await self._stations.send(station, ClearCache())
        return True

    async def _refused(self, station: StationKey, answer: OrderAnswer, *, last: bool) -> bool:
        if answer.word in _SEND_WHOLE and not last:
            return False
        none = answer.word in _NOT_SUPPORTED
        state = LocalListState.NOT_SUPPORTED if none else LocalListState.FAILED
        await self._record(station, e.LocalListNotTaken(state, answer.word))
        return True

    async def _record(self, station: StationKey, event: e.LocalListTaken | e.LocalListNotTaken) -> None:
        author = STATION if isinstance(event, e.LocalListTaken) else BOX
        fact = Fact(f"local_list:{station}", event, author)
        await self._journal.write(lambda _ledger: Decision((fact,), None))


def _taken(step: SendLocalList, *, more: bool, left_out: int) -> e.LocalListTaken:
    return e.LocalListTaken(step.version, step.full, step.entries, step.removed, more, left_out)
