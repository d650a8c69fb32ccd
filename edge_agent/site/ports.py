"""What the core of the box needs from its adapters, and what it gives them.

The journal is written by `edge_agent.store`, the stations are spoken to by `edge_agent.charge_points`; both are
handed in by `compose`. Start at `Journal` and `Decide`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from edge_agent.site.reports import (
    BootAnswer,
    BootReport,
    ConnectorReport,
    ListReport,
    MeterReport,
    StartAnswer,
    StartReport,
    StopReport,
    TransactionReport,
    TransferReport,
    Verdict,
)
from edge_agent.site.trust import NOTHING_SHOWN, Presented, Proof
from sitelink.commands import Order, OrderAnswer
from sitelink.decisions import Decision as Decision
from sitelink.decisions import Received
from sitelink.events import MeterListed
from sitelink.folding.changes import Changes
from sitelink.frames import Frame
from sitelink.ids import OpId, StationKey, TransactionId, TransferId
from sitelink.meter_endpoints import PORT, Endpoint
from sitelink.meter_values import Grade, Moment
from sitelink.model import SiteState, StationReport, Transaction
from sitelink.ops import Fact, Op, Stamp
from sitelink.states import Registration, ReportKind, TransferMethod
from web_ui.ports import MeterKey

T = TypeVar("T")


class Ledger(Protocol):
    """What a decision may look at: the state with everything before it applied, and the past on disk.

    Used on the writer's thread, inside the transaction. Do not keep it.
    """

    @property
    def state(self) -> SiteState: ...

    @property
    def now(self) -> Stamp:
        """The stamp the facts of this decision will carry."""
        ...

    def started(self, station: StationKey, content: str) -> Transaction | None:
        """The transaction whose start had this content, however old."""
        ...

    def stopped(self, station: StationKey, content: str) -> Transaction | None:
        """The transaction whose stop had this content, however old."""
        ...

    def transaction(self, id_: TransactionId) -> Transaction | None:
        """However old."""
        ...

    def next_transaction_id(self) -> TransactionId:
        """Never handed out before on this box; each call gives another."""
        ...

    def is_known_telemetry(self, station: StationKey, content: str) -> bool:
        """Whether meter values of this content were stored lately (a bounded memory, filled again at start)."""
        ...


Decide = Callable[[Ledger], Decision[T]]
"""Pure: looks at the ledger, returns facts and an answer, or raises a SiteError and nothing is written.

