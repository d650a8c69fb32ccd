"""Files of a job's charge points, for who holds its link: diagnostics asked for, followed, fetched. Page and API.

Firmware is an operator's choice and not to be had here. What a charge point uploaded is handed out as an attachment and
never shown (SECURITY §7.1). Start at `ROUTES` and `API_ROUTES`.
"""

from pathlib import Path
from uuid import UUID

import msgspec
from aiohttp import hdrs, web

from sitelink.errors import (
    FileGone,
    JobReadOnly,
    NotFound,
    RequestInvalid,
    SiteError,
    StationOffline,
    StoreUnavailable,
    TransferRunning,
    TransferUnavailable,
)
from sitelink.ids import TransferId
from sitelink.model import ChargePoint, Transfer
from sitelink.states import JobStatus, LinkRole, TransferKind
from web_ui import render
from web_ui.access import (
    CSRF_FIELD,
    GATE,
    Visitor,
    jobs_of,
    visitor_of,
    writer_of,
)
from web_ui.bodies import read_form, read_json
from web_ui.detail_pages import context_of, html_answer, row_of
from web_ui.job_api import answer
from web_ui.routes import Route
from web_ui.surface import UNHURRIED
from web_ui.transfer_views import TransferView, transfer_view, transfer_views
from web_ui.views import error_view

LOGS = (TransferKind.DIAGNOSTICS, TransferKind.SECURITY_LOG)


class RequestLog(msgspec.Struct, forbid_unknown_fields=True):
    """`kind`: diagnostics or security_log. `transfer_id` made by the caller: sent again, it names the same transfer."""

    kind: TransferKind = TransferKind.DIAGNOSTICS
    transfer_id: UUID | None = None


class LogRequested(msgspec.Struct):
    transfer_id: str


def attachment(path: Path, transfer: Transfer) -> web.FileResponse:
    """Never shown in a browser, whatever is in it."""
    name = f"{transfer.kind.value}-{transfer.station}-{transfer.request}.bin"
    safe = "".join(each if each.isascii() and (each.isalnum() or each in "-_.") else "_" for each in name)
    headers = {
        hdrs.CONTENT_TYPE: "application/octet-stream",
        hdrs.CONTENT_DISPOSITION: f'attachment; filename="{safe}"',
    }
    return web.FileResponse(path, headers=headers)


async def ask(request: web.Request, visitor: Visitor, row: ChargePoint, kind: TransferKind, id_: str | None) -> str:
    """Set an upload going; one that is known already is only named again. Raises what the port raises."""
    if kind not in LOGS:
        raise RequestInvalid(where="kind", problem="not_allowed", allowed=", ".join(LOGS))
    limit = request.app[GATE].limits.commands
    limit.take(row.id)
    transfer = TransferId(id_) if id_ else None
    try:
        return await jobs_of(request).fetch_log(
            visitor.link.job, row.id, kind, visitor.author, transfer=transfer
        )  # fmt: skip
    except SiteError:
        limit.give_back(row.id)
        raise


# ---- pages ----


async def get_files(request: web.Request) -> web.Response:
    visitor = visitor_of(request)
    row = row_of(request, visitor, request.match_info["id"])
    return await _page(request, visitor, row)


async def post_files(request: web.Request) -> web.Response:
    """Ask for diagnostics or the security log."""
    form = await read_form(request)
    visitor = writer_of(request, form.get(CSRF_FIELD, ""))
    row = row_of(request, visitor, request.match_info["id"])
    given = form.get("kind", "")
    if given not in set(LOGS):
        raise RequestInvalid(where="kind", problem="not_allowed", allowed=", ".join(LOGS))
    try:
        await ask(request, visitor, row, TransferKind(given), None)
    except NotFound:
        raise
    except SiteError as exc:
        return await _page(request, visitor, row, exc)
    return web.Response(status=303, headers={hdrs.LOCATION: f"/j/charge-points/{row.id}/files?saved=asked"})


