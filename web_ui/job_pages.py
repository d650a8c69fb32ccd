"""The installer's pages: every form works without script (POST, redirect, GET); our script posts to the same routes.

Who asks, what was typed, ask the port, draw. What a page looks like stands in `render` and the templates; texts come
from `wording` by code and are never taken from the request. Start at `ROUTES`. Sources: UX §6.1, DESIGN §7 (21), (22).
"""

from collections.abc import Collection
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import hdrs, web

from sitelink.errors import (
    ConnectorInvalid,
    LinkEnded,
    LinkUnknown,
    NotFound,
    RequestInvalid,
    SignInNeeded,
    SiteError,
    TooMany,
)
from sitelink.ids import ChargePointId, OpId
from sitelink.states import ActionName
from web_ui import render, wording
from web_ui.access import (
    CSRF_FIELD,
    GATE,
    Visitor,
    drop_cookie,
    jobs_of,
    open_session,
    refuse_foreign,
    set_cookie,
    visitor_of,
    writer_of,
)
from web_ui.bodies import new_command_id_in, number_in, read_form
from web_ui.job_api import complete, request_action, row_view, view_of
from web_ui.routes import Route
from web_ui.surface import dress, wants_json
from web_ui.views import ErrorView, error_view

FieldErrors = dict[str, ErrorView]
REGIONS_MAX = 64

RowErrors = dict[str, FieldErrors]
"""Errors of the job page: by row, then by field."""


# ---- coming in and leaving ----


async def get_page(request: web.Request) -> web.Response:
    """The job for who has a session, the entry card for everybody else."""
    try:
        visitor = visitor_of(request)
    except SignInNeeded:
        response = _entry(request, None)
        if request.headers.get(hdrs.COOKIE):
            drop_cookie(request, response)
        return response
    return job_page(request, visitor, flash=flash_of(request))


async def post_open(request: web.Request) -> web.Response:
    """Exchange a pasted link or token for a session, without script."""
    refuse_foreign(request)
    form = await read_form(request)
    try:
        _, cookie = open_session(request, form.get("token", ""))
    except (LinkUnknown, LinkEnded, TooMany) as exc:
        if wants_json(request):
            raise
        return _entry(request, exc)
    response = _done(request, "/j")
    set_cookie(request, response, cookie)
    return response


async def post_leave(request: web.Request) -> web.Response:
    """Forget the session on this device."""
    form = await read_form(request)
    with suppress(SignInNeeded, LinkUnknown, LinkEnded):  # nothing left to leave but the cookie
        writer_of(request, form.get(CSRF_FIELD, ""))
    response = _done(request, "/j?saved=left")
    drop_cookie(request, response)
    return response


def draw_error(_request: web.Request, error: SiteError) -> str:
    """Any error as a page of its own."""
    return render.page("entry.html", problem=error.code, fields=error.fields)


def _entry(request: web.Request, problem: SiteError | None) -> web.Response:
    if problem is None:
        return web.Response(text=render.page("entry.html", flash=flash_of(request)), content_type="text/html")
    text = draw_error(request, problem)
    response = web.Response(text=text, content_type="text/html", status=problem.http_status)
    return dress(request, response, problem)


# ---- the job page ----


async def post_charge_point(request: web.Request) -> web.Response:
    """Save identity and connector of a row."""
    form = await read_form(request)
    visitor = writer_of(request, form.get(CSRF_FIELD, ""))
    row = _row_id(request)
    try:
        await jobs_of(request).edit(
            visitor.link.job, row, visitor.author,
            identity=_unless_in_conflict(request, row, form.get("identity")),
            connector=_connector(form, "connector"), bases=_bases(form),
        )  # fmt: skip
    except NotFound:
        raise
    except SiteError as exc:
        field = "connector" if isinstance(exc, ConnectorInvalid) else "identity"
        return _refused(request, visitor, exc, {row: _typed(form, exc, field)})
    return _done(request, f"{visitor.home}?saved=saved#cp-{row}")


