"""How far a station's clock is off, guessed from the times it gives what it reports at once.

What was kept while offline comes late and looks old, so of the last reports the one that looks youngest counts. In
memory only. Source: OCPP.md §4.3 (local time labelled Z, drift). Start at `ClockDrift.of`.
"""

from collections import deque
from datetime import datetime, timedelta

from edge_agent.site.ports import Committed, Journal
from sitelink.events import ConnectorChanged, MeterValuesReported
from sitelink.ids import StationKey

REPORTS_KEPT = 8
STATIONS_MAX = 1024
_DATED = (MeterValuesReported, ConnectorChanged)


class ClockDrift:
    """Listens to the journal."""

    def __init__(self, journal: Journal) -> None:
        self._seen: dict[StationKey, deque[float]] = {}
        journal.subscribe(self._committed)

    def of(self, station: StationKey) -> timedelta | None:
        """Above zero: its clock is ahead of the box's. None: it gave no time yet."""
        seen = self._seen.get(station)
        return timedelta(seconds=max(seen)) if seen else None

    def _committed(self, committed: Committed) -> None:
        for op in committed.ops:
            event = op.event
            if isinstance(event, _DATED) and event.station_time is not None:
                self._observe(StationKey(op.entity.partition(":")[2]), event.at, op.t.wall)

    def _observe(self, station: StationKey, at: datetime, received_at: datetime) -> None:
        if at == received_at:
            return  # its own time was unreadable, the receive time stands in for it
        seen = self._seen.get(station)
        if seen is None:
            if len(self._seen) >= STATIONS_MAX:
                del self._seen[next(iter(self._seen))]
            seen = self._seen[station] = deque(maxlen=REPORTS_KEPT)
        seen.append((at - received_at).total_seconds())
