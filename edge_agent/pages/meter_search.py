"""Meters looked for: the page a search is begun on and followed, and the same as an API. Only the box can do that.

What is found is added by the form of `web_ui.meter_pages`. Start at `ROUTES` and `API_ROUTES`.
"""

import ipaddress
from typing import Annotated, Any

import msgspec
from aiohttp import hdrs, web

from edge_agent.site.ports import FoundMeter, MeterSearch, SearchWanted
from sitelink.errors import JobReadOnly, RequestInvalid
from sitelink.meter_endpoints import PORT, Endpoint, EndpointInvalid, endpoint_of
from sitelink.states import JobStatus
from web_ui import render, wording
from web_ui.access import CSRF_FIELD, Visitor, jobs_of, visitor_of, writer_of
from web_ui.bodies import number_in, read_form, read_json
from web_ui.job_api import answer
from web_ui.job_pages import FieldErrors, shown_to
from web_ui.routes import Route
from web_ui.surface import wants_json
from web_ui.views import error_view

SEARCH: web.AppKey[MeterSearch] = web.AppKey("meter_search")


class StartSearch(msgspec.Struct, forbid_unknown_fields=True):
    """`hosts`: private addresses, as `192.168.1.0/24, 10.0.0.5-20`, asked at `port`; "" leaves the network out.
    `serial`: on all serial ports. `every_address`: not only the likely ones, which takes minutes for each port.
    `announced`: also who announces itself in the network (mDNS)."""

    hosts: str = ""
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = PORT
    serial: bool = True
    every_address: bool = False
    announced: bool = False


class MayBe(msgspec.Struct, frozen=True):
    profile: str
    name: str


class FoundView(msgspec.Struct, frozen=True):
    """Something that answers. `models`: what it may be, none where it is no known one; `guessed`: by its values alone.
    `in_job`: the name it has in the job, "" where it is not there."""

    transport: str
    unit_id: int
    models: tuple[MayBe, ...]
    guessed: bool
    in_job: str


class SearchView(msgspec.Struct, frozen=True):
    """`problems`: ports and hosts that could not be used, and why."""

    running: bool
    stopped: bool
    done: int
    total: int
    found: tuple[FoundView, ...]
    problems: dict[str, str]


def search_view(request: web.Request, visitor: Visitor, models: dict[str, str]) -> SearchView | None:
    state = request.app[SEARCH].state()
    if state is None:
        return None
    listed: dict[tuple[Endpoint, int], str] = {}
    for meter in jobs_of(request).snapshot().state.jobs[visitor.link.job].meters:
        try:
            listed[(endpoint_of(meter.transport), meter.unit_id)] = meter.name
        except EndpointInvalid:
            continue
    found = tuple(_found(each, listed.get((each.endpoint, each.unit), ""), models) for each in state.found)
    problems = {where: _problem(where, code) for where, code in state.problems.items()}
    return SearchView(state.running, state.stopped, state.done, state.total, found, problems)


def _found(found: FoundMeter, in_job: str, models: dict[str, str]) -> FoundView:
    maybe = tuple(MayBe(profile, models.get(profile, profile)) for profile in found.profiles)
    return FoundView(str(found.endpoint), found.unit, maybe, found.guessed, in_job)


def _problem(where: str, code: str) -> str:
    code = "port_busy" if code == "busy" else code
    return wording.full(f"meter_{code}", {"transport": where})


def network_of(request: web.Request) -> str:
    """The network by which whoever asks reached the box, as a range to begin with; "" where that is none."""
    own = request.transport.get_extra_info("sockname") if request.transport else None
    try:
        address = ipaddress.ip_address(own[0] if own else "")
    except ValueError:
        return ""
    if address.version != 4 or not address.is_private or address.is_loopback:
        return ""
    return str(ipaddress.ip_network(f"{address}/24", strict=False))


async def begin(request: web.Request, visitor: Visitor, wanted: StartSearch) -> None:
    """Raises JobReadOnly, RequestInvalid."""
    job = jobs_of(request).snapshot().state.jobs[visitor.link.job]
    if job.status is not JobStatus.OPEN:
        raise JobReadOnly(number=job.number, status=job.status.value)
    await request.app[SEARCH].start(SearchWanted(**msgspec.structs.asdict(wanted)))


