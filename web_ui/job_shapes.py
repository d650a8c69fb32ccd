"""The shapes in which a job is shown: their fields are the keys of `GET /api/v1/job` (DESIGN §6), a contract.

Pure data; `web_ui.views` fills them. Start at `JobView`.
"""

from datetime import datetime

import msgspec

from sitelink.ids import ChargePointId, TransactionId
from sitelink.states import ActionName, ChargePointState, CommandState, IntegrationState, JobStatus
from web_ui.meter_views import MeterView


class SiteView(msgspec.Struct, frozen=True):
    name: str
    address: str | None


class RelayView(msgspec.Struct, frozen=True):
    configured: bool
    connected: bool
    since: datetime | None
    backlog: int


class ActionItem(msgspec.Struct, frozen=True):
    """`reason` is a code, `reason_text` its words; both None where the action is enabled."""

    name: ActionName
    enabled: bool
    reason: str | None
    confirm: bool
    reason_text: str | None


class NoteView(msgspec.Struct, frozen=True):
    """`delivery`: saved (no cloud to send to), waiting, sent."""

    id: str
    side: str
    author: str | None
    text: str
    at: datetime
    delivery: str


class HeadView(msgspec.Struct, frozen=True):
    """A current value of a field. `by` is the side, `name` what the person gave."""

    op: str
    value: str | int | bool | None
    by: str
    at: datetime
    name: str | None


class Conflict(msgspec.Struct, frozen=True):
    """A field that was set to different values while its authors could not see each other."""

    field: str
    heads: tuple[HeadView, ...]


class StationView(msgspec.Struct, frozen=True):
    vendor: str | None
    model: str | None
    serial: str | None
    firmware: str | None
    version: str | None
    security_profile: int
    """Of its last connection: 0 without a password, 1 password, 2 password over TLS, 3 certificate."""
    encrypted: bool


class SecurityView(msgspec.Struct, frozen=True):
    """`profile`: what it is held to, None before it was accepted. `key`: what became of a key the box gave it, a code.

    `text` says it for people, "" where there is nothing to say; `weak` where it could be somebody else.
    """

    profile: int | None
    password: str | None
    key: str | None
    key_at: datetime | None
    weak: bool
    may_pair: bool
    """It is turned away for what it shows; a person may let it pair anew."""
    text: str


class TransactionView(msgspec.Struct, frozen=True):
    id: TransactionId
    started_at: datetime | None
    energy_wh: float | None
    power_w: float | None
    test: bool


class TestView(msgspec.Struct, frozen=True):
    """Evidence of the last finished test charge."""

    __test__ = False
    started_at: datetime | None
    stopped_at: datetime | None
    energy_wh: float | None


class CommandView(msgspec.Struct, frozen=True):
    """A remote action in two parts: `answer_text` is what the station said, `outcome_text` what actually changed."""

    id: str
    action: ActionName
    state: CommandState
    answer: str | None
    outcome: str | None
    running: bool
    requested_at: datetime
    ended_at: datetime | None
    progress_text: str | None
    answer_text: str | None
    outcome_text: str | None
    next_step: str | None


class ChargePointView(msgspec.Struct, frozen=True, kw_only=True):
    """A row. `status` is the exact string of UX §1.4; `tone` picks its shape: ok, busy, waiting, problem, off."""

    id: ChargePointId
    name: str
    model: str | None
    identity: str
    connector: int
    connectors: tuple[int, ...]
    status: str
    integration_state: IntegrationState | None
    state: ChargePointState
    connected: bool
    explanation: str
    explanation_code: str
    tone: str
    active: bool
    maintenance: bool
    actions: tuple[ActionItem, ...]
    notes: tuple[NoteView, ...]
    conflicts: tuple[Conflict, ...]
    heads: dict[str, tuple[HeadView, ...]]
    warnings: tuple[str, ...]
    last_seen: datetime | None
    station: StationView | None
    security: SecurityView
    transaction: TransactionView | None
    test: TestView | None
    tested: bool
    commands: tuple[CommandView, ...]
    readings: dict[str, dict[str, float]] = {}
    """What it measured last, in the words of meters: by quantity and phase, in V, A, W, Hz, Wh."""
    readings_at: datetime | None = None
    unchecked: bool = False
    """There is a cloud, and it has not said yet whether another team has this identity."""

    @property
    def bases(self) -> str:
        """The op ids of the heads shown, for the edit form."""
        return " ".join(head.op for heads in self.heads.values() for head in heads)

    @property
    def running(self) -> bool:
        return any(command.running for command in self.commands)


class SeenView(msgspec.Struct, frozen=True):
    """Somebody who calls and is not served; `reason` is a code. `id` is ours."""

    id: str
    identity: str
    vendor: str | None
    model: str | None
    serial: str | None
    ip: str
    reason: str
    reason_text: str
    at: datetime
    suggested: tuple[ChargePointId, ...]
    """Rows it may belong to: those that look alike first, then those without an identity; three at most."""
    version: str | None = None
    """OCPP's, as it spoke it; None where it has said nothing yet."""
    firmware: str | None = None
    first_at: datetime | None = None
    count: int = 1
    """How often it called until `at`."""
    offered: tuple[str, ...] = ()
    """The OCPP versions it offers, in its own words."""


class OpenPoint(msgspec.Struct, frozen=True):
    """A row somebody may want to see to before the job is completed. Nothing blocks completion."""

    id: ChargePointId
    name: str
    problem: str
    blocker: bool


class CompletionView(msgspec.Struct, frozen=True):
    at: datetime
    by: str
    name: str | None
    reason: str | None
    activate_all: bool
    activated: int
    not_connected: tuple[str, ...]
    delivery: str
    text: str


class PairingView(msgspec.Struct, frozen=True):
    open: bool


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page as data, as of journal key `seq`."""

    number: str
    status: JobStatus
    site: SiteView
    description: str
    instructions: str
    contact: str | None
    total: int
    connected: int
    tested: int
    relay: RelayView
    charge_points: tuple[ChargePointView, ...]
    seen: tuple[SeenView, ...]
    meters: tuple[MeterView, ...]
    pairing: PairingView
    completion: CompletionView | None
    open_points: tuple[OpenPoint, ...]
    read_only: bool
    trouble: str | None
    notice: str | None
    activate_by_default: bool
    seq: int
    in_cloud: bool
    ocpp_url: str
    ocpp_tls_url: str | None
    now: datetime

    def row(self, id_: str) -> ChargePointView | None:
        return next((row for row in self.charge_points if row.id == id_), None)


class ErrorView(msgspec.Struct, frozen=True):
    """An error at a field: what was wrong, what to do, and what was typed. `other` is the row it speaks of."""

    code: str
    sentence: str
    next_step: str
    typed: str = ""
    other: str | None = None
    other_name: str | None = None
