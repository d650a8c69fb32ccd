"""What the shared job page and job API need from the program that serves them. Box and cloud each give their own.

Start at `Jobs`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from sitelink.events import Correction, MeterListed, WiringProved
from sitelink.frames import Frame
from sitelink.ids import ChargePointId, CommandId, JobId, LinkId, OpId, StationKey, TransferId
from sitelink.meter_values import Grade, Moment
from sitelink.model import Command, Link, SiteState, Transfer
from sitelink.ops import Author
from sitelink.states import ActionName, TransferKind


class Relay(msgspec.Struct, frozen=True):
    """How this box stands to its cloud. `configured` False: the box works alone, nothing waits for anybody."""

    configured: bool = False
    connected: bool = False
    since: datetime | None = None
    backlog: int = 0


MeterKey = tuple[JobId, str]
"""A meter's job, and its name there."""


class MeterState(msgspec.Struct, frozen=True):
    """How a meter stands: `problem` is the code of why it is not read at present, empty when it is.

    `values` by quantity and phase, as `power_w.l1`, in V, A, W, Hz and Wh, those of the last good reading, from `at`.
    `flags`: those that cannot be right, and why. `notes`: what is set wrong at the meter. `since`: of this problem.
    """

    problem: str = ""
    values: Mapping[str, float] = {}
    flags: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()
    at: datetime | None = None
    since: datetime | None = None
    exception: int = 0
    """The number with which the meter refused."""


class Snapshot(msgspec.Struct, frozen=True):
    """Everything a page is made of, as of one moment. `state` is committed state: read, never change."""

    state: SiteState
    now: datetime
    seq: int
    last_seen: Mapping[StationKey, datetime]
    pairing_open: Mapping[JobId, bool]
    relay: Relay
    trouble: str | None
    """Why nothing can be saved at present: disk_full, read_only, damaged, failed."""
    ocpp_url: str
    """What to type into a charge point, without the identity: "ws://192.0.2.1:9000/"."""
    ocpp_tls_url: str | None = None
    """The same with encryption, "wss://192.0.2.1:9443/"; None where the box does not listen so."""
    notice: str | None = None
    """Something about the box that people should know, saving or not: salvaged, certificate_expiring."""
    in_cloud: bool = False
    """Whether the page is shown by the cloud: the box is then somewhere else."""
    meters: Mapping[MeterKey, MeterState] = {}
    """Of those that were asked since the start."""
    meter_models: Mapping[str, str] = {}
    """Names of models by profile, as far as they are known."""
    moving: Mapping[TransferId, int] = {}
    """Bytes that have gone over, of the files that are on their way."""


class Stale(msgspec.Struct, frozen=True):
    """News for a live page: `region` is out of date. header, seen, meters, search, plots, completion, page; of a row
    cp:ID,
    corrections:ID, security:ID, inventory:ID and other lists it told.
    """

    seq: int
    region: str


class Frames(Protocol):
    """What goes over the wires of charge points."""

    def frames(self, station: StationKey) -> Sequence[Frame]:
        """The last ones, oldest first, masked."""
        ...

    def newest_frame(self, station: StationKey) -> int:
        """The number of the last one: cheap, for who follows."""
        ...


class Oddities(Protocol):
    """What is odd about charge points."""

    def corrections(self, station: StationKey) -> Mapping[str, Correction]:
        """What had to be put right of its messages, by kind."""
        ...

    def clock_drift_s(self, station: StationKey) -> float | None:
        """Above zero: its clock is ahead of the box's."""
        ...


class SecurityLog(Protocol):
    """What became of credentials and of attempts to come in."""

    async def log_of(self, station: StationKey, limit: int) -> Sequence[Mapping[str, Any]]:
        """About one charge point, newest first: {"at", "kind", "by", "detail"}, without secrets."""
        ...