It may be called again when a commit failed and is tried anew.
"""


class Committed(msgspec.Struct, frozen=True):
    """What a commit made true, in order. `seq` is the last op's journal key.

    `logged` are those of `ops` that are no telemetry: meter values are most of all ops, and of interest to few.
    `received`: how many of them were made elsewhere.
    """

    seq: int
    ops: tuple[Op, ...]
    changes: tuple[Changes, ...]
    logged: tuple[Op, ...]
    received: int = 0


class Trouble(msgspec.Struct, frozen=True):
    """Why the store takes nothing at present. code: disk_full, read_only, damaged, failed."""

    code: str
    since: datetime


class Journal(Protocol):
    """The only way to change anything. Everything written is on disk (synchronous=FULL) when `write` returns."""

    @property
    def state(self) -> SiteState:
        """The published state: what is committed, as the event loop may read it. Never changed by readers."""
        ...

    @property
    def seq(self) -> int:
        """Key of the newest committed op."""
        ...

    @property
    def trouble(self) -> Trouble | None: ...

    def write(self, decide: Decide[T]) -> Awaitable[T]:
        """Decide and commit. Raises what `decide` raises, or StoreUnavailable when the disk does not take it."""
        ...

    def subscribe(self, listener: Callable[[Committed], None]) -> None:
        """`listener` is called on the event loop after every commit, before `write` returns to its caller."""
        ...

    def on_trouble(self, listener: Callable[[Trouble | None], None]) -> None:
        """`listener` is called on the event loop when trouble starts, changes or ends."""
        ...


class Uplinked(msgspec.Struct, frozen=True):
    """Where the store stands towards the cloud: `cursor` in the site's log, `acked` in the journal.

    Telemetry: `live_after` is where the last minutes begin, `missing` what older the cloud has not, as (after, upto).
    `log` and `telemetry`: how much waits, about. `tip`: the last op made here.
    """

    epoch: str | None
    cursor: int
    acked: int
    live_after: int
    missing: tuple[tuple[int, int], ...]
    log: int
    telemetry: int
    tip: OpId | None


class Loaded(msgspec.Struct, frozen=True):
    """Rows to send, seq and body. `upto`: the last that was looked at, some stay here. `more`: there may be more."""

    rows: Sequence[tuple[int, bytes]]
    upto: int
    more: bool


class Room(msgspec.Struct, frozen=True):
    """Of the store. `bytes_per_day` and `days_left` by the last day; None where too little was written to say."""

    used_bytes: int
    bytes_per_day: int | None
    days_left: float | None
    oldest_unsent: datetime | None


class CloudStatus(msgspec.Struct, frozen=True):
    """How the box stands to its cloud. `code`: to be typed in the console, while it is not enrolled.

    `problem`: why there is no link, a code, and `said`: the same in words. `running` False: no agent runs. `boot`:
    which start of the machine this is, as the console names it where two boxes came with one disk.
    """

    url: str
    running: bool
    enrolled: bool
    gateway: str | None
    team: str | None
    site: str | None
    code: str | None
    code_until: datetime | None
    connected: bool
    since: datetime | None
    problem: str | None
    said: str | None
    backlog_ops: int
    backlog_meter_values: int
    oldest_unsent: datetime | None
    used_bytes: int
    bytes_per_day: int | None
    days_left: float | None
    boot: str


class Uplink(Protocol):
    """What the link to the cloud needs of the store. Every method raises StoreUnavailable."""

    @property
    def backlog(self) -> int:
        """How many log ops wait."""
        ...

    async def begin(self) -> None:
        """There is a cloud from now on; nothing happens the second time."""
        ...

    async def standing(self, now: datetime) -> Uplinked: ...

    async def load(self, channel: str, after: int, until: int | None, limit: int) -> Loaded: ...

    async def acked(
        self, channel: str, stretches: Sequence[tuple[int, int]], placed: Sequence[tuple[OpId, int]] = ()
    ) -> None:
        """The cloud has these, each above a seq up to a seq. `placed`: places of ops it had before."""
        ...

    async def receive(self, received: Received, facts: Sequence[Fact] = ()) -> None:
        """Take it in, cursor and records in one commit, and then the facts that follow from it."""
        ...

    async def room(self, free_bytes: int | None) -> Room:
        """How long the store lasts, where the disk still takes so much."""
        ...

    async def leave(self) -> None:
        """That cloud is forgotten: another one gets everything that is still here."""
        ...

    async def digest(self) -> str:
        """Of the shared records as the log alone gives them."""
        ...


class History(Protocol):
    """The past on disk, read without touching the writer."""

    async def transactions(self, station: StationKey, limit: int = 200) -> Sequence[Transaction]:
        """Newest first."""
        ...

    async def ops(self, after: int, limit: int = 500) -> Sequence[tuple[int, Op]]:
        """Log ops with a seq above `after`, in order."""
        ...

    async def ops_of(self, kinds: Collection[str], limit: int, before: int | None = None) -> Sequence[tuple[int, Op]]:
        """Log ops of these kinds, newest first, with a seq below `before`. Looks back a bounded way."""
        ...


class Signed(msgspec.Struct, frozen=True):
    """A certificate for a station: its chain in PEM, leaf first; the leaf's serial in upper-case hex."""

    chain: str
    serial: str
    common_name: str
    ends: datetime


