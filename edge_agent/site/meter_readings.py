"""What meters said over time: the last minutes in memory, all of it on disk once a minute. Start at `MeterReadings`."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import structlog

from edge_agent.site.ports import Journal, Readings
from sitelink.clock import Clock
from sitelink.decisions import Decision
from sitelink.errors import StoreUnavailable
from sitelink.events import MeterRead
from sitelink.meter_values import Grade, Moment, thinned
from sitelink.ops import BOX, Fact
from web_ui.ports import MeterKey

log = structlog.get_logger()

RECENT = 900
"""So many moments of a meter are in memory: what a test charge is compared with."""
KEPT_EVERY_S = 60.0
WAITING_MAX = 3600
MINUTE_S = 60
Tell = Callable[[Mapping[MeterKey, Sequence[Moment]]], Awaitable[None]]


class MeterReadings:
    """Values come in by `take`; one a second is kept. `tell` is called with what was put on disk."""

    def __init__(
        self,
        readings: Readings,
        clock: Clock,
        tell: Tell | None = None,
        news: Callable[[], None] = lambda: None,
    ) -> None:
        self._readings = readings
        self._clock = clock
        self._tell = tell
        self._news = news
        self._recent: dict[MeterKey, deque[Moment]] = {}
        self._waiting: dict[MeterKey, deque[Moment]] = {}

    def take(self, meter: MeterKey, values: Mapping[str, float]) -> None:
        moment = Moment(int(self._clock.now().timestamp()), values)
        recent = self._recent.setdefault(meter, deque(maxlen=RECENT))
        if recent and recent[-1].at_s == moment.at_s:
            return
        recent.append(moment)
        self._waiting.setdefault(meter, deque(maxlen=WAITING_MAX)).append(moment)

    def recent(self, meter: MeterKey) -> Sequence[Moment]:
        """The last minutes, oldest first."""
        return tuple(self._recent.get(meter, ()))

    def keep_only(self, meters: Collection[MeterKey]) -> None:
        """The others are not read any more."""
        self._recent = {key: recent for key, recent in self._recent.items() if key in meters}

    async def read(self, meter: MeterKey, grade: Grade, since_s: int) -> Sequence[Moment]:
        """Oldest first, what is not on disk yet among them."""
        kept = list(await self._readings.read(meter, grade, since_s))
        if grade is not Grade.SECOND:
            return kept
        last_s = kept[-1].at_s if kept else -1
        waiting = self._waiting.get(meter, ())
        return [*kept, *(each for each in waiting if each.at_s > last_s and each.at_s >= since_s)]

    async def run(self) -> None:
        """One long-lived task; what waits is kept when it ends, too."""
        try:
            while True:
                await asyncio.sleep(KEPT_EVERY_S)
                await self._keep_whatever_happens()
        finally:
            await asyncio.shield(self._keep_whatever_happens())

    async def _keep_whatever_happens(self) -> None:
        try:
            await self.keep()
        except Exception:  # a fault of ours with readings ends nothing
            log.exception("readings_failed")

    async def keep(self) -> None:
        """What waits goes to disk, and waits on where that is not possible."""
        told = {meter: tuple(moments) for meter, moments in self._waiting.items() if moments}
        if not told or not await self._readings.keep(told):
            return
        for meter, moments in told.items():
            waiting = self._waiting[meter]
            while waiting and waiting[0].at_s <= moments[-1].at_s:
                waiting.popleft()
        if self._tell is not None:
            await self._tell(told)
        self._news()


class MinutesTold:
    """Whole minutes become telemetry, for the cloud: each once, as far as this start of the agent goes."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._open: dict[MeterKey, list[Moment]] = {}

    async def tell(self, told: Mapping[MeterKey, Sequence[Moment]]) -> None:
        """What is left of a minute that is not over waits for the next time. Without a store it is lost."""
        facts, before, self._open = [], self._open, {}
        end_s = int(self._clock.now().timestamp()) // MINUTE_S * MINUTE_S
        for meter in {**before, **told}:
            waiting = [*before.get(meter, ()), *told.get(meter, ())]
            if left := [each for each in waiting if each.at_s >= end_s]:
                self._open[meter] = left
            for each in thinned((each for each in waiting if each.at_s < end_s), MINUTE_S):
                at = datetime.fromtimestamp(each.at_s, UTC)
                values = {key: round(value, 3) for key, value in each.values.items()}
                facts.append(Fact(f"meter:{meter[0]}/{meter[1]}", MeterRead(at, values), BOX))
        if facts:
            with suppress(StoreUnavailable):
                await self._journal.write(lambda _ledger: Decision(tuple(facts), None))
