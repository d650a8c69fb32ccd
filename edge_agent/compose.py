"""Builds the box from its parts and runs it: the only module that knows all the others.

Start at `serving`. Long-lived tasks belong to one TaskGroup; what escapes from one ends the process, and the service
manager starts it again.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import structlog

from edge_agent import control, footprint
from edge_agent.certificates import tls
from edge_agent.certificates.keeper import Keeper, RootDamaged
from edge_agent.certificates.names import Names
from edge_agent.certificates.own_names import own_names
from edge_agent.charge_points.quirks import QuirksInvalid, Table, built_in, parsed
from edge_agent.charge_points.server import OcppServer
from edge_agent.charge_points.settings import OcppSettings
from edge_agent.config import Http, Ocpp, Settings
from edge_agent.files.exchange import Exchange
from edge_agent.files.settings import Certificate, FilesSettings
from edge_agent.meters.search import Search
from edge_agent.pages.ports import Figures
from edge_agent.site import firmware
from edge_agent.site.admission import Policy
from edge_agent.site.certificate_service import CertificateService
from edge_agent.site.corrections import Oddities, Tally
from edge_agent.site.desk import StationDesk
from edge_agent.site.dispatch import Dispatch, Patience
from edge_agent.site.drift import ClockDrift
from edge_agent.site.feed import Feed
from edge_agent.site.id_tokens import AllowList
from edge_agent.site.jobs import JobService
from edge_agent.site.local_lists import LocalLists
from edge_agent.site.measured import Measuring, measured_of
from edge_agent.site.meter_readings import MeterReadings, MinutesTold
from edge_agent.site.meters import MeterDesk
from edge_agent.site.nobody import NoCloud, NoStations
from edge_agent.site.operations import Operations
from edge_agent.site.ports import Stations
from edge_agent.site.security_service import SecurityService
from edge_agent.site.supervision import Supervision
from edge_agent.site.transfers import TransferPatience, Transfers
from edge_agent.site.upkeep import About, Upkeep
from edge_agent.site.wiring import WiringDesk
from edge_agent.store.database import StoreCannotOpen
from edge_agent.store.readings import ReadingsFile
from edge_agent.store.store import Store, StoreSettings, open_store
from edge_agent.store.trouble import free_bytes
from programs.clock import SystemClock
from programs.version import product_version
from sitelink.box_settings import EDITABLE
from sitelink.errors import StoreUnavailable
from sitelink.states import JobStatus, TransferMethod
from web_ui.ports import Relay

if TYPE_CHECKING:
    from edge_agent.mqtt.publisher import Publisher
    from edge_agent.relay.desk import CloudDesk
    from edge_agent.relay.link import Link

log = structlog.get_logger()
T = TypeVar("T")

SESSION_KEY_FILE = "session.key"
SESSION_KEY_BYTES = 32
QUIRKS_FILE = "quirks.toml"
"""In the data folder: the operator's own rules."""
DISK_TRIED_EVERY_S = 5.0
_ANYWHERE = "192.0.2.1"
"""RFC 5737: an address that is nobody's."""


class CannotStart(Exception):
    """One sentence: what is in the way and what to do."""


@dataclass(frozen=True)
class Box:
    """A running box, as a test sees it."""

    jobs: JobService
    operations: Operations
    store: Store
    ocpp_port: int
    http_port: int
    ocpp_tls_port: int | None
    http_tls_port: int | None
    certificates: Keeper


IDS_AT_ONCE = 64
_random: list[str] = []
"""Hexadecimal digits of ids to come. Taking one is atomic: the writer's thread does it too."""


def new_id() -> str:
    """A random UUID (RFC 9562 §5.4), as `uuid.uuid4` gives one in three times the time: every fact has one."""
    try:
        digits = _random.pop()
    except IndexError:
        many = os.urandom(16 * IDS_AT_ONCE).hex()
        _random.extend(many[at : at + 32] for at in range(32, len(many), 32))
        digits = many[:32]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:]}"