# ---- page ----


async def get_search(request: web.Request) -> web.Response:
    return await _page(request, visitor_of(request))


async def post_search(request: web.Request) -> web.Response:
    form = await read_form(request)
    visitor = writer_of(request, form.get(CSRF_FIELD, ""))
    try:
        port = number_in({"port": form.get("port", "").strip() or str(PORT)}, "port") or 0
        if not 1 <= port <= 65535:
            raise RequestInvalid(where="port", problem="not_allowed", allowed="1 to 65535")
        wanted = StartSearch(
            form.get("hosts", ""), port, "serial" in form, "every_address" in form, "announced" in form
        )
        await begin(request, visitor, wanted)
    except RequestInvalid as exc:
        if wants_json(request):
            raise
        return await _page(request, visitor, exc, form)
    return _gone_on()


async def post_stop(request: web.Request) -> web.Response:
    form = await read_form(request)
    writer_of(request, form.get(CSRF_FIELD, ""))
    await request.app[SEARCH].stop()
    return _gone_on()


async def get_regions(request: web.Request) -> web.Response:
    visitor = visitor_of(request)
    if "search" not in request.query.get("names", "").split(","):
        return answer({})
    return answer({"search": render.partial("meter_search", **await _context(request, visitor))})


async def _context(request: web.Request, visitor: Visitor) -> dict[str, Any]:
    models = dict(await jobs_of(request).meter_models())
    return {**shown_to(request, visitor, ()), "search": search_view(request, visitor, models), "models": models}


async def _page(
    request: web.Request, visitor: Visitor, problem: RequestInvalid | None = None, form: dict[str, str] | None = None
) -> web.Response:
    errors: FieldErrors = {str(problem.fields["where"]): error_view(problem)} if problem else {}
    typed = (
        form if form is not None else {"hosts": network_of(request), "port": str(PORT), "serial": "1", "announced": "1"}
    )
    context = {"ports": request.app[SEARCH].ports(), "typed": typed, "errors": errors}
    text = render.page("meter_search.html", **await _context(request, visitor), **context)
    return web.Response(text=text, content_type="text/html", status=problem.http_status if problem else 200)


def _gone_on() -> web.Response:
    return web.Response(status=303, headers={hdrs.LOCATION: "/j/meter-search"})


# ---- API ----


async def get_state(request: web.Request) -> web.Response:
    visitor = visitor_of(request)
    return answer(await _state(request, visitor))


async def put_state(request: web.Request) -> web.Response:
    visitor = writer_of(request)
    await begin(request, visitor, await read_json(request, StartSearch))
    return answer(await _state(request, visitor), status=202)


async def delete_state(request: web.Request) -> web.Response:
    visitor = writer_of(request)
    await request.app[SEARCH].stop()
    return answer(await _state(request, visitor))


async def _state(request: web.Request, visitor: Visitor) -> SearchView:
    found = search_view(request, visitor, dict(await jobs_of(request).meter_models()))
    return found or SearchView(False, False, 0, 0, (), {})


_PAGE, _API = "/j/meter-search", "/api/v1/job/meter-search"

ROUTES = (
    Route("GET", _PAGE, get_search, "Look for meters.", media="text/html"),
    Route("POST", _PAGE, post_search, "Begin to look for meters.", media="text/html"),
    Route("POST", f"{_PAGE}/stop", post_stop, "Stop looking.", media="text/html"),
    Route("GET", f"{_PAGE}/regions", get_regions, "What is found so far.", answer=dict[str, str]),
)
API_ROUTES = (
    Route("GET", _API, get_state, "How the search for meters stands.", answer=SearchView),
    Route("PUT", _API, put_state, "Look for meters, in place of a search that runs.", StartSearch, SearchView, 202,
          errors=(JobReadOnly,)),
    Route("DELETE", _API, delete_state, "Stop looking; what was found stays.", answer=SearchView),
)  # fmt: skip
