"""How a page of the console is drawn: the frame around it, and what every template may use. Start at `drawn`."""

from typing import Any

import msgspec
from aiohttp import web

from cloud_relay.console.browser import VISIT, Visit
from cloud_relay.console.members import CALLER
from sitelink.errors import SiteError
from web_ui import job_pages, render
from web_ui.detail_pages import html_answer


class NavigationLine(msgspec.Struct, frozen=True):
    """`key` is what a page calls itself by `here`; `path` stands below the team's."""

    key: str
    words: str
    path: str
    right: str


NAVIGATION: tuple[NavigationLine, ...] = (
    NavigationLine("overview", "Overview", "", "sites:read"),
    NavigationLine("sites", "Sites", "/sites", "sites:read"),
    NavigationLine("jobs", "Jobs", "/jobs", "installer-jobs:read"),
    NavigationLine("points", "Charge points", "/charge-points", "sites:read"),
    NavigationLine("notes", "Notes", "/notes", "installer-jobs:read"),
    NavigationLine("alerts", "Alerts", "/alerts", "alerts:read"),
    NavigationLine("webhooks", "Webhooks", "/webhooks", "webhooks:write"),
    NavigationLine("audit", "Audit log", "/audit", "audit:read"),
    NavigationLine("team", "Team", "/team", "team:read"),
)


def team_path(request: web.Request, path: str = "") -> str:
    """A path below the team's that this request is about."""
    return f"/t/{request[CALLER].team}{path}"


def drawn(request: web.Request, name: str, *, here: str = "", status: int = 200, **context: Any) -> web.Response:
    """`web_ui/templates/console/NAME.html` in its frame. `here`: the line of the navigation that is this page."""
    return html_answer(render.page(f"console/{name}.html", **{**frame_of(request, here), **context}), status)


def frame_of(request: web.Request, here: str = "") -> dict[str, Any]:
    """What `console/layout.html` needs; also for regions that are drawn alone."""
    visit: Visit | None = request.get(VISIT)
    caller = request.get(CALLER)
    lines = [line for line in NAVIGATION if caller is not None and caller.may(line.right)]
    return {
        "here": here, "visit": visit, "caller": caller, "navigation": lines,
        "base": f"/t/{caller.team}" if caller is not None else "", "csrf": visit.csrf if visit is not None else "",
        "now": caller.clock.now() if caller is not None else None,
    }  # fmt: skip


def draw_error(request: web.Request, error: SiteError) -> str:
    """An error as a page: in the console's frame, below /j as the installer's page draws it."""
    if request.path == "/j" or request.path.startswith("/j/"):
        return job_pages.draw_error(request, error)
    return render.page("console/error.html", **frame_of(request), problem=error.code, fields=error.fields)


def gone_to(path: str) -> web.Response:
    """Go and look there: the answer to a form."""
    return web.Response(status=303, headers={"Location": path})
