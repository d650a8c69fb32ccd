"""Meters looked for from the page: one search at a time, followed, ended, its results kept until the next.

Serial ports that meters of a job use are free meanwhile. Start at `Search.start`.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from edge_agent.meters.devices import serial_ports
from edge_agent.meters.hosts import HostsInvalid, hosts_of
from edge_agent.site.meters import MeterDesk
from edge_agent.site.ports import FoundMeter, SearchState, SearchWanted
from sitelink.errors import RequestInvalid

if TYPE_CHECKING:
    from edge_agent.meters.scan import Scan

log = structlog.get_logger()

HOSTS_ALLOWED = "private addresses, as 192.168.1.0/24 or 192.168.1.10-40"


class Search:
    """See `edge_agent.site.ports.MeterSearch`."""

    def __init__(
        self, desk: MeterDesk, news: Callable[[], None], ports: Callable[[], tuple[str, ...]] = serial_ports
    ) -> None:
        self._desk = desk
        self._news = news
        self._ports = ports
        self._scan: Scan | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopped = False
        self._begun: tuple[Scan, bool] | None = None
        self._begin = asyncio.Event()

    async def run(self) -> None:
        """One long-lived task: does the searches that are begun."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._begin.wait()
                self._begin.clear()
                if (begun := self._begun) is None:
                    continue
                scan, lines = begun
                self._task = group.create_task(self._search(scan, lines=lines), name="search of meters")
                await asyncio.wait([self._task])
                if self._begun is begun:  # else the next waits already
                    self._begun = None
                self._news()

    def ports(self) -> tuple[str, ...]:
        return self._ports()

    def state(self) -> SearchState | None:
        scan = self._scan
        if scan is None:
            return None
        found = tuple(
            FoundMeter(each.endpoint, each.unit, each.identified.profiles if each.identified else (),
                       guessed=each.identified is not None and each.identified.guessed)
            for each in scan.found
        )  # fmt: skip
        return SearchState(self._begun is not None, self._stopped, scan.done, scan.total, found, dict(scan.problems))

    async def start(self, wanted: SearchWanted) -> None:
        try:
            hosts = hosts_of(wanted.hosts) if wanted.hosts.strip() else ()
        except HostsInvalid as error:
            raise RequestInvalid(where="hosts", problem="not_allowed", allowed=HOSTS_ALLOWED) from error
        devices = self._ports() if wanted.serial else ()
        if not devices and not hosts and not wanted.announced:
            raise RequestInvalid(where="hosts", problem="not_allowed", allowed=HOSTS_ALLOWED)
        await asyncio.to_thread(_load)
        from edge_agent.meters.scan import Scan, Wanted

        await self.stop()  # and nothing is awaited from here on: who starts last is the one
        self._stopped = False
        self._scan = Scan(
            Wanted(devices, hosts, wanted.port, every_address=wanted.every_address, announced=wanted.announced),
            self._news,
        )
        self._begun = (self._scan, bool(devices))
        self._begin.set()

    async def stop(self) -> None:
        if self._begun is None:
            return
        self._stopped, self._begun = True, None
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._news()

    async def _search(self, scan: "Scan", *, lines: bool) -> None:
        log.info("meter_search_started", steps=scan.total)
        try:
            with self._desk.lines_held(held=lines):
                await scan.run()
        except Exception:  # a fault of ours ends this search alone
            log.exception("meter_search_failed")
            scan.problems["search"] = "failed"
        finally:
            log.info("meter_search_ended", done=scan.done, found=len(scan.found))


def _load() -> None:
    """What only a search needs, which few boxes ever do. Takes a while the first time."""
    from edge_agent.meters import bus, profiles

    profiles.bundled()
    bus.load()