_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. Raises CannotStart, StoreLocked."""
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    asyncio.run(_until_stopped(settings))


async def _until_stopped(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    while not stop.is_set():
        try:
            await _serve(settings, stop)
        except StoreCannotOpen as error:
            if error.trouble is None:
                raise
            log.error("store_cannot_open", code=error.trouble, problem=str(error))
            await _wait_for_disk(settings, error.trouble, stop)


async def _serve(settings: Settings, stop: asyncio.Event) -> None:
    async with serving(settings) as box:
        address = address_of(settings.http.bind)
        log.info("box_started", http=box.http_port, ocpp=box.ocpp_port, data_dir=str(settings.data_dir))
        print(f"Installer page  http://{address}:{box.http_port}/", flush=True)
        print(f"Charge points   {ocpp_url(settings, box.ocpp_port)}IDENTITY", flush=True)
        if box.ocpp_tls_port:
            print(f"  encrypted     {ocpp_url(settings, box.ocpp_tls_port, 'wss')}IDENTITY", flush=True)
        footprint.settle()
        await stop.wait()
    log.info("box_stopped")


async def _wait_for_disk(settings: Settings, trouble: str, stop: asyncio.Event) -> None:
    """Say on the page why the box does not work, until it is worth another try. Charge points keep what they have."""
    from edge_agent.page_server import PageServer, build_waiting_app

    async with PageServer(build_waiting_app(trouble), settings.http.bind) as pages:
        await _bound(pages.listen(settings.http.port), "http.port", settings.http.port)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DISK_TRIED_EVERY_S):
                await stop.wait()


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Box]:
    """The whole box, serving, for as long as the block runs."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(_store_settings(settings), clock, new_id))
        journal = store.journal
        policy = Policy(
            security=settings.ocpp.security, unknown_tokens=settings.authorisation.unknown,
            concurrent_tokens=settings.authorisation.concurrent,
            heartbeat_interval_s=settings.ocpp.heartbeat_interval_s,
            retry_interval_s=settings.ocpp.retry_interval_s,
        )  # fmt: skip
        tally = Tally(journal, clock)
        desk = StationDesk(journal, clock, policy, tally)
        stations = OcppServer(desk, clock, _ocpp_settings(settings), new_id)
        dispatch = Dispatch(journal, stations, _patience(settings))
        supervision = Supervision(journal, stations, policy.heartbeat_interval_s)
        await supervision.close_old_links()
        await dispatch.interrupt_unfinished()
        keeper = Keeper(settings.data_dir, clock, lambda: _box_names(settings), _trusted_roots(settings))
        certificates = CertificateService(journal, stations, keeper, by_site=settings.certificates.sign == "site")
        desk.certificates = certificates
        feed = Feed(journal)
        readings_file = ReadingsFile(settings.data_dir, clock, settings.files.keep_free_bytes)
        stack.callback(readings_file.close)
        readings = MeterReadings(
            readings_file, clock, MinutesTold(journal, clock).tell, lambda: feed.touch_all("plots")
        )
        meters = MeterDesk(
            journal, clock, lambda: feed.touch_all("meters"), _meter_models, readings,
            WiringDesk(journal, readings, clock),
        )  # fmt: skip
        search = Search(meters, lambda: feed.touch_all("search"))
        keys = SecurityService(journal, stations, store.history)
        exchange = Exchange(_files_settings(settings, keeper), clock, new_id, lambda ip: address_for(settings, ip))
        transfers = Transfers(
            journal, stations, exchange, clock, new_id, _transfer_patience(settings), feed.touch_station
        )  # fmt: skip
        await transfers.interrupt_unfinished()
        stack.push_async_callback(exchange.stop)
        tokens = AllowList(journal)
        lists = LocalLists(journal, stations, enabled=settings.authorisation.local_list == "on")

        ports: dict[str, int | None] = dict.fromkeys(("http.port", "ocpp.port", "http.tls_port", "ocpp.tls_port"))
        ports["ocpp.port"] = ocpp_port = await _bound(
            stack.enter_async_context(stations.serve(settings.ocpp.bind, settings.ocpp.port)),
            "ocpp.port", settings.ocpp.port,
        )  # fmt: skip
        # Charge points are served from here on; what takes longer, and on a first start much longer, comes after.
        await asyncio.gather(_load_page_server(), _load_certificates(keeper, desk))
        from edge_agent.page_server import PageServer, PageSettings, build_app

        ports["ocpp.tls_port"] = await _tls_port(
            lambda port: stack.enter_async_context(
                stations.serve(settings.ocpp.bind, port, keeper.for_stations(rsa_suites=settings.ocpp.tls_rsa_suites))
            ),
            "ocpp.tls_port", tls_port_of(settings.ocpp),
        )  # fmt: skip
        jobs = JobService(
            journal, stations, dispatch, feed, clock, store.history, keys, new_id,
            lambda: ocpp_url(settings, ocpp_port), lambda: _notice(store, keeper),
            lambda: ocpp_url(settings, port, "wss") if (port := ports["ocpp.tls_port"]) else None,
            transfers, lambda: link.state if link is not None else Relay(), meters,
        )  # fmt: skip
        link, cloud = _link(settings, store, jobs, feed, clock)
        upkeep = _upkeep(settings, store, stations, feed, ports, keeper)
        more = {**upkeep.operations(), **tokens.operations(), **firmware.operations(exchange)}
        measuring = Measuring(journal, meters, clock)
        publisher = _publisher(settings, measuring)
        more["measured"] = measuring.operation
        more |= (cloud or NoCloud()).operations()
        operations = Operations(
            jobs, lambda token: link_url(settings, ports["http.port"] or settings.http.port, token), more
        )
        await stack.enter_async_context(control.serve(settings.data_dir, operations.run))
        app = build_app(
            jobs,
            stations,
            store.history,
            PageSettings(settings.http.hosts, settings.http.public_url, settings.http.metrics),
            session_key(settings.data_dir),
            clock,
            _figures(settings, store, stations, link, meters, clock),
            tokens=tokens,
            lists=lists,
            oddities=Oddities(tally, ClockDrift(journal)),
            site_root=keeper.root_pem,
            transfers=transfers,
            station_routes=exchange.routes(),
            keys=keys,
            certificates=certificates,
            cloud=cloud,
            own_settings=_own_settings(settings),
            search=search,
        )
        pages = await stack.enter_async_context(PageServer(app, settings.http.bind))
        ports["http.port"] = http_port = await _bound(
            pages.listen(settings.http.port), "http.port", settings.http.port
        )  # fmt: skip
        exchange.serves(TransferMethod.HTTP, http_port)
        ports["http.tls_port"] = http_tls_port = await _tls_port(
            lambda port: pages.listen(port, keeper.for_pages()), "http.tls_port", tls_port_of(settings.http)
        )
        if http_tls_port:
            exchange.serves(TransferMethod.HTTPS, http_tls_port)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        tasks = [group.create_task(dispatch.run(), name="dispatch")]
        tasks.append(group.create_task(supervision.run(), name="supervision"))
        tasks.append(group.create_task(lists.run(), name="local lists"))
        tasks.append(group.create_task(store.watch(), name="store"))
        tasks.append(group.create_task(keeper.run(), name="certificates"))
        tasks.append(group.create_task(keys.run(), name="keys"))
        tasks.append(group.create_task(certificates.run(), name="certificates of charge points"))
        tasks.append(group.create_task(tally.run(), name="corrections"))
        tasks.append(group.create_task(transfers.run(), name="transfers"))
        tasks.append(group.create_task(_read_meters(meters), name="meters"))
        tasks.append(group.create_task(readings.run(), name="readings of meters"))
        tasks.append(group.create_task(search.run(), name="searches of meters"))
        if publisher is not None:
            tasks.append(group.create_task(publisher.run(), name="MQTT"))
        if link is not None:
            tasks.append(group.create_task(link.run(), name="link to the cloud"))
        try:
            yield Box(
                jobs, operations, store, ocpp_port, http_port, ports["ocpp.tls_port"], http_tls_port, keeper
            )  # fmt: skip
        finally:
            for task in tasks:
                task.cancel()


