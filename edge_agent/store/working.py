"""The writer's copy of the state, which can go back to where it was before a batch that failed.

Pure. Start at `WorkingState`. Before a batch first touches a dictionary it is copied; going back puts the copies back,
order included, so that working and published copy evict the same records in the same order.
"""

from collections import deque
from typing import Any

from sitelink.ids import StationKey, TransactionId
from sitelink.model import (
    ChargePoint,
    Command,
    Corrections,
    EarlyOp,
    Entity,
    IdToken,
    Job,
    Knock,
    Link,
    LocalList,
    MeterReading,
    Readings,
    Setting,
    SiteState,
    Station,
    StationReport,
    Transaction,
    Transfer,
)
from sitelink.security import IssuedCertificate, StationSecurity

_PLACE_BY_TYPE: dict[type[Entity], str] = {
    Job: "jobs", ChargePoint: "charge_points", Station: "stations", Transaction: "transactions",
    Readings: "readings", Knock: "knocks", Command: "commands", Link: "links",
    Corrections: "corrections", IdToken: "id_tokens",
    LocalList: "local_lists", Transfer: "transfers",
    StationSecurity: "security",
    StationReport: "reports",
    IssuedCertificate: "certificates",
    Setting: "settings",
    EarlyOp: "early_ops",
    MeterReading: "meters",
}  # fmt: skip
_PLACE_BY_PREFIX = {
    "cp": "charge_points", "station": "stations", "knock": "knocks", "corrections": "corrections",
    "id_token": "id_tokens", "local_list": "local_lists", "transfer": "transfers", "report": "reports",
    "job": "jobs", "link": "links", "setting": "settings",
    "early": "early_ops",
}  # fmt: skip
CONTENTS_PER_STATION = 128
STATIONS_REMEMBERED = 2048


class WorkingState(SiteState):
    """A SiteState with one mark to go back to."""

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[str, dict[Any, Any]] = {}
        self._closed_before: dict[StationKey, list[TransactionId] | None] = {}

    def mark(self) -> None:
        """From here on can be undone; what was before is settled."""
        self._before.clear()
        self._closed_before.clear()

    def undo(self) -> None:
        """Back to the mark."""
        for place, before in self._before.items():
            setattr(self, place, before)
        for station, closed in self._closed_before.items():
            if closed is None:
                self._closed.pop(station, None)
            else:
                self._closed[station] = closed
        self.forget_indexes()
        self.mark()

    def put(self, entity: Entity) -> None:
        place = _PLACE_BY_TYPE[type(entity)]
        if place not in self._before:
            self._before[place] = getattr(self, place).copy()
        if isinstance(entity, Transaction) and entity.station not in self._closed_before:
            closed = self._closed.get(entity.station)
            self._closed_before[entity.station] = None if closed is None else list(closed)
        super().put(entity)

    def drop(self, key: str) -> None:
        place = _PLACE_BY_PREFIX.get(key.partition(":")[0])
        if place is not None and place not in self._before:
            self._before[place] = getattr(self, place).copy()
        super().drop(key)


class RecentContents:
    """By which meter values that are sent again are known: the last contents of each station, bounded both ways."""

    def __init__(self) -> None:
        self._by_station: dict[StationKey, tuple[set[str], deque[str]]] = {}
        self._added: list[tuple[StationKey, str]] = []

    def knows(self, station: StationKey, content: str) -> bool:
        known = self._by_station.get(station)
        return known is not None and content in known[0]

    def add(self, station: StationKey, content: str) -> None:
        known = self._by_station.get(station)
        if known is None:
            if len(self._by_station) >= STATIONS_REMEMBERED:
                del self._by_station[next(iter(self._by_station))]
            known = self._by_station[station] = (set(), deque())
        contents, order = known
        if content in contents:
            return
        contents.add(content)
        order.append(content)
        self._added.append((station, content))
        if len(order) > CONTENTS_PER_STATION:
            contents.discard(order.popleft())

    def mark(self) -> None:
        self._added.clear()

    def undo(self) -> None:
        """Forget what came since the mark: it is not on disk."""
        for station, content in self._added:
            known = self._by_station.get(station)
            if known is not None and content in known[0]:
                known[0].discard(content)
                known[1].remove(content)
        self._added.clear()
