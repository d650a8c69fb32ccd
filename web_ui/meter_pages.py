"""The meters of a job, for who holds its link and for operators: listed, added, changed, taken off. Page and API.

What only the box can do, which is to look for meters, stands in `edge_agent.pages.meter_search`. Start at `ROUTES` and
`API_ROUTES`.
"""

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import hdrs, web
from msgspec import UNSET, UnsetType

from sitelink.errors import (
    JobReadOnly,
    MeterExists,
    MeterInvalid,
    MeterNotRead,
    NotFound,
    RequestInvalid,
    SiteError,
    StoreUnavailable,
)
from sitelink.events import MeterListed
from sitelink.meter_values import Grade, Moment, thinned
from web_ui import render
from web_ui.access import CSRF_FIELD, Visitor, jobs_of, visitor_of, writer_of
from web_ui.bodies import read_form, read_json
from web_ui.job_api import answer, view_of
from web_ui.job_pages import FieldErrors, flash_of, shown_to
from web_ui.meter_views import MeterView, WiringView, wiring_view
from web_ui.plots import Plot, power_plot
from web_ui.routes import Route
from web_ui.surface import wants_json
from web_ui.views import ErrorView, error_view

REGIONS = {"meter": "meter_live", "wiring": "meter_wiring", "plots": "meter_plots"}
"""Parts of a meter's page, and the fragments that draw them."""
FIELDS = ("name", "profile", "transport", "unit_id", "ratio")


class AddMeter(msgspec.Struct, forbid_unknown_fields=True):
    """`profile`: the model, as `eastron-sdm630`. `transport`: docs/meters.md. `reversed`: what flows to the site counts
    as export there. `ratio`: of current transformers that the meter does not know."""

    name: str
    profile: str
    transport: str
    unit_id: int = 1
    reversed: bool = False
    ratio: float = 1.0


