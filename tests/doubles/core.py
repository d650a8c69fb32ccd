"""The core of a box with its journal in memory and stations that answer as a test says."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

from edge_agent.charge_points.actions import action_of, actions_of
from edge_agent.meters.search import Search
from edge_agent.site.admission import Policy
from edge_agent.site.certificate_service import CertificateService
from edge_agent.site.corrections import Oddities, Tally
from edge_agent.site.desk import StationDesk
from edge_agent.site.dispatch import Dispatch, Patience
from edge_agent.site.drift import ClockDrift
from edge_agent.site.feed import Feed
from edge_agent.site.id_tokens import AllowList
from edge_agent.site.jobs import Imported, JobService
from edge_agent.site.local_lists import LocalLists
from edge_agent.site.meter_readings import MeterReadings
from edge_agent.site.meters import MeterDesk
from edge_agent.site.ports import Action, LateAnswer, Signed
from edge_agent.site.reports import BootAnswer, BootReport
from edge_agent.site.security_service import SecurityService
from edge_agent.site.transfers import TransferPatience, Transfers
from edge_agent.site.wiring import WiringDesk
from sitelink.commands import Order, OrderAnswer
from sitelink.errors import CertificateInvalid, NotFound, StationOffline
from sitelink.frames import Frame
from sitelink.ids import StationKey, station_key
from sitelink.job_file import JobFile, job_file_of
from sitelink.meter_values import Grade, Moment
from sitelink.model import ChargePoint, Job
from sitelink.ops import Author
from sitelink.states import AuthorType
from tests.doubles.clock import FakeClock
from tests.doubles.memory_journal import MemoryJournal
from tests.doubles.scripted_files import ScriptedFiles
from web_ui.ports import MeterKey

INSTALLER = Author(type=AuthorType.INSTALLER, link="link-1", name="Phone 1")


def ids() -> Any:
    """id-1, id-2, …"""
    numbers = count(1)
    return lambda: f"id-{next(numbers)}"


class ScriptedStations:
    """See `edge_agent.site.ports.Stations`: answers each order with what `answers` holds for its type."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.heard_at: dict[StationKey, float] = {}
        self.online: set[StationKey] = set()
        self.seen: dict[StationKey, datetime] = {}
        self.orders: list[tuple[StationKey, Order]] = []
        self.answers: dict[type[Order], OrderAnswer | Exception] = {}
        self.rechecked: list[StationKey] = []
        self.reconnected: list[StationKey] = []
        self.kept_calls: list[dict[str, Any]] = []
        self.stocks_taken: list[StationKey] = []
        self.customer: Mapping[str, Any] | None = None
        self.late: LateAnswer | None = None
        self.before_answer: Callable[[], None] = lambda: None

    def is_online(self, station: StationKey) -> bool:
        return station in self.online

    def last_seen(self, station: StationKey) -> datetime | None:
        return self.seen.get(station)

    def quiet_s(self, station: StationKey) -> float | None:
        heard_at = self.heard_at.get(station)
        return None if heard_at is None else self._clock.monotonic() - heard_at

    async def send(self, station: StationKey, order: Order, late: LateAnswer | None = None) -> OrderAnswer:
        self.orders.append((station, order))
        self.late = late
        self.before_answer()
        answer = self.answers.get(type(order), OrderAnswer("Accepted", accepted=True))
        if station not in self.online:
            raise StationOffline(identity=station)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def call(self, station: StationKey, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        raise StationOffline(identity=station)

    def frames(self, station: StationKey) -> Sequence[Frame]:
        return ()

    def actions(self, station: StationKey) -> Sequence[str]:
        return actions_of("1.6")

    def action(self, station: StationKey, name: str) -> Action:
        try:
            return action_of("1.6", name, self._clock.now())
        except KeyError as exc:
            raise NotFound(what="action", key=name) from exc

    def newest_frame(self, station: StationKey) -> int:
        return 0

    async def reconnect(self, station: StationKey) -> None:
        self.reconnected.append(station)

    def hand_calls(self, station: StationKey) -> Sequence[dict[str, Any]]:
        return self.kept_calls

    def take_stock(self, station: StationKey) -> None:
        self.stocks_taken.append(station)

    def customer_information(self, station: StationKey) -> Mapping[str, Any] | None:
        return self.customer

    async def recheck(self, station: StationKey) -> None:
        self.rechecked.append(station)


class ScriptedSigner:
    """See `edge_agent.site.ports.Signer`: a request is the name it asks for, a chain is `serial/name`."""

    root_text = "ROOT"

    def __init__(self) -> None:
        self._serials = count(10)

    def name_of(self, request: str) -> str:
        if request == "bad":
            raise CertificateInvalid(problem="unreadable")
        return request

    def sign(self, request: str) -> Signed:
        serial = str(next(self._serials))
        return Signed(f"{serial}/{request}", serial, request, ENDS)

    def read_chain(self, chain: str, request: str) -> Signed:
        serial, _, name = chain.partition("/")
        if name != request:
            raise CertificateInvalid(problem="other_key")
        return Signed(chain, serial, name, ENDS)


ENDS = datetime(2027, 12, 1, tzinfo=UTC)


def job_file(charge_points: Sequence[dict[str, Any]] | None = None, **changes: Any) -> JobFile:
    """Two bays, CP001 and CP002, unless told otherwise."""
    rows = charge_points if charge_points is not None else [
        {"name": "Bay 1", "identity": "CP001"}, {"name": "Bay 2", "identity": "CP002"},
    ]  # fmt: skip
    return job_file_of({"number": "1042", "site": {"name": "Harbour Garage"}, "charge_points": list(rows), **changes})


class NoReadings:
    """A disk that keeps nothing of what meters said."""

    async def keep(self, told: Mapping[MeterKey, Sequence[Moment]]) -> bool:
        return False

    async def read(self, meter: MeterKey, grade: Grade, since_s: int) -> Sequence[Moment]:
        return ()


class Core:
    """Journal, desk, dispatch, feed and jobs, wired as `compose` wires them."""

    def __init__(
        self, policy: Policy | None = None, patience: Patience | None = None,
        file_patience: TransferPatience | None = None,
    ) -> None:  # fmt: skip
        self.clock = FakeClock()
        self.journal = MemoryJournal(self.clock, ids())
        self.stations = ScriptedStations(self.clock)
        self.tally = Tally(self.journal, self.clock)
        self.oddities = Oddities(self.tally, ClockDrift(self.journal))
        self.desk = StationDesk(self.journal, self.clock, policy or Policy(), self.tally)
        self.dispatch = Dispatch(self.journal, self.stations, patience)
        self.tokens = AllowList(self.journal)
        self.lists = LocalLists(self.journal, self.stations, enabled=False)
        self.feed = Feed(self.journal)
        self.signer = ScriptedSigner()
        self.certificates = CertificateService(self.journal, self.stations, self.signer)
        self.desk.certificates = self.certificates
        self.keys = SecurityService(self.journal, self.stations, self.journal)
        self.files = ScriptedFiles()
        self.transfers = Transfers(
            self.journal, self.stations, self.files, self.clock, ids(), file_patience, self.feed.touch_station
        )  # fmt: skip
        self.readings = MeterReadings(NoReadings(), self.clock)
        self.meters = MeterDesk(
            self.journal, self.clock, lambda: self.feed.touch_all("meters"), readings=self.readings,
            wiring=WiringDesk(self.journal, self.readings, self.clock),
        )  # fmt: skip
        self.search = Search(self.meters, lambda: self.feed.touch_all("search"), lambda: self.serial_ports)
        self.serial_ports: tuple[str, ...] = ()
        self.jobs = JobService(
            self.journal, self.stations, self.dispatch, self.feed, self.clock, self.journal, self.keys, ids(),
            lambda: "ws://192.0.2.1:9000/", transfers=self.transfers, meters=self.meters,
        )  # fmt: skip

    async def import_job(self, file: JobFile | None = None, *, replace: bool = False) -> Imported:
        return await self.jobs.import_job(file or job_file(), replace=replace)

    def job(self) -> Job:
        return self.jobs.jobs()[0]

    def row(self, name: str) -> ChargePoint:
        return next(row for row in self.journal.state.rows(self.job()) if row.name == name)

    async def boot(self, identity: str, serial: str | None = None, ip: str = "192.0.2.7") -> BootAnswer:
        """Connect and boot a station, as its connection would."""
        if self.desk.standing(identity).served:
            await self.desk.connected(identity, ip, "1.6", "ocpp1.6")
            self.stations.online.add(station_key(identity))
            self.stations.seen[station_key(identity)] = self.clock.now()
            self.stations.heard_at[station_key(identity)] = self.clock.monotonic()
        return await self.desk.boot(identity, ip, BootReport("Acme", "Post 2", serial or f"SN-{identity}", "1.0"))
