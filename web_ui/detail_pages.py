"""The Details page of a row and what went over its wire, for whoever holds the job's link. Nothing can be changed.

Works without script; with it the parts stay fresh, and messages are followed while their page is open.
Start at `ROUTES`.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web

from sitelink.errors import NotFound, RequestInvalid
from sitelink.frames import Filter, Frame
from sitelink.ids import ChargePointId, StationKey
from sitelink.model import ChargePoint
from web_ui import render
from web_ui.access import Visitor, jobs_of, visitor_of
from web_ui.details import SECURITY_SHOWN, DetailsView, Paths, details_of
from web_ui.frame_views import PAGE_FRAMES, FramesView, csv_of, filter_of, frames_view, json_lines
from web_ui.ports import Frames, Oddities, SecurityLog
from web_ui.routes import Route
from web_ui.views import error_view

FRAMES: web.AppKey[Frames] = web.AppKey("frames")
ODDITIES: web.AppKey[Oddities] = web.AppKey("oddities")
SECURITY_LOG: web.AppKey[SecurityLog] = web.AppKey("security_log")
REGIONS_MAX = 16
WANTED_MAX = 60


async def get_details(request: web.Request) -> web.Response:
    visitor, row = _asked(request)
    context = await context_of(request, visitor, row, render.INSTALLERS_SECTIONS)
    return html_answer(render.page("details.html", sections=render.INSTALLERS_SECTIONS, **context))


async def get_frames(request: web.Request) -> web.Response:
    visitor, row = _asked(request)
    return frames_page(request, row.station, await context_of(request, visitor, row))


async def get_frames_jsonl(request: web.Request) -> web.Response:
    _, row = _asked(request)
    return file_answer(json_lines(found(request, row.station)), "application/x-ndjson", row.identity, "jsonl")


async def get_frames_csv(request: web.Request) -> web.Response:
    _, row = _asked(request)
    return file_answer(csv_of(found(request, row.station)).encode("utf-8-sig"), "text/csv", row.identity, "csv")


async def get_regions(request: web.Request) -> web.Response:
    """Several regions at once, `?names=about,frames`: a JSON object of fragments, without those there are not."""
    visitor, row = _asked(request)
    names = asked_regions(request, render.INSTALLERS_SECTIONS)
    return regions_answer(request, row.station, names, await context_of(request, visitor, row, names))


# ---- shared with the box's admin pages ----


def frames_page(request: web.Request, station: StationKey, context: dict[str, Any]) -> web.Response:
    """The messages of a station; a filter that cannot be is said, and everything shown."""
    try:
        view, errors = frames_of_page(request, station), {}
    except RequestInvalid as exc:
        view, errors = frames_view(_kept(request, station), Filter(limit=PAGE_FRAMES)), {"filter": error_view(exc)}
    text = render.page("frames.html", frames=view, errors=errors, **context)
    return html_answer(text, status=400 if errors else 200)


def frames_of_page(request: web.Request, station: StationKey) -> FramesView:
    """Raises RequestInvalid."""
    return frames_view(_kept(request, station), filter_of(request.query, limit=PAGE_FRAMES))


def asked_regions(request: web.Request, sections: Sequence[str]) -> list[str]:
    """The regions the address names, of these sections and the messages."""
    wanted = request.query.get("names", "").split(",")[:REGIONS_MAX]
    return [name for name in wanted if name in sections or name in ("frames", "transfers")]


def regions_answer(
    request: web.Request, station: StationKey, names: Sequence[str], context: dict[str, Any]
) -> web.Response:
    if "frames" in names:
        context = {**context, "frames": frames_of_page(request, station)}
    drawn = {name: render.detail_region(name, **context) for name in names}
    there = {name: text for name, text in drawn.items() if text is not None}
    return web.Response(body=msgspec.json.encode(there), content_type="application/json")


async def details_for(
    request: web.Request, station: StationKey, parts: Sequence[str], on: Mapping[str, str],
    row: ChargePoint | None = None,
) -> DetailsView:  # fmt: skip
    """What these parts need; the security log is read from disk and settings are unpacked only for their own."""
    log = await request.app[SECURITY_LOG].log_of(station, SECURITY_SHOWN) if "security" in parts and station else ()
    return details_of(
        jobs_of(request).snapshot(), request.app[ODDITIES], station, row=row, on=on,
        with_settings="settings" in parts, with_told="told" in parts, wanted=wanted_of(request), security_log=log,
    )  # fmt: skip


def wanted_of(request: web.Request) -> str:
    """What is looked for among the settings."""
    return request.query.get("q", "").strip()[:WANTED_MAX]


def regions_of(request: web.Request, here: str) -> str:
    """Where a page's parts come from anew, with what is looked for."""
    wanted = wanted_of(request)
    return f"{here}/regions?q={quote(wanted)}&" if wanted else f"{here}/regions?"


