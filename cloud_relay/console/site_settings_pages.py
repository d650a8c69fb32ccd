"""What a site's boxes are told to do, as a page: changed here, shown as delivered or waiting.

Start at `get_settings` and `post_settings`. The rules stand in `fleet.site_settings`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from cloud_relay.console.caller import STORE
from cloud_relay.console.drawing import drawn, gone_to, team_path
from cloud_relay.console.live_pages import seq_here
from cloud_relay.console.members import caller_here, form_of
from cloud_relay.console.operator_api import GATEWAYS
from cloud_relay.console.site_pages import site_here
from cloud_relay.fleet.log_records import Place
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Site
from cloud_relay.fleet.site_desk import SiteDesk
from cloud_relay.fleet.site_settings import SettingState, clear_setting, set_setting, settings_of
from sitelink.box_settings import EDITABLE, Whole
from sitelink.errors import SettingInvalid
from web_ui.routes import Route
from web_ui.setting_words import SETTINGS, SettingWords


class SettingLine(msgspec.Struct, frozen=True):
    """`typed`: what stands in its field; empty: the box's own file decides."""

    said: SettingState
    words: SettingWords
    typed: str
    least: int | None
    most: int | None


async def get_settings(request: web.Request) -> web.Response:
    return await _page(request)


async def post_settings(request: web.Request) -> web.Response:
    """All of what was changed, or nothing of it. A setting that was not sent stays as it is."""
    caller, form = caller_here(request), form_of(request)
    place = await place_here(request)

    def work(desk: SiteDesk) -> None:
        for key in EDITABLE:
            if key not in form:
                continue
            if form[key].strip():
                set_setting(desk, key, _value(key, form[key]), caller.author)
            else:
                clear_setting(desk, key, caller.author)

    try:
        await request.app[GATEWAYS].work(place, work)
    except SettingInvalid as error:
        return await _page(request, error.http_status, typed=form, problem=error.code, fields=error.fields)
    return gone_to(team_path(request, f"/sites/{place.site}/settings"))


def _value(key: str, text: str) -> Any:
    """What a field says; what is no number where one belongs is refused with the rest."""
    text = text.strip()
    return int(text) if isinstance(EDITABLE[key], Whole) and text.isdecimal() and len(text) < 10 else text


async def place_here(request: web.Request) -> Place:
    """The site of the address. Raises NotFound."""
    caller = caller_here(request)
    site = await request.app[STORE].read(lambda books: site_here(books, request))
    return Place(caller.team, caller.team_name, site.id)


async def _page(
    request: web.Request, status: int = 200, *, typed: Mapping[str, str] | None = None, problem: str | None = None,
    fields: Mapping[str, Any] | None = None,
) -> web.Response:  # fmt: skip
    caller, seq = caller_here(request), seq_here(request)

    def work(books: Books) -> tuple[Site, list[SettingState]]:
        site = site_here(books, request)
        return site, settings_of(books, Place(caller.team, caller.team_name, site.id))

    site, said = await request.app[STORE].read(work)
    return drawn(
        request, "site_settings", here="sites", status=status, site=site, lines=[_line(each, typed) for each in said],
        problem=problem, fields=fields or {}, seq=seq, may_write=caller.may("sites:write"),
    )  # fmt: skip


def _line(said: SettingState, typed: Mapping[str, str] | None) -> SettingLine:
    rule = EDITABLE[said.key]
    known = "" if said.value is None else str(said.value)
    bounds = (rule.least, rule.most) if isinstance(rule, Whole) else (None, None)
    return SettingLine(said, SETTINGS[said.key], known if typed is None else typed.get(said.key, known), *bounds)


def _route(method: str, handler: Any, summary: str, scope: str) -> Route:
    return Route(
        method, "/t/{team}/sites/{site}/settings", handler, summary, media="text/html", auth="member", scope=scope
    )


ROUTES = (
    _route("GET", get_settings, "Settings of a site's boxes.", "sites:read"),
    _route("POST", post_settings, "Change them.", "sites:write"),
)
