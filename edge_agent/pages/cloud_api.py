"""The box's link to its cloud over HTTP, and the settings that can be changed from there. Start at `ROUTES`."""

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from edge_agent.pages.admin import ADMIN, authorise
from edge_agent.pages.admin_session import csrf_of, operator_of
from edge_agent.pages.box_pages import drawn, page_route, signed_in
from edge_agent.pages.ports import Cloud
from edge_agent.site.ports import CloudStatus
from edge_agent.site.settings_view import SettingView, setting_views
from sitelink.errors import StoreUnavailable
from web_ui import render
from web_ui.job_api import answer
from web_ui.routes import Route

CLOUD: web.AppKey[Cloud] = web.AppKey("cloud")
OWN_SETTINGS: web.AppKey[Mapping[str, Any]] = web.AppKey("own_settings")


class RelayAnswer(msgspec.Struct):
    """`cloud` null: `relay.url` is empty, the box works alone."""

    cloud: CloudStatus | None
    settings: list[SettingView]


async def get_relay(request: web.Request) -> web.Response:
    authorise(request)
    return answer(await _now(request))


async def get_page(request: web.Request) -> web.Response:
    operator = operator_of(request)
    found = await _now(request)
    now = request.app[ADMIN].snapshot().now
    text = render.page(
        "cloud.html", cloud=found.cloud, settings=found.settings, now=now, csrf=csrf_of(request, operator)
    )
    return drawn(request, operator, text)


async def _now(request: web.Request) -> RelayAnswer:
    cloud = request.app.get(CLOUD)
    views = setting_views(request.app[ADMIN].snapshot().state, request.app[OWN_SETTINGS])
    return RelayAnswer(await cloud.status() if cloud is not None else None, views)


API_ROUTES = (
    Route("GET", "/api/v1/relay", get_relay, "The link to the cloud, and settings that can be changed from there.",
          answer=RelayAnswer, auth="admin", errors=(StoreUnavailable,)),
)  # fmt: skip
ROUTES = (page_route("GET", "/admin/cloud", signed_in(get_page), "The link to the cloud."),)