def _unless_in_conflict(request: web.Request, row: ChargePointId, identity: str | None) -> str | None:
    """Saving a row's connector must not settle a conflict about its identity by the way; `post_resolve` does that."""
    known = jobs_of(request).snapshot().state.charge_points.get(row)
    if known is None or not known.identity_register.conflicting or identity != known.identity:
        return identity
    return None


async def post_resolve(request: web.Request) -> web.Response:
    """Settle a field that stands in two versions: `value` replaces all heads in `bases`."""
    form = await read_form(request)
    visitor = writer_of(request, form.get(CSRF_FIELD, ""))
    row, field = _row_id(request), form.get("field", "")
    if field not in ("identity", "connector"):
        raise RequestInvalid(where="field", problem="not_allowed", allowed="identity, connector")
    try:
        await jobs_of(request).edit(
            visitor.link.job, row, visitor.author,
            identity=form.get("value", "") if field == "identity" else None,
            connector=_connector(form, "value") if field == "connector" else None,
            bases=_bases(form),
        )  # fmt: skip
    except NotFound:
        raise
    except SiteError as exc:
        return _refused(request, visitor, exc, {row: {field: error_view(exc, form.get("value", ""))}})
    return _done(request, f"{visitor.home}?saved=resolved#cp-{row}")


async def post_confirm(request: web.Request) -> web.Response:
    """The station that answers under another serial is the right one: it was exchanged."""
    form = await read_form(request)
    visitor = writer_of(request, form.get(CSRF_FIELD, ""))
    await jobs_of(request).confirm_station(visitor.link.job, _row_id(request), visitor.author)
    return _done(request, f"{visitor.home}?saved=saved#cp-{_row_id(request)}")


async def post_pair(request: web.Request) -> web.Response:
    """Let the row's station in once, whatever security it shows."""
    form = await read_form(request)
    visitor = writer_of(request, form.get(CSRF_FIELD, ""))
    await jobs_of(request).pair_anew(visitor.link.job, _row_id(request), visitor.author)
    return _done(request, f"{visitor.home}?saved=pairing_anew#cp-{_row_id(request)}")


async def post_secure(request: web.Request) -> web.Response:
    """Give every connected station of the job a key of its own."""
    form = await read_form(request)
    visitor = writer_of(request, form.get(CSRF_FIELD, ""))
    begun = await jobs_of(request).secure(visitor.link.job, visitor.author)
    return _done(request, f"{visitor.home}?saved={'keys_sent' if begun else 'no_keys_sent'}")


async def post_swap(request: web.Request) -> web.Response:
    """Exchange the identities and connectors of rows `a` and `b`."""
    form = await read_form(request)
    visitor = writer_of(request, form.get(CSRF_FIELD, ""))
    a, b = ChargePointId(form.get("a", "")), ChargePointId(form.get("b", ""))
    try:
        await jobs_of(request).swap(visitor.link.job, a, b, visitor.author)
    except NotFound:
        raise
    except SiteError as exc:
        return _refused(request, visitor, exc, {a: {"identity": error_view(exc)}})
    return _done(request, f"{visitor.home}?saved=swapped#cp-{a}")


async def post_pairing(request: web.Request) -> web.Response:
    """Let new stations connect for a while."""
    form = await read_form(request)
    visitor = writer_of(request, form.get(CSRF_FIELD, ""))
    await jobs_of(request).open_pairing(visitor.link.job, visitor.author)
    return _done(request, f"{visitor.home}?saved=pairing_opened")


async def get_region(request: web.Request) -> web.Response:
    """One region of the job page, as the first paint draws it."""
    name = request.match_info["region"]
    drawn = _regions(request, [name]).get(name)
    if drawn is None:
        raise NotFound(what="region", key=name[:64])
    return web.Response(text=drawn, content_type="text/html")


async def get_regions(request: web.Request) -> web.Response:
    """Several regions at once, `?names=header,cp:1`: a JSON object of fragments, without regions that are gone."""
    names = request.query.get("names", "").split(",")[:REGIONS_MAX]
    return web.Response(body=msgspec.json.encode(_regions(request, names)), content_type="application/json")