class ChangeMeter(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out stays."""

    name: str | UnsetType = UNSET
    profile: str | UnsetType = UNSET
    transport: str | UnsetType = UNSET
    unit_id: int | UnsetType = UNSET
    reversed: bool | UnsetType = UNSET
    ratio: float | UnsetType = UNSET


class ReadingsAnswer(msgspec.Struct, frozen=True):
    """`rows`: each the time in seconds since 1970, and the values in the order of `keys`; null: not told then."""

    span: str
    step_s: int
    keys: tuple[str, ...]
    rows: tuple[tuple[int | float | None, ...], ...]


class WiringAnswer(msgspec.Struct, frozen=True):
    """`now`: null while the meter is not read, or is read elsewhere. `saved`: what stands in the record."""

    now: WiringView | None
    saved: WiringView | None


class Span(msgspec.Struct, frozen=True):
    """So far back, so fine."""

    grade: Grade
    back: timedelta
    step_s: int


SPANS = {
    "hour": Span(Grade.SECOND, timedelta(hours=1), 1),
    "day": Span(Grade.MINUTE, timedelta(days=1), 60),
    "month": Span(Grade.QUARTER, timedelta(days=31), 900),
    "year": Span(Grade.QUARTER, timedelta(days=366), 3 * 3600),
}
PLOTS = (("hour", "The last hour, kW"), ("day", "The last day, kW"))

# ---- API ----


async def list_meters(request: web.Request) -> web.Response:
    return answer(view_of(request, visitor_of(request)).meters)


async def post_meter(request: web.Request) -> web.Response:
    visitor = writer_of(request)
    body = await read_json(request, AddMeter)
    wanted = MeterListed(**msgspec.structs.asdict(body))
    await jobs_of(request).put_meter(visitor.link.job, wanted, visitor.author)
    return answer(meter_of(request, visitor, wanted.name.strip()), status=201)


async def get_meter(request: web.Request) -> web.Response:
    return answer(meter_of(request, visitor_of(request), request.match_info["name"]))


async def get_readings(request: web.Request) -> web.Response:
    visitor = visitor_of(request)
    listed = listed_of(request, visitor)
    name = request.query.get("span", "hour")
    if name not in SPANS:
        raise RequestInvalid(where="span", problem="not_allowed", allowed=", ".join(SPANS))
    moments = thinned(await _moments(request, visitor, listed.name, name), SPANS[name].step_s)
    keys = tuple(sorted({key for each in moments for key in each.values}))
    rows = tuple((each.at_s, *(each.values.get(key) for key in keys)) for each in moments)
    return answer(ReadingsAnswer(name, SPANS[name].step_s, keys, rows))


async def _moments(request: web.Request, visitor: Visitor, meter: str, span: str) -> Sequence[Moment]:
    jobs = jobs_of(request)
    since = jobs.snapshot().now - SPANS[span].back
    return await jobs.meter_moments(visitor.link.job, meter, SPANS[span].grade, int(since.timestamp()))


async def _plots(request: web.Request, visitor: Visitor, meter: str) -> list[Plot]:
    now = jobs_of(request).snapshot().now
    drawn = [
        power_plot(await _moments(request, visitor, meter, span), now - SPANS[span].back, now, title)
        for span, title in PLOTS
    ]
    return [plot for plot in drawn if plot is not None]


async def get_wiring(request: web.Request) -> web.Response:
    visitor = visitor_of(request)
    return answer(_wiring(request, visitor, listed_of(request, visitor).name))


async def post_wiring(request: web.Request) -> web.Response:
    visitor = writer_of(request)
    name = listed_of(request, visitor).name
    await jobs_of(request).prove_wiring(visitor.link.job, name, visitor.author)
    return answer(_wiring(request, visitor, name))


def _wiring(request: web.Request, visitor: Visitor, name: str) -> WiringAnswer:
    jobs = jobs_of(request)
    now = jobs.wiring(visitor.link.job, name)
    job = jobs.snapshot().state.jobs[visitor.link.job]
    saved = next((each for each in job.wirings if each.meter == name), None)
    return WiringAnswer(
        wiring_view(now) if now is not None else None,
        wiring_view(saved, saved.at, saved.by.name or saved.by.type.value) if saved is not None else None,
    )  # fmt: skip


async def patch_meter(request: web.Request) -> web.Response:
    visitor = writer_of(request)
    body = await read_json(request, ChangeMeter)
    listed = listed_of(request, visitor)
    given = {key: value for key, value in msgspec.structs.asdict(body).items() if value is not UNSET}
    wanted = msgspec.structs.replace(listed, **given)
    await jobs_of(request).put_meter(visitor.link.job, wanted, visitor.author, instead_of=listed.name)
    return answer(meter_of(request, visitor, wanted.name.strip()))


async def delete_meter(request: web.Request) -> web.Response:
    visitor = writer_of(request)
    await jobs_of(request).remove_meter(visitor.link.job, request.match_info["name"], visitor.author)
    return web.Response(status=204)


def meter_of(request: web.Request, visitor: Visitor, name: str) -> MeterView:
    """Raises NotFound."""
    for meter in view_of(request, visitor, ()).meters:
        if meter.name == name:
            return meter
    raise NotFound(what="meter", key=name[:64])


def listed_of(request: web.Request, visitor: Visitor) -> MeterListed:
    """The meter of the path, as the job says it. Raises NotFound."""
    name = request.match_info["name"]
    for meter in jobs_of(request).snapshot().state.jobs[visitor.link.job].meters:
        if meter.name == name:
            return meter
    raise NotFound(what="meter", key=name[:64])


# ---- pages ----


async def get_meters(request: web.Request) -> web.Response:
    return await _list_page(request, visitor_of(request))


async def post_meters(request: web.Request) -> web.Response:
    """Add a meter."""
    form = await read_form(request)
    visitor = writer_of(request, form.get(CSRF_FIELD, ""))
    try:
        wanted = meter_in(form)
        await jobs_of(request).put_meter(visitor.link.job, wanted, visitor.author)
    except (MeterInvalid, MeterExists) as exc:
        if wants_json(request):
            raise
        return await _list_page(request, visitor, exc, errors_at(form, exc), form)
    return _gone_to(f"{visitor.home}/meters?saved=meter_added")


async def get_meter_page(request: web.Request) -> web.Response:
    visitor = visitor_of(request)
    return await _meter_page(request, visitor)


async def post_meter_page(request: web.Request) -> web.Response:
    """Change a meter."""
    form = await read_form(request)
    visitor = writer_of(request, form.get(CSRF_FIELD, ""))
    listed = listed_of(request, visitor)
    try:
        wanted = meter_in(form)
        await jobs_of(request).put_meter(visitor.link.job, wanted, visitor.author, instead_of=listed.name)
    except (MeterInvalid, MeterExists) as exc:
        if wants_json(request):
            raise
        return await _meter_page(request, visitor, exc, errors_at(form, exc), form)
    return _gone_to(f"{visitor.home}/meters/{quote(wanted.name, safe='')}?saved=saved")


async def get_regions(request: web.Request) -> web.Response:
    """The parts of a meter's page that are drawn anew."""
    visitor = visitor_of(request)
    shown = shown_to(request, visitor, ())
    context = {**shown, "meter": meter_of(request, visitor, request.match_info["name"])}
    names = [name for name in request.query.get("names", "").split(",") if name in REGIONS]
    if "wiring" in names:
        context["wiring"] = _wiring(request, visitor, request.match_info["name"])
    if "plots" in names:
        context["plots"] = await _plots(request, visitor, request.match_info["name"])
    return answer({name: render.partial(REGIONS[name], **context) for name in names})


async def post_wiring_page(request: web.Request) -> web.Response:
    """What the meter shows of its wiring now goes into the record."""
    form = await read_form(request)
    visitor = writer_of(request, form.get(CSRF_FIELD, ""))
    name = listed_of(request, visitor).name
    await jobs_of(request).prove_wiring(visitor.link.job, name, visitor.author)
    return _gone_to(f"{visitor.home}/meters/{quote(name, safe='')}?saved=wiring_saved")


async def post_removal(request: web.Request) -> web.Response:
    form = await read_form(request)
    visitor = writer_of(request, form.get(CSRF_FIELD, ""))
    await jobs_of(request).remove_meter(visitor.link.job, request.match_info["name"], visitor.author)
    return _gone_to(f"{visitor.home}/meters?saved=meter_removed")


def meter_in(form: dict[str, str]) -> MeterListed:
    """What was typed. Raises MeterInvalid; the rules look at the rest."""
    return MeterListed(
        form.get("name", "").strip(), form.get("profile", "").strip(), form.get("transport", "").strip(),
        int(_number(form, "unit_id", "0 to 255", "1")), "reversed" in form,
        _number(form, "ratio", "a number, as 1 or 40", "1"),
    )  # fmt: skip


def _number(form: dict[str, str], field: str, allowed: str, default: str) -> float:
    text = form.get(field, default).strip().replace(",", ".") or default
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found) or (field == "unit_id" and not text.isdecimal()):
        raise MeterInvalid(where=field, allowed=allowed)
    return found


