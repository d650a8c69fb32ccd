"""The box's own admin pages: every charge point it knows, each in full, with its messages and any call by hand.

For whoever signs in with an admin token; works without script. The parts of a charge point's page are those of the
installer's (`web_ui.detail_pages`). Files are in
`box_files`. Start at `ROUTES`.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import hdrs, web

from edge_agent.pages.admin import ADMIN, STATIONS, known_station
from edge_agent.pages.admin_session import (
    Operator,
    csrf_of,
    drop_cookie,
    is_operator,
    open_session,
    operator_of,
    renew_cookie,
    set_cookie,
    writer_of,
)
from edge_agent.pages.transfers_api import TRANSFERS
from sitelink.errors import CallRefused, RequestInvalid, SignInNeeded, SiteError, TooMany
from sitelink.ids import StationKey
from web_ui import live, render
from web_ui.access import CSRF_FIELD, refuse_foreign
from web_ui.bodies import read_form
from web_ui.detail_pages import (
    asked_regions,
    details_for,
    file_answer,
    found,
    frames_page,
    html_answer,
    regions_answer,
    regions_of,
)
from web_ui.details import Paths
from web_ui.frame_views import csv_of, json_lines
from web_ui.hand_calls import hand_call_views, indented, parsed
from web_ui.routes import Route
from web_ui.station_list import StationList, station_list
from web_ui.surface import UNHURRIED, dress
from web_ui.views import ErrorView, error_view

LIST_EVERY_S = 3.0
EVENTS = {"wire": 0.5, "station": 2.0, "seldom": 10.0}
"""News of a charge point, and how often at most, in seconds."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


# ---- coming in and leaving ----


async def get_admin(request: web.Request) -> web.Response:
    """The list for who is signed in, the sign-in card for everybody else."""
    try:
        operator = operator_of(request)
    except SignInNeeded:
        return html_answer(render.page("admin_entry.html"))
    return drawn(request, operator, render.page("admin.html", list=_list(request), csrf=csrf_of(request, operator)))


async def post_open(request: web.Request) -> web.Response:
    """Exchange a pasted token for a session."""
    refuse_foreign(request)
    form = await read_form(request)
    try:
        cookie = open_session(request, form.get("token", ""))
    except (SignInNeeded, TooMany) as exc:
        text = render.page("admin_entry.html", problem=exc.code, fields=exc.fields)
        response = html_answer(text, exc.http_status)
        return dress(request, response, exc) if isinstance(exc, TooMany) else response
    response = _elsewhere("/admin")
    set_cookie(request, response, cookie)
    return response


async def post_leave(request: web.Request) -> web.Response:
    form = await read_form(request)
    response = _elsewhere("/admin")
    if is_operator(request):
        writer_of(request, form.get(CSRF_FIELD, ""))
    drop_cookie(request, response)
    return response


async def get_list_regions(request: web.Request) -> web.Response:
    names = request.query.get("names", "").split(",")
    drawn = {"stations": render.partial("stations", list=_list(request))} if "stations" in names else {}
    return web.Response(body=msgspec.json.encode(drawn), content_type="application/json")


async def get_list_events(request: web.Request) -> web.StreamResponse:
    """Whenever anything was written."""
    admin = request.app[ADMIN]
    news = live.followed(lambda: admin.snapshot().seq, "stations", LIST_EVERY_S)
    return await live.serve(request, (news,), lambda: not is_operator(request))


# ---- one charge point ----


async def get_charge_point(request: web.Request) -> web.Response:
    operator, key = operator_of(request), known_station(request)
    sections = tuple(render.SECTIONS)
    text = render.page("details.html", sections=sections, **await context_of(request, key, sections))
    return drawn(request, operator, text)


async def get_frames(request: web.Request) -> web.Response:
    key = known_station(request)
    return frames_page(request, key, await context_of(request, key))


async def get_frames_jsonl(request: web.Request) -> web.Response:
    body = json_lines(found(request, known_station(request)))
    return file_answer(body, "application/x-ndjson", request.match_info["identity"], "jsonl")


async def get_frames_csv(request: web.Request) -> web.Response:
    body = csv_of(found(request, known_station(request))).encode("utf-8-sig")
    return file_answer(body, "text/csv", request.match_info["identity"], "csv")


async def get_regions(request: web.Request) -> web.Response:
    key = known_station(request)
    names = asked_regions(request, (*render.SECTIONS, "hand_calls"))
    context = await context_of(request, key, names)
    return regions_answer(request, key, names, {**context, "calls": hand_call_views(_hand_calls(request, key))})


async def get_events(request: web.Request) -> web.StreamResponse:
    """Whenever something went over its wire, or it came or went: the more a part costs to draw, the seldomer."""
    key, stations = known_station(request), request.app[STATIONS]

    def newest() -> tuple[int, bool]:
        return stations.newest_frame(key), stations.is_online(key)

    news = [live.followed(newest, event, every_s) for event, every_s in EVENTS.items()]
    return await live.serve(request, news, lambda: not is_operator(request))


# ---- calls by hand ----


async def get_calls(request: web.Request) -> web.Response:
    """The form, with an example of the chosen call, and what was sent before."""
    operator, key = operator_of(request), known_station(request)
    return drawn(request, operator, await _calls_page(request, operator, key, request.query.get("action", "")))


