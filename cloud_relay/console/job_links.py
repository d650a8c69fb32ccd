"""The installer's page and API in the cloud: the same routes as on the box, for the same link (DESIGN §6).

Before a request about a job is handled, the site of its link is looked up and put where the shared routes find it.
Start at `find_site`. Files and messages of charge points stay on site.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from cloud_relay.console.caller import STORE
from cloud_relay.console.operator_api import GATEWAYS
from cloud_relay.fleet.delivery import shown_links
from cloud_relay.fleet.ids import SiteId, TeamId
from cloud_relay.fleet.log_records import BoxLink, Held, Place, Version
from cloud_relay.fleet.news import News
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.site_jobs import SiteJobs
from sitelink.events import Correction
from sitelink.frames import Frame
from sitelink.ids import StationKey
from sitelink.model import SiteState
from web_ui import assets, detail_pages, job_api, job_pages, meter_pages
from web_ui.access import GATE, JOBS_HERE, session_of
from web_ui.routes import Route
from web_ui.security import find_token, token_sha256

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
NEWS: web.AppKey[News] = web.AppKey("news", News)
ABOUT_A_JOB = ("/j/", "/api/v1/job/")
WITH_A_TOKEN_IN_THE_BODY = ("/api/session", "/j/open")
NOWHERE = Place(TeamId(""), "", SiteId(""))
API_ROUTES: tuple[Route, ...] = (*job_api.ROUTES, *meter_pages.API_ROUTES)
PAGES: tuple[Route, ...] = tuple(
    route for route in (*job_pages.ROUTES, *detail_pages.ROUTES, *meter_pages.ROUTES) if route.path != "/"
)
"""The console has the top."""


def prepare(app: web.Application, news: News) -> None:
    """What the shared routes need. They are mounted by the caller."""
    app.middlewares.append(find_site)
    app[NEWS] = news
    nothing = OnSite()
    app[detail_pages.FRAMES] = nothing
    app[detail_pages.ODDITIES] = nothing
    app[detail_pages.SECURITY_LOG] = nothing
    assets.mount(app)


class OnSite:
    """What only the box has: see `web_ui.ports.Frames`, `Oddities` and `SecurityLog`."""

    def frames(self, station: StationKey) -> Sequence[Frame]:
        return ()

    def newest_frame(self, station: StationKey) -> int:
        return 0

    def corrections(self, station: StationKey) -> Mapping[str, Correction]:
        return {}

    def clock_drift_s(self, station: StationKey) -> float | None:
        return None

    async def log_of(self, station: StationKey, limit: int) -> Sequence[Mapping[str, Any]]:
        return ()


@web.middleware
async def find_site(request: web.Request, handler: Handler) -> web.StreamResponse:
    path = request.path
    if path in ("/j", "/api/v1/job", "/api/session") or path.startswith(ABOUT_A_JOB):
        request[JOBS_HERE] = await _jobs_of_link(request)
    return await handler(request)


async def _jobs_of_link(request: web.Request) -> SiteJobs:
    """The jobs of the link's site; of no site where nobody showed a link that is known."""
    shown, session = await _shown(request), session_of(request)

    def work(books: Books) -> tuple[Place, Sequence[BoxLink]] | None:
        known = books.logs.link_site(token_sha256(shown)) if shown else None
        site = known[0] if known is not None else books.logs.site_of_link(session.link) if session is not None else None
        places = books.links.places([site]) if site is not None else ()
        return (places[0], shown_links(books, places[0].site)) if places else None

    gateways, now = request.app[GATEWAYS], request.app[GATE].clock.now()
    found = await request.app[STORE].read(work) if shown or session is not None else None
    if found is None:
        return SiteJobs(NOWHERE, Held(Version(0, 0), SiteState()), (), gateways, request.app[NEWS], now)
    place, links = found
    return SiteJobs(place, await gateways.state(place), links, gateways, request.app[NEWS], now)


async def _shown(request: web.Request) -> str | None:
    """A link's token, in the header or, where one is exchanged for a session, in the body."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.casefold() == "bearer":
        return find_token(credentials)
    if request.method == "POST" and request.path in WITH_A_TOKEN_IN_THE_BODY:
        return find_token((await request.read()).decode("utf-8", "replace"))
    return None
