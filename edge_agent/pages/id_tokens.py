"""The site's list of id tokens over HTTP, for an operator's tool. DESIGN §6 `/api/v1/id-tokens`.

Tokens stand here in full; only a token of the box opens it. Start at `ROUTES`.
"""

from datetime import datetime
from typing import Any

import msgspec
from aiohttp import hdrs, web

from edge_agent.pages.admin import authorise
from edge_agent.pages.ports import IdTokens
from edge_agent.site.id_token_rules import TokenEntry
from sitelink.errors import (
    IdTokenInvalid,
    IdTokenListInvalid,
    MediaTypeRefused,
    NotFound,
    RequestInvalid,
    StoreUnavailable,
    TooLarge,
)
from sitelink.model import IdToken
from sitelink.states import AuthorizationStatus, IdTokenSource, IdTokenType
from web_ui.bodies import read_json
from web_ui.job_api import answer
from web_ui.routes import Route

ID_TOKENS: web.AppKey[IdTokens] = web.AppKey("id_tokens")
PAGE_MAX = 1000
TABLE_MAX_BYTES = 2 * 1024 * 1024
CSV_TYPE = "text/csv"


class AdminIdToken(msgspec.Struct):
    """`parent` is the group's token, `charge_points` the only ones it may charge at (none: all)."""

    token: str
    status: AuthorizationStatus
    type: IdTokenType | None
    expires: datetime | None
    parent: str | None
    charge_points: list[str]
    note: str
    source: IdTokenSource
    changed_at: datetime


class TokenPage(msgspec.Struct):
    """`next`: pass it as `after` for the rest; null at the end."""

    id_tokens: list[AdminIdToken]
    total: int
    next: str | None


class TokenBody(msgspec.Struct, forbid_unknown_fields=True):
    status: str = "Accepted"
    type: str | None = None
    expires: str | None = None
    parent: str | None = None
    charge_points: list[str] = []
    note: str = ""


class TableTaken(msgspec.Struct):
    """`unknown_charge_points` only where the table names some that neither a job nor a call has named."""

    listed: int
    unchanged: int
    removed: int
    total: int
    unknown_charge_points: list[str] = []


async def get_tokens(request: web.Request) -> web.Response:
    """A page of the list as JSON; the whole as CSV for who accepts text/csv."""
    authorise(request)
    tokens = request.app[ID_TOKENS]
    if CSV_TYPE in request.headers.get(hdrs.ACCEPT, ""):
        return web.Response(
            body=tokens.table().encode(), content_type=CSV_TYPE, charset="utf-8",
            headers={"Content-Disposition": 'attachment; filename="id-tokens.csv"'},
        )  # fmt: skip
    limit = request.query.get("limit", "200")
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:9]) <= PAGE_MAX):
        raise RequestInvalid(where="limit", problem="not_allowed", allowed=f"1 to {PAGE_MAX}")
    found, total = tokens.page(int(limit) + 1, request.query.get("after"))
    shown = [_shown(each) for each in found[: int(limit)]]
    return answer(TokenPage(shown, total, found[int(limit) - 1].id if len(found) > int(limit) else None))


async def put_tokens(request: web.Request) -> web.Response:
    """Take a table in, whole or not at all."""
    authorise(request)
    if request.content_type != CSV_TYPE:
        raise MediaTypeRefused(found=request.headers.get("Content-Type", ""), allowed=CSV_TYPE)
    replace = request.query.get("replace", "false")
    if replace not in ("true", "false"):
        raise RequestInvalid(where="replace", problem="not_allowed", allowed="true, false")
    try:
        text = (await _read_table(request)).decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise IdTokenListInvalid(lines=[{"line": line, "where": "line", "problem": "not_utf8"}], count=1) from error
    return answer(await request.app[ID_TOKENS].read_table(text, replace=replace == "true"))


async def _read_table(request: web.Request) -> bytes:
    """More than other requests may send. Raises TooLarge."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > TABLE_MAX_BYTES:
            raise TooLarge(allowed_bytes=TABLE_MAX_BYTES)
    return bytes(body)


async def get_token(request: web.Request) -> web.Response:
    authorise(request)
    return answer(_shown(request.app[ID_TOKENS].find(request.match_info["token"])))


async def put_token(request: web.Request) -> web.Response:
    """What is said replaces all that was listed of the token."""
    authorise(request)
    body = await read_json(request, TokenBody)
    given: dict[str, Any] = msgspec.structs.asdict(body)
    return answer(_shown(await request.app[ID_TOKENS].put(TokenEntry(token=request.match_info["token"], **given))))


async def delete_token(request: web.Request) -> web.Response:
    authorise(request)
    await request.app[ID_TOKENS].remove(request.match_info["token"])
    return web.Response(status=204)


def _shown(token: IdToken) -> AdminIdToken:
    return AdminIdToken(
        token=token.id_token, status=token.status, type=token.type, expires=token.expires, parent=token.group,
        charge_points=list(token.charge_points), note=token.note, source=token.source, changed_at=token.changed_at,
    )  # fmt: skip


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
