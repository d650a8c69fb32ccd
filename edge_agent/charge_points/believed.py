"""The desk as one station reaches it: what it reports is first put right as its quirks say.

No sockets. What is put right is `candour`'s to say; this hands it on and has it counted. Start at `believed`.
"""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from edge_agent.charge_points import candour
from edge_agent.charge_points.quirks import Quirks
from edge_agent.charge_points.readings import Found
from edge_agent.site.ports import Desk
from edge_agent.site.reports import ConnectorReport, MeterReport, StartReport, StopReport, TransactionReport
from sitelink.ids import StationKey

Counted = Callable[[str, Found], None]


def believed(desk: Desk, quirks: Callable[[], Quirks], counted: Counted) -> Desk:
    """`quirks` are asked each time: a boot may bring others. `counted` hears action and codes."""
    return cast(Desk, _Believed(desk, quirks, counted))


class _Believed:
    def __init__(self, desk: Desk, quirks: Callable[[], Quirks], counted: Counted) -> None:
        self._desk = desk
        self._quirks = quirks
        self._counted = counted

    def __getattr__(self, name: str) -> Any:
        """Everything a station says of no measurement and no time goes through as it is."""
        return getattr(self._desk, name)

    def connector_changed(self, station: StationKey, report: ConnectorReport) -> Awaitable[None]:
        found: Found = []
        report = candour.status_of(self._quirks(), report, found)
        self._count("StatusNotification", found)
        return self._desk.connector_changed(station, report)

    def meter_values(self, station: StationKey, report: MeterReport) -> Awaitable[None]:
        found: Found = []
        report = candour.meter_of(self._quirks(), report, found)
        self._count("MeterValues", found)
        return self._desk.meter_values(station, report)

    async def start(self, station: StationKey, report: StartReport) -> Any:
        found: Found = []
        report = candour.start_of(self._quirks(), report, found)
        self._count("StartTransaction", found)
        return await self._desk.start(station, report)

    async def stop(self, station: StationKey, report: StopReport) -> Any:
        found: Found = []
        report = candour.stop_of(self._quirks(), report, found)
        self._count("StopTransaction", found)
        return await self._desk.stop(station, report)

    def transaction_event(self, station: StationKey, report: TransactionReport) -> Awaitable[Any]:
        found: Found = []
        report = candour.event_of(self._quirks(), report, found)
        self._count("TransactionEvent", found)
        return self._desk.transaction_event(station, report)

    def _count(self, action: str, found: Found) -> None:
        if found:
            self._counted(action, found)
