"""Who hears of what: turns commits into the regions of a page that went stale, and wakes live pages.

Start at `Feed.news`. A slow page is never waited for: it keeps a set of stale regions, not a queue.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import NamedTuple

from edge_agent.site.ports import Committed, Journal
from sitelink.folding.changes import Changes
from sitelink.ids import JobId, StationKey, station_key
from sitelink.model import (
    ChargePoint,
    Command,
    Corrections,
    Entity,
    Job,
    Knock,
    Link,
    MeterReading,
    Readings,
    SiteState,
    Station,
    StationReport,
    Transaction,
    Transfer,
)
from sitelink.security import IssuedCertificate, StationSecurity
from sitelink.states import ActionName, ReportKind
from web_ui.ports import Stale

COALESCE_S = 0.2
READINGS_EVERY_S = 2.0
"""New meter values alone make a row stale this often at most."""
REMEMBERED = 2048
"""Commits kept for pages that come back with Last-Event-ID."""


class _News(NamedTuple):
    """What of a commit is remembered: of meter values only whose they are, or 2,048 commits would hold them all."""

    seq: int
    changes: tuple[Changes, ...]
    measured: frozenset[StationKey]


def _news_of(committed: Committed) -> _News:
    changed: list[Changes] = []
    measured: set[StationKey] = set()
    for changes in committed.changes:
        only = changes.put[0] if len(changes.put) == 1 and not changes.drop else None
        if isinstance(only, MeterReading):
            continue  # the page has newer ones
        if isinstance(only, Readings):
            measured.add(only.station)
        elif changes.put or changes.drop:
            changed.append(changes)
    return _News(committed.seq, tuple(changed), frozenset(measured))


class Feed:
    """Listens to the journal; `news` is what one live page hears. While nobody looks, a commit costs nothing here."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._remembered: deque[_News] = deque(maxlen=REMEMBERED)
        self._touched: dict[str, int] = {}
        """Regions that went stale by something that is in no op, and the newest seq then."""
        self._readers: set[_Reader] = set()
        self._since = journal.seq
        """Everything after this seq was seen by this feed, and is remembered."""
        journal.subscribe(self._committed)
        journal.on_trouble(lambda _trouble: self.touch_all("page"))

    @property
    def readers(self) -> int:
        return len(self._readers)

    def touch_all(self, region: str) -> None:
        """Something that is in no op changed (the relay's state, the disk's): `region` of every job is stale."""
        self._touched[region] = self._journal.seq
        for reader in self._readers:
            reader.tell(self._journal.seq, {region}, set())

    def touch_station(self, station: StationKey) -> None:
        """Something about a station that is in no op changed: how far a file has come."""
        rows = [(row.job, f"cp:{row.id}") for _, row in self._journal.state.rows_of_station(station)]
        for reader in self._readers:
            slow = {region for job, region in rows if job == reader.job}
            if slow:
                reader.tell(self._journal.seq, set(), slow)

    async def news(self, job: JobId, after: int | None) -> AsyncIterator[Stale]:
        """First what went stale since `after` (the whole page when that is too long ago), then what does from now."""
        reader = _Reader(job)
        self._readers.add(reader)
        try:
            for region in sorted(self._missed(job, after)):
                yield Stale(self._journal.seq, region)
            while True:
                await reader.something()
                await asyncio.sleep(COALESCE_S)
                for stale in reader.take():
                    yield stale
        finally:
            self._readers.discard(reader)

    def _missed(self, job: JobId, after: int | None) -> set[str]:
        if after is None:
            return set()
        touched = {region for region, seq in self._touched.items() if seq >= after}  # of one seq nobody knows: again
        if after == self._journal.seq:
            return touched
        if after < self._since or after > self._journal.seq:
            return {"page"}
        later = (news for news in self._remembered if news.seq > after)
        return touched | {region for news in later for kind in self._stale(news) for of, region in kind if of == job}

    def _committed(self, committed: Committed) -> None:
        if len(self._remembered) == REMEMBERED:
            self._since = self._remembered[0].seq
        news = _news_of(committed)
        self._remembered.append(news)
        if not self._readers:
            return
        soon, readings = self._stale(news)
        for reader in self._readers:
            mine = {region for job, region in soon if job == reader.job}
            slow = {region for job, region in readings if job == reader.job} - mine
            if mine or slow:
                reader.tell(committed.seq, mine, slow)

    def _stale(self, news: _News) -> tuple[set[tuple[JobId, str]], set[tuple[JobId, str]]]:
        """What is stale at once, and what only has new meter values."""
        state = self._journal.state
        soon = {pair for changes in news.changes for pair in stale_regions(state, changes)}
        readings = {(row.job, f"cp:{row.id}") for key in news.measured for _, row in state.rows_of_station(key)}
        return soon, readings


