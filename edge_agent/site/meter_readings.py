"""What meters said over time: the last minutes in memory, all of it on disk once a minute. Start at `MeterReadings`."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from edge_agent.site.ports import Readings
from sitelink.clock import Clock
from sitelink.meter_values import Grade, Moment
from web_ui.ports import MeterKey

RECENT = 900
"""So many moments of a meter are in memory: what a test charge is compared with."""
KEPT_EVERY_S = 60.0
WAITING_MAX = 3600


class MeterReadings:
    """Values come in by `take`; one a second is kept. `told` is called with what was on disk of the last minute."""

    def __init__(
        self,
        readings: Readings,
        clock: Clock,
        told: Callable[[Mapping[MeterKey, Sequence[Moment]]], None] | None = None,
    ) -> None:
        self._readings = readings
        self._clock = clock
        self._told = told
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
                await self.keep()
        finally:
            await asyncio.shield(self.keep())

    async def keep(self) -> None:
        """What waits goes to disk, and waits on where that is not possible."""
        told = {meter: tuple(moments) for meter, moments in self._waiting.items() if moments}
        if not told or not await self._readings.keep(told):
            return
        for meter, moments in told.items():
            waiting = self._waiting[meter]
            while waiting and waiting[0].at_s <= moments[-1].at_s:
                waiting.popleft()
        if self._told is not None:
            self._told(told)
