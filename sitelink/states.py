"""The states everybody speaks of. The values are the strings on the wire, in the database and on the page.

Pure. Sources: the installer guide for integration states, UX §1.3 for charge point states, OCPP 1.6 §7.7 for
connectors.
"""

from collections.abc import Iterable
from enum import StrEnum


class IntegrationState(StrEnum):
    """How the box and the charge point stand to each other."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    ERROR = "error"
    PENDING = "pending"
    NO_INTEGRATION = "no_integration"


class ChargePointState(StrEnum):
    """What the charge point is doing."""

    AVAILABLE = "available"
    BUSY = "busy"
    BUSY_BLOCKED = "busy-blocked"
    BUSY_CHARGING = "busy-charging"
    BUSY_NON_CHARGING = "busy-non-charging"
    BUSY_NON_RELEASED = "busy-non-released"
    BUSY_RESERVED = "busy-reserved"
    BUSY_SCHEDULED = "busy-scheduled"
    ERROR = "error"
    DISCONNECTED = "disconnected"
    PASSIVE = "passive"
    MAINTENANCE = "maintenance"
    OTHER = "other"


class ConnectorStatus(StrEnum):
    """OCPP 1.6 ChargePointStatus, 1.5's Occupied, and UNKNOWN for any other text."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"
    OCCUPIED = "Occupied"
    UNKNOWN = "Unknown"


def together(plugs: Iterable[ConnectorStatus]) -> ConnectorStatus:
    """What the connectors of one EVSE come to: it serves one vehicle at a time, by whichever is used or free."""
    said = set(plugs)
    return next((status for status in _TOGETHER if status in said), ConnectorStatus.UNKNOWN)


_TOGETHER = (
    ConnectorStatus.CHARGING, ConnectorStatus.SUSPENDED_EV, ConnectorStatus.SUSPENDED_EVSE, ConnectorStatus.FINISHING,
    ConnectorStatus.PREPARING, ConnectorStatus.OCCUPIED, ConnectorStatus.RESERVED, ConnectorStatus.AVAILABLE,
    ConnectorStatus.UNAVAILABLE, ConnectorStatus.FAULTED,
)  # fmt: skip


class Registration(StrEnum):
    """What the station's last BootNotification was answered with; it outlives sockets and restarts (OCPP-J R12)."""

    NONE = "None"
    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


class JobStatus(StrEnum):
    OPEN = "open"
    COMPLETED = "completed"
    ARCHIVED = "archived"
    CANCELLED = "cancelled"


class ActionName(StrEnum):
    """The installer's four buttons."""

    START = "start"
    STOP = "stop"
    UNLOCK = "unlock"
    REBOOT = "reboot"


class CommandState(StrEnum):
    """sent: on its way · answered: accepted, effect awaited · done: effect seen · refused: the station said no."""

    SENT = "sent"
    ANSWERED = "answered"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"


class TransferKind(StrEnum):
    """What goes over: diagnostics and security log from the station to the box, firmware the other way."""

    DIAGNOSTICS = "diagnostics"
    SECURITY_LOG = "security_log"
    FIRMWARE = "firmware"


class TransferMethod(StrEnum):
    """How a file goes over. ftps: FTP that turns to TLS by AUTH TLS."""

    HTTPS = "https"
    HTTP = "http"
    FTPS = "ftps"
    FTP = "ftp"


COMMAND_RUNNING = frozenset({CommandState.SENT, CommandState.ANSWERED})


class AuthorType(StrEnum):
    INSTALLER = "installer"
    OPERATOR = "operator"
    STATION = "station"
    BOX = "box"
    CLOUD = "cloud"


class AuthorizationStatus(StrEnum):
    """OCPP 1.6 §7.2; the same words mean the same in 2.x, which has the five last ones besides."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    CONCURRENT_TX = "ConcurrentTx"
    UNKNOWN = "Unknown"
    NO_CREDIT = "NoCredit"
    NOT_ALLOWED_TYPE_EVSE = "NotAllowedTypeEVSE"
    NOT_AT_THIS_LOCATION = "NotAtThisLocation"
    NOT_AT_THIS_TIME = "NotAtThisTime"


class IdTokenType(StrEnum):
    """OCPP 2.0.1 §3.43 and 2.1's additions. 1.6 has no types."""

    CENTRAL = "Central"
    DIRECT_PAYMENT = "DirectPayment"
    EMAID = "eMAID"
    EVCCID = "EVCCID"
    ISO14443 = "ISO14443"
    ISO15693 = "ISO15693"
    KEY_CODE = "KeyCode"
    LOCAL = "Local"
    MAC_ADDRESS = "MacAddress"
    NO_AUTHORIZATION = "NoAuthorization"
    VIN = "VIN"


class IdTokenSource(StrEnum):
    """By which way a token came onto the site's list."""

    API = "api"
    COMMAND = "command"
    CSV = "csv"
    CLOUD = "cloud"


class LocalListState(StrEnum):
    """How the list of id tokens stands that a station keeps for when it is offline."""

    SENDING = "sending"
    """A part of it is confirmed."""
    CURRENT = "current"
    """All that was sent is confirmed."""
    OUTDATED = "outdated"
    """The site's list has changed since; seen, never recorded."""
    FAILED = "failed"
    NOT_ENABLED = "not_enabled"
    """By the station's own configuration."""
    NOT_SUPPORTED = "not_supported"


class LinkRole(StrEnum):
    INSTALLER = "installer"
    READ = "read"
    ADMIN = "admin"
    """The box's own API, no job. Made by `edge-agent token new`."""


class ReportKind(StrEnum):
    """What a charge point reports of itself in lists that are kept: one of each kind a charge point."""

    INVENTORY = "inventory"
    """Its variables (OCPP 2.x device model) or its configuration keys (1.6)."""
    MONITORING = "monitoring"
    EVENTS = "events"
    CHARGING_PROFILES = "charging_profiles"
    CHARGING_LIMITS = "charging_limits"
    CHARGING_NEEDS = "charging_needs"
    CHARGING_SCHEDULES = "charging_schedules"
    """What a car wants to follow, by EVSE."""
    COMPOSITE_SCHEDULES = "composite_schedules"
    """What it said it would do, when it was asked."""
    DISPLAY_MESSAGES = "display_messages"
    RESERVATIONS = "reservations"
    FIRMWARE_COPIES = "firmware_copies"
    """What became of firmware it was to publish to others (OCPP 2.x L03)."""
    EVENT_STREAMS = "event_streams"
