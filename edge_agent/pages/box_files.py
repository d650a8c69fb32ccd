"""Files of a charge point on the box's admin pages: diagnostics and logs asked for, followed, fetched.

Firmware is given by API and command (`transfers_api`). What a charge point uploaded is handed out as an attachment and
never shown (SECURITY §7.1). Start at `ROUTES`.
"""

from aiohttp import hdrs, web

from edge_agent.pages.admin import known_station
from edge_agent.pages.admin_session import Operator, csrf_of, operator_of, writer_of
from edge_agent.pages.box_pages import context_of, drawn, page_route, path_of, signed_in
from edge_agent.pages.transfers_api import TRANSFERS
from edge_agent.site.jobs import OPERATOR
from sitelink.errors import NotFound, RequestInvalid, SiteError
from sitelink.ids import StationKey, TransferId
from sitelink.states import TransferKind
from web_ui import render
from web_ui.access import CSRF_FIELD
from web_ui.bodies import read_form
from web_ui.file_pages import LOGS, attachment
from web_ui.surface import UNHURRIED
from web_ui.views import error_view


async def get_files(request: web.Request) -> web.Response:
    return await _page(request, operator_of(request), known_station(request))


async def post_files(request: web.Request) -> web.Response:
    """Ask for diagnostics or the security log."""
    form = await read_form(request)
    operator, key = writer_of(request, form.get(CSRF_FIELD, "")), known_station(request)
    given = form.get("kind", "")
    if given not in set(LOGS):
        raise RequestInvalid(where="kind", problem="not_allowed", allowed=", ".join(LOGS))
    try:
        await request.app[TRANSFERS].request(key, TransferKind(given), OPERATOR)
    except SiteError as exc:
        return await _page(request, operator, key, exc)
    return web.Response(status=303, headers={hdrs.LOCATION: f"{path_of(key)}/files?saved=asked"})


async def get_file(request: web.Request) -> web.StreamResponse:
    """What this charge point uploaded, as it came. Raises NotFound, FileGone."""
    transfers, id_ = request.app[TRANSFERS], TransferId(request.match_info["transfer_id"])
    found = transfers.transfer(id_)
    if found.station != known_station(request):
        raise NotFound(what="transfer", key=id_[:64])
    return attachment(transfers.file(id_), found)


for _slow in (post_files, get_file):
    setattr(_slow, UNHURRIED, True)


async def _page(
    request: web.Request, operator: Operator, key: StationKey, problem: SiteError | None = None
) -> web.Response:
    text = render.page(
        "files.html",
        read_only=False,
        csrf=csrf_of(request, operator),
        flash="asked" if request.query.get("saved") == "asked" else None,
        errors={"kind": error_view(problem)} if problem else {},
        **await context_of(request, key),
    )
    return drawn(request, operator, text, problem.http_status if problem else 200)


_FILES = "/admin/charge-points/{identity}/files"

ROUTES = (
    page_route("GET", _FILES, signed_in(get_files), "Files of a charge point."),
    page_route("POST", _FILES, signed_in(post_files), "Have it upload its diagnostics or security log."),
    page_route(
        "GET", f"{_FILES}/{{transfer_id}}", signed_in(get_file), "What it uploaded.", "application/octet-stream"
    ),
)
