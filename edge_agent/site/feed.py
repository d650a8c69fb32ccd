"""Who hears of what: turns commits into the regions of a page that went stale, and wakes live pages.

Start at `Feed.news`. A slow page is never waited for: it keeps a set of stale regions, not a queue.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable

from edge_agent.site.ports import Committed, Journal
from sitelink.apply import Changes
from sitelink.ids import JobId, station_key
from sitelink.model import ChargePoint, Command, Entity, Job, Knock, Link, Readings, SiteState, Station, Transaction
from web_ui.ports import Stale

COALESCE_S = 0.2
REMEMBERED = 4096
"""Stale regions kept for pages that come back with Last-Event-ID."""


class Feed:
    """Listens to the journal; `news` is what one live page hears."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._remembered: deque[tuple[int, JobId, str]] = deque(maxlen=REMEMBERED)
        self._readers: set[_Reader] = set()
        self._since = journal.seq
        """Everything after this seq was seen by this feed."""
        journal.subscribe(self._committed)
        journal.on_trouble(lambda _trouble: self.touch_all("page"))

    @property
    def readers(self) -> int:
        return len(self._readers)

    def touch_all(self, region: str) -> None:
        """Something that is in no op changed (the relay's state, the disk's): `region` of every job is stale."""
        for job in self._journal.state.jobs:
            self._tell(self._journal.seq, job, {region})

    async def news(self, job: JobId, after: int | None) -> AsyncIterator[Stale]:
        """First what went stale since `after` (the whole page when that is too long ago), then what does from now."""
        reader = _Reader(job)
        self._readers.add(reader)
        try:
            for region in self._missed(job, after):
                yield Stale(self._journal.seq, region)
            while True:
                await reader.wake.wait()
                await asyncio.sleep(COALESCE_S)
                for stale in reader.take():
                    yield stale
        finally:
            self._readers.discard(reader)

    def _missed(self, job: JobId, after: int | None) -> list[str]:
        if after is None or after == self._journal.seq:
            return []
        oldest = self._remembered[0][0] if len(self._remembered) == REMEMBERED else self._since
        if after < oldest or after > self._journal.seq:
            return ["page"]
        return list(dict.fromkeys(region for seq, of, region in self._remembered if seq > after and of == job))

    def _committed(self, committed: Committed) -> None:
        by_job: dict[JobId, set[str]] = {}
        for changes in committed.changes:
            for job, region in stale_regions(self._journal.state, changes):
                by_job.setdefault(job, set()).add(region)
        for job, regions in by_job.items():
            self._tell(committed.seq, job, regions)

    def _tell(self, seq: int, job: JobId, regions: set[str]) -> None:
        for region in sorted(regions):
            self._remembered.append((seq, job, region))
        for reader in self._readers:
            if reader.job == job:
                reader.tell(seq, regions)


class _Reader:
    def __init__(self, job: JobId) -> None:
        self.job = job
        self.wake = asyncio.Event()
        self._stale: set[str] = set()
        self._seq = 0

    def tell(self, seq: int, regions: set[str]) -> None:
        self._stale |= regions
        self._seq = seq
        self.wake.set()

    def take(self) -> list[Stale]:
        taken = [Stale(self._seq, region) for region in sorted(self._stale)]
        self._stale.clear()
        self.wake.clear()
        return taken


def stale_regions(state: SiteState, changes: Changes) -> Iterable[tuple[JobId, str]]:
    """(job, region) pairs that show something of these changes."""
    for entity in changes.put:
        yield from _regions_of(state, entity)
    for key in changes.drop:
        region = "seen" if key.startswith("knock:") else "page"
        for job in state.jobs:
            yield job, region


def _regions_of(state: SiteState, entity: Entity) -> Iterable[tuple[JobId, str]]:
    if isinstance(entity, Job):
        yield entity.id, "page"
    elif isinstance(entity, ChargePoint):
        yield from _row_regions(entity)
        yield entity.job, "seen"
    elif isinstance(entity, Station):
        for _, row in state.rows_of_station(entity.id):
            yield from _row_regions(row)
    elif isinstance(entity, (Transaction, Readings)):
        for _, row in state.rows_of_station(entity.station):
            yield row.job, f"cp:{row.id}"
    elif isinstance(entity, Command):
        asked = state.charge_points.get(entity.charge_point)
        if asked is not None:
            yield asked.job, f"cp:{asked.id}"
    elif isinstance(entity, Knock):
        for job in state.jobs:
            yield job, "seen"
        for _, row in state.rows_of_station(station_key(entity.identity)):
            yield row.job, f"cp:{row.id}"
    elif isinstance(entity, Link):
        yield entity.job, "page"


def _row_regions(row: ChargePoint) -> Iterable[tuple[JobId, str]]:
    yield row.job, f"cp:{row.id}"
    yield row.job, "header"
    yield row.job, "completion"
