"""The site's list of id tokens over HTTP, for an operator's tool. DESIGN §6 `/api/v1/id-tokens`.

Tokens stand here in full; only a token of the box opens it. Start at `ROUTES`.
"""

from typing import Any

import msgspec
from aiohttp import hdrs, web

from edge_agent.pages.admin import authorise
from edge_agent.pages.ports import IdTokens
from sitelink.errors import (
    IdTokenInvalid,
    IdTokenListInvalid,
    MediaTypeRefused,
    NotFound,
    RequestInvalid,
    StoreUnavailable,
    TooLarge,
)
from sitelink.id_token_rules import TokenEntry
from web_ui.bodies import read_json
from web_ui.id_token_shapes import (
    CSV_TYPE,
    PAGE_MAX,
    AdminIdToken,
    TableTaken,
    TokenBody,
    TokenPage,
    csv_answer,
    id_token_view,
    table_of_body,
)
from web_ui.job_api import answer
from web_ui.routes import Route

ID_TOKENS: web.AppKey[IdTokens] = web.AppKey("id_tokens")


async def get_tokens(request: web.Request) -> web.Response:
    """A page of the list as JSON; the whole as CSV for who accepts text/csv."""
    authorise(request)
    tokens = request.app[ID_TOKENS]
    if CSV_TYPE in request.headers.get(hdrs.ACCEPT, ""):
        return csv_answer(tokens.table())
    limit = request.query.get("limit", "200")
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:9]) <= PAGE_MAX):
        raise RequestInvalid(where="limit", problem="not_allowed", allowed=f"1 to {PAGE_MAX}")
    found, total = tokens.page(int(limit) + 1, request.query.get("after"))
    shown = [id_token_view(each) for each in found[: int(limit)]]
    return answer(TokenPage(shown, total, found[int(limit) - 1].id if len(found) > int(limit) else None))


async def put_tokens(request: web.Request) -> web.Response:
    """Take a table in, whole or not at all."""
    authorise(request)
    text, replace = await table_of_body(request)
    return answer(await request.app[ID_TOKENS].read_table(text, replace=replace))


async def get_token(request: web.Request) -> web.Response:
    authorise(request)
    return answer(id_token_view(request.app[ID_TOKENS].find(request.match_info["token"])))


async def put_token(request: web.Request) -> web.Response:
    """What is said replaces all that was listed of the token."""
    authorise(request)
    body = await read_json(request, TokenBody)
    given: dict[str, Any] = msgspec.structs.asdict(body)
    return answer(
        id_token_view(await request.app[ID_TOKENS].put(TokenEntry(token=request.match_info["token"], **given)))
    )


async def delete_token(request: web.Request) -> web.Response:
    authorise(request)
    await request.app[ID_TOKENS].remove(request.match_info["token"])
    return web.Response(status=204)


_ALL = "/api/v1/id-tokens"
_ONE = f"{_ALL}/{{token}}"

ROUTES = (
    Route("GET", _ALL, get_tokens, "The site's id tokens, a page at a time; all of them as CSV.",
          answer=TokenPage, auth="admin", errors=(RequestInvalid,), query=("limit", "after")),
    Route("PUT", _ALL, put_tokens, "Take in a CSV table of id tokens, whole or not at all.",
          answer=TableTaken, auth="admin", query=("replace",), takes=CSV_TYPE,
          errors=(IdTokenListInvalid, IdTokenInvalid, MediaTypeRefused, TooLarge, RequestInvalid, StoreUnavailable)),
    Route("GET", _ONE, get_token, "One id token.", answer=AdminIdToken, auth="admin", errors=(NotFound,)),
    Route("PUT", _ONE, put_token, "List an id token, in place of what was listed of it.",
          TokenBody, AdminIdToken, auth="admin", errors=(IdTokenInvalid, StoreUnavailable)),
    Route("DELETE", _ONE, delete_token, "Take an id token off the list.",
          auth="admin", status=204, media="", errors=(NotFound, StoreUnavailable)),
)  # fmt: skip
