"""The site's meters: which are to be read, and what the last reading said.

What a meter says between two readings is nobody's fact yet: it stands here, in memory, and pages are told. Start at
`MeterDesk`. Whoever reads them is behind `MeterSite`.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec
import structlog

from edge_agent.site.meter_readings import MeterReadings
from edge_agent.site.ports import Committed, Journal, MeterPoll
from edge_agent.site.wiring import WiringDesk
from sitelink.clock import Clock
from sitelink.events import MeterListed, WiringProved
from sitelink.meter_endpoints import EndpointInvalid, endpoint_of
from sitelink.meter_values import Grade, Moment
from sitelink.model import Job
from sitelink.states import JobStatus
from sitelink.wiring import findings_of
from web_ui.ports import MeterKey, MeterState

log = structlog.get_logger()

TOLD_EVERY_S = 1.0
READ_WHILE = (JobStatus.OPEN, JobStatus.COMPLETED)


class MeterDesk:
    """See `MeterSite`."""

    def __init__(
        self, journal: Journal, clock: Clock, news: Callable[[], None],
        models: Callable[[], Mapping[str, str]] = dict, readings: MeterReadings | None = None,
        wiring: WiringDesk | None = None,
    ) -> None:  # fmt: skip
        """`models`: names of models by profile; it may block."""
        self._load_models = models
        self._readings = readings
        self._wiring = wiring
        self.models: Mapping[str, str] = {}
        self._journal = journal
        self._clock = clock
        self._news = news
        self._states: dict[MeterKey, MeterState] = {}
        self._all: dict[MeterKey, MeterListed] = {}
        self._listed: dict[MeterKey, MeterListed] = {}
        self._held = False
        self._change = asyncio.Event()
        self._told_at = -TOLD_EVERY_S
        journal.subscribe(self._committed)

    async def load_models(self) -> Mapping[str, str]:
        if not self.models:
            self.models = await asyncio.to_thread(self._load_models)
        return self.models

    def listed(self) -> Mapping[MeterKey, MeterListed]:
        self._change.clear()
        before, self._all = self._all, {
            (job.id, meter.name): meter
            for job in self._journal.state.jobs.values() if job.status in READ_WHILE for meter in job.meters
        }  # fmt: skip
        # What the meter that was called so before said is not said by the one that is now.
        same = {key for key, meter in self._all.items() if before.get(key) == meter}
        self._states = {key: state for key, state in self._states.items() if key in same}
        if self._readings is not None:
            self._readings.keep_only(self._all)
        if self._wiring is not None:
            self._wiring.keep_only(same)
        self._listed = {key: meter for key, meter in self._all.items() if not (self._held and _is_serial(meter))}
        return self._listed

    @contextmanager
    def lines_held(self, *, held: bool = True) -> Iterator[None]:
        """Meanwhile no meter on a serial port is read: somebody else uses the ports."""
        self._held = held
        self._change.set()
        for key, meter in self._all.items() if held else ():
            if _is_serial(meter):
                self.take(MeterPoll(meter=key, problem="searching"))
        try:
            yield
        finally:
            self._held = False
            self._change.set()

    async def changed(self) -> None:
        while True:
            await self._change.wait()
            before = self._listed
            if self.listed() != before:
                return

    def states(self) -> Mapping[MeterKey, MeterState]:
        """What is known of each."""
        return self._states

    def wiring(self, meter: MeterKey) -> WiringProved | None:
        """How it seems to be wired; None while it is not read."""
        state = self._states.get(meter)
        if state is None or state.problem:
            return None
        charge = self._wiring.seen(meter) if self._wiring is not None else None
        return WiringProved(meter[1], dict(state.values), findings_of(state.values), charge)

    async def moments(self, meter: MeterKey, grade: Grade, since_s: int) -> Sequence[Moment]:
        """What it said since then, oldest first."""
        return await self._readings.read(meter, grade, since_s) if self._readings is not None else ()

    def take(self, poll: MeterPoll) -> None:
        before = self._states.get(poll.meter, MeterState())
        now = self._clock.now()
        if not poll.problem:
            state = MeterState(values=poll.values, flags=poll.flags, notes=poll.notes, at=now)
            if self._readings is not None:
                self._readings.take(poll.meter, {k: v for k, v in poll.values.items() if k not in poll.flags})
            if self._wiring is not None:
                self._wiring.look(poll.meter)
        else:
            state = msgspec.structs.replace(
                before, problem=poll.problem, exception=poll.exception,
                since=before.since if before.problem == poll.problem else now,
            )  # fmt: skip
        if state.problem != before.problem:
            log.info("meter_state", meter=poll.meter[1], problem=state.problem or None, detail=poll.detail or None)
        self._states[poll.meter] = state
        self._tell(at_once=state.problem != before.problem)

    def _tell(self, *, at_once: bool) -> None:
        now_s = self._clock.monotonic()
        if at_once or now_s - self._told_at >= TOLD_EVERY_S:
            self._told_at = now_s
            self._news()

    def _committed(self, committed: Committed) -> None:
        if any(isinstance(entity, Job) for changes in committed.changes for entity in changes.put):
            self._change.set()


def _is_serial(meter: MeterListed) -> bool:
    try:
        return endpoint_of(meter.transport).is_serial
    except EndpointInvalid:
        return False
