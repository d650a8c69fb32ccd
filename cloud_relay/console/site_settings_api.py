"""The operator API of what is said to a site's boxes from above: their settings, and the site's id tokens.

Start at `ROUTES`.
"""

import asyncio
from typing import Any

import msgspec
from aiohttp import hdrs, web

from cloud_relay.console.caller import STORE, Caller, caller_of
from cloud_relay.console.operator_api import GATEWAYS, cursor_of, page_of
from cloud_relay.fleet import site_settings
from cloud_relay.fleet.log_records import Place
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.site_settings import SettingState, TokenState
from cloud_relay.fleet.sites import find_site
from sitelink.errors import (
    IdTokenInvalid,
    IdTokenListInvalid,
    MediaTypeRefused,
    NotFound,
    RequestInvalid,
    SettingInvalid,
    TooLarge,
)
from sitelink.id_token_rules import TokenEntry
from web_ui.bodies import read_json
from web_ui.id_token_shapes import (
    CSV_TYPE,
    AdminIdToken,
    TableTaken,
    TokenBody,
    csv_answer,
    id_token_view,
    table_of_body,
)
from web_ui.job_api import answer
from web_ui.routes import Route


class ChangeSettings(msgspec.Struct, forbid_unknown_fields=True):
    """By key; null: the box's own file decides again. What is not named stays as it is."""

    settings: dict[str, str | int | None]


class SettingList(msgspec.Struct):
    """`state` of each: delivered, waiting, or null where nothing was ever said."""

    items: list[SettingState]
    next: str | None = None


class CloudIdToken(AdminIdToken):
    """`state`: delivered or waiting."""

    state: str


class CloudTokens(msgspec.Struct):
    """`next`: the cursor of the next page; null: this was the last."""

    items: list[CloudIdToken]
    total: int
    next: str | None = None


async def get_settings(request: web.Request) -> web.Response:
    place = await place_of(request, await caller_of(request, "sites:read"))
    return answer(SettingList(await request.app[STORE].read(lambda books: site_settings.settings_of(books, place))))


async def put_settings(request: web.Request) -> web.Response:
    """All of what is named, or nothing of it."""
    caller = await caller_of(request, "sites:write")
    place = await place_of(request, caller)
    wanted = (await read_json(request, ChangeSettings)).settings

    def work(desk: Any) -> None:
        for key, value in wanted.items():
            if value is None:
                site_settings.clear_setting(desk, key, caller.author)
            else:
                site_settings.set_setting(desk, key, value, caller.author)

    await request.app[GATEWAYS].work(place, work)
    return answer(SettingList(await request.app[STORE].read(lambda books: site_settings.settings_of(books, place))))


async def get_tokens(request: web.Request) -> web.Response:
    """A page of the list as JSON; the whole as CSV for who accepts text/csv."""
    place = await place_of(request, await caller_of(request, "sites:read"))
    store = request.app[STORE]
    if CSV_TYPE in request.headers.get(hdrs.ACCEPT, ""):
        return csv_answer(await store.read(lambda books: site_settings.table_of_tokens(books, place)))
    limit, after = page_of(request)
    start = after[0] if after is not None else ""
    found, total = await store.read(lambda books: site_settings.tokens_of(books, place, limit + 1, start))
    shown = [_token(each) for each in found[:limit]]
    following = cursor_of(found[limit - 1].token.id, "") if len(found) > limit else None
    return answer(CloudTokens(shown, total, following))


async def put_tokens(request: web.Request) -> web.Response:
    """Take a table in, whole or not at all."""
    caller = await caller_of(request, "sites:write")
    place = await place_of(request, caller)
    text, replace = await table_of_body(request)
    entries = await asyncio.to_thread(site_settings.entries_in, text)
    taken = await request.app[GATEWAYS].work(
        place, lambda desk: site_settings.take_tokens(desk, entries, caller.author, replace=replace)
    )
    return answer(TableTaken(taken.listed, taken.unchanged, taken.removed, taken.total))


async def get_token(request: web.Request) -> web.Response:
    place = await place_of(request, await caller_of(request, "sites:read"))
    return answer(await _found(request, place))


async def put_token(request: web.Request) -> web.Response:
    """What is said replaces all that was listed of the token."""
    caller = await caller_of(request, "sites:write")
    place = await place_of(request, caller)
    given: dict[str, Any] = msgspec.structs.asdict(await read_json(request, TokenBody))
    entry = TokenEntry(token=request.match_info["token"], **given)
    await request.app[GATEWAYS].work(place, lambda desk: site_settings.put_token(desk, entry, caller.author))
    return answer(await _found(request, place))


async def delete_token(request: web.Request) -> web.Response:
    caller = await caller_of(request, "sites:write")
    place, token = await place_of(request, caller), request.match_info["token"]
    await request.app[GATEWAYS].work(place, lambda desk: site_settings.remove_token(desk, token, caller.author))
    return web.Response(status=204)


async def place_of(request: web.Request, caller: Caller) -> Place:
    """The site of the path. Raises NotFound."""

    def work(books: Books) -> Place:
        site = find_site(books, caller.team, request.match_info["site"])
        return Place(caller.team, caller.team_name, site.id)

    return await request.app[STORE].read(work)


async def _found(request: web.Request, place: Place) -> CloudIdToken:
    token = request.match_info["token"]
    return _token(await request.app[STORE].read(lambda books: site_settings.find_token(books, place, token)))


def _token(found: TokenState) -> CloudIdToken:
    return CloudIdToken(**msgspec.structs.asdict(id_token_view(found.token)), state=found.state)


_SETTINGS = "/api/v1/sites/{site}/settings"
_TOKENS = "/api/v1/sites/{site}/id-tokens"
_TOKEN = f"{_TOKENS}/{{token}}"


def _route(method: str, path: str, handler: Any, summary: str, **more: Any) -> Route:
    scope = "sites:read" if method == "GET" else "sites:write"
    errors = (NotFound, *more.pop("errors", ()))
    return Route(method, path, handler, summary, auth="team", scope=scope, errors=errors, **more)


ROUTES = (
    _route("GET", _SETTINGS, get_settings, "Settings of its boxes that can be changed from here.", answer=SettingList),
    _route("PUT", _SETTINGS, put_settings, "Change some of them.", body=ChangeSettings, answer=SettingList,
           errors=(SettingInvalid,)),
    _route("GET", _TOKENS, get_tokens, "Its id tokens, a page at a time; all of them as CSV.", answer=CloudTokens,
           query=("limit", "cursor"), errors=(RequestInvalid,)),
    _route("PUT", _TOKENS, put_tokens, "Take in a CSV table of id tokens, whole or not at all.", answer=TableTaken,
           query=("replace",), takes=CSV_TYPE,
           errors=(IdTokenListInvalid, IdTokenInvalid, MediaTypeRefused, TooLarge, RequestInvalid)),
    _route("GET", _TOKEN, get_token, "One id token.", answer=CloudIdToken),
    _route("PUT", _TOKEN, put_token, "List an id token, in place of what was listed of it.", body=TokenBody,
           answer=CloudIdToken, errors=(IdTokenInvalid,)),
    _route("DELETE", _TOKEN, delete_token, "Take an id token off the list.", status=204, media=""),
)  # fmt: skip