def _link(
    settings: Settings, store: Store, jobs: JobService, feed: Feed, clock: SystemClock
) -> "tuple[Link, CloudDesk] | tuple[None, None]":
    """The link to the cloud, where there is one to go to. Loaded only then: it costs 2 MB. Raises CannotStart."""
    if not settings.relay.url:
        return None, None
    from edge_agent.relay.desk import CloudDesk
    from edge_agent.relay.enrolment import Enrolment, problem_of_proxy, problem_of_url
    from edge_agent.relay.link import Link
    from edge_agent.site.remote import Remote

    relay = settings.relay
    problem = problem_of_url(relay.url) or problem_of_proxy(relay.proxy)
    if problem is not None:
        raise CannotStart(problem)
    remote = Remote(store.journal, store.uplink, jobs, clock, jobs.recheck)
    enrolment = Enrolment.open(settings.data_dir, relay.proxy)
    link = Link(
        relay.url, relay.claim, enrolment, store.journal, store.uplink, remote, clock, product_version(),
        lambda: feed.touch_all("header"), relay.proxy,
    )  # fmt: skip
    return link, CloudDesk(relay.url, enrolment, link, store.uplink, clock, lambda: _free(settings))


def _publisher(settings: Settings, measuring: Measuring) -> "Publisher | None":
    """What the site measures, for a broker, where one is named. Loaded only then. Raises CannotStart."""
    mqtt = settings.mqtt
    if not mqtt.url:
        return None
    from edge_agent.mqtt.publisher import BrokerInvalid, Publisher, broker_of
    from edge_agent.mqtt.topics import Names

    try:
        broker = broker_of(mqtt.url, mqtt.username, mqtt.password)
    except BrokerInvalid as error:
        raise CannotStart(f"{error}.") from error
    names = Names(
        mqtt.topic.strip("/"), mqtt.discovery.strip("/"), mqtt.name or socket.gethostname(), product_version()
    )
    return Publisher(broker, names, measuring.now, max(1.0, mqtt.every_s))


