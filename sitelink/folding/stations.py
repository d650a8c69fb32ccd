"""The fold of stations: how they stand, what they told, what is kept of them. Pure. Start at `FOLDS`."""

from msgspec.structs import replace

from sitelink import events as e
from sitelink.events import Traits
from sitelink.folding.changes import NOTHING, Changes, Fold
from sitelink.ids import StationKey
from sitelink.model import Connector, Corrections, Fault, Knock, SiteState, Station, StationReport, report_key
from sitelink.ops import Op
from sitelink.packed import pack
from sitelink.states import Registration, ReportKind, together

REBOOT_KEYS_MAX = 16
PLACES_MAX = 100
CONNECTORS = "connectors"
"""Among the facts of an inventory: how many connectors (OCPP 2.x: EVSEs) the station has."""
ITEMS_MAX = {ReportKind.INVENTORY: 5000, ReportKind.EVENTS: 50}
ITEMS_MAX_ELSE = 200


def station_of(state: SiteState, op: Op) -> Station:
    key = StationKey(op.entity.partition(":")[2])
    return state.stations.get(key) or Station(id=key, identity=str(key), first_seen=op.t.wall)


def without_fault(station: Station, code: str) -> Station:
    return replace(station, faults=tuple(fault for fault in station.faults if fault.code != code))


def _station_connected(state: SiteState, op: Op, event: e.StationConnected) -> Changes:
    return Changes(
        put=(
            replace(
                station_of(state, op), identity=event.identity, connected=True, changed_at=op.t.wall,
                last_seen=op.t.wall, ip=event.ip, disconnect_reason=None, profile=event.profile,
                encrypted=event.encrypted,
            ),
        )
    )  # fmt: skip


def _station_heard(state: SiteState, op: Op, _event: e.StationHeard) -> Changes:
    station = station_of(state, op)
    return Changes(
        put=(replace(station, connected=True, changed_at=op.t.wall, last_seen=op.t.wall, disconnect_reason=None),)
    )


def _station_disconnected(state: SiteState, op: Op, event: e.StationDisconnected) -> Changes:
    station = station_of(state, op)
    if not station.connected:
        return NOTHING
    return Changes(put=(replace(station, connected=False, changed_at=op.t.wall, disconnect_reason=event.reason),))


def _station_booted(state: SiteState, op: Op, event: e.StationBooted) -> Changes:
    station = station_of(state, op)
    if station.booted_by == op.op_id:
        return NOTHING
    booted = replace(
        station, identity=event.identity, registration=event.verdict, vendor=event.vendor, model=event.model,
        serial=event.serial or station.serial, firmware=event.firmware, booted_at=op.t.wall, last_seen=op.t.wall,
        boots=station.boots + 1, booted_by=op.op_id, traits=event.traits or Traits(), reboot_needed=(),
        refused=station.refused if event.firmware == station.firmware else (),
    )  # fmt: skip
    if event.verdict is Registration.ACCEPTED and event.version is not None:
        booted = replace(booted, version=event.version, subprotocol=event.subprotocol)
    return Changes(put=(without_fault(booted, "boot_rejected"),))


def _station_configured(state: SiteState, op: Op, event: e.StationConfigured) -> Changes:
    station = station_of(state, op)
    return Changes(put=(replace(station, configuration={**station.configuration, **event.values}),))


def _station_needs_reboot(state: SiteState, op: Op, event: e.StationNeedsReboot) -> Changes:
    station = station_of(state, op)
    more = tuple(key for key in event.keys if key not in station.reboot_needed)
    return Changes(put=(replace(station, reboot_needed=(*station.reboot_needed, *more)[:REBOOT_KEYS_MAX]),))


def _availability_ordered(state: SiteState, op: Op, event: e.AvailabilityOrdered) -> Changes:
    """An order about a single plug is not kept here: its status tells. One about the station is about every place."""
    station = station_of(state, op)
    if event.plug is not None:
        return NOTHING
    others = {place for place in station.out_of_service if place != event.connector}
    if event.connector == 0:
        others = set()
    out = others if event.operative else others | {event.connector}
    return Changes(put=(replace(station, out_of_service=tuple(sorted(out))[:PLACES_MAX]),))


def _corrections_counted(state: SiteState, op: Op, event: e.CorrectionsCounted) -> Changes:
    key = StationKey(op.entity.partition(":")[2])
    before = state.corrections.get(key) or Corrections(station=key)
    newer = {
        kind: each for kind, each in event.kinds.items()
        if kind not in before.kinds or before.kinds[kind].count < each.count
    }  # fmt: skip
    return Changes(put=(replace(before, kinds={**before.kinds, **newer}),)) if newer else NOTHING


def _station_test_token_set(state: SiteState, op: Op, event: e.StationTestTokenSet) -> Changes:
    key = StationKey(op.entity.partition(":")[2])
    station = state.stations.get(key) or Station(id=key, identity=event.identity)
    return Changes(put=(replace(station, test_token=event.test_token),))