def _regions(request: web.Request, names: list[str]) -> dict[str, str]:
    """Where only rows are asked for, only they are looked at."""
    visitor = visitor_of(request)
    rows = {ChargePointId(row) for kind, _, row in (name.partition(":") for name in names) if row}
    context = shown_to(request, visitor, rows if all(":" in name for name in names) else None)
    drawn = {name: render.region(name, **context) for name in names}
    return {name: text for name, text in drawn.items() if text is not None}


# ---- the dialogs, each with a page of its own ----


async def get_actions(request: web.Request) -> web.Response:
    return _row_page(request, visitor_of(request), "actions.html")


async def post_actions(request: web.Request) -> web.Response:
    """Set a remote action going."""
    form = await read_form(request)
    visitor = writer_of(request, form.get(CSRF_FIELD, ""))
    name = form.get("action", "")
    if name not in set(ActionName):
        raise RequestInvalid(where="action", problem="not_allowed", allowed=", ".join(ActionName))
    given = form.get("command_id", "")
    try:
        command_id = await request_action(
            request, visitor, ActionName(name),
            command=new_command_id_in(given) if given else None,
            confirm="confirm" in form, hard=form.get("kind") == "hard",
        )  # fmt: skip
    except NotFound:
        raise
    except SiteError as exc:
        if wants_json(request):
            raise
        return _row_page(request, visitor, "actions.html", exc, {"action": error_view(exc, name)})
    return _done(request, f"{visitor.home}/charge-points/{_row_id(request)}/actions", command_id=command_id)


async def get_notes(request: web.Request) -> web.Response:
    return _row_page(request, visitor_of(request), "notes.html")


async def post_notes(request: web.Request) -> web.Response:
    form = await read_form(request)
    visitor = writer_of(request, form.get(CSRF_FIELD, ""))
    text = form.get("text", "")
    try:
        await jobs_of(request).add_note(visitor.link.job, _row_id(request), visitor.author, text)
    except NotFound:
        raise
    except SiteError as exc:
        if wants_json(request):
            raise
        return _row_page(request, visitor, "notes.html", exc, {"text": error_view(exc, text)})
    return _done(request, f"{visitor.home}/charge-points/{_row_id(request)}/notes?saved=note_saved")


async def get_complete(request: web.Request) -> web.Response:
    return _complete_page(request, visitor_of(request))


async def post_complete(request: web.Request) -> web.Response:
    """Mark the job as complete. A checkbox that is not ticked is not sent."""
    form = await read_form(request)
    visitor = writer_of(request, form.get(CSRF_FIELD, ""))
    reason, name = form.get("reason", "").strip(), form.get("name", "").strip()
    try:
        await complete(request, visitor, activate_all="activate_all" in form, reason=reason or None, name=name or None)
    except SiteError as exc:
        if wants_json(request):
            raise
        errors = {"complete": error_view(exc), "reason": _kept(reason), "name": _kept(name)}
        return _complete_page(request, visitor, exc, errors)
    return _done(request, f"{visitor.home}?saved=completed")


# ---- drawing ----


def job_page(
    request: web.Request, visitor: Visitor, *, flash: str | None = None, errors: RowErrors | None = None,
    problem: SiteError | None = None,
) -> web.Response:  # fmt: skip
    name = "console/job.html" if visitor.desk else "job.html"
    return _html(name, problem, **shown_to(request, visitor), flash=flash, errors=errors or {})


def _row_page(
    request: web.Request, visitor: Visitor, template: str, problem: SiteError | None = None,
    errors: FieldErrors | None = None,
) -> web.Response:  # fmt: skip
    row = row_view(request, visitor)
    return _html(template, problem, **shown_to(request, visitor), row=row, errors=errors or {})


def _complete_page(
    request: web.Request, visitor: Visitor, problem: SiteError | None = None, errors: FieldErrors | None = None
) -> web.Response:
    return _html("complete.html", problem, **shown_to(request, visitor), errors=errors or {})


def shown_to(request: web.Request, visitor: Visitor, only: Collection[ChargePointId] | None = None) -> dict[str, Any]:
    """What every page and region of the job needs; with `only`, as much as drawing these rows again needs."""
    frame = visitor.desk.frame if visitor.desk else {}
    view, csrf = view_of(request, visitor, only), _csrf(request, visitor)
    return {**frame, "view": view, "csrf": csrf, "at": visitor.home, "operator": visitor.desk is not None}