def _meter_models() -> Mapping[str, str]:
    from edge_agent.meters.profiles import bundled

    return {profile.id: profile.name for profile in bundled().values()}


async def _read_meters(desk: MeterDesk) -> None:
    """As soon as there are any: what it takes is loaded then."""
    while not desk.listed():
        await desk.changed()
    from edge_agent.meters.poller import Poller

    await desk.load_models()
    await Poller(desk).run()


def _own_settings(settings: Settings) -> dict[str, Any]:
    """What can be changed from above, as this box's own file says."""
    pairs = (key.split(".") for key in EDITABLE)
    return {f"{section}.{name}": getattr(getattr(settings, section), name) for section, name in pairs}


@asynccontextmanager
async def alone(settings: Settings) -> AsyncIterator[Operations]:
    """The operator's commands with the store opened here, while no agent runs. Raises StoreLocked."""
    clock = SystemClock()
    async with open_store(_store_settings(settings), clock, new_id) as store:
        nobody, feed = NoStations(), Feed(store.journal)
        dispatch = Dispatch(store.journal, nobody)
        jobs = JobService(
            store.journal, nobody, dispatch, feed, clock, store.history,
            SecurityService(store.journal, nobody, store.history), new_id,
            lambda: ocpp_url(settings, settings.ocpp.port),
        )  # fmt: skip
        upkeep = _upkeep(settings, store, nobody, feed, None)
        exchange = Exchange(_files_settings(settings, None), clock, new_id, lambda ip: address_for(settings, ip))
        more = {**upkeep.operations(), **AllowList(store.journal).operations(), **firmware.operations(exchange)}
        more["measured"] = Measuring(store.journal, MeterDesk(store.journal, clock, lambda: None), clock).operation
        more |= NoCloud().operations()
        if settings.relay.url:
            from edge_agent.relay.desk import CloudDesk
            from edge_agent.relay.enrolment import Enrolment

            enrolment = Enrolment.open(settings.data_dir, settings.relay.proxy)
            desk = CloudDesk(settings.relay.url, enrolment, None, store.uplink, clock, lambda: _free(settings))
            more |= desk.operations()
        yield Operations(jobs, lambda token: link_url(settings, settings.http.port, token), more)


def _upkeep(
    settings: Settings, store: Store, stations: Stations, feed: Feed, listening: dict[str, int | None] | None,
    keeper: Keeper | None = None,
) -> Upkeep:  # fmt: skip
    """`listening`: the ports of a running box; without, those it would use."""
    ports: dict[str, int | None] = listening or {
        "http.port": settings.http.port, "ocpp.port": settings.ocpp.port,
        "http.tls_port": tls_port_of(settings.http), "ocpp.tls_port": tls_port_of(settings.ocpp),
    }  # fmt: skip
    about = About(product_version(), settings.data_dir, listening is not None, ports)
    expiries = keeper.expiries if keeper is not None else tuple
    return Upkeep(about, store.journal, stations, store, feed, lambda: _free(settings), expiries)


def _trusted_roots(settings: Settings) -> Path | None:
    return Path(settings.certificates.trusted_roots) if settings.certificates.trusted_roots else None