def _station_faulted(state: SiteState, op: Op, event: e.StationFaulted) -> Changes:
    station = without_fault(station_of(state, op), event.code)
    fault = Fault(code=event.code, at=op.t.wall, detail=event.detail)
    return Changes(put=(replace(station, faults=(*station.faults, fault)),))


def _station_fault_cleared(state: SiteState, op: Op, event: e.StationFaultCleared) -> Changes:
    return Changes(put=(without_fault(station_of(state, op), event.code),))


def _station_forgotten(state: SiteState, op: Op, _event: e.StationForgotten) -> Changes:
    key = StationKey(op.entity.partition(":")[2])
    with_it = [f"corrections:{key}"] if key in state.corrections else []
    with_it += [f"local_list:{key}"] if key in state.local_lists else []
    with_it += [name for kind in ReportKind if (name := report_key(key, kind)) in state.reports]
    return Changes(drop=(op.entity, *with_it))


def _station_reported(state: SiteState, op: Op, event: e.StationReported) -> Changes:
    """The new list in place of the one before. How many connectors there are is known by it from then on."""
    station = station_of(state, op)
    report = StationReport(
        station=station.id, kind=event.kind, at=op.t.wall, packed=event.packed, count=event.count, source=event.source,
        missing=event.missing, firmware=event.firmware, facts=event.facts,
    )  # fmt: skip
    connectors = event.facts.get(CONNECTORS)
    if connectors is None or station.configuration.get("NumberOfConnectors") == str(connectors):
        return Changes(put=(report,))
    configuration = {**station.configuration, "NumberOfConnectors": str(connectors)}
    return Changes(put=(report, replace(station, configuration=configuration)))


def _station_noted(state: SiteState, op: Op, event: e.StationNoted) -> Changes:
    """New items stand last, and the oldest make room. Single variables of a station are no inventory: parts miss."""
    key = StationKey(op.entity.partition(":")[2])
    before = state.report_of(key, event.kind)
    known = before.items if before is not None else {}
    items = {name: each for name, each in known.items() if name not in event.drop} | event.put
    most = ITEMS_MAX.get(event.kind, ITEMS_MAX_ELSE)
    items = dict(list(items.items())[-most:])
    noted = StationReport(
        station=key, kind=event.kind, at=op.t.wall, packed=pack(items), count=len(items),
        source=event.source or (before.source if before else ""),
        missing=before.missing if before else int(event.kind is ReportKind.INVENTORY),
        firmware=before.firmware if before else None, facts=before.facts if before else {},
    )  # fmt: skip
    return Changes(put=(noted,))


def _knocked(state: SiteState, op: Op, event: e.Knocked) -> Changes:
    id_ = op.entity.partition(":")[2]
    known = state.knocks.get(id_)
    knock = Knock(
        id=id_, identity=event.identity, ip=event.ip, reason=event.reason, at=op.t.wall, vendor=event.vendor,
        model=event.model, serial=event.serial, firmware=event.firmware, version=event.version, offered=event.offered,
        first_at=(known.first_at or known.at) if known else op.t.wall, count=event.count,
    )  # fmt: skip
    return Changes(put=(knock,))


def _knock_cleared(_state: SiteState, op: Op, _event: e.KnockCleared) -> Changes:
    return Changes(drop=(op.entity,))


def _connector_changed(state: SiteState, op: Op, event: e.ConnectorChanged) -> Changes:
    station = station_of(state, op)
    status, plugs = event.status, {}
    known = station.connectors.get(event.connector)
    if event.plug is not None:
        plugs = {**(known.plugs if known else {}), event.plug: event.status}
        status = together(plugs.values())
    connector = Connector(
        status=status, at=event.at, error_code=event.error_code, info=event.info,
        vendor_error_code=event.vendor_error_code, text=event.text, plugs=plugs,
        told_since=known.since if known is not None and known.status is status and known.since != event.at else None,
    )  # fmt: skip
    return Changes(put=(replace(station, connectors={**station.connectors, event.connector: connector}),))


FOLDS: dict[type[e.Event], Fold] = {
    e.StationConnected: _station_connected,
    e.StationHeard: _station_heard,
    e.StationDisconnected: _station_disconnected,
    e.StationBooted: _station_booted,
    e.StationConfigured: _station_configured,
    e.StationNeedsReboot: _station_needs_reboot,
    e.AvailabilityOrdered: _availability_ordered,
    e.CorrectionsCounted: _corrections_counted,
    e.StationTestTokenSet: _station_test_token_set,
    e.StationFaulted: _station_faulted,
    e.StationFaultCleared: _station_fault_cleared,
    e.StationForgotten: _station_forgotten,
    e.StationReported: _station_reported,
    e.StationNoted: _station_noted,
    e.Knocked: _knocked,
    e.KnockCleared: _knock_cleared,
    e.ConnectorChanged: _connector_changed,
}
