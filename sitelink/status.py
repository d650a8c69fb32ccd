"""The one exact status of a charge point, by the installer guide's rule, and why.

Pure. Start at `status_of`. Sources: the guide, chapter 3; UX §1.4 (the rule and its edge cases) and §1.5 (where the
states come from).
"""

from datetime import timedelta
from typing import Any

import msgspec

from sitelink.model import ChargePoint, Connector, Fault, SiteState, Station, Transaction
from sitelink.states import ChargePointState, ConnectorStatus, IntegrationState, Registration

NO_SERIAL = "No serial"
SERIAL_IN_USE = "Serial is in use by: {team}"
NO_INTEGRATION_CONFIGURED = "Not connected (no integration configured)"

_BUSY_BY_STATUS = {
    ConnectorStatus.PREPARING: ChargePointState.BUSY_NON_CHARGING,
    ConnectorStatus.CHARGING: ChargePointState.BUSY_CHARGING,
    ConnectorStatus.SUSPENDED_EV: ChargePointState.BUSY_NON_CHARGING,
    ConnectorStatus.SUSPENDED_EVSE: ChargePointState.BUSY_NON_CHARGING,
    ConnectorStatus.FINISHING: ChargePointState.BUSY_NON_RELEASED,
    ConnectorStatus.RESERVED: ChargePointState.BUSY_RESERVED,
    ConnectorStatus.OCCUPIED: ChargePointState.BUSY,
}
TOLD_WITHIN = timedelta(seconds=5)
"""So long after the end of a charge a station may say that the cable is in, and no driver has plugged in anew."""
CHARGING_FROM_W = 500
"""Above what a car's electronics take while it waits."""
_NOT_TAKING_POWER = frozenset(
    {
        ConnectorStatus.SUSPENDED_EV,
        ConnectorStatus.SUSPENDED_EVSE,
        ConnectorStatus.FINISHING,
        ConnectorStatus.FAULTED,
        ConnectorStatus.PREPARING,
    }
)


class Status(msgspec.Struct, frozen=True):
    """`text` is the exact string people read; `explanation` is a code of web_ui.wording with its `fields`."""

    text: str
    integration: IntegrationState | None
    state: ChargePointState
    explanation: str
    fields: dict[str, Any] = {}
    connected: bool = False
    """Counts towards "8 / 14 connected": no validation message and integration `connected`."""


def combined(integration: IntegrationState, state: ChargePointState) -> str:
    """The guide's format: the state in brackets when it differs and is not passive."""
    if state.value != integration.value and state is not ChargePointState.PASSIVE:
        return f"{integration.value} ({state.value})"
    return integration.value


def status_of(state: SiteState, row: ChargePoint) -> Status:
    """The status of a row. Validation messages come first, then the missing integration, then the two states."""
    integration, fault = integration_of(state, row)
    doing = charge_point_state_of(state, row)
    if not row.identity.strip():
        return Status(NO_SERIAL, integration, doing, "no_serial")
    if row.owner:
        return Status(SERIAL_IN_USE.format(team=row.owner), integration, doing, "serial_in_use", {"team": row.owner})
    if integration is None:
        return Status(NO_INTEGRATION_CONFIGURED, None, doing, "no_integration_configured")
    explanation, fields = _explain(state, row, integration, doing, fault)
    return Status(
        combined(integration, doing), integration, doing, explanation, fields,
        connected=integration is IntegrationState.CONNECTED,
    )  # fmt: skip


