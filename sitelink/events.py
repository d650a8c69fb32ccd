"""What can happen, one frozen type a fact, version-neutral. The kind is the fact's name on the wire.

Pure. Times: `at` is our best reading of when, aware UTC; `station_time` is the text the station sent, kept as it came.
Energies are Wh, whole numbers or not, as the station reported them.
"""

from datetime import datetime
from typing import Any

import msgspec

from sitelink.ids import ChargePointId, JobId, StationKey, TransactionId
from sitelink.security import CredentialOrigin, KeyState, SigningState
from sitelink.states import (
    ActionName,
    AuthorizationStatus,
    CommandState,
    ConnectorStatus,
    IdTokenSource,
    IdTokenType,
    LinkRole,
    LocalListState,
    Registration,
    ReportKind,
    TransferKind,
    TransferMethod,
)
from sitelink.wiring import ChargeSeen, Finding


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """A fact in the past tense."""


# ---- jobs ----


class ChargePointListed(Event, frozen=True, omit_defaults=True):
    """A row of an imported job."""

    id: ChargePointId
    name: str
    identity: str = ""
    connector: int = 1
    model: str | None = None
    integration: str | None = "ocpp"
    active: bool = False
    maintenance: bool = False


class MeterListed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A meter as a job says it, by its name there.

    `profile`: the model, as `eastron-sdm630`. `transport`: `tcp://HOST:PORT`, `rtu:///dev/ttyUSB0?speed=9600` and
    others (docs/meters.md). `reversed`: what flows to the site counts as export there. `ratio`: of current transformers
    that the meter does not know.
    """

    name: str = ""
    profile: str = ""
    transport: str = ""
    unit_id: int = 1
    reversed: bool = False
    ratio: float = 1.0


class JobImported(Event, frozen=True, omit_defaults=True):
    """entity job:…  A job comes to this box whole. Each row's fields get this op as their first head."""

    number: str
    site_name: str
    charge_points: tuple[ChargePointListed, ...]
    test_token: str
    site_address: str | None = None
    description: str = ""
    instructions: str = ""
    contact: str | None = None
    activate_by_default: bool = True
    open_pairing: bool = True
    meters: tuple[MeterListed, ...] = ()


class MeterPut(Event, frozen=True, omit_defaults=True):
    """entity job:…  A meter is added to the job, or stands in the place of the one that is called `instead_of`."""

    meter: MeterListed
    instead_of: str = ""


class MeterRemoved(Event, frozen=True, omit_defaults=True):
    """entity job:…"""

    name: str


class WiringProved(Event, frozen=True, omit_defaults=True):
    """entity job:…  How a meter of the job was found to be wired: its values then, what they say, and what it showed of
    a test charge, where there was one. It stands in the commissioning record; the last one counts."""

    meter: str
    values: dict[str, float]
    findings: tuple[Finding, ...] = ()
    charge: ChargeSeen | None = None


class FieldSet(Event, frozen=True, omit_defaults=True):
    """entity cp:…, `field` on the op: identity, connector, active or maintenance. `bases` are the heads it replaces."""

    value: str | int | bool | None


class NoteAdded(Event, frozen=True, omit_defaults=True):
    """entity cp:…  The op's author says which side; its id is the note's id."""

    text: str


class JobCompleted(Event, frozen=True, omit_defaults=True):
    """entity job:…  `activate` are the rows that become active by it; `as_built` is the record at that moment."""

    activate: tuple[ChargePointId, ...]
    round: int
    activate_all: bool = True
    reason: str | None = None
    name: str | None = None
    as_built: Any = None


class JobReopened(Event, frozen=True):
    """entity job:…  back to open, next round."""


class JobArchived(Event, frozen=True):
    """entity job:…"""


class JobCancelled(Event, frozen=True):
    """entity job:…"""


class PairingOpened(Event, frozen=True):
    """entity job:…  New stations named by the job may connect for `for_s` seconds of this boot."""

    for_s: int


