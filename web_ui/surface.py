"""What every answer of our HTTP surface has in common: security headers, one error form, the Host list, time limits.

Start at `protect`, which prepares an application; its routes come from `job_api`, `job_pages` and the program itself.
Sources: SECURITY §4.1 L8, §4.2, §7.1; UX §6.1 G.
"""

import asyncio
import html
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from sitelink.errors import (
    HostRefused,
    MethodNotAllowed,
    NotFound,
    RequestInvalid,
    SiteError,
    TookTooLong,
    TooLarge,
)
from web_ui import render, wording
from web_ui.access import GATE, JOBS, Gate, drop_cookie, renew_cookie
from web_ui.bodies import BODY_MAX_BYTES
from web_ui.faults import FAULTS, Faults, report
from web_ui.live import STREAMS, Streams, close_streams
from web_ui.ports import Jobs
from web_ui.security import SECURITY_HEADERS

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REQUEST_MAX_S = 30.0
KEEPALIVE_S = 15.0
HEADER_MAX_BYTES = 8190
HEADERS_MAX = 64
DRAW_ERROR: web.AppKey[Callable[[web.Request, SiteError], str]] = web.AppKey("draw_error")
"""Draws an error as a page; job_pages puts it there."""
UNHURRIED = "unhurried"
"""Attribute of a handler that may take longer than `REQUEST_MAX_S`."""

ANY_HOST = "any_host"
"""Attribute of a handler that is called by charge points, which may name the box as they like."""

RUNNER_OPTIONS: Mapping[str, Any] = {
    "keepalive_timeout": KEEPALIVE_S,
    "max_line_size": HEADER_MAX_BYTES,
    "max_field_size": HEADER_MAX_BYTES,
    "max_headers": HEADERS_MAX,
    "access_log": None,
    "shutdown_timeout": 5.0,
}
"""For web.AppRunner: the limits that stand in front of the application."""


def protect(
    jobs: Jobs | None, gate: Gate, *, streams: Streams | None = None, faults: Faults | None = None,
    request_max_s: float = REQUEST_MAX_S,
) -> web.Application:  # fmt: skip
    """An application with everything but routes. `jobs` None: it serves no job's link."""
    app = web.Application(
        client_max_size=BODY_MAX_BYTES, middlewares=[_ready_to_draw, _errors, _host, _hurry(request_max_s)]
    )
    if jobs is not None:
        app[JOBS] = jobs
    app[GATE] = gate
    app[STREAMS] = streams or Streams()
    app[FAULTS] = faults or Faults()
    app.on_response_prepare.append(_add_headers)
    app.on_shutdown.append(close_streams)
    return app


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Pages and data are never kept; who serves something that may be kept sets Cache-Control itself."""
    response.headers.update(SECURITY_HEADERS)
    response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
    response.headers.popall(hdrs.SERVER, None)


# ---- middlewares, outermost first ----


@web.middleware
async def _ready_to_draw(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The first browser waits for the templates, and nobody else does."""
    if not render.is_prepared() and "text/html" in request.headers.get(hdrs.ACCEPT, ""):
        await asyncio.to_thread(render.prepare)
    return await handler(request)


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        response = await handler(request)
        renew_cookie(request, response)
    except SiteError as exc:
        return error_response(request, exc)
    except web.HTTPException as exc:
        if exc.status < 400:
            raise
        return error_response(request, _from_http(request, exc))
    except ConnectionError:
        raise
    except Exception as exc:  # a bug ends this request alone: answered, logged, counted (DESIGN §7 (3))
        return error_response(request, report(request, exc))
    return response


@web.middleware
async def _host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse names that are not ours, two Host headers, and an absolute request line that says something else."""
    if getattr(request.match_info.handler, ANY_HOST, False):
        return await handler(request)
    given = request.headers.getall(hdrs.HOST, [])
    hosts = request.app[GATE].hosts
    if len(given) != 1 or not hosts.allow(given[0]) or not hosts.allow(request.url.host_subcomponent or ""):
        raise HostRefused(host=", ".join(given)[:100])
    return await handler(request)


def _hurry(request_max_s: float) -> Middleware:
    """A request that takes too long, its body included, is given up; a write it began may still land."""

    @web.middleware
    async def hurry(request: web.Request, handler: Handler) -> web.StreamResponse:
        if getattr(request.match_info.handler, UNHURRIED, False):
            return await handler(request)
        deadline = asyncio.timeout(request_max_s)
        try:
            async with deadline:
                return await handler(request)
        except TimeoutError as exc:
            if deadline.expired():
                raise TookTooLong(after_s=int(request_max_s)) from exc
            raise

    return hurry


# ---- the one error form ----


def error_response(request: web.Request, error: SiteError) -> web.Response:
    """JSON for programs and scripts, a page for people."""
    if wants_json(request):
        response = web.Response(
            status=error.http_status, content_type="application/json",
            body=msgspec.json.encode(error_body(error, program=hdrs.AUTHORIZATION in request.headers)),
        )  # fmt: skip
    else:
        response = web.Response(status=error.http_status, text=_page(request, error), content_type="text/html")
    return dress(request, response, error)


def dress(request: web.Request, response: web.Response, error: SiteError) -> web.Response:
    """Headers that belong to an error."""
    if "retry_after_s" in error.fields:
        response.headers[hdrs.RETRY_AFTER] = str(error.fields["retry_after_s"])
    if error.http_status == 401:
        response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
        if request.headers.get(hdrs.COOKIE):
            drop_cookie(request, response)
    if isinstance(error, MethodNotAllowed):
        response.headers[hdrs.ALLOW] = str(error.fields["allowed"])
    return response


def error_body(error: SiteError, *, program: bool = False) -> dict[str, Any]:
    """{"code", "message", "next_step", …fields}. A `program` has no page to load again."""
    fields = {name: value for name, value in error.fields.items() if name not in ("code", "message")}
    return {
        **msgspec.to_builtins(fields, str_keys=True),
        "code": error.code,
        "message": wording.sentence(error.code, error.fields),
        "next_step": (wording.step_for_program if program else wording.next_step)(error.code, error.fields),
    }


def wants_json(request: web.Request) -> bool:
    """Programs ask below /api, boxes below /relay; our own script asks pages with Accept: application/json."""
    accept = request.headers.get(hdrs.ACCEPT, "")
    if request.path.startswith(("/api/", "/relay")):
        return True
    return "application/json" in accept and "text/html" not in accept


def _page(request: web.Request, error: SiteError) -> str:
    try:
        return request.app[DRAW_ERROR](request, error)
    except Exception as exc:  # drawing the error failed too: say it plainly, and count the bug
        report(request, exc)
        sentence = html.escape(wording.sentence(error.code, error.fields))
        step = html.escape(wording.next_step(error.code, error.fields))
        return f'<!doctype html><html lang="en"><title>Gatepost</title><h1>{sentence}</h1><p>{step}</p></html>'


def _from_http(request: web.Request, exc: web.HTTPException) -> SiteError:
    if isinstance(exc, web.HTTPMethodNotAllowed):
        return MethodNotAllowed(method=request.method, allowed=", ".join(sorted(exc.allowed_methods)))
    if isinstance(exc, web.HTTPRequestEntityTooLarge):
        return TooLarge(allowed_bytes=BODY_MAX_BYTES)
    if exc.status in (403, 404):
        return NotFound(what="page", key=request.path[:100])
    return RequestInvalid(where="request", problem=exc.reason)