def found(request: web.Request, station: StationKey) -> Sequence[Frame]:
    """The frames the address asks for. Raises RequestInvalid."""
    return filter_of(request.query).of(_kept(request, station))


def html_answer(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, content_type="text/html", status=status)


def file_answer(body: bytes, content_type: str, name: str, ending: str) -> web.Response:
    """A download under a name of a few harmless characters."""
    safe = "".join(each if each.isascii() and (each.isalnum() or each in "-_") else "-" for each in name)[:48]
    headers = {"Content-Disposition": f'attachment; filename="frames-{safe or "charge-point"}.{ending}"'}
    return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)


def _kept(request: web.Request, station: StationKey) -> Sequence[Frame]:
    return request.app[FRAMES].frames(station) if station else ()


# ---- of a row ----


def _asked(request: web.Request) -> tuple[Visitor, ChargePoint]:
    """Who asks for which row of their job. Raises NotFound."""
    visitor = visitor_of(request)
    return visitor, row_of(request, visitor, request.match_info["id"])


def row_of(request: web.Request, visitor: Visitor, id_: str) -> ChargePoint:
    """A row of the visitor's job. Raises NotFound."""
    state = jobs_of(request).snapshot().state
    row = state.charge_points.get(ChargePointId(id_))
    if row is None or row.job != visitor.link.job or row.id not in state.jobs[row.job].charge_points:
        raise NotFound(what="charge_point", key=id_[:64])
    return row


async def context_of(
    request: web.Request, visitor: Visitor, row: ChargePoint, parts: Sequence[str] = ()
) -> dict[str, Any]:
    names = {"corrections": "corrections", "settings": "inventory", "security": "security", "told": "told"}
    own = {"": f"cp:{row.id}", **{part: f"{name}:{row.id}" for part, name in names.items()}}
    details = await details_for(request, row.station, parts, own, row)
    here = f"{visitor.home}/charge-points/{row.id}"
    events = f"{visitor.home}/events?" if visitor.desk else "/api/v1/job/events?"
    paths = Paths(
        back=f"{visitor.home}#cp-{row.id}", back_text="Back to the job", details=f"{here}/details",
        regions=regions_of(request, here),
        events=f"{events}frames={row.id}&" if request.path.endswith("/frames") else events,
        frames=f"{here}/frames", files=None if visitor.desk else f"{here}/files",
    )  # fmt: skip
    number = jobs_of(request).snapshot().state.jobs[visitor.link.job].number
    return {"details": details, "paths": paths, "number": number, "frames_on": f"frames:{row.id}"}


def _page(path: str, handler: Any, summary: str, media: str = "text/html") -> Route:
    return Route("GET", f"/j/charge-points/{{id}}/{path}", handler, summary, media=media)


ROUTES = (
    _page("details", get_details, "Everything that is known of a charge point."),
    _page("frames", get_frames, "What went over its wire."),
    _page("frames.jsonl", get_frames_jsonl, "The same as JSON lines.", "application/x-ndjson"),
    _page("frames.csv", get_frames_csv, "The same as a table.", "text/csv"),
    Route(
        "GET", "/j/charge-points/{id}/regions", get_regions, "Several regions of these pages.", answer=dict[str, str]
    ),
)