async def post_call(request: web.Request) -> web.Response:
    """Send it and wait for its answer, which the page then shows. What does not fit is said at its place."""
    form = await read_form(request)
    operator, key = writer_of(request, form.get(CSRF_FIELD, "")), known_station(request)
    action, typed = form.get("action", ""), form.get("payload", "")
    try:
        payload = parsed(typed)
    except ValueError as exc:
        wrong = RequestInvalid(where="payload", problem="not_json")
        problem = ErrorView("call_invalid", "That is no JSON.", "Correct it and send again.", typed)
        text = await _calls_page(request, operator, key, action, typed, problem, str(exc))
        return drawn(request, operator, text, wrong.http_status)
    try:
        await request.app[STATIONS].call(key, action, payload)
    except CallRefused:
        pass  # an answer like any other: it stands in the list
    except SiteError as exc:
        text = await _calls_page(request, operator, key, action, typed, error_view(exc))
        return drawn(request, operator, text, exc.http_status)
    return _elsewhere(f"{path_of(key)}/calls?action={quote(action, safe='')}")


async def _calls_page(
    request: web.Request, operator: Operator, key: StationKey, chosen: str, typed: str | None = None,
    problem: ErrorView | None = None, place: str = "",
) -> str:  # fmt: skip
    stations = request.app[STATIONS]
    names = stations.actions(key)
    action = stations.action(key, chosen if chosen in names else _first(names)) if names else None
    station = request.app[ADMIN].snapshot().state.stations.get(key)
    schema = msgspec.json.format(msgspec.json.Encoder(decimal_format="number").encode(action.schema)) if action else b""
    return render.page(
        "calls.html", actions=names, action=action, schema=schema.decode(), problem=problem, place=place,
        typed=typed if typed is not None else indented(action.example) if action else "",
        calls=hand_call_views(_hand_calls(request, key)), online=stations.is_online(key),
        version=station.version if station is not None else None, csrf=csrf_of(request, operator),
        **await context_of(request, key),
    )  # fmt: skip


def _first(names: Any) -> str:
    """What the form begins with: a question that changes nothing."""
    return str(next((name for name in ("GetConfiguration", "GetVariables") if name in names), names[0]))


# ---- drawing ----


def _list(request: web.Request) -> StationList:
    snapshot, stations = request.app[ADMIN].snapshot(), request.app[STATIONS]
    return station_list(snapshot, {key: stations.is_online(key) for key in snapshot.state.stations})


def _hand_calls(request: web.Request, key: StationKey) -> Sequence[dict[str, Any]]:
    return request.app[STATIONS].hand_calls(key)


async def context_of(request: web.Request, key: StationKey, parts: Sequence[str] = ()) -> dict[str, Any]:
    on = {"": "station", **dict.fromkeys(("settings", "security", "told"), "seldom")}
    details = await details_for(request, key, parts, on)
    here = path_of(key)
    paths = Paths(
        back="/admin", back_text="All charge points", details=here, regions=regions_of(request, here),
        events=f"{here}/events?", frames=f"{here}/frames", calls=f"{here}/calls",
        files=f"{here}/files" if TRANSFERS in request.app else None,
    )  # fmt: skip
    return {"details": details, "paths": paths, "number": "", "frames_on": "wire"}


def path_of(key: StationKey) -> str:
    return f"/admin/charge-points/{quote(key, safe='')}"


def drawn(request: web.Request, operator: Operator, text: str, status: int = 200) -> web.Response:
    response = html_answer(text, status)
    renew_cookie(request, response, operator)
    return response


def _elsewhere(where: str) -> web.Response:
    return web.Response(status=303, headers={hdrs.LOCATION: where})


def draw_error(request: web.Request, error: SiteError) -> str:
    """Any error of these pages as a page of its own."""
    if isinstance(error, SignInNeeded):
        return render.page("admin_entry.html", problem=error.code, fields=error.fields)
    return render.page("entry.html", problem=error.code, fields=error.fields, home="/admin", home_text="Go to the list")


def signed_in(handler: Handler) -> Handler:
    """Checked here once for everything; a handler that needs to know who it is asks again."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        if not is_operator(request):
            if hdrs.ACCEPT in request.headers and "text/html" in request.headers[hdrs.ACCEPT]:
                return _elsewhere("/admin")
            return html_answer(render.page("admin_entry.html"), SignInNeeded.http_status)
        return await handler(request)

    guarded.__name__ = handler.__name__
    setattr(guarded, UNHURRIED, getattr(handler, UNHURRIED, False))
    return guarded


for _slow in (get_list_events, get_events, post_call):
    setattr(_slow, UNHURRIED, True)

_ONE = "/admin/charge-points/{identity}"


def page_route(method: str, path: str, handler: Handler, summary: str, media: str = "text/html") -> Route:
    return Route(method, path, handler, summary, media=media, auth="admin")


ROUTES = (
    page_route("GET", "/admin", get_admin, "All charge points, or the sign-in card."),
    page_route("POST", "/admin/open", post_open, "Sign in with an admin token."),
    page_route("POST", "/admin/leave", post_leave, "Sign out."),
    page_route("GET", "/admin/regions", signed_in(get_list_regions), "Regions of the list.", "application/json"),
    page_route("GET", "/admin/events", signed_in(get_list_events), "News of the list.", "text/event-stream"),
    page_route("GET", _ONE, signed_in(get_charge_point), "Everything that is known of a charge point."),
    page_route("GET", f"{_ONE}/regions", signed_in(get_regions), "Regions of its pages.", "application/json"),
    page_route("GET", f"{_ONE}/events", signed_in(get_events), "News of it.", "text/event-stream"),
    page_route("GET", f"{_ONE}/frames", signed_in(get_frames), "What went over its wire."),
    page_route("GET", f"{_ONE}/frames.jsonl", signed_in(get_frames_jsonl), "As JSON lines.", "application/x-ndjson"),
    page_route("GET", f"{_ONE}/frames.csv", signed_in(get_frames_csv), "As a table.", "text/csv"),
    page_route("GET", f"{_ONE}/calls", signed_in(get_calls), "Calls by hand."),
    page_route("POST", f"{_ONE}/calls", signed_in(post_call), "Send a call by hand."),
)