async def _load_page_server() -> None:
    """Part by part, so that charge points are heard between. In a thread it would take no less of Python's time, and
    what it needs would be kept in a heap of that thread's own: 1 MB."""
    for part in ("email.policy", "yarl", "aiohttp", "aiohttp.web", "edge_agent.pages.app", "edge_agent.page_server"):
        footprint.load_sparingly(part)
        await asyncio.sleep(0)


async def _load_certificates(keeper: Keeper, desk: StationDesk) -> None:
    """The site's certificates: read, or made, which takes seconds on a small box, while the plain port serves already.

    Raises CannotStart where the root is damaged: a person must decide.
    """
    tls.shrink_buffers()
    try:
        await keeper.load()
    except RootDamaged as error:
        raise CannotStart(str(error)) from error
    keeper.on_event = lambda code, detail: _noted(desk, code, detail)
    for name, serial in keeper.issued:
        await _noted(desk, "certificate_issued", {"name": name, "serial": serial})


def _notice(store: Store, keeper: Keeper) -> str | None:
    """What people should know of the box, the gravest first."""
    if store.salvaged:
        return "salvaged"
    return "certificate_expiring" if any(each.soon for each in keeper.expiries()) else None


async def _noted(desk: StationDesk, code: str, detail: dict[str, str]) -> None:
    """About the box itself, for the security log; a disk that takes nothing must not stop a renewal."""
    with contextlib.suppress(StoreUnavailable):
        await desk.log.note(None, code, detail)


def _box_names(settings: Settings) -> Names:
    public = urlsplit(settings.http.public_url).hostname if settings.http.public_url else None
    binds = [each for each in (settings.ocpp.bind, settings.http.bind) if each]
    given = (*settings.certificates.names, *settings.http.hosts, *((public,) if public else ()))
    return own_names(given, (address_of(settings.ocpp.bind), *binds))


async def _tls_port(listen: Callable[[int], Awaitable[int]], key: str, port: int) -> int | None:
    """The port, or None: the plain port serves the site all the same, so one that is taken is said and not fatal."""
    try:
        return await listen(port)
    except OSError as error:
        log.error("tls_not_listening", key=key, port=port, reason=error.strerror or str(error))
        return None


def tls_port_of(settings: Ocpp | Http) -> int:
    """As set; where the plain port is any free one and nothing else was said, this one is too."""
    if settings.port == 0 and settings.tls_port == type(settings)().tls_port:
        return 0
    return settings.tls_port


def _free(settings: Settings) -> int | None:
    """None where the disk does not even say that."""
    with contextlib.suppress(OSError):
        return free_bytes(settings.data_dir)
    return None


def _figures(
    settings: Settings, store: Store, stations: OcppServer, link: "Link | None", meters: MeterDesk, clock: SystemClock
) -> Callable[[], Figures]:  # fmt: skip
    def figures() -> Figures:
        state, trouble = store.journal.state, store.journal.trouble
        return Figures(
            version=product_version(), seq=store.journal.seq, trouble=trouble.code if trouble else None,
            salvaged=store.salvaged is not None, disk_free_bytes=_free(settings),
            charge_points_known=len(state.stations),
            charge_points_connected=sum(stations.is_online(key) for key in state.stations),
            jobs_open=sum(job.status is JobStatus.OPEN for job in state.jobs.values()), ocpp=stations.counts,
            relay_connected=link.state.connected if link is not None else None,
            relay_backlog=store.uplink.backlog if link is not None else 0,
            relay_attempts=link.attempts if link is not None else 0,
            measured=measured_of(state, meters.states(), clock.now()),
        )  # fmt: skip

    return figures


async def _bound(start: Awaitable[T], key: str, port: int) -> T:
    """Raises CannotStart when the port is taken or not allowed."""
    try:
        return await start
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotStart(f"{key} {port}: cannot listen there: {reason}. Set {key} to another port.") from error


def session_key(data_dir: Path) -> bytes:
    """The key sessions are signed with: made once, readable by its owner alone, so that phones survive a restart."""
    file = data_dir / SESSION_KEY_FILE
    try:
        key = file.read_bytes()
    except FileNotFoundError:
        key = b""
    if len(key) != SESSION_KEY_BYTES:
        key = secrets.token_bytes(SESSION_KEY_BYTES)
        fresh = file.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, stat.S_IRUSR | stat.S_IWUSR)
        with os.fdopen(descriptor, "wb") as out:
            out.write(key)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(file)
    return key