class Jobs(Protocol):
    """The job of a link, as its holder may see and change it. Every change is on disk when the call returns.

    All raise the SiteErrors of sitelink.errors; JobReadOnly when the job is not open, StoreUnavailable when the
    disk does not take it.
    """

    def snapshot(self) -> Snapshot: ...

    def link_of_token(self, token: str) -> Link | None:
        """By its hash; also a revoked one. None: never was one."""
        ...

    def link(self, link: LinkId) -> Link | None: ...

    async def edit(
        self,
        job: JobId,
        row: ChargePointId,
        author: Author,
        *,
        identity: str | None = None,
        connector: int | None = None,
        bases: Sequence[OpId] | None = None,
    ) -> None:
        """None leaves a field alone; identity "" clears it. `bases` None replaces whatever is current."""
        ...

    async def confirm_station(self, job: JobId, row: ChargePointId, author: Author) -> None:
        """Say that the station which answers under another serial than before is the right one."""
        ...

    async def swap(self, job: JobId, a: ChargePointId, b: ChargePointId, author: Author) -> None:
        """Exchange the identities and connectors of two rows in one step."""
        ...

    async def act(
        self,
        job: JobId,
        row: ChargePointId,
        action: ActionName,
        author: Author,
        *,
        command: CommandId | None = None,
        confirm: bool = False,
        hard: bool = False,
    ) -> CommandId:
        """Write the command down and set it going, without waiting for the station; a known `command` is not rerun."""
        ...

    async def command(self, job: JobId, command: CommandId) -> Command:
        """Raises NotFound."""
        ...

    async def add_note(self, job: JobId, row: ChargePointId, author: Author, text: str) -> None: ...

    async def fetch_log(
        self, job: JobId, row: ChargePointId, kind: TransferKind, author: Author, *, transfer: TransferId | None = None
    ) -> TransferId:
        """Have the row's station upload diagnostics or its security log; a known `transfer` is not run again.

        Raises StationOffline, TransferRunning, TransferUnavailable.
        """
        ...

    def transfer(self, job: JobId, row: ChargePointId, transfer: TransferId) -> Transfer:
        """Of the row's station. Raises NotFound."""
        ...

    def transfer_file(self, job: JobId, row: ChargePointId, transfer: TransferId) -> Path:
        """What the station uploaded. Raises NotFound, FileGone."""
        ...

    async def complete(
        self, job: JobId, author: Author, *, activate_all: bool, reason: str | None = None, name: str | None = None
    ) -> None:
        """Raises AlreadyCompleted the second time, whoever was first."""
        ...

    async def pair_anew(self, job: JobId, row: ChargePointId, author: Author) -> None:
        """Let the row's station in once, whatever security it shows. Raises NotFound for a row without one."""
        ...

    async def secure(self, job: JobId, author: Author) -> int:
        """Give every connected station of the job a key of its own; to how many it was sent."""
        ...

    async def open_pairing(self, job: JobId, author: Author) -> None: ...

    async def meter_models(self) -> Mapping[str, str]:
        """The models of meters that can be read here, names by profile; empty where nobody knows."""
        ...

    async def meter_moments(self, job: JobId, name: str, grade: Grade, since_s: int) -> Sequence[Moment]:
        """What a meter said since then, oldest first, as fine as that or coarser; none where nobody knows."""
        ...

    def wiring(self, job: JobId, name: str) -> WiringProved | None:
        """How a meter seems to be wired; None while it is not read, or is read elsewhere."""
        ...

    async def prove_wiring(self, job: JobId, name: str, author: Author) -> None:
        """What `wiring` says goes into the commissioning record. Raises MeterNotRead, JobReadOnly, NotFound."""
        ...

    async def put_meter(self, job: JobId, meter: MeterListed, author: Author, *, instead_of: str = "") -> None:
        """Add a meter, or change `instead_of`. Raises MeterInvalid, MeterExists, JobReadOnly, NotFound."""
        ...

    async def remove_meter(self, job: JobId, name: str, author: Author) -> None:
        """Raises JobReadOnly, NotFound."""
        ...

    def news(self, job: JobId, after: int | None) -> AsyncIterator[Stale]:
        """What goes stale from now on, coalesced over 200 ms; first what went stale since `after`, if that is known."""
        ...

    def record(self, job: JobId) -> Mapping[str, Any]:
        """The commissioning record as plain data."""
        ...