class OwnershipLearned(Event, frozen=True, omit_defaults=True):
    """entity cp:…  The cloud's verdict on the row's identity: `team` owns it elsewhere, or nobody does (None)."""

    team: str | None
    identity: str | None = None
    """The one it is about; None: the row's."""


class LinkCreated(Event, frozen=True, omit_defaults=True):
    """entity link:…  `token_sha256` in hex; the token itself is never stored. `job` is "" for an admin token."""

    job: JobId
    token_sha256: str
    role: LinkRole
    name: str | None = None
    expires_at: datetime | None = None


class LinkRevoked(Event, frozen=True):
    """entity link:…"""


class SettingSet(Event, frozen=True):
    """entity setting:…  The operator changed a setting of the box from above; None: as the box's own file says."""

    value: Any


# ---- stations ----


class Traits(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the core must know of a kind of station that does not do as OCPP says."""

    unlock: bool = True
    """False: it has nothing to unlock."""
    finishing_sticks: bool = False
    """It stays in Finishing though the cable was pulled."""
    available_while_plugged: bool = False
    """It says Available with a cable plugged in."""
    session_energy: bool = False
    """Its energy register starts anew with every charge."""
    back_after_reset_s: float = 0
    """How long it may be gone after a reset; 0: as usual."""
    token_form: str = ""
    token_max: int = 0
    token_key: str = ""
    """What an id token sent to it must be like: hex, so many characters, the value of this configuration key."""
    rules: tuple[str, ...] = ()
    """The names of the rules that say so."""


class StationConnected(Event, frozen=True, omit_defaults=True):
    """entity station:…  A socket was opened by an identity that is served. `version` is OCPP's, e.g. "1.6"."""

    identity: str
    ip: str
    version: str
    subprotocol: str | None = None
    profile: int = 0
    """The security profile it has proven itself by: 1 password, 2 password over TLS, 3 certificate; 0 none of them."""
    encrypted: bool = False


class StationHeard(Event, frozen=True):
    """entity station:…  It had gone silent on an open socket and spoke again."""


class StationDisconnected(Event, frozen=True, omit_defaults=True):
    """entity station:…  reason: closed, silent, replaced, box_restarted, forgotten."""

    reason: str


class StationBooted(Event, frozen=True, omit_defaults=True):
    """entity station:…  `verdict` is what we answered, `payload` what it said, verbatim."""

    identity: str
    vendor: str
    model: str
    verdict: Registration
    serial: str | None = None
    firmware: str | None = None
    reason: str | None = None
    payload: Any = None
    version: str | None = None
    """OCPP's, as the boot was spoken."""
    subprotocol: str | None = None
    traits: Traits | None = None


class StationNeedsReboot(Event, frozen=True):
    """entity station:…  It took a change that only a reboot brings about (RebootRequired)."""

    keys: tuple[str, ...]


class AvailabilityOrdered(Event, frozen=True, omit_defaults=True):
    """entity station:…  It agreed to go out of service or back into it; connector 0 is the whole station.

    `answer` is its word: Accepted, or Scheduled where a charge goes on until then. That it did is a status.
    """

    operative: bool
    answer: str
    connector: int = 0
    plug: int | None = None


class Correction(msgspec.Struct, frozen=True):
    """How often something was put right, since when, and when last."""

    count: int
    first_at: datetime
    last_at: datetime


class CorrectionsCounted(Event, frozen=True):
    """entity corrections:…  Totals of the kinds that changed, e.g. "MeterValues unit:unknown"."""

    kinds: dict[str, Correction]


class StationConfigured(Event, frozen=True):
    """entity station:…  Keys it reported (GetConfiguration). Never holds AuthorizationKey."""

    values: dict[str, str | None]


class StationTestTokenSet(Event, frozen=True):
    """entity station:…  The installer's test at this station uses this token from now on; None: the job's again.

    `identity` as the job names it: the station need not have been here yet.
    """

    test_token: str | None
    identity: str


class StationFaulted(Event, frozen=True, omit_defaults=True):
    """entity station:…  It tries and fails. code: serial_changed, duplicate_identity, boot_rejected, …"""

    code: str
    detail: dict[str, str] = {}


class StationFaultCleared(Event, frozen=True):
    """entity station:…"""

    code: str


class StationForgotten(Event, frozen=True):
    """entity station:…  A station no job names made room for another."""


class StationMessage(Event, frozen=True, omit_defaults=True):
    """entity station:…  Anything kept for the record that changes no state here (firmware status, data transfer)."""

    action: str
    payload: Any


class StationReported(Event, frozen=True, omit_defaults=True):
    """entity station:…  A list it told in one or more parts, whole (`sitelink.packed`); secrets are left out.

    `source` is the call that brought it, `missing` how many parts never came, `firmware` what it ran then. `facts` are
    the few numbers of it that rules need: how many connectors there are, how much fits into a call.
    """

    kind: ReportKind
    packed: bytes
    count: int
    source: str
    missing: int = 0
    firmware: str | None = None
    facts: dict[str, int] = {}


class StationNoted(Event, frozen=True, omit_defaults=True):
    """entity station:…  Items of one of its lists came, changed or went; the others stay."""

    kind: ReportKind
    put: dict[str, Any] = {}
    drop: tuple[str, ...] = ()
    source: str = ""


class Knocked(Event, frozen=True, omit_defaults=True):
    """entity knock:…  A caller who is not served. reason: unknown_identity, pairing_closed, duplicate_identity, …"""

    identity: str
    ip: str
    reason: str
    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    version: str | None = None
    """OCPP's, as it was spoken."""
    offered: tuple[str, ...] = ()
    """The subprotocols of its handshake."""
    count: int = 1
    """How often it knocked until then."""


class KnockCleared(Event, frozen=True):
    """entity knock:…"""


# ---- security ----


class ProfileSettled(Event, frozen=True):
    """entity security:…  The station was accepted with this security profile, and is not served below it any more."""

    profile: int


class StationPairingOpened(Event, frozen=True):
    """entity security:…  A person lets one station pair anew, at any profile, for `for_s` seconds of this boot."""

    for_s: int


class CredentialSet(Event, frozen=True):
    """entity security:…  What its password must match from now on. `verifier` is a salted hash; others are dropped."""

    verifier: str
    origin: CredentialOrigin


class CredentialRemoved(Event, frozen=True):
    """entity security:…  No password of it is known any more."""


class UserMayDiffer(Event, frozen=True):
    """entity security:…  Whether its user name may be another than its identity."""

    allowed: bool


class KeyOffered(Event, frozen=True):
    """entity security:…  A key was made for the station. Written before it is sent."""

    verifier: str


class KeyAnswered(Event, frozen=True, omit_defaults=True):
    """entity security:…  What the station said to it, its own `word`; or that there was no answer (uncertain)."""

    verifier: str
    state: KeyState
    word: str | None = None


class KeyProven(Event, frozen=True):
    """entity security:…  A connection has shown the key. The one before counts no more."""

    verifier: str


class CertificateRequested(Event, frozen=True, omit_defaults=True):
    """entity security:…  The station asks for a certificate; `csr` is PEM, `request` its own number of it."""

    csr: str
    request: int | None = None


class CertificateAnswered(Event, frozen=True, omit_defaults=True):
    """entity security:…  How its request stands: signed, accepted or rejected by it, or refused (`word`: why)."""

    state: SigningState
    word: str | None = None


class CertificateIssued(Event, frozen=True):
    """entity certificate:…  A certificate was signed for a station. The entity is named by its serial."""

    station: StationKey
    common_name: str
    ends: datetime


class CertificateRevoked(Event, frozen=True):
    """entity certificate:…  It counts no more."""


class SecurityNoted(Event, frozen=True, omit_defaults=True):
    """entity security:… or box:…  Something for the security log that changes nothing. `code` is one of ours.

    `count`: how often, where the same happened again and again.
    """

    code: str
    detail: dict[str, str] = {}
    count: int = 1


class ConnectorChanged(Event, frozen=True, omit_defaults=True):
    """entity station:…  A StatusNotification; connector 0 is the station.

    OCPP 2.x: `connector` is the EVSE, `plug` the connector within it.
    """

    connector: int
    status: ConnectorStatus
    at: datetime
    error_code: str = "NoError"
    info: str | None = None
    vendor_id: str | None = None
    vendor_error_code: str | None = None
    station_time: str | None = None
    text: str | None = None
    """The status as sent, where it is none of OCPP's words."""
    plug: int | None = None


class TransactionStarted(Event, frozen=True, omit_defaults=True):
    """entity station:…  `content` recognises the same start sent again (OCPP 1.6 §3.7.1).

    Without `id_token` nobody is authorised yet: in OCPP 2.x a transaction may begin with the plug. What only 2.x has:
    `name`, the station's own id; `seq_no`, the event's number in the transaction; `remote_start`, our number of the
    remote start it answers; `plug`; `charging`, what it said it is doing; `offline`, it was told later.
    """

    id: TransactionId
    connector: int
    at: datetime
    content: str
    id_token: str | None = None
    verdict: AuthorizationStatus | None = None
    meter_start_wh: float | None = None
    test: bool = False
    station_time: str | None = None
    payload: Any = None
    name: str | None = None
    token_type: str | None = None
    seq_no: int | None = None
    remote_start: int | None = None
    plug: int | None = None
    charging: ConnectorStatus | None = None
    offline: bool = False
    extras: dict[str, Any] = {}
    """What else it told of the transaction, by name: phases, cost, limits, preconditioning (OCPP 2.1)."""


class TransactionUpdated(Event, frozen=True, omit_defaults=True):
    """entity station:…  Something about a running transaction changed (OCPP 2.x); fields as in TransactionStarted.

    What is None or left out stays as it was. `trigger` is why the station told it, in its words.
    """

    id: TransactionId
    at: datetime
    seq_no: int | None = None
    trigger: str | None = None
    connector: int | None = None
    plug: int | None = None
    charging: ConnectorStatus | None = None
    id_token: str | None = None
    token_type: str | None = None
    verdict: AuthorizationStatus | None = None
    test: bool = False
    remote_start: int | None = None
    meter_start_wh: float | None = None
    offline: bool = False
    station_time: str | None = None
    payload: Any = None
    extras: dict[str, Any] = {}


class TransactionStopped(Event, frozen=True, omit_defaults=True):
    """entity station:…  `orphan`: no start is known, the record stands alone under an id of its own."""

    id: TransactionId
    at: datetime
    content: str
    meter_stop_wh: float | None = None
    reason: str = "Local"
    id_token: str | None = None
    orphan: bool = False
    station_time: str | None = None
    payload: Any = None
    flags: tuple[str, ...] = ()
    """Codes of what is not plausible, e.g. energy_went_back."""
    seq_no: int | None = None
    offline: bool = False
    extras: dict[str, Any] = {}


class TransactionIncomplete(Event, frozen=True):
    """entity station:…  Events of a transaction never came, and the station has none left (OCPP 2.x E14)."""

    id: TransactionId
    missing: int


class MeterSample(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One sampled value in SI base units of its kind: W, Wh, A, V, Hz, var, varh, VA, %, °C; None where unreadable."""

    measurand: str
    unit: str
    value: float | None
    phase: str | None = None
    location: str | None = None
    context: str | None = None


class MeterValuesReported(Event, frozen=True, omit_defaults=True):
    """entity station:…  Telemetry: kept in its own ring, thinned when space is short, folded only into readings."""

    connector: int
    at: datetime
    samples: tuple[MeterSample, ...]
    content: str
    transaction: TransactionId | None = None
    station_time: str | None = None
    payload: Any = None
    flags: tuple[str, ...] = ()
    seq_no: int | None = None
    """Of the transaction event that brought them and nothing else (OCPP 2.x)."""


class MeterRead(Event, frozen=True, omit_defaults=True):
    """entity meter:JOB/NAME  Telemetry: what a meter of the job said in the `step_s` seconds from `at` on, by quantity
    and phase as `power_w.l1`, in V, A, W, Hz and Wh: means, and of counters what they stood at."""

    at: datetime
    values: dict[str, float]
    step_s: int = 60


# ---- id tokens ----


class IdTokenListed(Event, frozen=True, omit_defaults=True):
    """entity id_token:…  The site's list has this token from now on as it stands here. The entity is its canonical key.

    `charge_points`: only there; none: everywhere. `group` is 1.6's parentIdTag and 2.x's groupIdToken.
    """

    id_token: str
    status: AuthorizationStatus = AuthorizationStatus.ACCEPTED
    type: IdTokenType | None = None
    expires: datetime | None = None
    group: str | None = None
    charge_points: tuple[StationKey, ...] = ()
    note: str = ""
    source: IdTokenSource = IdTokenSource.API


class IdTokenRemoved(Event, frozen=True):
    """entity id_token:…  It is on the site's list no more."""


class ListEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A token on a station's own list, as it was sent there. `type` where the station's version has types."""

    id_token: str
    status: AuthorizationStatus = AuthorizationStatus.ACCEPTED
    type: IdTokenType | None = None
    group: str | None = None
    expires: datetime | None = None


class LocalListTaken(Event, frozen=True, omit_defaults=True):
    """entity local_list:…  A station confirmed a message of its list. `more`: others of the same change follow.

    `full`: it has nothing but `entries` now.
    """

    version: int
    full: bool
    entries: tuple[ListEntry, ...] = ()
    removed: tuple[ListEntry, ...] = ()
    more: bool = False
    left_out: int = 0


class LocalListNotTaken(Event, frozen=True, omit_defaults=True):
    """entity local_list:…  It did not; `reason` is its own word, or a code of ours."""

    state: LocalListState
    reason: str = ""


# ---- transfers ----


class TransferRequested(Event, frozen=True, omit_defaults=True):
    """entity transfer:…  Written before anything is sent, run at most once. `request` is its number to the station.

    `file`: the name on the box of what will arrive, or of the image that is served. Firmware: `version` it should
    bring, `version_before` and `boots_before` as the station was.
    """

    kind: TransferKind
    station: StationKey
    request: int
    method: TransferMethod
    file: str
    version: str | None = None
    version_before: str | None = None
    boots_before: int = 0
    signed: bool = False
    size: int | None = None
    sha256: str | None = None


class TransferAnswered(Event, frozen=True, omit_defaults=True):
    """entity transfer:…  The station's own word; `station_file` is what it will call the file."""

    answer: str
    state: CommandState
    outcome: str | None = None
    late: bool = False
    station_file: str | None = None


class TransferTold(Event, frozen=True, omit_defaults=True):
    """entity transfer:…  A notification of the station about it: its word, and all it said."""

    word: str
    payload: Any = None


class TransferMoved(Event, frozen=True, omit_defaults=True):
    """entity transfer:…  The whole file has gone over: it lies on the box, or the station has fetched it."""

    size: int
    sha256: str


class TransferTried(Event, frozen=True, omit_defaults=True):
    """entity transfer:…  An attempt came to nothing. problem: too_large, too_slow, cut_off, no_room, not_written."""

    problem: str
    size: int = 0


class TransferEnded(Event, frozen=True, omit_defaults=True):
    """entity transfer:…  `outcome` is a code of web_ui.wording."""

    state: CommandState
    outcome: str
    detail: dict[str, Any] = {}


class TransferFileRemoved(Event, frozen=True):
    """entity transfer:…  Its file made room for another, or is gone from the disk."""


# ---- commands ----


class CommandRequested(Event, frozen=True, omit_defaults=True):
    """entity command:…  Written before anything is sent; a known id is never run again."""

    action: ActionName
    charge_point: ChargePointId
    station: StationKey
    connector: int
    detail: dict[str, Any] = {}


class CommandAnswered(Event, frozen=True, omit_defaults=True):
    """entity command:…  `answer` is the station's own word (Accepted, Rejected, UnlockFailed, a CALLERROR code)."""

    answer: str
    state: CommandState
    outcome: str | None = None
    late: bool = False


class CommandEnded(Event, frozen=True, omit_defaults=True):
    """entity command:…  `outcome` is a code of web_ui.wording: what actually changed."""

    state: CommandState
    outcome: str
    detail: dict[str, Any] = {}


KIND_BY_TYPE: dict[type[Event], str] = {
    JobImported: "job.import",
    FieldSet: "set",
    NoteAdded: "note.add",
    JobCompleted: "complete",
    JobReopened: "reopen",
    MeterPut: "meter.put",
    WiringProved: "meter.wiring_proved",
    MeterRemoved: "meter.remove",
    JobArchived: "archive",
    JobCancelled: "cancel",
    PairingOpened: "pairing.open",
    OwnershipLearned: "ownership",
    LinkCreated: "link.create",
    LinkRevoked: "link.revoke",
    SettingSet: "setting.set",
    StationConnected: "station.connected",
    StationHeard: "station.heard",
    StationDisconnected: "station.disconnected",
    StationBooted: "station.booted",
    StationConfigured: "station.configured",
    StationNeedsReboot: "station.needs_reboot",
    AvailabilityOrdered: "station.availability",
    CorrectionsCounted: "corrections",
    StationTestTokenSet: "station.test_token",
    StationFaulted: "station.faulted",
    StationFaultCleared: "station.fault_cleared",
    StationForgotten: "station.forgotten",
    StationMessage: "station.message",
    StationReported: "station.reported",
    StationNoted: "station.noted",
    Knocked: "knock",
    KnockCleared: "knock.cleared",
    ProfileSettled: "profile.settled",
    StationPairingOpened: "profile.pairing",
    CredentialSet: "credentials.set",
    CredentialRemoved: "credentials.removed",
    UserMayDiffer: "credentials.user",
    KeyOffered: "key.offered",
    KeyAnswered: "key.answered",
    KeyProven: "key.proven",
    CertificateRequested: "key.certificate_requested",
    CertificateAnswered: "key.certificate_answered",
    CertificateIssued: "certificate.issued",
    CertificateRevoked: "certificate.revoked",
    SecurityNoted: "security.event",
    ConnectorChanged: "connector.changed",
    TransactionStarted: "transaction.started",
    TransactionUpdated: "transaction.updated",
    TransactionStopped: "transaction.stopped",
    TransactionIncomplete: "transaction.incomplete",
    MeterValuesReported: "meter.values",
    MeterRead: "meter.read",
    IdTokenListed: "id_token.listed",
    TransferRequested: "transfer.requested",
    TransferAnswered: "transfer.answered",
    TransferTold: "transfer.told",
    TransferMoved: "transfer.moved",
    TransferTried: "transfer.tried",
    TransferEnded: "transfer.ended",
    TransferFileRemoved: "transfer.file_removed",
    IdTokenRemoved: "id_token.removed",
    LocalListTaken: "local_list.taken",
    LocalListNotTaken: "local_list.not_taken",
    CommandRequested: "cmd.requested",
    CommandAnswered: "cmd.answered",
    CommandEnded: "cmd.result",
}
TYPE_BY_KIND = {kind: event_type for event_type, kind in KIND_BY_TYPE.items()}
TELEMETRY = frozenset({"meter.values", "meter.read"})
"""Kinds that are not log: their own table, their own retention, never in the way of the log."""
