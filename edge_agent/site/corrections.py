"""What had to be put right of each station's messages, counted in memory and written down now and then.

A count is not a fact that anybody is promised: it is written at most once a minute for a kind that is new, a quarter of
an hour for one that only grew, and when the box stops; what a power cut takes is that much. Only stations that a job
names are counted, and of each a bounded number of kinds. Source: OCPP.md §4. Start at `Tally`.
"""

import asyncio
from collections.abc import Mapping

import structlog

from edge_agent.site.drift import ClockDrift
from edge_agent.site.ports import Committed, Decision, Journal
from sitelink.clock import Clock
from sitelink.errors import StoreUnavailable
from sitelink.events import Correction, CorrectionsCounted, MeterValuesReported, TransactionStopped
from sitelink.ids import StationKey
from sitelink.model import SiteState
from sitelink.ops import BOX, Fact

log = structlog.get_logger()

KINDS_MAX = 64
MORE = "more"
"""What is counted of kinds above that."""
KIND_CHARACTERS_MAX = 120
_FLAGGED = (MeterValuesReported, TransactionStopped)
FLUSH_EVERY_S = 60.0
GROWN_EVERY_S = 900.0


class Tally:
    """`flush` writes; `run` does it for ever, and once more at its end."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._counted: dict[StationKey, dict[str, Correction]] = {}
        """Totals that are not written yet."""
        self._grown_flushed_at = clock.monotonic()
        journal.subscribe(self._committed)

    def _committed(self, committed: Committed) -> None:
        """What was not plausible is counted with the rest."""
        for op in committed.ops:
            if isinstance(op.event, _FLAGGED) and op.event.flags:
                action = "MeterValues" if isinstance(op.event, MeterValuesReported) else "StopTransaction"
                kinds = {f"{action} {flag}": 1 for flag in op.event.flags}
                self.count(StationKey(op.entity.partition(":")[2]), kinds)

    def count(self, station: StationKey, kinds: Mapping[str, int]) -> None:
        state = self._journal.state
        if not any(state.rows_of_station(station)):
            return
        now = self._clock.now()
        counted = self._counted.setdefault(station, {})
        for kind, number in kinds.items():
            name = kind[:KIND_CHARACTERS_MAX]
            before = counted.get(name) or _written(state, station).get(name)
            if before is None and len(self._known(station)) >= KINDS_MAX:
                name = MORE
                before = counted.get(name) or _written(state, station).get(name)
            if before is None:
                counted[name] = Correction(number, now, now)
            else:
                counted[name] = Correction(before.count + number, before.first_at, now)

    def of(self, station: StationKey) -> dict[str, Correction]:
        """Everything counted until now, written or not."""
        return {**_written(self._journal.state, station), **self._counted.get(station, {})}

    async def run(self) -> None:
        try:
            while True:
                await asyncio.sleep(FLUSH_EVERY_S)
                await self.flush()
        finally:
            await self.flush(everything=True)

    async def flush(self, *, everything: bool = False) -> None:
        """Write what is due. Where the disk takes nothing it stays counted for the next time."""
        grown = everything or self._clock.monotonic() - self._grown_flushed_at >= GROWN_EVERY_S
        due: dict[StationKey, dict[str, Correction]] = {}
        for station, counted in self._counted.items():
            written = _written(self._journal.state, station)
            kinds = counted if grown else {kind: each for kind, each in counted.items() if kind not in written}
            if kinds:
                due[station] = dict(kinds)
        if not due:
            return
        facts = tuple(Fact(f"corrections:{key}", CorrectionsCounted(kinds), BOX) for key, kinds in due.items())
        try:
            await self._journal.write(lambda _ledger: Decision(facts, None))
        except StoreUnavailable:
            log.warning("corrections_not_recorded")
            return
        if grown:
            self._grown_flushed_at = self._clock.monotonic()
        for station, kinds in due.items():
            self._settle(station, kinds)

    def _settle(self, station: StationKey, kinds: Mapping[str, Correction]) -> None:
        counted = self._counted[station]
        for kind, each in kinds.items():
            if counted.get(kind) == each:
                del counted[kind]
        if not counted:
            del self._counted[station]

    def _known(self, station: StationKey) -> set[str]:
        return {*_written(self._journal.state, station), *self._counted.get(station, {})}


class Oddities:
    """What is odd about stations, for whoever shows it."""

    def __init__(self, tally: Tally, drift: ClockDrift) -> None:
        self._tally = tally
        self._drift = drift

    def corrections(self, station: StationKey) -> Mapping[str, Correction]:
        return self._tally.of(station)

    def clock_drift_s(self, station: StationKey) -> float | None:
        drift = self._drift.of(station)
        return drift.total_seconds() if drift is not None else None


def _written(state: SiteState, station: StationKey) -> dict[str, Correction]:
    written = state.corrections.get(station)
    return written.kinds if written is not None else {}