class Signer(Protocol):
    """The site's authority, as the core needs it. All raise CertificateInvalid."""

    @property
    def root_text(self) -> str:
        """The root in PEM."""
        ...

    def name_of(self, request: str) -> str:
        """The common name a request (PEM) asks for, once it was looked at. Takes a while the first time."""
        ...

    def sign(self, request: str) -> Signed:
        """Takes a while: keep it off the event loop."""
        ...

    def read_chain(self, chain: str, request: str) -> Signed:
        """What another authority signed for this request."""
        ...


class Keeping(Protocol):
    """The store, as whoever looks after the box needs it."""

    @property
    def salvaged(self) -> msgspec.Struct | None:
        """A damaged database was set aside and nobody has said yet that they know."""
        ...

    async def acknowledge_salvage(self) -> None:
        """Somebody has seen it. Raises StoreUnavailable."""
        ...

    async def backup(self, path: Path) -> None:
        """Copy everything committed into a new file. Raises OSError, StoreUnavailable."""
        ...


LateAnswer = Callable[[OrderAnswer], Awaitable[None]]


class Action(msgspec.Struct, frozen=True):
    """A call that may be sent to a station: the JSON schema of its payload, and one that fits it."""

    name: str
    schema: dict[str, Any]
    example: dict[str, Any]