def integration_of(state: SiteState, row: ChargePoint) -> tuple[IntegrationState | None, Fault | None]:
    """How box and charge point stand to each other, and the fault behind `error`; None: no integration configured."""
    if row.integration is None:
        return None, None
    if row.integration != "ocpp":
        return IntegrationState.NO_INTEGRATION, None
    station = state.stations.get(row.station) if row.identity else None
    if station is None:
        return IntegrationState.PENDING, None
    if station.faults:
        return IntegrationState.ERROR, station.faults[-1]
    if station.registration is Registration.REJECTED:
        return IntegrationState.ERROR, Fault(code="boot_rejected", at=station.booted_at or row_time(row))
    if station.registration is not Registration.ACCEPTED:
        return IntegrationState.PENDING, None
    if not station.connected:
        return IntegrationState.DISCONNECTED, None
    missing = _missing_connector(station, row.connector)
    if missing is not None:
        return IntegrationState.ERROR, missing
    return IntegrationState.CONNECTED, None


def row_time(row: ChargePoint) -> Any:
    """When the row's identity was last set."""
    return row.identity_register.heads[-1].at


def _missing_connector(station: Station, connector: int) -> Fault | None:
    """Only when the station itself said how many it has."""
    if "NumberOfConnectors" not in station.configuration:
        return None
    count = station.connector_count
    if count is None or connector <= count or connector in station.connectors:
        return None
    return Fault(
        code="connector_not_present",
        at=station.changed_at or station.booted_at or next(iter(station.connectors.values())).at,
        detail={"connector": str(connector), "count": str(count)},
    )


def charge_point_state_of(state: SiteState, row: ChargePoint) -> ChargePointState:
    """What it is doing; the first rule of UX §1.5 that matches."""
    station = state.stations.get(row.station) if row.identity else None
    transaction = state.transaction_of(row)
    if transaction is not None:
        return _state_in_transaction(station, transaction)
    if row.maintenance:
        return ChargePointState.MAINTENANCE
    connector = connector_of(station, row.connector)
    online = station is not None and station.connected
    if online and connector is not None:
        if connector.status is ConnectorStatus.FAULTED:
            return ChargePointState.ERROR
        if connector.status is ConnectorStatus.OCCUPIED and station is not None and speaks_2x(station):
            left = _is_left_plugged(state, row, connector)
            return ChargePointState.BUSY_NON_RELEASED if left else ChargePointState.BUSY_NON_CHARGING
        if connector.status in _BUSY_BY_STATUS:
            return _BUSY_BY_STATUS[connector.status]
        if station is not None and _charges_unsaid(state, station, row, connector):
            return ChargePointState.BUSY_CHARGING
    accepted = station is not None and station.registration is Registration.ACCEPTED
    if not row.active or not accepted:
        return ChargePointState.PASSIVE
    if station is not None and station.faults:
        return ChargePointState.ERROR
    if not online:
        return ChargePointState.DISCONNECTED
    if connector is None:
        return ChargePointState.OTHER
    if connector.status is ConnectorStatus.UNAVAILABLE:
        return ChargePointState.BUSY_BLOCKED
    if connector.status is ConnectorStatus.AVAILABLE:
        return ChargePointState.AVAILABLE
    return ChargePointState.OTHER


def speaks_2x(station: Station) -> bool:
    """There, Occupied without a transaction is a cable that is in; with 1.5's word nothing more is known."""
    return (station.version or "").startswith("2.")


def _is_left_plugged(state: SiteState, row: ChargePoint, connector: Connector) -> bool:
    """Whether a charge ended since the cable was first said to be in, or a moment before (1.6 says Finishing)."""
    ended = state.last_closed(row.station, row.connector)
    if ended is None or ended.stopped_at is None:
        return False
    pulled = ended.reason == "EVDisconnected"
    return connector.since <= ended.stopped_at + (timedelta() if pulled else TOLD_WITHIN)


def _charges_unsaid(state: SiteState, station: Station, row: ChargePoint, connector: Connector) -> bool:
    """Whether power flows where the station still says Available, as some do with a cable plugged in."""
    if not station.traits.available_while_plugged or connector.status is not ConnectorStatus.AVAILABLE:
        return False
    readings = state.readings.get((row.station, row.connector))
    if readings is None or readings.at < connector.at:
        return False
    return (readings.value("Power.Active.Import") or 0) >= CHARGING_FROM_W


