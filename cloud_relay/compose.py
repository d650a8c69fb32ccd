"""Builds the cloud from its parts and runs it: the only module that knows all the others. Start at `serving`."""

import asyncio
import contextlib
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog
from aiohttp import web

from cloud_relay.config import Settings
from cloud_relay.console import app as console
from cloud_relay.console import drawing, job_links, jobs_api, oidc_pages, operator_api, sign_in
from cloud_relay.console.afterwards import AFTERWARDS, Afterwards
from cloud_relay.console.alerts_api import WATCH
from cloud_relay.console.caller import STORE, tell_rate
from cloud_relay.console.idempotency import ANSWERS
from cloud_relay.console.mailer import MAILS, Mailer
from cloud_relay.console.metrics import Figures, exposition
from cloud_relay.console.oidc import Provider
from cloud_relay.console.sealing import SECOND_FACTORS, Sealing
from cloud_relay.console.webhook_sender import ALLOW_HTTP, WEBHOOK_SECRETS, WEBHOOKS, WebhookSender
from cloud_relay.fleet.alert_watch import AlertWatch
from cloud_relay.fleet.gateways import Gateways
from cloud_relay.fleet.ids import new_id
from cloud_relay.fleet.news import News
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.registration import EPOCH
from cloud_relay.links import app as links
from cloud_relay.links.keys import verify
from cloud_relay.links.server import CLOCK, GATEWAYS
from cloud_relay.store.store import Store, open_store
from programs.clock import SystemClock
from programs.version import product_version
from sitelink.clock import Clock
from sitelink.errors import StoreUnavailable
from web_ui import openapi as openapi_document
from web_ui.access import Gate
from web_ui.faults import FAULTS
from web_ui.front import runner_of
from web_ui.job_api import answer
from web_ui.limits import Limit, Limits
from web_ui.live import Streams
from web_ui.routes import Route, mount
from web_ui.security import COOKIE_PLAIN, Hosts, Sessions
from web_ui.surface import DRAW_ERROR, protect

log = structlog.get_logger()

SESSION_KEY = "session_key"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
STREAMS_MAX = 2000
"""Pages that are followed at a time."""
DOCUMENT: web.AppKey[Callable[[], bytes]] = web.AppKey("openapi")


class CannotStart(Exception):
    """One sentence: what is in the way and what to do."""


@dataclass(frozen=True)
class Cloud:
    """A running cloud, as a test sees it."""

    store: Store
    gateways: Gateways
    http_port: int


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. Raises CannotStart, StoreCannotOpen."""
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    asyncio.run(_until_stopped(settings))


async def _until_stopped(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(settings) as cloud:
        log.info("cloud_started", http=cloud.http_port)
        print(f"Boxes  {relay_url(settings, cloud.http_port)}", flush=True)
        await stop.wait()
    log.info("cloud_stopped")


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Cloud]:
    """The whole cloud, serving, for as long as the block runs."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        opening = open_store(settings.database.url, settings.data_dir, settings.database.connections)
        store = stack.enter_context(opening)
        key = await store.write(_secrets)
        news, node = News(), new_id()
        gateways = Gateways(store, clock, news, verify, node=node, new_id=new_id)
        gate = Gate(Sessions(key, clock), Limits(clock), Hosts(_names(settings)), clock)
        app = protect(None, gate, streams=Streams(max_open=STREAMS_MAX))
        app[DRAW_ERROR] = drawing.draw_error
        job_links.prepare(app, news)
        sign_in.prepare(app)
        app[sign_in.PROVIDER] = _provider(settings, key, clock)
        app[SECOND_FACTORS] = Sealing(key, "second factors")
        app[ANSWERS] = Sealing(key, "kept answers")
        app.on_response_prepare.append(tell_rate)
        app[STORE] = store
        app[GATEWAYS] = gateways
        app[CLOCK] = clock
        app[links.ANNOUNCEMENTS] = Limit(clock, count=links.ANNOUNCEMENTS_A_MINUTE, per_s=60)
        app[jobs_api.PUBLIC_URL] = settings.http.public_url.rstrip("/") or f"http://127.0.0.1:{settings.http.port}"
        mailer = Mailer(settings.mail, store, clock, app[jobs_api.PUBLIC_URL]) if settings.mail.host else None
        app[MAILS] = mailer
        app[AFTERWARDS] = afterwards = Afterwards(store)
        app[WEBHOOK_SECRETS] = sealing = Sealing(key, "webhook secrets")
        app[ALLOW_HTTP] = settings.webhooks.allow_http
        app[WEBHOOKS] = hooks = WebhookSender(store, clock, sealing, node=node, allow_http=app[ALLOW_HTTP])
        stack.callback(news.listen(lambda _: hooks.hurry()))
        app[WATCH] = watch = AlertWatch(store, gateways, news, clock, node=node)
        await watch.beat()
        letters = [mailer.run()] if mailer else []
        await stack.enter_async_context(_running(afterwards.run(), hooks.run(), watch.run(), *letters))
        health = Route("GET", "/healthz", get_healthz, "Whether the cloud can save.", answer=dict[str, str], auth="")
        app[operator_api.GATEWAYS] = gateways
        described = (*console.API, *links.ROUTES, health)
        document: Callable[[], bytes] = cache(lambda: _document(described))
        app[DOCUMENT] = document
        openapi = Route("GET", "/openapi.json", get_openapi, "This document.", answer=dict[str, Any], auth="")
        metrics = Route("GET", "/metrics", get_metrics, "For Prometheus.", media="text/plain", auth="")
        mount(app, (*described, *console.PAGES, openapi, *((metrics,) if settings.http.metrics else ())))
        runner = runner_of(app)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        port = await _listen(runner, settings)
        yield Cloud(store, gateways, port)


