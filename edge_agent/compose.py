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
import uuid
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry

from edge_agent import control
from edge_agent.charge_points.server import OcppServer
from edge_agent.charge_points.settings import OcppSettings
from edge_agent.clock import SystemClock
from edge_agent.config import Settings
from edge_agent.pages.app import PageSettings, build_app, product_version
from edge_agent.pages.metrics import BoxMetrics, Figures
from edge_agent.pages.waiting import build_waiting_app
from edge_agent.site.admission import Policy
from edge_agent.site.desk import StationDesk
from edge_agent.site.dispatch import Dispatch, Patience
from edge_agent.site.feed import Feed
from edge_agent.site.jobs import JobService
from edge_agent.site.nobody import NoStations
from edge_agent.site.operations import Operations
from edge_agent.site.ports import Stations
from edge_agent.site.supervision import Supervision
from edge_agent.site.upkeep import About, Upkeep
from edge_agent.store.database import StoreCannotOpen
from edge_agent.store.store import Store, StoreSettings, open_store
from edge_agent.store.trouble import free_bytes
from sitelink.states import JobStatus
from web_ui.front import runner_of

log = structlog.get_logger()
T = TypeVar("T")

SESSION_KEY_FILE = "session.key"
SESSION_KEY_BYTES = 32
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


def new_id() -> str:
    return str(uuid.uuid4())


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
    if settings.relay.url:
        log.warning("relay_not_in_this_version", url=settings.relay.url)
    async with serving(settings) as box:
        address = address_of(settings.http.bind)
        log.info("box_started", http=box.http_port, ocpp=box.ocpp_port, data_dir=str(settings.data_dir))
        print(f"Installer page  http://{address}:{box.http_port}/", flush=True)
        print(f"Charge points   {ocpp_url(settings, box.ocpp_port)}IDENTITY", flush=True)
        await stop.wait()
    log.info("box_stopped")


async def _wait_for_disk(settings: Settings, trouble: str, stop: asyncio.Event) -> None:
    """Say on the page why the box does not work, until it is worth another try. Charge points keep what they have."""
    async with _http(build_waiting_app(trouble), settings):
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
            heartbeat_interval_s=settings.ocpp.heartbeat_interval_s,
            retry_interval_s=settings.ocpp.retry_interval_s,
        )  # fmt: skip
        desk = StationDesk(journal, clock, policy)
        stations = OcppServer(desk, clock, _ocpp_settings(settings), new_id)
        dispatch = Dispatch(journal, stations, _patience(settings))
        supervision = Supervision(journal, stations, policy.heartbeat_interval_s)
        await supervision.close_old_links()
        await dispatch.interrupt_unfinished()
        ocpp = stations.serve(settings.ocpp.bind, settings.ocpp.port)
        ocpp_port = await _bound(stack.enter_async_context(ocpp), "ocpp.port", settings.ocpp.port)
        feed = Feed(journal)
        jobs = JobService(
            journal, stations, dispatch, feed, clock, store.history, new_id,
            lambda: ocpp_url(settings, ocpp_port), lambda: "salvaged" if store.salvaged else None,
        )  # fmt: skip
        app = build_app(
            jobs,
            stations,
            store.history,
            _page_settings(settings),
            session_key(settings.data_dir),
            clock,
            _metrics(settings, store, stations),
        )
        http_port = await stack.enter_async_context(_http(app, settings))
        upkeep = _upkeep(settings, store, stations, feed, {"http.port": http_port, "ocpp.port": ocpp_port})
        operations = Operations(jobs, lambda token: link_url(settings, http_port, token), upkeep.operations())
        await stack.enter_async_context(control.serve(settings.data_dir, operations.run))
        group = await stack.enter_async_context(asyncio.TaskGroup())
        tasks = [group.create_task(dispatch.run(), name="dispatch")]
        tasks.append(group.create_task(supervision.run(), name="supervision"))
        tasks.append(group.create_task(store.watch(), name="store"))
        try:
            yield Box(jobs, operations, store, ocpp_port, http_port)
        finally:
            for task in tasks:
                task.cancel()


