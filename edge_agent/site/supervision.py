"""What time alone changes: stations that fall silent, links a restart has cut.

Start at `Supervision.run`. Source: DESIGN §7 (16): alive is any frame within three heartbeat intervals.
"""

import asyncio

import structlog

from edge_agent.site.ports import Decision, Journal, Ledger, Stations
from sitelink.box_settings import value_of
from sitelink.errors import StoreUnavailable
from sitelink.events import Event, StationDisconnected, StationHeard
from sitelink.ids import StationKey
from sitelink.ops import BOX, Fact

log = structlog.get_logger()

CHECK_EVERY_S = 5
SILENT_AFTER_INTERVALS = 3


class Supervision:
    """One long-lived task."""

    def __init__(self, journal: Journal, stations: Stations, heartbeat_interval_s: int) -> None:
        self._journal = journal
        self._stations = stations
        self._interval_s = heartbeat_interval_s

    @property
    def _silent_after_s(self) -> int:
        """By the longest interval that was in force since the start: a station keeps to what it was told last."""
        above = value_of(self._journal.state, "ocpp.heartbeat_interval_s")
        self._interval_s = max(self._interval_s, above or 0)
        return self._interval_s * SILENT_AFTER_INTERVALS

    async def close_old_links(self) -> None:
        """At start no socket is open, whatever the state remembers."""

        def decide(ledger: Ledger) -> Decision[int]:
            cut = [each.id for each in ledger.state.stations.values() if each.connected]
            event = StationDisconnected("box_restarted")
            return Decision(tuple(Fact(f"station:{id_}", event, BOX) for id_ in cut), len(cut))

        try:
            await self._journal.write(decide)
        except StoreUnavailable:  # the box serves what it can; `run` catches up
            log.warning("old_links_not_closed")

    async def run(self) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            await self.check()

    async def check(self) -> None:
        """Mark who fell silent, and make up for who was heard while that was being written."""
        for station in self.silent():
            if self._gone(station):  # not heard while others were being written
                log.warning("station_fell_silent", charge_point=station, after_s=self._silent_after_s)
                await self._record(station, StationDisconnected("silent"))
        for station in self.heard_again():
            await self._record(station, StationHeard())

    def silent(self) -> list[StationKey]:
        """Stations that count as connected and are not there, or have said nothing for too long."""
        return [each.id for each in self._journal.state.stations.values() if each.connected and self._gone(each.id)]

    def heard_again(self) -> list[StationKey]:
        """Stations that count as silent and are not: their first frame came too early, or could not be recorded."""
        return [
            each.id
            for each in self._journal.state.stations.values()
            if not each.connected and each.disconnect_reason == "silent"
            and self._stations.is_online(each.id) and not self._gone(each.id)
        ]  # fmt: skip

    def _gone(self, station: StationKey) -> bool:
        quiet_s = self._stations.quiet_s(station)
        return not self._stations.is_online(station) if quiet_s is None else quiet_s > self._silent_after_s

    async def _record(self, station: StationKey, event: Event) -> None:
        fact = Fact(f"station:{station}", event, BOX)
        try:
            await self._journal.write(lambda _ledger: Decision((fact,), None))
        except StoreUnavailable:
            log.warning("silence_not_recorded", charge_point=station)
