"""The jobs of this box: what the page, the API and the operator's commands ask for, each one decision.

Start at `JobService`; its first half is `web_ui.ports.Jobs`, its second the operator's part on a box without a cloud.
The rules stand in `job_rules`.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from edge_agent.site.admission import pairing_open
from edge_agent.site.desk import stamp
from edge_agent.site.dispatch import Dispatch
from edge_agent.site.feed import Feed
from edge_agent.site.meters import MeterDesk
from edge_agent.site.ports import Journal, Stations
from edge_agent.site.security_service import SecurityService
from edge_agent.site.transfers import Transfers
from sitelink import job_rules as rules
from sitelink import meter_rules
from sitelink.clock import Clock
from sitelink.errors import FileGone, MeterNotRead, NotFound, StationOffline
from sitelink.events import MeterListed, WiringProved
from sitelink.id_token_rules import decide_test_token
from sitelink.ids import ChargePointId, CommandId, JobId, LinkId, OpId, StationKey, TransferId
from sitelink.job_file import JobFile
from sitelink.meter_values import Grade, Moment
from sitelink.model import Command, Job, Link, Transfer
from sitelink.ops import Author
from sitelink.record import record_of
from sitelink.states import ActionName, AuthorType, JobStatus, LinkRole, TransferKind
from web_ui.ports import Relay, Snapshot, Stale

JOB_TOKEN_PREFIX = "gl1_"  # noqa: S105
ADMIN_TOKEN_PREFIX = "ga1_"  # noqa: S105
TEST_TOKEN_HEX_DIGITS = 16
OPERATOR = Author(type=AuthorType.OPERATOR)


class Commands(Protocol):
    """Commands that are no longer in memory."""

    async def command(self, id_: CommandId) -> Command | None: ...


class Imported(msgspec.Struct, frozen=True):
    job: JobId
    number: str
    token: str


def digest_of(token: str) -> str:
    """What is stored of a token: 256 random bits need no slow hash (SECURITY L1)."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token(prefix: str) -> str:
    """32 random bytes as 43 base64url characters behind a prefix that secret scanners know."""
    return prefix + base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()