def errors_at(form: dict[str, str], problem: SiteError) -> FieldErrors:
    field = str(problem.fields.get("where", "name"))
    return {field: error_view(problem, form.get(field, ""))} if field in FIELDS else {"form": error_view(problem)}


async def _list_page(
    request: web.Request, visitor: Visitor, problem: SiteError | None = None,
    errors: dict[str, ErrorView] | None = None, typed: dict[str, str] | None = None,
) -> web.Response:  # fmt: skip
    models = await jobs_of(request).meter_models()
    context = {**shown_to(request, visitor), "models": models, "typed": typed or {}, "errors": errors or {}}
    return _html(request, visitor, "meters", problem, context)


async def _meter_page(
    request: web.Request, visitor: Visitor, problem: SiteError | None = None,
    errors: dict[str, ErrorView] | None = None, typed: dict[str, str] | None = None,
) -> web.Response:  # fmt: skip
    listed = listed_of(request, visitor)
    models = await jobs_of(request).meter_models()
    shown = shown_to(request, visitor)
    meter = next(each for each in shown["view"].meters if each.name == listed.name)
    typed = typed if typed is not None else typed_of(listed)
    plots = await _plots(request, visitor, listed.name)
    wiring = _wiring(request, visitor, listed.name)
    context = {
        **shown,
        "meter": meter,
        "plots": plots,
        "wiring": wiring,
        "models": models,
        "typed": typed,
        "errors": errors or {},
    }
    return _html(request, visitor, "meter", problem, context)


