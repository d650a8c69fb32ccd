"""The id tokens of a site as pages: who may charge there, changed here one by one or as a table.

Start at `get_tokens`. The rules stand in `fleet.site_settings` and `sitelink.id_token_rules`.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from cloud_relay.console.caller import STORE
from cloud_relay.console.drawing import drawn, gone_to, team_path
from cloud_relay.console.live_pages import seq_here
from cloud_relay.console.members import caller_here, form_of
from cloud_relay.console.operator_api import GATEWAYS, cursor_of, page_of
from cloud_relay.console.site_pages import site_here
from cloud_relay.console.site_settings_pages import place_here
from cloud_relay.fleet import site_settings
from cloud_relay.fleet.log_records import Place
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Site
from cloud_relay.fleet.site_desk import SiteDesk
from cloud_relay.fleet.site_settings import TokenState
from sitelink.errors import IdTokenInvalid, IdTokenListInvalid, NotFound, RequestInvalid
from sitelink.id_token_rules import LISTABLE, TokenEntry
from sitelink.model import IdToken
from sitelink.states import IdTokenType
from web_ui.id_token_shapes import csv_answer
from web_ui.routes import Route

SHOWN = 100
TEXT_MAX_CHARACTERS = 200
KINDS = tuple(kind.value for kind in IdTokenType if kind is not IdTokenType.NO_AUTHORIZATION)


class Typed(msgspec.Struct, frozen=True):
    """What stands in the form for one token."""

    token: str = ""
    status: str = "Accepted"
    type: str = ""
    expires: str = ""
    parent: str = ""
    charge_points: str = ""
    note: str = ""


async def get_tokens(request: web.Request) -> web.Response:
    """`q` is looked for in all that is read of them; `change` puts one into the form."""
    return await _page(request)


async def post_token(request: web.Request) -> web.Response:
    """What is said replaces all that was listed of the token."""
    caller, form = caller_here(request), form_of(request)
    typed = Typed(**{name: form[name].strip() for name in Typed.__struct_fields__ if name in form})
    given = {**msgspec.structs.asdict(typed), "charge_points": tuple(_words_in(typed.charge_points))}
    entry = TokenEntry(**given)
    return await _done(
        request,
        "one",
        lambda desk: site_settings.put_token(desk, entry, caller.author),
        typed=typed,
        wanted=typed.token,
    )


async def post_remove(request: web.Request) -> web.Response:
    caller, token = caller_here(request), form_of(request).get("token", "")
    return await _done(request, "one", lambda desk: site_settings.remove_token(desk, token, caller.author))


async def post_table(request: web.Request) -> web.Response:
    """Take a pasted CSV table in, whole or not at all."""
    caller, form = caller_here(request), form_of(request)
    table, replace = form.get("table", ""), "replace" in form
    try:
        entries = await asyncio.to_thread(site_settings.entries_in, table)
    except IdTokenListInvalid as error:
        return await _page(request, error.http_status, about="table", error=error, table=table, replace=replace)
    return await _done(
        request, "table", lambda desk: site_settings.take_tokens(desk, entries, caller.author, replace=replace),
        table=table, replace=replace,
    )  # fmt: skip


async def get_csv(request: web.Request) -> web.Response:
    """All of them; what `post_table` reads back."""
    place = await place_here(request)
    return csv_answer(await request.app[STORE].read(lambda books: site_settings.table_of_tokens(books, place)))


async def _done(
    request: web.Request, about: str, work: Callable[[SiteDesk], Any], wanted: str = "", **typed: Any
) -> web.Response:
    place = await place_here(request)
    try:
        await request.app[GATEWAYS].work(place, work)
    except (IdTokenInvalid, NotFound, RequestInvalid) as error:
        return await _page(request, error.http_status, about=about, error=error, **typed)
    query = f"?{urlencode({'q': wanted})}" if wanted else ""
    return gone_to(team_path(request, f"/sites/{place.site}/id-tokens{query}"))


def _words_in(text: str) -> list[str]:
    return [each for each in text.replace(",", " ").replace(";", " ").split() if each]


async def _page(
    request: web.Request, status: int = 200, *, about: str = "", error: Any = None, typed: Typed | None = None,
    table: str = "", replace: bool = False,
) -> web.Response:  # fmt: skip
    caller, seq = caller_here(request), seq_here(request)
    text, change = request.query.get("q", "")[:TEXT_MAX_CHARACTERS].strip(), request.query.get("change", "")
    _, after = page_of(request)
    start = after[0] if after is not None else ""

    def work(books: Books) -> tuple[Site, list[TokenState], int, Typed]:
        site = site_here(books, request)
        place = Place(caller.team, caller.team_name, site.id)
        found, total = site_settings.tokens_of(books, place, SHOWN + 1, start, text)
        return site, found, total, typed or _listed(books, place, change)

    site, found, total, in_form = await request.app[STORE].read(work)
    query = {"q": text} if text else {}
    following = {**query, "cursor": cursor_of(found[SHOWN - 1].token.id_token, "")} if len(found) > SHOWN else None
    return drawn(
        request, "id_tokens", here="sites", status=status, site=site, lines=found[:SHOWN], total=total, q=text,
        seq=seq, first=f"?{urlencode(query)}" if after is not None else None,
        following=f"?{urlencode(following)}" if following else None, typed=in_form, about=about,
        changing=bool(change and in_form.token), problem=error.code if error else None,
        fields=error.fields if error else {}, table=table, replace=replace,
        statuses=[each.value for each in LISTABLE], kinds=KINDS, may_write=caller.may("sites:write"),
    )  # fmt: skip


def _listed(books: Books, place: Place, token: str) -> Typed:
    """What is listed of it, to be changed; nothing where it is not listed."""
    if not token:
        return Typed()
    try:
        found: IdToken = site_settings.find_token(books, place, token).token
    except NotFound:
        return Typed(token=token[:TEXT_MAX_CHARACTERS])
    return Typed(
        found.id_token, found.status.value, found.type.value if found.type else "",
        found.expires.strftime("%Y-%m-%dT%H:%M") if found.expires else "", found.group or "",
        ", ".join(found.charge_points), found.note,
    )  # fmt: skip


_TOKENS = "/t/{team}/sites/{site}/id-tokens"


def _route(method: str, path: str, handler: Any, summary: str, **more: Any) -> Route:
    scope = "sites:read" if method == "GET" else "sites:write"
    media = more.pop("media", "text/html")
    return Route(method, f"{_TOKENS}{path}", handler, summary, media=media, auth="member", scope=scope, **more)


ROUTES = (
    _route("GET", "", get_tokens, "Who may charge at a site.", query=("q", "cursor", "change")),
    _route("POST", "", post_token, "List an id token, in place of what was listed of it."),
    _route("POST", "/remove", post_remove, "Take an id token off the list."),
    _route("POST", "/table", post_table, "Take in a table of id tokens."),
    _route("GET", ".csv", get_csv, "All of them as CSV.", media="text/csv"),
)