def _html(template: str, problem: SiteError | None = None, **context: Any) -> web.Response:
    text = render.page(template, **context)
    return web.Response(text=text, content_type="text/html", status=problem.http_status if problem else 200)


def _refused(request: web.Request, visitor: Visitor, problem: SiteError, errors: RowErrors) -> web.Response:
    """The job page again, with what was typed and why it was not taken; for our script the error itself."""
    if wants_json(request):
        raise problem
    return job_page(request, visitor, errors=errors, problem=problem)


def _typed(form: dict[str, str], problem: SiteError, field: str) -> FieldErrors:
    """The error at its field; nothing was saved, so the other field keeps its text as well."""
    other = "identity" if field == "connector" else "connector"
    kept = {other: _kept(form[other])} if other in form else {}
    return {**kept, field: error_view(problem, form.get(field, ""))}


def _kept(text: str) -> ErrorView:
    """No error: only what was typed."""
    return ErrorView(code="", sentence="", next_step="", typed=text)


def _done(request: web.Request, where: str, **facts: Any) -> web.Response:
    """Saved: on to a GET, so that reloading repeats nothing."""
    if wants_json(request):
        return web.Response(body=msgspec.json.encode({"ok": True, **facts}), content_type="application/json")
    return web.Response(status=303, headers={hdrs.LOCATION: where})


def flash_of(request: web.Request) -> str | None:
    """A known code, or nothing: what stands in the address is never shown."""
    code = request.query.get("saved", "")
    return code if code in wording.FLASHES else None


def _csrf(request: web.Request, visitor: Visitor) -> str:
    if visitor.desk is not None:
        return visitor.desk.csrf
    return request.app[GATE].sessions.csrf(visitor.session) if visitor.session else ""


def _row_id(request: web.Request) -> ChargePointId:
    return ChargePointId(request.match_info["id"])


def _connector(form: dict[str, str], field: str) -> int | None:
    try:
        return number_in(form, field)
    except RequestInvalid as exc:
        raise ConnectorInvalid(found=form[field][:20], allowed="1 to 100") from exc


def _bases(form: dict[str, str]) -> list[OpId] | None:
    """The op ids of the heads the page showed; None where the form has no such field."""
    return [OpId(op) for op in form["bases"].split()[:64]] if "bases" in form else None


_ROW = "/j/charge-points/{id}"


def _page(method: str, path: str, handler: Any, summary: str) -> Route:
    return Route(method, path, handler, summary, media="text/html")


ROUTES = (
    _page("GET", "/", get_page, "The job, or the entry card."),
    _page("GET", "/j", get_page, "The job, or the entry card."),
    _page("POST", "/j/open", post_open, "Open a job with a pasted link or token."),
    _page("POST", "/j/leave", post_leave, "Forget the session."),
    _page("POST", _ROW, post_charge_point, "Save identity and connector."),
    _page("POST", f"{_ROW}/resolve", post_resolve, "Settle a conflict."),
    _page("POST", f"{_ROW}/confirm", post_confirm, "Accept an exchanged station."),
    _page("POST", f"{_ROW}/pair", post_pair, "Let a charge point pair anew."),
    _page("POST", "/j/secure", post_secure, "Give charge points keys of their own."),
    _page("POST", "/j/swap", post_swap, "Exchange two rows."),
    _page("GET", f"{_ROW}/actions", get_actions, "Remote actions."),
    _page("POST", f"{_ROW}/actions", post_actions, "Set a remote action going."),
    _page("GET", f"{_ROW}/notes", get_notes, "Notes."),
    _page("POST", f"{_ROW}/notes", post_notes, "Add a note."),
    _page("GET", "/j/complete", get_complete, "The completion check."),
    _page("POST", "/j/complete", post_complete, "Mark the job as complete."),
    _page("POST", "/j/pairing", post_pairing, "Let new stations connect."),
    _page("GET", "/j/regions/{region}", get_region, "One region of the job page."),
    Route("GET", "/j/regions", get_regions, "Several regions of the job page.", answer=dict[str, str]),
)