def typed_of(listed: MeterListed) -> dict[str, str]:
    """What the form of a meter holds."""
    typed = {
        "name": listed.name, "profile": listed.profile, "transport": listed.transport, "unit_id": str(listed.unit_id),
        "ratio": f"{listed.ratio:g}",
    }  # fmt: skip
    return {**typed, "reversed": "1"} if listed.reversed else typed


def _html(
    request: web.Request, visitor: Visitor, name: str, problem: SiteError | None, context: dict[str, Any]
) -> web.Response:
    template = f"console/{name}.html" if visitor.desk else f"{name}.html"
    text = render.page(template, **context, flash=flash_of(request))
    return web.Response(text=text, content_type="text/html", status=problem.http_status if problem else 200)


def _gone_to(where: str) -> web.Response:
    return web.Response(status=303, headers={hdrs.LOCATION: where})


_API = "/api/v1/job/meters"
_ERRORS = (MeterInvalid, MeterExists, JobReadOnly, StoreUnavailable)


def _page(method: str, path: str, handler: Any, summary: str) -> Route:
    return Route(method, f"/j/meters{path}", handler, summary, media="text/html")


ROUTES = (
    _page("GET", "", get_meters, "The job's meters."),
    _page("POST", "", post_meters, "Add a meter."),
    _page("GET", "/{name}", get_meter_page, "A meter."),
    _page("POST", "/{name}", post_meter_page, "Change a meter."),
    Route("GET", "/j/meters/{name}/regions", get_regions, "Parts of a meter's page.", answer=dict[str, str]),
    _page("POST", "/{name}/wiring", post_wiring_page, "Save how a meter is wired."),
    _page("POST", "/{name}/removal", post_removal, "Take a meter off the job."),
)
API_ROUTES = (
    Route("GET", _API, list_meters, "The job's meters and what they say.", answer=list[MeterView]),
    Route("POST", _API, post_meter, "Add a meter.", AddMeter, MeterView, 201, errors=_ERRORS),
    Route("GET", f"{_API}/{{name}}", get_meter, "A meter and what it says.", answer=MeterView, errors=(NotFound,)),
    Route("GET", f"{_API}/{{name}}/readings", get_readings, "What a meter said over an hour, a day, a month, a year.",
          answer=ReadingsAnswer, errors=(NotFound,), query=("span",)),
    Route("GET", f"{_API}/{{name}}/wiring", get_wiring, "How a meter seems to be wired.", answer=WiringAnswer,
          errors=(NotFound,)),
    Route("POST", f"{_API}/{{name}}/wiring", post_wiring, "Save how a meter is wired in the record.",
          answer=WiringAnswer, errors=(NotFound, MeterNotRead, JobReadOnly, StoreUnavailable)),
    Route("PATCH", f"{_API}/{{name}}", patch_meter, "Change a meter.", ChangeMeter, MeterView,
          errors=(NotFound, *_ERRORS)),
    Route("DELETE", f"{_API}/{{name}}", delete_meter, "Take a meter off the job.", status=204, media="",
          errors=(NotFound, JobReadOnly, StoreUnavailable)),
)  # fmt: skip