def connector_of(station: Station | None, number: int) -> Connector | None:
    """A connector's last report. Connector 0 faulted or unavailable overrides it, and stands in where it is missing."""
    if station is None:
        return None
    whole = station.connectors.get(0)
    if whole is not None and whole.status in (ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE):
        return whole
    return station.connectors.get(number, whole)


def _state_in_transaction(station: Station | None, transaction: Transaction) -> ChargePointState:
    """A running transaction outranks a late StatusNotification; only "not taking power" is read from the connector.

    Where the station says in the transaction what it is doing (OCPP 2.x), that counts and nothing else.
    """
    if transaction.charging is not None:
        charging = transaction.charging is ConnectorStatus.CHARGING
        return ChargePointState.BUSY_CHARGING if charging else ChargePointState.BUSY_NON_CHARGING
    connector = station.connectors.get(transaction.connector) if station else None
    if connector is not None and connector.status in _NOT_TAKING_POWER:
        return ChargePointState.BUSY_NON_CHARGING
    return ChargePointState.BUSY_CHARGING


def _explain(
    state: SiteState, row: ChargePoint, integration: IntegrationState, doing: ChargePointState, fault: Fault | None
) -> tuple[str, dict[str, Any]]:
    station = state.stations.get(row.station)
    if integration is IntegrationState.ERROR and fault is not None:
        return fault.code, {"identity": row.identity, "at": fault.at, **fault.detail}
    if integration is IntegrationState.NO_INTEGRATION:
        return "no_integration", {"integration": row.integration}
    if doing is ChargePointState.MAINTENANCE:
        return "maintenance", {}
    if integration is IntegrationState.PENDING:
        waiting = station is not None and station.registration is Registration.PENDING
        return ("pending_boot" if waiting else "pending"), {"identity": row.identity}
    if integration is IntegrationState.DISCONNECTED:
        since = station.changed_at if station else None
        reason = station.disconnect_reason if station else None
        return ("box_restarted" if reason == "box_restarted" else "disconnected"), {"since": since, "reason": reason}
    if doing is ChargePointState.ERROR:
        connector = connector_of(station, row.connector)
        return "connector_faulted", {
            "error_code": connector.error_code if connector else "OtherError",
            "info": connector.info if connector else None,
            "vendor_error_code": connector.vendor_error_code if connector else None,
        }
    if doing is ChargePointState.BUSY_CHARGING:
        readings = state.readings.get((row.station, row.connector))
        power_w = readings.value("Power.Active.Import") if readings else None
        phases = [phase for phase in ("L1", "L2", "L3") if readings and readings.value("Current.Import", phase)]
        return "charging", {"power_w": power_w, "phases": phases, "test": _is_test(state, row)}
    if doing is ChargePointState.PASSIVE:
        return "ready_to_test", {}
    if doing is ChargePointState.BUSY_NON_CHARGING:
        return _why_no_power(state, row), {}
    return doing.value, {}


def _why_no_power(state: SiteState, row: ChargePoint) -> str:
    """Who holds the charge back, where the station says so: in the transaction (OCPP 2.x) or of the connector."""
    transaction = state.transaction_of(row)
    connector = connector_of(state.stations.get(row.station), row.connector)
    said = transaction.charging if transaction is not None else None
    said = said or (connector.status if connector is not None else None)
    if said is ConnectorStatus.SUSPENDED_EV:
        return "suspended_ev"
    if said is ConnectorStatus.SUSPENDED_EVSE:
        return "suspended_evse"
    if transaction is not None and not transaction.authorised:
        return "waiting_for_authorisation"
    if transaction is not None and transaction.charging is ConnectorStatus.PREPARING:
        return "ev_connected"
    return "busy-non-charging"


def _is_test(state: SiteState, row: ChargePoint) -> bool:
    transaction = state.transaction_of(row)
    return bool(transaction and transaction.test)