def _provider(settings: Settings, key: bytes, clock: Clock) -> Provider | None:
    """Raises CannotStart: over plain HTTP anybody in between could sign in as anybody."""
    issuer = urlsplit(settings.oidc.issuer)
    if settings.oidc.issuer and issuer.scheme != "https" and issuer.hostname not in LOOPBACK:
        raise CannotStart(f"oidc.issuer {settings.oidc.issuer}: found {issuer.scheme or 'no scheme'}, allowed: https.")
    base = settings.http.public_url.rstrip("/") or f"http://127.0.0.1:{settings.http.port}"
    return Provider(settings.oidc, base + oidc_pages.BACK, key, clock) if settings.oidc.issuer else None


@asynccontextmanager
async def _running(*loops: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """What works in the background, for as long as the block runs. What the block raises comes out as it is."""
    failure: Exception | None = None
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(each) for each in loops]
        try:
            yield
        except Exception as error:  # else the group would wrap it
            failure = error
        finally:
            for task in running:
                task.cancel()
    if failure is not None:
        raise failure


async def _listen(runner: web.AppRunner, settings: Settings) -> int:
    site = web.TCPSite(runner, settings.http.bind, settings.http.port)
    try:
        await site.start()
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotStart(
            f"http.port {settings.http.port}: cannot listen there: {reason}. Set http.port to another port."
        ) from error
    return int(runner.addresses[0][1])


def _secrets(books: Books) -> bytes:
    """What all nodes share, made by the first that starts. Returns the key of sessions."""
    if books.secrets.get(EPOCH) is None:
        books.secrets.put(EPOCH, new_id())
    known = books.secrets.get(SESSION_KEY)
    if known is None:
        known = secrets.token_hex(32)
        books.secrets.put(SESSION_KEY, known)
    return bytes.fromhex(known)


def _names(settings: Settings) -> list[str]:
    public = urlsplit(settings.http.public_url).hostname if settings.http.public_url else None
    own = socket.gethostname().casefold()
    return [own, own.partition(".")[0], *settings.http.hosts, *([public] if public else [])]


def relay_url(settings: Settings, port: int) -> str:
    """What goes into a box's relay.url."""
    base = settings.http.public_url.rstrip("/") or f"http://127.0.0.1:{port}"
    return f"{base.replace('http', 'ws', 1)}/relay"


async def get_healthz(request: web.Request) -> web.Response:
    try:
        await request.app[STORE].read(lambda books: books.secrets.get(EPOCH))
    except StoreUnavailable as error:
        return answer({"status": str(error.fields.get("reason", "failed"))}, status=503)
    return answer({"status": "ok"})


async def get_openapi(request: web.Request) -> web.Response:
    body = await asyncio.to_thread(request.app[DOCUMENT])
    return web.Response(body=body, content_type="application/json")


def _document(described: Iterable[Route]) -> bytes:
    document = openapi_document.document(
        described, title="Gatepost cloud", version=product_version(), cookie=COOKIE_PLAIN
    )
    return msgspec.json.encode(document)


async def get_metrics(request: web.Request) -> web.Response:
    gateways = request.app[GATEWAYS]
    figures = Figures(
        version=product_version(), links=len(gateways.online), ops=gateways.acked,
        batch_seconds=gateways.slowest_batch_s, http_faults=request.app[FAULTS].count,
    )  # fmt: skip
    body, content_type = await asyncio.to_thread(exposition, figures)
    return web.Response(body=body, headers={"Content-Type": content_type})
