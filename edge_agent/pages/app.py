"""The box's HTTP application: installer page, job API, box admin API, health and metrics.

Wiring only. Start at `build_app`; serve it with `web_ui.front.runner_of`, which adds the limits in front of it.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from edge_agent.pages import (
    admin,
    box_files,
    box_pages,
    certificates_api,
    cloud_api,
    frames_api,
    id_tokens,
    meter_search,
    security,
    station_lists,
    transfers_api,
)
from edge_agent.pages.ports import Admin, Certificates, Cloud, Figures, IdTokens, Lists, Security
from edge_agent.site.ports import History, MeterSearch, Stations
from edge_agent.site.transfers import Transfers
from programs.version import product_version
from sitelink.clock import Clock
from sitelink.errors import NotFound, SiteError
from web_ui import assets, detail_pages, file_pages, job_api, job_pages, meter_pages, openapi
from web_ui.access import JOBS, Gate
from web_ui.faults import FAULTS
from web_ui.job_api import answer
from web_ui.limits import Limits
from web_ui.live import STREAMS, Streams
from web_ui.ports import Oddities
from web_ui.routes import Route, mount
from web_ui.security import COOKIE_PLAIN, Hosts, Sessions
from web_ui.surface import DRAW_ERROR, protect

FIGURES: web.AppKey[Callable[[], Figures]] = web.AppKey("figures")
SITE_ROOT: web.AppKey[bytes] = web.AppKey("site_root", bytes)
DOCUMENT: web.AppKey[Callable[[], bytes]] = web.AppKey("openapi")


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What the configuration says of HTTP. `hosts` are names by which people reach the box, `public_url` one more."""

    hosts: tuple[str, ...] = ()
    public_url: str = ""
    metrics: bool = True


class Status(msgspec.Struct):
    """ok, or a code for why nothing can be saved."""

    status: str


def build_app(
    jobs: Admin, stations: Stations, history: History, settings: PageSettings, session_key: bytes, clock: Clock,
    figures: Callable[[], Figures], *, tokens: IdTokens, lists: Lists, oddities: Oddities, keys: Security,
    certificates: Certificates, search: MeterSearch | None = None,
    streams: Streams | None = None,
    host_name: Callable[[], str] = socket.gethostname,
    site_root: bytes = b"",
    cloud: Cloud | None = None, own_settings: Mapping[str, Any] | None = None,
    transfers: Transfers | None = None, station_routes: Iterable[web.RouteDef] = (),
) -> web.Application:  # fmt: skip
    """The whole application. `session_key` has at least 32 random bytes and survives restarts.

    `station_routes` are those by which charge points bring and fetch files.
    """
    gate = Gate(Sessions(session_key, clock), Limits(clock), Hosts(_names(settings, host_name())), clock)
    app = protect(jobs, gate, streams=streams)
    app[admin.ADMIN] = jobs
    app[admin.STATIONS] = stations
    app[admin.HISTORY] = history
    app[detail_pages.FRAMES] = stations
    app[detail_pages.ODDITIES] = oddities
    app[id_tokens.ID_TOKENS] = tokens
    app[security.SECURITY] = keys
    app[certificates_api.CERTIFICATES] = certificates
    app[detail_pages.SECURITY_LOG] = keys
    app[admin.LISTS] = lists
    app[FIGURES] = figures
    app[DRAW_ERROR] = _draw_error
    app[SITE_ROOT] = site_root
    app[cloud_api.OWN_SETTINGS] = own_settings or {}
    if cloud is not None:
        app[cloud_api.CLOUD] = cloud
    described: tuple[Route, ...] = (
        *job_api.ROUTES,
        *meter_pages.API_ROUTES,
        *file_pages.API_ROUTES,
        *admin.ROUTES,
        *station_lists.ROUTES,
        *frames_api.ROUTES,
        *id_tokens.ROUTES,
        *security.ROUTES,
        *certificates_api.ROUTES,
        *cloud_api.API_ROUTES,
        *_own_routes(settings),
    )
    pages: tuple[Route, ...] = (
        *job_pages.ROUTES,
        *detail_pages.ROUTES,
        *meter_pages.ROUTES,
        *file_pages.ROUTES,
        *box_pages.ROUTES,
        *cloud_api.ROUTES,
    )
    if search is not None:
        app[meter_search.SEARCH] = search
        described, pages = (*described, *meter_search.API_ROUTES), (*pages, *meter_search.ROUTES)
    if transfers is not None:
        app[transfers_api.TRANSFERS] = transfers
        described, pages = (*described, *transfers_api.ROUTES), (*pages, *box_files.ROUTES)
    document: Callable[[], bytes] = cache(lambda: _document(described))
    app[DOCUMENT] = document
    mount(app, (*described, *pages))
    app.router.add_routes(station_routes)
    assets.mount(app)
    return app


def _draw_error(request: web.Request, error: SiteError) -> str:
    if request.path == "/admin" or request.path.startswith("/admin/"):
        return box_pages.draw_error(request, error)
    return job_pages.draw_error(request, error)


def _names(settings: PageSettings, host_name: str) -> Iterable[str]:
    own = host_name.casefold()
    yield from (own, own.partition(".")[0], *settings.hosts)
    public = urlsplit(settings.public_url).hostname if settings.public_url else None
    if public:
        yield public


def _own_routes(settings: PageSettings) -> tuple[Route, ...]:
    routes = (
        Route("GET", "/healthz", get_healthz, "Whether the box can save.", answer=Status, auth=""),
        Route("GET", "/ca.pem", get_site_root, "The site's certificate authority, for charge points and browsers.",
              media="application/x-pem-file", auth="", errors=(NotFound,)),
        Route("GET", "/openapi.json", get_openapi, "This document.", answer=dict[str, Any], auth=""),
    )  # fmt: skip
    metrics = Route("GET", "/metrics", get_metrics, "For Prometheus.", media="text/plain", auth="")
    return (*routes, metrics) if settings.metrics else routes


async def get_healthz(request: web.Request) -> web.Response:
    trouble = request.app[JOBS].snapshot().trouble
    return answer(Status(trouble or "ok"), status=503 if trouble else 200)


async def get_site_root(request: web.Request) -> web.Response:
    """A certificate is public: whoever wants to trust this site's box gets it here, unencrypted too."""
    root = request.app[SITE_ROOT]
    if not root:
        raise NotFound(what="page", key="/ca.pem")
    headers = {"Content-Disposition": 'attachment; filename="gatepost-site-ca.pem"'}
    return web.Response(body=root, content_type="application/x-pem-file", headers=headers)


async def get_metrics(request: web.Request) -> web.Response:
    exposition = await asyncio.to_thread(_exposition)
    app = request.app
    body, content_type = exposition(app[FIGURES](), app[FAULTS].count, app[STREAMS].open)
    return web.Response(body=body, headers={"Content-Type": content_type})


def _exposition() -> Callable[[Figures, int, int], tuple[bytes, str]]:
    """Loaded by whoever asks first, off the event loop: many boxes are never asked, and its library is 2 MB."""
    from edge_agent.pages.metrics import exposition

    return exposition


async def get_openapi(request: web.Request) -> web.Response:
    body = await asyncio.to_thread(request.app[DOCUMENT])  # made for the first who asks, which takes a while
    return web.Response(body=body, content_type="application/json")


def _document(described: Iterable[Route]) -> bytes:
    document = openapi.document(described, title="Gatepost box", version=product_version(), cookie=COOKIE_PLAIN)
    return msgspec.json.encode(document)