def link_url(settings: Settings, port: int, token: str) -> str:
    """The address an installer opens. The token stands in the fragment, which browsers keep to themselves."""
    base = settings.http.public_url.rstrip("/") or f"http://{address_of(settings.http.bind)}:{port}"
    return f"{base}/j#{token}"


def ocpp_url(settings: Settings, port: int, scheme: str = "ws") -> str:
    """What is typed into a charge point, without the identity. Encrypted, it is a name where one was set: charge
    points compare it with the certificate's, and some do not know how to compare an address."""
    host = address_of(settings.ocpp.bind)
    if scheme == "wss" and settings.certificates.names:
        host = settings.certificates.names[0]
    return f"{scheme}://{host}:{port}/"


def address_of(bind: str) -> str:
    """The address the site's network knows this box by, where it listens on all of them."""
    if bind not in ("", "0.0.0.0", "::"):  # noqa: S104 -- compared, not bound
        return bind
    return _route_to(_ANYWHERE) or "127.0.0.1"


def _route_to(ip: str) -> str | None:
    """Our own address on the way there."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((ip, 9))  # chooses a route; a datagram socket sends nothing by connecting
        return str(probe.getsockname()[0])
    return None


def address_for(settings: Settings, ip: str | None) -> str:
    """The address by which a charge point at `ip` reaches this box: a box may stand in several networks."""
    bind = settings.http.bind
    if bind not in ("", "0.0.0.0", "::"):  # noqa: S104 -- compared, not bound
        return bind
    return (_route_to(ip) if ip else None) or address_of(bind)


def _store_settings(settings: Settings) -> StoreSettings:
    storage = settings.storage
    return StoreSettings(
        data_dir=settings.data_dir, telemetry_max_rows=storage.telemetry_max_rows,
        journal_max_rows=storage.journal_max_rows, reserve_bytes=storage.reserve_bytes,
        keep_unsent=bool(settings.relay.url),
    )  # fmt: skip


def _files_settings(settings: Settings, keeper: Keeper | None) -> FilesSettings:
    files = settings.files

    def certificate() -> Certificate | None:
        return Certificate(*keeper.chain_and_key()) if keeper is not None else None

    return FilesSettings(
        data_dir=settings.data_dir, upload_max_bytes=files.upload_max_bytes, total_max_bytes=files.total_max_bytes,
        keep_free_bytes=files.keep_free_bytes, least_bytes_per_s=files.least_bytes_per_s,
        firmware_max_bytes=files.firmware_max_bytes, firmware_total_max_bytes=files.firmware_total_max_bytes,
        address=files.address, ftp=files.ftp, ftp_bind=settings.http.bind, ftp_port=files.ftp_port,
        ftp_passive_first=files.ftp_passive_first, ftp_passive_last=files.ftp_passive_last, certificate=certificate,
    )  # fmt: skip


def _transfer_patience(settings: Settings) -> TransferPatience:
    return TransferPatience(settings.files.upload_patience_s, settings.files.firmware_patience_s)


def _patience(settings: Settings) -> Patience:
    given = settings.commands
    return Patience(given.start_patience_s, given.stop_patience_s, given.reboot_patience_s)


def _ocpp_settings(settings: Settings) -> OcppSettings:
    ocpp = settings.ocpp
    return OcppSettings(
        security=ocpp.security, max_connections=ocpp.max_connections, max_message_bytes=ocpp.max_message_bytes,
        retry_interval_s=ocpp.retry_interval_s, quirks=_quirks(settings),
    )  # fmt: skip


def _quirks(settings: Settings) -> Table:
    """The built-in rules and the operator's. Raises CannotStart."""
    chosen = settings.ocpp.quirks
    file = Path(chosen).expanduser() if chosen else settings.data_dir / QUIRKS_FILE
    try:
        return built_in().followed_by(parsed(file.read_text("utf-8"), str(file)))
    except FileNotFoundError as error:
        if not chosen:
            return built_in()
        raise CannotStart(f"ocpp.quirks {file}: there is no such file.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CannotStart(f"ocpp.quirks {file}: cannot be read: {error}") from error
    except QuirksInvalid as error:
        raise CannotStart(f"{error}. Correct the rule, or take it out.") from error
