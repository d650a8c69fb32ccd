"""What is true on a site, as frozen records. `sitelink.apply` makes new ones from old ones and an op; nobody else does.

Pure. Start at `SiteState`. Every record has a `key`, the name under which it is stored.
"""

from datetime import datetime
from typing import Any

import msgspec

from sitelink.events import Correction, ListEntry, MeterListed, MeterSample, Traits
from sitelink.ids import (
    ChargePointId,
    CommandId,
    IdTokenKey,
    JobId,
    LinkId,
    OpId,
    StationKey,
    TransactionId,
    TransferId,
    station_key,
)
from sitelink.ops import Author, Stamp
from sitelink.packed import Items, unpack
from sitelink.ranges import Ranges, missing
from sitelink.security import IssuedCertificate, StationSecurity
from sitelink.states import (
    ActionName,
    AuthorizationStatus,
    AuthorType,
    CommandState,
    ConnectorStatus,
    IdTokenSource,
    IdTokenType,
    JobStatus,
    LinkRole,
    LocalListState,
    Registration,
    ReportKind,
    TransferKind,
    TransferMethod,
)
from sitelink.wiring import ChargeSeen, Finding


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """A current value of a field, with the op that set it."""

    op: OpId
    value: str | int | bool | None
    by: Author
    at: datetime


class Register(msgspec.Struct, frozen=True):
    """A field that several may edit while apart. More than one head is a conflict, shown to people (SYNC §2.3)."""

    heads: tuple[Head, ...] = ()

    @property
    def value(self) -> str | int | bool | None:
        """What machines use meanwhile: the last head written on the site, else the last head."""
        if not self.heads:
            return None
        on_site = [head for head in self.heads if head.by.type is not AuthorType.OPERATOR]
        return (on_site or list(self.heads))[-1].value

    @property
    def conflicting(self) -> bool:
        return len({head.value for head in self.heads}) > 1


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    id: OpId
    by: Author
    text: str
    at: datetime


