"""What installers wrote and nobody has answered yet, across the team, and the answers. Start at `get_notes`."""

from datetime import datetime

import msgspec
from aiohttp import web

from cloud_relay.console.drawing import drawn, gone_to, team_path
from cloud_relay.console.job_desk import sit_down
from cloud_relay.console.live_pages import seq_here
from cloud_relay.console.members import caller_here, form_of
from cloud_relay.console.point_pages import found_points
from cloud_relay.fleet.point_list import Placed, Wanted
from sitelink.errors import NoteInvalid
from sitelink.ids import ChargePointId
from sitelink.states import AuthorType
from web_ui.access import jobs_of
from web_ui.routes import Route
from web_ui.views import ErrorView, error_view

SHOWN = 100
SHOW = ("", "all")
"""Only those that wait for an answer, or every thread there is."""


class Line(msgspec.Struct, frozen=True):
    """A note. `side`: installer, operator."""

    side: str
    author: str
    text: str
    at: datetime


class Thread(msgspec.Struct, frozen=True):
    """What was written about a charge point, the oldest first. `waits`: the installer had the last word."""

    job: str
    number: str
    row: str
    name: str
    site_id: str
    site: str
    waits: bool
    lines: tuple[Line, ...]

    @property
    def at(self) -> datetime:
        return self.lines[-1].at


async def get_notes(request: web.Request) -> web.Response:
    return await _page(request)


async def post_answer(request: web.Request) -> web.Response:
    """A note as the operator's, under the thread of a charge point."""
    visitor, text = await sit_down(request), form_of(request).get("text", "")
    row = ChargePointId(request.match_info["id"])
    try:
        await jobs_of(request).add_note(visitor.link.job, row, visitor.author, text)
    except NoteInvalid as error:
        return await _page(request, {row: error_view(error, text)}, error.http_status)
    return gone_to(team_path(request, "/notes"))


async def _page(request: web.Request, errors: dict[str, ErrorView] | None = None, status: int = 200) -> web.Response:
    caller, seq = caller_here(request), seq_here(request)
    show = request.query.get("show", "")
    _, points = await found_points(request, Wanted())
    threads = threads_of(points)
    waiting = [each for each in threads if each.waits]
    chosen = threads if show == "all" else waiting
    return drawn(
        request, "notes", here="notes", threads=chosen[:SHOWN], more=len(chosen) > SHOWN,
        show=show if show in SHOW else "", counts={"": len(waiting), "all": len(threads)}, errors=errors or {},
        status=status, seq=seq, may_write=caller.may("installer-jobs:write"),
    )  # fmt: skip


def threads_of(points: list[Placed]) -> list[Thread]:
    """Those that wait first, then by the newest note."""
    found = []
    for placed in points:
        row, job = placed.point.row, placed.point.job
        if row.notes:
            lines = tuple(Line(each.by.type.value, each.by.name or "", each.text, each.at) for each in row.notes)
            waits = row.notes[-1].by.type is AuthorType.INSTALLER
            found.append(Thread(job.id, job.number, row.id, row.name, placed.site.id, placed.site.name, waits, lines))
    return sorted(found, key=lambda each: (each.waits, each.at), reverse=True)


ROUTES = (
    Route("GET", "/t/{team}/notes", get_notes, "What waits for an answer.", media="text/html", auth="member",
          scope="installer-jobs:read"),
    Route("POST", "/t/{team}/jobs/{job}/charge-points/{id}/answer", post_answer, "Answer a note.", media="text/html",
          auth="member", scope="installer-jobs:write"),
)  # fmt: skip