@asynccontextmanager
async def alone(settings: Settings) -> AsyncIterator[Operations]:
    """The operator's commands with the store opened here, while no agent runs. Raises StoreLocked."""
    clock = SystemClock()
    async with open_store(_store_settings(settings), clock, new_id) as store:
        nobody, feed = NoStations(), Feed(store.journal)
        dispatch = Dispatch(store.journal, nobody)
        jobs = JobService(
            store.journal, nobody, dispatch, feed, clock, store.history, new_id,
            lambda: ocpp_url(settings, settings.ocpp.port),
        )  # fmt: skip
        upkeep = _upkeep(settings, store, nobody, feed, None)
        yield Operations(jobs, lambda token: link_url(settings, settings.http.port, token), upkeep.operations())


def _upkeep(
    settings: Settings, store: Store, stations: Stations, feed: Feed, listening: dict[str, int] | None
) -> Upkeep:
    """`listening`: the ports of a running box; without, those it would use."""
    ports = listening or {"http.port": settings.http.port, "ocpp.port": settings.ocpp.port}
    about = About(product_version(), settings.data_dir, listening is not None, ports)
    return Upkeep(about, store.journal, stations, store, feed, lambda: _free(settings))


def _free(settings: Settings) -> int | None:
    """None where the disk does not even say that."""
    with contextlib.suppress(OSError):
        return free_bytes(settings.data_dir)
    return None


def _metrics(settings: Settings, store: Store, stations: OcppServer) -> CollectorRegistry:
    def figures() -> Figures:
        state, trouble = store.journal.state, store.journal.trouble
        return Figures(
            version=product_version(), seq=store.journal.seq, trouble=trouble.code if trouble else None,
            salvaged=store.salvaged is not None, disk_free_bytes=_free(settings),
            charge_points_known=len(state.stations),
            charge_points_connected=sum(stations.is_online(key) for key in state.stations),
            jobs_open=sum(job.status is JobStatus.OPEN for job in state.jobs.values()), ocpp=stations.counts,
        )  # fmt: skip

    registry = CollectorRegistry()
    registry.register(BoxMetrics(figures))
    return registry


@asynccontextmanager
async def _http(app: web.Application, settings: Settings) -> AsyncIterator[int]:
    runner = runner_of(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.http.bind, settings.http.port)
        await _bound(site.start(), "http.port", settings.http.port)
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


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


def ocpp_url(settings: Settings, port: int) -> str:
    """What is typed into a charge point, without the identity."""
    return f"ws://{address_of(settings.ocpp.bind)}:{port}/"


def address_of(bind: str) -> str:
    """The address the site's network knows this box by, where it listens on all of them."""
    if bind not in ("", "0.0.0.0", "::"):  # noqa: S104 -- compared, not bound
        return bind
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((_ANYWHERE, 9))  # chooses a route; a datagram socket sends nothing by connecting
        return str(probe.getsockname()[0])
    return "127.0.0.1"


def _store_settings(settings: Settings) -> StoreSettings:
    storage = settings.storage
    return StoreSettings(
        data_dir=settings.data_dir, telemetry_max_rows=storage.telemetry_max_rows,
        journal_max_rows=storage.journal_max_rows, reserve_bytes=storage.reserve_bytes,
        keep_unsent=bool(settings.relay.url),
    )  # fmt: skip


def _page_settings(settings: Settings) -> PageSettings:
    return PageSettings(hosts=settings.http.hosts, public_url=settings.http.public_url, metrics=settings.http.metrics)


def _patience(settings: Settings) -> Patience:
    given = settings.commands
    return Patience(given.start_patience_s, given.stop_patience_s, given.reboot_patience_s)


def _ocpp_settings(settings: Settings) -> OcppSettings:
    ocpp = settings.ocpp
    return OcppSettings(
        security=ocpp.security, max_connections=ocpp.max_connections, max_message_bytes=ocpp.max_message_bytes,
        retry_interval_s=ocpp.retry_interval_s,
    )  # fmt: skip
