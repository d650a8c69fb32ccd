"""Lists that stations tell of themselves: what is kept of them, and when a new one is due.

Pure decisions. Start at `decide_listed`. A list is kept whole by one fact when all of it is there; single items that
come, change or go are noted. Source: OCPP.md §8.3 (B, K, N); SECURITY §7.
"""

from typing import Any

from edge_agent.site.admission import room_for
from edge_agent.site.ports import Decide, Decision, Ledger
from edge_agent.site.reports import ListReport
from sitelink.events import StationNoted, StationReported
from sitelink.ids import StationKey
from sitelink.model import SiteState
from sitelink.ops import STATION, Fact
from sitelink.packed import pack
from sitelink.states import ReportKind


def decide_listed(station: StationKey, report: ListReport) -> Decide[None]:
    packed = pack(report.items)

    def decide(ledger: Ledger) -> Decision[None]:
        known = ledger.state.stations.get(station)
        event = StationReported(
            kind=report.kind, packed=packed, count=len(report.items), source=report.source, missing=report.missing,
            firmware=known.firmware if known is not None else None, facts=report.facts,
        )  # fmt: skip
        return Decision((*room_for(ledger.state, station), Fact(f"station:{station}", event, STATION)), None)

    return decide


def decide_noted(
    station: StationKey, kind: ReportKind, put: dict[str, Any], drop: tuple[str, ...], source: str
) -> Decide[None]:
    def decide(ledger: Ledger) -> Decision[None]:
        known = ledger.state.report_of(station, kind)
        items = known.items if known is not None else {}
        gone = tuple(name for name in drop if name in items)
        if not gone and all(items.get(name) == item for name, item in put.items()):
            return Decision((), None)
        event = StationNoted(kind=kind, put=put, drop=gone, source=source)
        return Decision((*room_for(ledger.state, station), Fact(f"station:{station}", event, STATION)), None)

    return decide


def stock_due(state: SiteState, station: StationKey, *, first: bool) -> bool:
    """Whether its inventory is to be asked for: it runs another firmware than then, or parts were missing.

    `first`: also where there is none yet.
    """
    known, inventory = state.stations.get(station), state.report_of(station, ReportKind.INVENTORY)
    if known is None:
        return False
    if inventory is None:
        return first
    return inventory.firmware != known.firmware or (first and inventory.missing > 0)
