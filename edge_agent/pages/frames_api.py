"""The frames of a charge point for programs: filtered, followed, and as files. Part of the box admin API.

What is shown is masked in `sitelink.frames`; the filter is that of the page. Start at `ROUTES`.
"""

import asyncio
from collections.abc import AsyncGenerator

import msgspec
from aiohttp import web

from edge_agent.pages.admin import STATIONS, authorise, is_authorised, known_station
from edge_agent.site.ports import Stations
from sitelink.errors import NotFound, RequestInvalid, TooMany
from sitelink.frames import Filter, Frame
from sitelink.ids import StationKey
from web_ui import live
from web_ui.detail_pages import file_answer
from web_ui.frame_views import QUERY, csv_of, filter_of, json_lines
from web_ui.job_api import answer
from web_ui.routes import Route
from web_ui.surface import UNHURRIED

FOLLOWED_EVERY_S = 0.25


async def get_frames(request: web.Request) -> web.Response:
    return answer(_found(request))


async def get_frames_jsonl(request: web.Request) -> web.Response:
    return file_answer(json_lines(_found(request)), "application/x-ndjson", request.match_info["identity"], "jsonl")


async def get_frames_csv(request: web.Request) -> web.Response:
    body = csv_of(_found(request)).encode("utf-8-sig")
    return file_answer(body, "text/csv", request.match_info["identity"], "csv")


async def get_frame_events(request: web.Request) -> web.StreamResponse:
    """Every frame that fits, as it comes; first those after `after` (or Last-Event-ID) that are still kept."""
    authorise(request)
    key = known_station(request)
    filter_ = filter_of(request.query)
    after = live.last_event_id(request)
    stations = request.app[STATIONS]
    news = _frames(stations, key, filter_, stations.newest_frame(key) if after is None else after)
    return await live.serve(request, (news,), lambda: not is_authorised(request))


setattr(get_frame_events, UNHURRIED, True)


async def _frames(stations: Stations, key: StationKey, filter_: Filter, after: int) -> AsyncGenerator[bytes]:
    """Looked at a few times a second, so that a station nobody follows costs nothing."""
    while True:
        newest = stations.newest_frame(key)
        if newest < after:
            after = 0  # the box was started again, or the station was forgotten meanwhile
        if newest > after:
            new = msgspec.structs.replace(filter_, after=after)
            for frame in new.of(stations.frames(key)):
                yield b"event: frame\nid: %d\ndata: %s\n\n" % (frame.number, msgspec.json.encode(frame))
            after = newest
        await asyncio.sleep(FOLLOWED_EVERY_S)


def _found(request: web.Request) -> list[Frame]:
    authorise(request)
    key = known_station(request)
    return filter_of(request.query).of(request.app[STATIONS].frames(key))


_ONE = "/api/v1/charge-points/{identity}/frames"
_ERRORS = (NotFound, RequestInvalid)

ROUTES = (
    Route("GET", _ONE, get_frames, "The last frames, oldest first, secrets masked.",
          answer=list[Frame], auth="admin", errors=_ERRORS, query=QUERY),
    Route("GET", f"{_ONE}/events", get_frame_events, "Server-sent events: every new frame.",
          media="text/event-stream", auth="admin", errors=(*_ERRORS, TooMany), query=QUERY),
    Route("GET", f"{_ONE}.jsonl", get_frames_jsonl, "The last frames as JSON lines.",
          media="application/x-ndjson", auth="admin", errors=_ERRORS, query=QUERY),
    Route("GET", f"{_ONE}.csv", get_frames_csv, "The last frames as a table.",
          media="text/csv", auth="admin", errors=_ERRORS, query=QUERY),
)  # fmt: skip