class Stations(Protocol):
    """The charge points that are connected now."""

    def is_online(self, station: StationKey) -> bool: ...

    def last_seen(self, station: StationKey) -> datetime | None:
        """Of any frame, on any socket since the box started."""
        ...

    def quiet_s(self, station: StationKey) -> float | None:
        """Seconds since its last frame, by the clock that never jumps; None: no frame since the box started."""
        ...

    async def send(self, station: StationKey, order: Order, late: LateAnswer | None = None) -> OrderAnswer:
        """Send one order and wait up to 30 s. Raises NoAnswer, or StationOffline (`sent` True: lost after sending).

        A CALLERROR is an OrderAnswer with accepted False and the error code as word. `late` hears an answer that
        comes after NoAnswer was raised.
        """
        ...

    async def call(self, station: StationKey, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Any call of the station's version, checked strictly.

        Raises StationOffline, NoAnswer, CallInvalid, CallRefused.
        """
        ...

    def hand_calls(self, station: StationKey) -> Sequence[dict[str, Any]]:
        """The last calls by hand, newest first, secrets masked, with the answers that came late."""
        ...

    def take_stock(self, station: StationKey) -> None:
        """Ask it what it has, soon; what it answers becomes its inventory. Raises StationOffline."""
        ...

    def customer_information(self, station: StationKey) -> Mapping[str, Any] | None:
        """What it was last asked to tell of a customer, masked, while that is remembered: minutes, in memory."""
        ...

    def frames(self, station: StationKey) -> Sequence[Frame]:
        """The last frames, oldest first, secrets masked. Costs: read and masked anew each time."""
        ...

    def actions(self, station: StationKey) -> Sequence[str]:
        """The calls of its version, as it speaks or last spoke; none where that is not known."""
        ...

    def action(self, station: StationKey, name: str) -> "Action":
        """Raises NotFound where its version has no such call."""
        ...

    def newest_frame(self, station: StationKey) -> int:
        """The number of its last frame: what a page that follows asks for. 0: none since the box started."""
        ...

    async def reconnect(self, station: StationKey) -> None:
        """End its connection in order, so that it calls again. Nothing where it has none."""
        ...

    async def recheck(self, station: StationKey) -> None:
        """The jobs changed: ask a waiting station to boot again, or let go of one no job names any more."""
        ...


class Stored(msgspec.Struct, frozen=True):
    """A whole file on the box."""

    path: Path
    size: int
    sha256: str


class FirmwareImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image in the box's library. `signature` is base64, `certificate` PEM; both or neither."""

    id: str
    name: str
    size: int
    sha256: str
    added_at: datetime
    version: str | None = None
    signature: str | None = None
    certificate: str | None = None


class FileNews(Protocol):
    """Who hears of files, on the event loop."""

    def arrived(self, transfer: TransferId, size: int, sha256: str) -> None:
        """The whole file has gone over: it is on disk, or the station has fetched it."""
        ...

    def failed(self, transfer: TransferId, problem: str, size: int) -> None:
        """An attempt came to nothing; the way is still open."""
        ...

    def progressed(self, transfer: TransferId) -> None: ...

    def removed(self, file: str) -> None:
        """It made room for another."""
        ...


class Files(Protocol):
    """Where stations bring and fetch files, one way for each transfer."""

    @property
    def methods(self) -> frozenset[TransferMethod]:
        """By which the box could serve now."""
        ...

    def listen(self, news: FileNews) -> None: ...

    async def expect(self, transfer: TransferId, file: str, method: TransferMethod, ip: str | None) -> str:
        """Open the way for one upload, kept as `file`; its URL for a station at `ip`. Raises TransferUnavailable."""
        ...

    async def offer(self, transfer: TransferId, image: str, method: TransferMethod, ip: str | None) -> str:
        """Serve an image of the library under a URL made for this once. Raises NotFound."""
        ...

    async def close(self, transfer: TransferId) -> None:
        """The way ends. A file that came stays."""
        ...

    def so_far(self, transfer: TransferId) -> int | None:
        """Bytes that have gone over of a file that is under way."""
        ...

    async def stored(self, file: str) -> Stored | None: ...

    def path(self, file: str) -> Path | None: ...

    async def tidy(self, known: Collection[str]) -> list[str]:
        """Remove the files nobody knows; which of the known are not there."""
        ...

    async def images(self) -> list[FirmwareImage]:
        """Newest first."""
        ...

    async def image(self, image: str) -> FirmwareImage:
        """Raises NotFound."""
        ...

    async def add_image(
        self,
        name: str,
        chunks: AsyncIterator[bytes],
        version: str | None = None,
        signature: str | None = None,
        certificate: str | None = None,
    ) -> FirmwareImage:
        """Raises FirmwareInvalid."""
        ...

    async def add_image_from(
        self, path: Path, version: str | None, signature: str | None, certificate: str | None
    ) -> FirmwareImage:
        """Raises FirmwareInvalid, FileRefused."""
        ...

    async def remove_image(self, image: str) -> FirmwareImage:
        """Raises NotFound."""
        ...


class Standing(msgspec.Struct, frozen=True):
    """How an identity stands before it says anything. `reason` (a code) where it is not served."""

    served: bool
    registration: Registration
    reason: str | None = None
    proven: bool = False
    """Whether it has shown the station's own password or certificate."""
    profile: int = 0
    """The security profile it is held to: below it it would be refused."""


class StationKind(msgspec.Struct, frozen=True):
    """What a station is, by its own word. `version` is OCPP's, of the last boot that was accepted."""

    vendor: str | None = None
    model: str | None = None
    firmware: str | None = None
    version: str | None = None
    connectors: int = 0
    """How many it has; 0: not known."""


class Desk(Protocol):
    """Where stations report. Every method that is awaited has its facts on disk when it returns.

    All but `standing` may raise StoreUnavailable: then the station must not be confirmed anything.
    """

    @property
    def heartbeat_interval_s(self) -> int: ...

    async def prove(self, identity: str, shown: Presented) -> Proof:
        """What a caller's password or certificate is worth. Writes nothing."""
        ...

    async def refused(self, identity: str, ip: str, reason: str, proof: Proof = NOTHING_SHOWN) -> None:
        """A handshake was refused for `reason`: kept in the security log, and shown where a job names the station."""
        ...

    async def certificate_requested(self, station: StationKey, request: str, number: int | None) -> bool:
        """A station asks for a certificate (PEM). False: it will get none for this."""
        ...

    async def security_event(self, station: StationKey, kind: str, payload: Any) -> None:
        """What a station tells of its own security: for the record and the log."""
        ...

    async def key_offered(self, station: StationKey, password: str) -> str:
        """Somebody is about to give the station a password by hand: from now on it may show it. Gives its verifier."""
        ...

    async def key_answered(self, station: StationKey, verifier: str, word: str, *, accepted: bool) -> None:
        """What the station said of it."""
        ...

    async def noted(self, station: StationKey, code: str, detail: dict[str, str]) -> None:
        """Something for the security log that changes nothing."""
        ...

    def standing(self, identity: str, proof: Proof = NOTHING_SHOWN) -> Standing:
        """Served: named by a job, and either accepted before or its pairing window is open."""
        ...

    def kind(self, station: StationKey) -> "StationKind | None":
        """What it was by its last boot; None: never booted here."""
        ...

    def is_named(self, station: StationKey) -> bool:
        """Whether a job names it."""
        ...

    async def connected(
        self, identity: str, ip: str, version: str, subprotocol: str | None, proof: Proof = NOTHING_SHOWN,
        ended: Collection[str] = (),
    ) -> None:  # fmt: skip
        """A served station's socket is open: it knocks no longer, and the faults `ended` (codes) are over."""
        ...

    async def disconnected(self, station: StationKey, reason: str) -> None:
        """reason: closed, replaced."""
        ...

    async def heard(self, station: StationKey) -> None:
        """A frame came from a station that had been counted as silent."""
        ...

    async def knocked(
        self, identity: str, ip: str, reason: str, boot: BootReport | None = None, offered: tuple[str, ...] = ()
    ) -> None:
        """Somebody who is not served called; shown as "seen". Call again when it says more of itself."""
        ...

    async def knock_gone(self, identity: str, ip: str) -> None:
        """A duplicate went away."""
        ...

    async def boot(self, identity: str, ip: str, report: BootReport, proof: Proof = NOTHING_SHOWN) -> BootAnswer:
        """Decide and record a BootNotification, served or not."""
        ...

    def connector_changed(self, station: StationKey, report: ConnectorReport) -> Awaitable[None]: ...

    async def authorize(
        self, station: StationKey, id_token: str, token_type: str | None = None, connector: int | None = None
    ) -> Verdict:
        """Nothing is written. The installer's test token is accepted everywhere, others only at active rows."""
        ...

    async def start(self, station: StationKey, report: StartReport) -> StartAnswer:
        """A start sent again gets the answer of the first time."""
        ...

    async def stop(self, station: StationKey, report: StopReport) -> Verdict | None:
        """Never refuses: an unknown transaction is stored as an orphan. None where no id token came with it."""
        ...

    def transaction_event(self, station: StationKey, report: TransactionReport) -> Awaitable[Verdict | None]:
        """Never refuses; one that came before is recognised. None where no id token came with it."""
        ...

    def meter_values(self, station: StationKey, report: MeterReport) -> Awaitable[None]: ...

    async def configured(self, station: StationKey, values: dict[str, str | None]) -> None: ...

    async def transfer_told(self, station: StationKey, report: TransferReport) -> None:
        """What it says of a file on its way; kept for the record where no transfer of ours is meant."""
        ...

    async def message(self, station: StationKey, action: str, payload: Any) -> None:
        """Keep a message for the record that changes no state here."""
        ...

    async def listed(self, station: StationKey, report: ListReport) -> None:
        """A list of its own is whole: it takes the place of the one before."""
        ...

    async def list_changed(
        self, station: StationKey, kind: ReportKind, put: dict[str, Any], drop: tuple[str, ...] = (), source: str = ""
    ) -> None:
        """Items of such a list came, changed or went."""
        ...

    def report_of(self, station: StationKey, kind: ReportKind) -> StationReport | None: ...

    def stock_due(self, station: StationKey, *, first: bool) -> bool:
        """Whether it is to be asked what it has; `first`: also where that was never told."""
        ...

    def stock_turn_s(self) -> float:
        """How long until another station may be asked for all it has: many at once would crowd out the others."""
        ...

    def is_out_of_service(self, station: StationKey) -> bool:
        """Whether every place of it said Unavailable, and nothing runs there."""
        ...

    def in_doubt(self, station: StationKey, *, also_running: bool) -> tuple[str, ...]:
        """The station's names of transactions it is to be asked about (OCPP 2.x E14)."""
        ...

    async def transaction_status(self, station: StationKey, name: str, *, ongoing: bool | None) -> None:
        """It has no message of that transaction left; `ongoing` as it said."""
        ...

    async def availability(
        self, station: StationKey, answer: str, *, operative: bool, connector: int, plug: int | None
    ) -> None:
        """It agreed to go out of service, or back into it."""
        ...

    async def needs_reboot(self, station: StationKey, keys: tuple[str, ...]) -> None:
        """It took changes that only a reboot brings about."""
        ...

    def corrected(self, station: StationKey, kinds: Mapping[str, int]) -> None:
        """Count what was put right of a station's messages. Nothing is written now; see `site.corrections`."""
        ...

    async def faulted(self, station: StationKey, code: str, detail: dict[str, str]) -> None: ...

    async def fault_cleared(self, station: StationKey, code: str) -> None: ...


class MeterPoll(msgspec.Struct, frozen=True, kw_only=True):
    """What came of asking a meter once. `problem`: why there are no values (`MeterState.problem`)."""

    meter: MeterKey
    problem: str = ""
    values: dict[str, float] = {}
    flags: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    exception: int = 0
    detail: str = ""


class MeterSite(Protocol):
    """What whoever reads meters needs of the core."""

    def listed(self) -> Mapping[MeterKey, MeterListed]:
        """All that are to be read."""
        ...

    async def changed(self) -> None:
        """Until `listed` says something else than when it was asked last."""
        ...

    def take(self, poll: MeterPoll) -> None: ...


class SearchWanted(msgspec.Struct, frozen=True):
    """Where meters are looked for. `hosts`: a range, as a person writes it; `serial`: on all serial ports.
    `announced`: those that announce themselves in the network."""

    hosts: str = ""
    port: int = PORT
    serial: bool = True
    every_address: bool = False
    announced: bool = False


class FoundMeter(msgspec.Struct, frozen=True):
    """Something that answers. `profiles`: what it may be; none: no model that is known."""

    endpoint: Endpoint
    unit: int
    profiles: tuple[str, ...]
    guessed: bool


class SearchState(msgspec.Struct, frozen=True):
    """`done` of `total` steps. `problems`: codes of meters' states, by port or host."""

    running: bool
    stopped: bool
    done: int
    total: int
    found: tuple[FoundMeter, ...]
    problems: Mapping[str, str]


class MeterSearch(Protocol):
    """Meters looked for; `edge_agent.meters.search.Search` is one."""

    def ports(self) -> Sequence[str]:
        """The serial ports of this box."""
        ...

    def state(self) -> SearchState | None:
        """Of the search that runs, else of the last one; None before the first."""
        ...

    async def start(self, wanted: SearchWanted) -> None:
        """In place of one that runs. Raises RequestInvalid for hosts that are none."""
        ...

    async def stop(self) -> None:
        """What was found stays."""
        ...


class Readings(Protocol):
    """What meters said, on disk; `edge_agent.store.readings.ReadingsFile` is one. It is never in the way."""

    async def keep(self, told: Mapping[MeterKey, Sequence[Moment]]) -> bool:
        """Of each second, oldest first. False: not possible now."""
        ...

    async def read(self, meter: MeterKey, grade: Grade, since_s: int) -> Sequence[Moment]:
        """Oldest first; none where nothing can be read."""
        ...