async def _page(
    request: web.Request, visitor: Visitor, row: ChargePoint, problem: SiteError | None = None
) -> web.Response:
    job = jobs_of(request).snapshot().state.jobs[visitor.link.job]
    text = render.page(
        "files.html",
        read_only=job.status is not JobStatus.OPEN or visitor.link.role is LinkRole.READ,
        csrf=request.app[GATE].sessions.csrf(visitor.session) if visitor.session else "",
        flash="asked" if request.query.get("saved") == "asked" else None,
        errors={"kind": error_view(problem)} if problem else {},
        **await context_of(request, visitor, row),
    )
    return html_answer(text, status=problem.http_status if problem else 200)


async def get_file(request: web.Request) -> web.StreamResponse:
    """What the charge point uploaded, as it came."""
    visitor = visitor_of(request)
    row = row_of(request, visitor, request.match_info["id"])
    return _file(request, visitor, row)


setattr(get_file, UNHURRIED, True)


# ---- API ----


async def post_row_transfer(request: web.Request) -> web.Response:
    visitor = writer_of(request)
    row = row_of(request, visitor, request.match_info["id"])
    body = await read_json(request, RequestLog)
    id_ = str(body.transfer_id) if body.transfer_id else None
    return answer(LogRequested(await ask(request, visitor, row, body.kind, id_)), status=202)


async def list_row_transfers(request: web.Request) -> web.Response:
    """Newest first."""
    visitor = visitor_of(request)
    row = row_of(request, visitor, request.match_info["id"])
    return answer(transfer_views(jobs_of(request).snapshot(), row.station) if row.identity else [])


async def get_row_transfer(request: web.Request) -> web.Response:
    visitor = visitor_of(request)
    row = row_of(request, visitor, request.match_info["id"])
    found = jobs_of(request).transfer(visitor.link.job, row.id, _transfer_id(request))
    return answer(transfer_view(found, jobs_of(request).snapshot()))


async def get_row_transfer_file(request: web.Request) -> web.StreamResponse:
    visitor = visitor_of(request)
    row = row_of(request, visitor, request.match_info["id"])
    return _file(request, visitor, row)


setattr(get_row_transfer_file, UNHURRIED, True)


def _file(request: web.Request, visitor: Visitor, row: ChargePoint) -> web.FileResponse:
    jobs, id_ = jobs_of(request), _transfer_id(request)
    found = jobs.transfer(visitor.link.job, row.id, id_)
    return attachment(jobs.transfer_file(visitor.link.job, row.id, id_), found)


def _transfer_id(request: web.Request) -> TransferId:
    return TransferId(request.match_info["transfer_id"])


_FILES = "/j/charge-points/{id}/files"
_API = "/api/v1/job/charge-points/{id}/transfers"

ROUTES = (
    Route("GET", _FILES, get_files, "Files of a charge point.", media="text/html"),
    Route("POST", _FILES, post_files, "Have it upload its diagnostics.", media="text/html"),
    Route("GET", f"{_FILES}/{{transfer_id}}", get_file, "What it uploaded.", media="application/octet-stream"),
)
API_ROUTES = (
    Route("POST", _API, post_row_transfer, "Have a charge point upload its diagnostics or security log.", RequestLog,
          LogRequested, 202,
          errors=(NotFound, StationOffline, TransferRunning, TransferUnavailable, JobReadOnly, StoreUnavailable)),
    Route("GET", _API, list_row_transfers, "A row's files on their way, newest first.", answer=list[TransferView],
          errors=(NotFound,)),
    Route("GET", f"{_API}/{{transfer_id}}", get_row_transfer, "How one stands.", answer=TransferView,
          errors=(NotFound,)),
    Route("GET", f"{_API}/{{transfer_id}}/file", get_row_transfer_file, "What the charge point uploaded.",
          media="application/octet-stream", errors=(NotFound, FileGone)),
)  # fmt: skip
