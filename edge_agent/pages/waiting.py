"""The page of a box whose storage cannot be opened: it says so, to people and programs, on every address.

Start at `build_waiting_app`. Nothing else is served meanwhile; the program tries the storage again every few seconds.
"""

from aiohttp import hdrs, web

from sitelink.errors import StoreUnavailable
from web_ui import assets, render
from web_ui.job_api import answer
from web_ui.security import SECURITY_HEADERS
from web_ui.surface import error_body, wants_json

RETRY_AFTER_S = 5


def build_waiting_app(trouble: str) -> web.Application:
    """`trouble`: disk_full, read_only, damaged or failed."""

    async def explain(request: web.Request) -> web.Response:
        if request.path == "/healthz":
            return answer({"status": trouble}, status=503)
        if wants_json(request):
            return answer(error_body(StoreUnavailable(reason=trouble)), status=503)
        page = render.page("entry.html", problem=trouble)
        return web.Response(text=page, content_type="text/html", status=503)

    async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(SECURITY_HEADERS)
        response.headers[hdrs.RETRY_AFTER] = str(RETRY_AFTER_S)
        response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")

    app = web.Application()
    assets.mount(app)
    app.router.add_route("*", "/{anything:.*}", explain)
    app.on_response_prepare.append(add_headers)
    return app