class _Reader:
    """One live page: what it has not been told yet."""

    def __init__(self, job: JobId) -> None:
        self.job = job
        self._wake = asyncio.Event()
        self._soon: set[str] = set()
        self._readings: set[str] = set()
        self._readings_due = 0.0
        self._seq = 0

    def tell(self, seq: int, soon: set[str], readings: set[str]) -> None:
        self._soon |= soon
        self._readings |= readings
        self._seq = seq
        self._wake.set()

    async def something(self) -> None:
        """Returns when there is something to take."""
        while not self._soon:
            patience = self._readings_due - asyncio.get_running_loop().time() if self._readings else None
            if patience is not None and patience <= 0:
                return
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._wake.wait()

    def take(self) -> list[Stale]:
        now = asyncio.get_running_loop().time()
        taken = set(self._soon)
        if now >= self._readings_due:
            taken |= self._readings
            self._readings.clear()
            self._readings_due = now + READINGS_EVERY_S
        self._soon.clear()
        return [Stale(self._seq, region) for region in sorted(taken)]


def stale_regions(state: SiteState, changes: Changes) -> Iterable[tuple[JobId, str]]:
    """(job, region) pairs that show something of these changes."""
    for entity in changes.put:
        yield from _regions_of(state, entity)
    for key in changes.drop:
        if key.startswith(("corrections:", "id_token:", "local_list:", "transfer:", "report:")):
            continue  # its station goes with it; no page shows the site's list
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
    elif isinstance(entity, Corrections):
        for _, row in state.rows_of_station(entity.station):
            yield row.job, f"corrections:{row.id}"
    elif isinstance(entity, StationReport):
        for _, row in state.rows_of_station(entity.station):
            yield row.job, f"{'inventory' if entity.kind is ReportKind.INVENTORY else 'told'}:{row.id}"
    elif isinstance(entity, (Transaction, Readings, Transfer)):
        for _, row in state.rows_of_station(entity.station):
            yield row.job, f"cp:{row.id}"
    elif isinstance(entity, Command):
        asked = state.charge_points.get(entity.charge_point)
        if asked is not None:
            yield asked.job, f"cp:{asked.id}"
        if entity.action is ActionName.REBOOT:
            for _, row in state.rows_of_station(entity.station):
                yield row.job, f"cp:{row.id}"
    elif isinstance(entity, Knock):
        for job in state.jobs:
            yield job, "seen"
        for _, row in state.rows_of_station(station_key(entity.identity)):
            yield row.job, f"cp:{row.id}"
    elif isinstance(entity, (StationSecurity, IssuedCertificate)):
        station = entity.id if isinstance(entity, StationSecurity) else entity.station
        for _, row in state.rows_of_station(station):
            yield from _row_regions(row)
            yield row.job, f"security:{row.id}"
    elif isinstance(entity, Link):
        yield entity.job, "page"


def _row_regions(row: ChargePoint) -> Iterable[tuple[JobId, str]]:
    yield row.job, f"cp:{row.id}"
    yield row.job, "header"
    yield row.job, "completion"