class ChargePoint(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a job: a bay with a plug. The station that serves it is found by identity."""

    id: ChargePointId
    job: JobId
    name: str
    identity_register: Register
    connector_register: Register
    active_register: Register
    maintenance_register: Register
    model: str | None = None
    integration: str | None = "ocpp"
    notes: tuple[Note, ...] = ()
    owner: str | None = None
    """The other team that owns this identity, by the cloud's verdict."""
    checked: str | None = None
    """The identity that verdict was about; another, or none: the cloud has not looked at it yet."""

    @property
    def key(self) -> str:
        return f"cp:{self.id}"

    @property
    def identity(self) -> str:
        return str(self.identity_register.value or "")

    @property
    def station(self) -> StationKey:
        return station_key(self.identity)

    @property
    def connector(self) -> int:
        return int(self.connector_register.value or 1)

    @property
    def active(self) -> bool:
        return bool(self.active_register.value)

    @property
    def maintenance(self) -> bool:
        return bool(self.maintenance_register.value)


class Completion(msgspec.Struct, frozen=True, omit_defaults=True):
    at: datetime
    by: Author
    activate_all: bool
    activated: tuple[ChargePointId, ...]
    name: str | None = None
    reason: str | None = None
    as_built: Any = None
    unseen: tuple[ChargePointId, ...] = ()
    """Rows whose identity was edited elsewhere when it was made: somebody must look."""
    too_late: bool = False
    """The job had been ended elsewhere: nothing became active by it."""


class Wiring(msgspec.Struct, frozen=True, omit_defaults=True):
    """See `WiringProved`."""

    meter: str
    at: datetime
    by: Author
    values: dict[str, float]
    findings: tuple[Finding, ...] = ()
    charge: ChargeSeen | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """An installer's work order on this site."""

    id: JobId
    number: str
    site_name: str
    charge_points: tuple[ChargePointId, ...]
    test_token: str
    created_at: datetime
    imported_by: OpId
    site_address: str | None = None
    description: str = ""
    instructions: str = ""
    contact: str | None = None
    status: JobStatus = JobStatus.OPEN
    round: int = 1
    activate_by_default: bool = True
    open_pairing: bool = True
    pairing: Stamp | None = None
    pairing_for_s: int = 0
    meters: tuple[MeterListed, ...] = ()
    wirings: tuple[Wiring, ...] = ()
    """How meters were found to be wired, one for each that was looked at."""
    completion: Completion | None = None
    ended_at: datetime | None = None

    @property
    def key(self) -> str:
        return f"job:{self.id}"


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a station that tries does not get through. code as in StationFaulted."""

    code: str
    at: datetime
    detail: dict[str, str] = {}


class Connector(msgspec.Struct, frozen=True, omit_defaults=True):
    status: ConnectorStatus
    at: datetime
    error_code: str = "NoError"
    info: str | None = None
    vendor_error_code: str | None = None
    text: str | None = None
    plugs: dict[int, ConnectorStatus] = {}
    """OCPP 2.x: of each connector of this EVSE; `status` is then what they come to together."""
    told_since: datetime | None = None
    """When it first said this status, where it has said it more than once in a row."""

    @property
    def since(self) -> datetime:
        return self.told_since or self.at


class Station(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A physical charge point as it presents itself over OCPP. Registration outlives sockets and restarts."""

    id: StationKey
    identity: str
    registration: Registration = Registration.NONE
    connected: bool = False
    changed_at: datetime | None = None
    """When `connected` last changed."""
    disconnect_reason: str | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    ip: str | None = None
    version: str | None = None
    subprotocol: str | None = None
    profile: int = 0
    """Of its last connection; what it is held to stands in StationSecurity."""
    encrypted: bool = False
    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    booted_at: datetime | None = None
    boots: int = 0
    booted_by: OpId | None = None
    """The op of the last boot: the same one again is no further boot."""
    faults: tuple[Fault, ...] = ()
    connectors: dict[int, Connector] = {}
    configuration: dict[str, str | None] = {}
    test_token: str | None = None
    """What the installer's test uses here instead of the job's token."""
    transactions: dict[int, TransactionId] = {}
    """The running transaction of each connector."""
    newest_start: datetime | None = None
    """Of all its transactions: a start that is later has not come before."""
    traits: Traits = Traits()
    refused: tuple[str, ...] = ()
    """Actions it answered with NotSupported, until it boots with another firmware."""
    reboot_needed: tuple[str, ...] = ()
    """Configuration keys whose change waits for a reboot."""
    out_of_service: tuple[int, ...] = ()
    """Places it was ordered out of service, 0 for all of it; its statuses say what is true."""

    @property
    def key(self) -> str:
        return f"station:{self.id}"

    @property
    def connector_count(self) -> int | None:
        """What it said (NumberOfConnectors), else the highest connector it reported, else not known."""
        said = self.configuration.get("NumberOfConnectors") or ""
        if said.isdecimal() and 1 <= int(said) <= 100:
            return int(said)
        return max((number for number in self.connectors if number > 0), default=0) or None


class Transaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`id` is ours. OCPP 2.x alone: `name`, the station's own id; `numbers`, the events that came, as ranges."""

    id: TransactionId
    station: StationKey
    connector: int
    started_at: datetime | None = None
    id_token: str | None = None
    verdict: AuthorizationStatus | None = None
    meter_start_wh: float | None = None
    start_content: str | None = None
    test: bool = False
    stopped_at: datetime | None = None
    meter_stop_wh: float | None = None
    reason: str | None = None
    stop_content: str | None = None
    orphan: bool = False
    flags: tuple[str, ...] = ()
    """Codes of what is not plausible about it, e.g. energy_went_back."""
    name: str | None = None
    token_type: str | None = None
    plug: int | None = None
    charging: ConnectorStatus | None = None
    """What the station last said it is doing, where it says so."""
    remote_start: int | None = None
    numbers: Ranges = ()
    last_number: int | None = None
    """Of the event that ended it."""
    extras: dict[str, Any] = {}
    """What else the station last told of it (OCPP 2.1)."""
    incomplete: bool = False
    """Events of it are missing, and the station has none left to tell."""

    @property
    def key(self) -> str:
        return f"transaction:{self.id}"

    @property
    def authorised(self) -> bool:
        """Whether somebody's id token began it. In OCPP 2.x a plug alone may begin one."""
        return self.id_token is not None

    @property
    def missing_events(self) -> int:
        """How many events of an ended transaction never came (OCPP 2.0.1 part 2, E 1.3.2)."""
        return missing(self.numbers, self.last_number) if self.last_number is not None else 0

    @property
    def open(self) -> bool:
        return self.stopped_at is None and self.started_at is not None


class MeterReading(msgspec.Struct, frozen=True):
    """What a meter of a job said last, of the minute from `at` on. Kept in memory only, like `Readings`."""

    job: JobId
    meter: str
    at: datetime
    values: dict[str, float]

    @property
    def key(self) -> str:
        return f"reading:{self.job}/{self.meter}"


class Readings(msgspec.Struct, frozen=True):
    """The newest meter values of a connector. Kept in memory only; the telemetry ring has them all."""

    station: StationKey
    connector: int
    at: datetime
    samples: dict[str, MeterSample]
    """By "measurand" or "measurand/phase"."""

    @property
    def key(self) -> str:
        return f"readings:{self.station}/{self.connector}"

    def value(self, measurand: str, phase: str | None = None) -> float | None:
        sample = self.samples.get(f"{measurand}/{phase}" if phase else measurand)
        return sample.value if sample else None


class Knock(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who calls and is not served."""

    id: str
    identity: str
    ip: str
    reason: str
    at: datetime
    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    version: str | None = None
    offered: tuple[str, ...] = ()
    first_at: datetime | None = None
    count: int = 1

    @property
    def key(self) -> str:
        return f"knock:{self.id}"


class Corrections(msgspec.Struct, frozen=True, kw_only=True):
    """What had to be put right of a station's messages, by kind: action and code, e.g. "MeterValues unit:unknown"."""

    station: StationKey
    kinds: dict[str, Correction] = {}

    @property
    def key(self) -> str:
        return f"corrections:{self.station}"


class StationReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A list a station told of itself; fields as in StationReported. `items` opens it: not for the hot path."""

    station: StationKey
    kind: ReportKind
    at: datetime
    packed: bytes
    count: int
    source: str = ""
    missing: int = 0
    firmware: str | None = None
    facts: dict[str, int] = {}

    @property
    def key(self) -> str:
        return report_key(self.station, self.kind)

    @property
    def items(self) -> Items:
        return unpack(self.packed)


def report_key(station: StationKey, kind: ReportKind) -> str:
    return f"report:{kind}/{station}"


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A remote action: what was asked, what the station answered, and what actually changed."""

    id: CommandId
    action: ActionName
    charge_point: ChargePointId
    station: StationKey
    connector: int
    by: Author
    requested_at: datetime
    detail: dict[str, Any] = {}
    state: CommandState = CommandState.SENT
    answer: str | None = None
    answered_at: datetime | None = None
    outcome: str | None = None
    outcome_detail: dict[str, Any] = {}
    ended_at: datetime | None = None
    late: bool = False

    @property
    def key(self) -> str:
        return f"command:{self.id}"


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the station said of a transfer, in its own word."""

    word: str
    at: datetime


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """A file on its way between a station and the box: what was asked, what was said of it, what really went over.

    `moved_at` is when the whole file had gone over (`size`, `sha256`; of firmware both are known before). `file` is
    its name on the box, None when it is no longer there. `problem` is why the last attempt came to nothing.
    """

    id: TransferId
    kind: TransferKind
    station: StationKey
    request: int
    method: TransferMethod
    by: Author
    requested_at: datetime
    file: str | None
    state: CommandState = CommandState.SENT
    answer: str | None = None
    answered_at: datetime | None = None
    late: bool = False
    station_file: str | None = None
    told: tuple[Told, ...] = ()
    size: int | None = None
    sha256: str | None = None
    moved_at: datetime | None = None
    tries: int = 0
    """Attempts that came to nothing."""
    problem: str | None = None
    tried_by: OpId | None = None
    version: str | None = None
    version_before: str | None = None
    boots_before: int = 0
    signed: bool = False
    outcome: str | None = None
    outcome_detail: dict[str, Any] = {}
    ended_at: datetime | None = None

    @property
    def key(self) -> str:
        return f"transfer:{self.id}"

    @property
    def running(self) -> bool:
        return self.ended_at is None

    @property
    def word(self) -> str | None:
        """The last the station said of it."""
        return self.told[-1].word if self.told else None


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A capability link to one job. The token is known only to who holds it."""

    id: LinkId
    job: JobId
    token_sha256: str
    role: LinkRole
    created_at: datetime
    name: str | None = None
    revoked_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def key(self) -> str:
        return f"link:{self.id}"


class IdToken(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A token on the site's list. Personal data: in full only in the admin API, masked everywhere else."""

    id: IdTokenKey
    id_token: str
    """As it was typed."""
    changed_at: datetime
    status: AuthorizationStatus = AuthorizationStatus.ACCEPTED
    type: IdTokenType | None = None
    expires: datetime | None = None
    group: str | None = None
    charge_points: tuple[StationKey, ...] = ()
    """Only there; none: everywhere."""
    note: str = ""
    source: IdTokenSource = IdTokenSource.API

    @property
    def key(self) -> str:
        return f"id_token:{self.id}"


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """A setting of the box that its operator changed from above."""

    id: str
    """Its key in docs/settings.md."""
    value: Any
    at: datetime
    by: Author

    @property
    def key(self) -> str:
        return f"setting:{self.id}"


class LocalList(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a station confirmed of the list it keeps for when it is offline."""

    station: StationKey
    at: datetime
    state: LocalListState
    version: int = 0
    entries: dict[IdTokenKey, ListEntry] = {}
    left_out: int = 0
    """Tokens that do not fit there."""
    reason: str = ""

    @property
    def key(self) -> str:
        return f"local_list:{self.station}"


class EarlyOp(msgspec.Struct, frozen=True):
    """An op of the site's log that came before what it is about, as after a restore of the cloud: it waits for that."""

    op: OpId
    about: str
    """The entity it waits for, as `cp:ID`."""
    number: int
    """Their order."""
    body: str

    @property
    def key(self) -> str:
        return f"early:{self.op}"


Entity = (
    Job | ChargePoint | Station | Transaction | Readings | Knock | Command | Link | Corrections | IdToken | LocalList
    | StationSecurity | Transfer | StationReport | IssuedCertificate | Setting | EarlyOp | MeterReading
)  # fmt: skip

CLOSED_TRANSACTIONS_KEPT = 4
"""Closed transactions a station keeps in memory; the store has them all."""
ENDED_COMMANDS_KEPT = 200
ENDED_TRANSFERS_KEPT = 200
"""Of all stations; older ones are forgotten with their files."""
TOLD_KEPT = 32


class SiteState:
    """All that is true now, by kind. The journal's writer holds the working copy, the core the published one.

    Bounded: of closed transactions and ended commands only the newest stay here.
    """

    def __init__(self) -> None:
        self.jobs: dict[JobId, Job] = {}
        self.charge_points: dict[ChargePointId, ChargePoint] = {}
        self.stations: dict[StationKey, Station] = {}
        self.transactions: dict[TransactionId, Transaction] = {}
        self.readings: dict[tuple[StationKey, int], Readings] = {}
        self.meters: dict[tuple[JobId, str], MeterReading] = {}
        self.knocks: dict[str, Knock] = {}
        self.commands: dict[CommandId, Command] = {}
        self.transfers: dict[TransferId, Transfer] = {}
        self.links: dict[LinkId, Link] = {}
        self.corrections: dict[StationKey, Corrections] = {}
        self.id_tokens: dict[IdTokenKey, IdToken] = {}
        self.local_lists: dict[StationKey, LocalList] = {}
        self.security: dict[StationKey, StationSecurity] = {}
        self.reports: dict[str, StationReport] = {}
        """By their keys."""
        self.certificates: dict[str, IssuedCertificate] = {}
        self.settings: dict[str, Setting] = {}
        self.early_ops: dict[OpId, EarlyOp] = {}
        self._closed: dict[StationKey, list[TransactionId]] = {}
        self._rows_by_station: dict[StationKey, tuple[tuple[Job, ChargePoint], ...]] | None = None
        """Made when asked for, gone when a job or a row changes: stations report often, people edit seldom."""

    def copy(self) -> "SiteState":
        """One that can be changed without this one. The records themselves never change."""
        copy = SiteState()
        for place, records in vars(self).items():
            if place == "_closed":
                copy._closed = {station: list(ids) for station, ids in records.items()}
            elif not place.startswith("_"):
                setattr(copy, place, dict(records))
        return copy

    def put(self, entity: Entity) -> None:
        """Replace what stands under the entity's key."""
        if isinstance(entity, Station):
            self.stations[entity.id] = entity
        elif isinstance(entity, Readings):
            self.readings[entity.station, entity.connector] = entity
        elif isinstance(entity, Transaction):
            self._put_transaction(entity)
        elif isinstance(entity, Command):
            self._put_command(entity)
        elif isinstance(entity, StationSecurity):
            self.security[entity.id] = entity
        elif isinstance(entity, IssuedCertificate):
            self.certificates[entity.id] = entity
        elif isinstance(entity, Transfer):
            self.transfers[entity.id] = entity
        elif isinstance(entity, Knock):
            self.knocks[entity.id] = entity
        elif isinstance(entity, Corrections):
            self.corrections[entity.station] = entity
        elif isinstance(entity, IdToken):
            self.id_tokens[entity.id] = entity
        elif isinstance(entity, LocalList):
            self.local_lists[entity.station] = entity
        elif isinstance(entity, StationReport):
            self.reports[entity.key] = entity
        elif isinstance(entity, ChargePoint):
            self.charge_points[entity.id] = entity
            self.forget_indexes()
        elif isinstance(entity, Job):
            self.jobs[entity.id] = entity
            self.forget_indexes()
        elif isinstance(entity, Setting):
            self.settings[entity.id] = entity
        elif isinstance(entity, MeterReading):
            self.meters[entity.job, entity.meter] = entity
        elif isinstance(entity, EarlyOp):
            self.early_ops[entity.op] = entity
        else:
            self.links[entity.id] = entity

    def drop(self, key: str) -> None:
        """Forget the entity under `key` (a kind that can go: not a command)."""
        kind, _, name = key.partition(":")
        if kind == "knock":
            self.knocks.pop(name, None)
        elif kind == "id_token":
            self.id_tokens.pop(IdTokenKey(name), None)
        elif kind == "local_list":
            self.local_lists.pop(StationKey(name), None)
        elif kind == "cp":
            self.charge_points.pop(ChargePointId(name), None)
            self.forget_indexes()
        elif kind == "station":
            self.stations.pop(StationKey(name), None)
        elif kind == "corrections":
            self.corrections.pop(StationKey(name), None)
        elif kind == "transfer":
            self.transfers.pop(TransferId(name), None)
        elif kind == "report":
            self.reports.pop(key, None)
        elif kind == "job":
            self.jobs.pop(JobId(name), None)
            self.forget_indexes()
        elif kind == "link":
            self.links.pop(LinkId(name), None)
        elif kind == "setting":
            self.settings.pop(name, None)
        elif kind == "early":
            self.early_ops.pop(OpId(name), None)

    def report_of(self, station: StationKey, kind: ReportKind) -> StationReport | None:
        return self.reports.get(report_key(station, kind))

    def rows(self, job: Job) -> list[ChargePoint]:
        """The job's charge points in its order."""
        return [self.charge_points[id_] for id_ in job.charge_points if id_ in self.charge_points]

    def rows_of_station(self, station: StationKey) -> tuple[tuple[Job, ChargePoint], ...]:
        """Rows that name this station, open jobs first, then newest job first; cancelled jobs name nobody."""
        if self._rows_by_station is None:
            self._rows_by_station = self._index_rows()
        return self._rows_by_station.get(station, ())

    def forget_indexes(self) -> None:
        """For whoever changes jobs or charge points by other ways than `put` and `drop`."""
        self._rows_by_station = None

    def _index_rows(self) -> dict[StationKey, tuple[tuple[Job, ChargePoint], ...]]:
        jobs = [job for job in self.jobs.values() if job.status is not JobStatus.CANCELLED]
        jobs.sort(key=lambda job: (job.status is JobStatus.OPEN, job.created_at), reverse=True)
        found: dict[StationKey, list[tuple[Job, ChargePoint]]] = {}
        for job in jobs:
            for row in self.rows(job):
                if row.identity and row.integration == "ocpp":
                    found.setdefault(row.station, []).append((job, row))
        return {station: tuple(rows) for station, rows in found.items()}

    def row_of_connector(self, station: StationKey, connector: int) -> tuple[Job, ChargePoint] | None:
        """The row a connector belongs to; where none has that number, the station's first row."""
        rows = self.rows_of_station(station)
        return next((found for found in rows if found[1].connector == connector), rows[0] if rows else None)

    def transaction_of(self, row: ChargePoint) -> Transaction | None:
        """The transaction running at the row's connector."""
        station = self.stations.get(row.station) if row.identity else None
        running = station.transactions.get(row.connector) if station else None
        return self.transactions.get(running) if running is not None else None

    def charge_of(self, row: ChargePoint) -> Transaction | None:
        """The transaction running there, if somebody is charging: a plug alone may have begun one (OCPP 2.x)."""
        transaction = self.transaction_of(row)
        return transaction if transaction is not None and transaction.authorised else None

    def is_charging(self, station: StationKey) -> bool:
        """Whether somebody charges at any of its connectors."""
        known = self.stations.get(station)
        running = (self.transactions.get(id_) for id_ in known.transactions.values()) if known is not None else ()
        return any(each is not None and each.authorised for each in running)

    def last_transaction_of(self, row: ChargePoint, *, test: bool) -> Transaction | None:
        """The newest transaction at the row's connector that is still in memory."""
        station = self.stations.get(row.station)
        near = [*self._closed.get(row.station, ()), *(station.transactions.values() if station else ())]
        known = [self.transactions[id_] for id_ in near if id_ in self.transactions]
        found = [each for each in known if (each.connector, each.test) == (row.connector, test) and each.started_at]
        return max(found, key=lambda transaction: transaction.id, default=None)

    def transactions_of(self, station: StationKey) -> list[Transaction]:
        """Those of a station that are in memory: the running ones, and the last that closed."""
        known = self.stations.get(station)
        near = [*self._closed.get(station, ()), *(known.transactions.values() if known is not None else ())]
        return [self.transactions[id_] for id_ in near if id_ in self.transactions]

    def last_closed(self, station: StationKey, connector: int) -> Transaction | None:
        """The newest closed transaction of a connector that is still in memory."""
        known = (self.transactions.get(id_) for id_ in reversed(self._closed.get(station, ())))
        return next((each for each in known if each is not None and each.connector == connector), None)

    def transfers_of(self, station: StationKey) -> list[Transfer]:
        """Oldest first."""
        return [each for each in self.transfers.values() if each.station == station]

    def _put_transaction(self, transaction: Transaction) -> None:
        known = self.transactions.get(transaction.id)
        self.transactions[transaction.id] = transaction
        if transaction.open or (known is not None and not known.open):
            return
        closed = self._closed.setdefault(transaction.station, [])
        closed.append(transaction.id)
        if len(closed) > CLOSED_TRANSACTIONS_KEPT:
            self.transactions.pop(closed.pop(0), None)

    def _put_command(self, command: Command) -> None:
        self.commands[command.id] = command
        if len(self.commands) > ENDED_COMMANDS_KEPT:
            ended = next((id_ for id_, each in self.commands.items() if each.ended_at is not None), None)
            if ended is not None:
                del self.commands[ended]