class JobService:
    """See `web_ui.ports.Jobs`."""

    def __init__(
        self, journal: Journal, stations: Stations, dispatch: Dispatch, feed: Feed, clock: Clock,
        commands: Commands, keys: SecurityService, new_id: Callable[[], str], ocpp_url: Callable[[], str],
        notice: Callable[[], str | None] = lambda: None, ocpp_tls_url: Callable[[], str | None] = lambda: None,
        transfers: Transfers | None = None, relay: Callable[[], Relay] = Relay,
        meters: MeterDesk | None = None,
    ) -> None:  # fmt: skip
        self._relay = relay
        self._meters = meters
        self._journal = journal
        self._stations = stations
        self._dispatch = dispatch
        self._feed = feed
        self._clock = clock
        self._commands = commands
        self._new_id = new_id
        self._ocpp_url = ocpp_url
        self._notice = notice
        self._keys = keys
        self._ocpp_tls_url = ocpp_tls_url
        self._transfers = transfers

    # ---- what the page and the API see ----

    def snapshot(self) -> Snapshot:
        state = self._journal.state
        now = stamp(self._clock)
        trouble = self._journal.trouble
        seen: dict[StationKey, datetime] = {}
        for id_, station in state.stations.items():
            last = self._stations.last_seen(id_) or station.last_seen
            if last is not None:
                seen[id_] = last
        return Snapshot(
            state=state, now=now.wall, seq=self._journal.seq, last_seen=seen,
            pairing_open={job.id: pairing_open(job, now) for job in state.jobs.values()},
            relay=self._relay(), trouble=trouble.code if trouble else None, ocpp_url=self._ocpp_url(),
            ocpp_tls_url=self._ocpp_tls_url(), notice=self._notice(),
            moving=self._transfers.so_far() if self._transfers else {},
            meters=self._meters.states() if self._meters else {},
            meter_models=self._meters.models if self._meters else {},
        )  # fmt: skip

    def link_of_token(self, token: str) -> Link | None:
        return self._capability(token, {LinkRole.INSTALLER, LinkRole.READ})

    def link(self, link: LinkId) -> Link | None:
        found = self._journal.state.links.get(link)
        return found if found is not None and found.role is not LinkRole.ADMIN else None

    def is_admin_token(self, token: str) -> bool:
        return self.admin_link_of_token(token) is not None

    def admin_link_of_token(self, token: str) -> Link | None:
        found = self._capability(token, {LinkRole.ADMIN})
        return found if found is not None and found.revoked_at is None else None

    def admin_link(self, link: LinkId) -> Link | None:
        found = self._journal.state.links.get(link)
        return found if found is not None and found.role is LinkRole.ADMIN and found.revoked_at is None else None

    def _capability(self, token: str, roles: set[LinkRole]) -> Link | None:
        """Every link is compared, so that the time says nothing about how near a guess was."""
        digest = digest_of(token)
        found = None
        for link in self._journal.state.links.values():
            if hmac.compare_digest(link.token_sha256, digest) and link.role in roles:
                found = link
        return found

    async def edit(
        self, job: JobId, row: ChargePointId, author: Author, *, identity: str | None = None,
        connector: int | None = None, bases: Sequence[OpId] | None = None,
    ) -> None:  # fmt: skip
        before = self._named(job)
        decide = rules.decide_edit(job, row, author, identity=identity, connector=connector, bases=bases)
        await self._journal.write(decide)
        await self._recheck(before ^ self._named(job))

    async def meter_models(self) -> Mapping[str, str]:
        return await self._meters.load_models() if self._meters is not None else {}

    async def meter_moments(self, job: JobId, name: str, grade: Grade, since_s: int) -> Sequence[Moment]:
        return await self._meters.moments((job, name), grade, since_s) if self._meters is not None else ()

    def wiring(self, job: JobId, name: str) -> WiringProved | None:
        return self._meters.wiring((job, name)) if self._meters is not None else None

    async def prove_wiring(self, job: JobId, name: str, author: Author) -> None:
        proved = self.wiring(job, name)
        if proved is None:
            raise MeterNotRead(name=name[:64])
        await self._journal.write(meter_rules.decide_wiring(job, proved, author))

    async def put_meter(self, job: JobId, meter: MeterListed, author: Author, *, instead_of: str = "") -> None:
        await self._journal.write(meter_rules.decide_put(job, meter, author, instead_of=instead_of))

    async def remove_meter(self, job: JobId, name: str, author: Author) -> None:
        await self._journal.write(meter_rules.decide_remove(job, name, author))

    async def confirm_station(self, job: JobId, row: ChargePointId, author: Author) -> None:
        await self._journal.write(rules.decide_confirm(job, row, author))

    async def swap(self, job: JobId, a: ChargePointId, b: ChargePointId, author: Author) -> None:
        await self._journal.write(rules.decide_swap(job, a, b, author))

    async def act(
        self, job: JobId, row: ChargePointId, action: ActionName, author: Author, *,
        command: CommandId | None = None, confirm: bool = False, hard: bool = False,
    ) -> CommandId:  # fmt: skip
        if command is not None and await self._commands.command(command) is not None:
            return command  # known, though no longer in memory: a command runs at most once
        chosen = command or CommandId(self._new_id())
        return await self._dispatch.request(
            job, row, action, author, command=chosen, confirm=confirm, hard=hard
        )  # fmt: skip

    async def command(self, job: JobId, command: CommandId) -> Command:
        found = self._journal.state.commands.get(command) or await self._commands.command(command)
        if found is None or found.charge_point not in rules.job_of(self._journal.state, job).charge_points:
            raise NotFound(what="command", key=command)
        return found

    async def add_note(self, job: JobId, row: ChargePointId, author: Author, text: str) -> None:
        by_operator = author.type is AuthorType.OPERATOR
        await self._journal.write(rules.decide_note(job, row, author, text, by_operator=by_operator))

    async def fetch_log(
        self, job: JobId, row: ChargePointId, kind: TransferKind, author: Author, *, transfer: TransferId | None = None
    ) -> TransferId:
        found = rules.row_of(self._journal.state, rules.open_job(self._journal.state, job), row)
        if self._transfers is None or not found.identity:
            raise StationOffline(identity=found.identity, sent=False)
        return await self._transfers.request(found.station, kind, author, transfer=transfer)

    def transfer(self, job: JobId, row: ChargePointId, transfer: TransferId) -> Transfer:
        station = rules.row_of(self._journal.state, rules.job_of(self._journal.state, job), row).station
        found = self._journal.state.transfers.get(transfer)
        if found is None or found.station != station:
            raise NotFound(what="transfer", key=transfer[:64])
        return found

    def transfer_file(self, job: JobId, row: ChargePointId, transfer: TransferId) -> Path:
        known = self.transfer(job, row, transfer)
        if self._transfers is None:
            raise FileGone(transfer=known.id)
        return self._transfers.file(known.id)

    async def complete(
        self, job: JobId, author: Author, *, activate_all: bool, reason: str | None = None, name: str | None = None
    ) -> None:
        decide = rules.decide_complete(job, author, activate_all=activate_all, reason=reason, name=name)
        await self._journal.write(decide)

    async def open_pairing(self, job: JobId, author: Author) -> None:
        await self._journal.write(rules.decide_pairing(job, author))
        await self._recheck(self._named(job))

    async def pair_anew(self, job: JobId, row: ChargePointId, author: Author) -> None:
        station = rules.row_of(self._journal.state, rules.job_of(self._journal.state, job), row).station
        if not station:
            raise NotFound(what="charge_point", key=row)
        await self._keys.pair_anew(station, author, job=job)

    async def secure(self, job: JobId, author: Author) -> int:
        rules.open_job(self._journal.state, job)
        return len(await self._keys.secure(sorted(self._named(job)), author))

    def news(self, job: JobId, after: int | None) -> AsyncIterator[Stale]:
        return self._feed.news(job, after)

    def record(self, job: JobId) -> Mapping[str, Any]:
        return record_of(self._journal.state, rules.job_of(self._journal.state, job), self._clock.now())

    # ---- the operator's part ----

    async def import_job(self, file: JobFile, *, replace: bool = False) -> Imported:
        """Raises JobExists for a known number without `replace`. The token is shown once and never stored."""
        token = new_token(JOB_TOKEN_PREFIX)
        job = await self._journal.write(
            rules.decide_import(
                file, OPERATOR, job=JobId(self._new_id()), link=LinkId(self._new_id()),
                token_sha256=digest_of(token), new_ids=[self._new_id() for _ in file.charge_points],
                test_token=secrets.token_hex(TEST_TOKEN_HEX_DIGITS // 2).upper(), replace=replace,
            )
        )  # fmt: skip
        await self._recheck_all()
        return Imported(job, file.number, token)

    def find(self, id_or_number: str) -> Job:
        """Raises NotFound."""
        return rules.find_job(self._journal.state, id_or_number)

    def jobs(self) -> list[Job]:
        """Newest first."""
        return sorted(self._journal.state.jobs.values(), key=lambda job: job.created_at, reverse=True)

    async def new_link(self, job: JobId, role: LinkRole = LinkRole.INSTALLER, *, instead: bool = False) -> str:
        """With `instead`, the links the job had end with it."""
        token = new_token(JOB_TOKEN_PREFIX)
        link = LinkId(self._new_id())
        await self._journal.write(rules.decide_link(job, link, digest_of(token), role, OPERATOR, instead=instead))
        return token

    async def new_admin_token(self, name: str) -> str:
        token = new_token(ADMIN_TOKEN_PREFIX)
        author = Author(type=AuthorType.OPERATOR, name=name)
        link = LinkId(self._new_id())
        await self._journal.write(rules.decide_link(JobId(""), link, digest_of(token), LinkRole.ADMIN, author))
        return token

    def admin_tokens(self) -> list[Link]:
        """Also those that were revoked, in the order they were made."""
        links = self._journal.state.links.values()
        return sorted((link for link in links if link.role is LinkRole.ADMIN), key=lambda link: link.created_at)

    async def revoke_admin_token(self, wanted: str) -> list[LinkId]:
        """By its id, or all of a name. Whoever is signed in with it is so no longer. Raises NotFound."""
        return await self._journal.write(rules.decide_admin_tokens_end(wanted, OPERATOR))

    async def set_activity(
        self, rows: Iterable[ChargePointId], *, active: bool | None = None, maintenance: bool | None = None
    ) -> int:
        return await self._journal.write(rules.decide_activity(rows, OPERATOR, active=active, maintenance=maintenance))

    async def set_test_token(self, station: StationKey, test_token: str | None) -> None:
        """Raises IdTokenInvalid, NotFound."""
        await self._journal.write(decide_test_token(station, test_token, OPERATOR))

    async def reopen(self, job: JobId) -> None:
        await self._journal.write(rules.decide_reopen(job, OPERATOR))
        await self._recheck(self._named(job))

    async def archive(self, job: JobId) -> None:
        await self._journal.write(rules.decide_archive(job, OPERATOR))

    # ---- which stations a change concerns ----

    def _named(self, job: JobId) -> set[StationKey]:
        state = self._journal.state
        known = state.jobs.get(job)
        if known is None or known.status is JobStatus.CANCELLED:
            return set()
        return {row.station for row in state.rows(known) if row.identity}

    async def recheck(self, stations: set[StationKey]) -> None:
        """They are named by a job now, or no longer, and nobody here did it."""
        await self._recheck(stations)

    async def _recheck(self, stations: set[StationKey]) -> None:
        for station in sorted(stations):
            await self._stations.recheck(station)

    async def _recheck_all(self) -> None:
        named: set[StationKey] = set()
        for job in list(self._journal.state.jobs):
            named |= self._named(job)
        await self._recheck(named | set(self._journal.state.stations))
