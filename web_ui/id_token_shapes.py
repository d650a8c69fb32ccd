"""The list of id tokens as the APIs of box and cloud show and take it. Start at `id_token_view`, `table_of_body`."""

from datetime import datetime

import msgspec
from aiohttp import web

from sitelink.errors import IdTokenListInvalid, MediaTypeRefused, RequestInvalid, TooLarge
from sitelink.model import IdToken
from sitelink.states import AuthorizationStatus, IdTokenSource, IdTokenType

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


def id_token_view(token: IdToken) -> AdminIdToken:
    return AdminIdToken(
        token=token.id_token, status=token.status, type=token.type, expires=token.expires, parent=token.group,
        charge_points=list(token.charge_points), note=token.note, source=token.source, changed_at=token.changed_at,
    )  # fmt: skip


def csv_answer(table: str) -> web.Response:
    """The whole list, as a file."""
    return web.Response(
        body=table.encode(), content_type=CSV_TYPE, charset="utf-8",
        headers={"Content-Disposition": 'attachment; filename="id-tokens.csv"'},
    )  # fmt: skip


async def table_of_body(request: web.Request) -> tuple[str, bool]:
    """The table that was sent, and whether it is to replace what is listed.

    Raises MediaTypeRefused, RequestInvalid, IdTokenListInvalid, TooLarge.
    """
    if request.content_type != CSV_TYPE:
        raise MediaTypeRefused(found=request.headers.get("Content-Type", ""), allowed=CSV_TYPE)
    replace = request.query.get("replace", "false")
    if replace not in ("true", "false"):
        raise RequestInvalid(where="replace", problem="not_allowed", allowed="true, false")
    try:
        return (await _read_table(request)).decode("utf-8"), replace == "true"
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise IdTokenListInvalid(lines=[{"line": line, "where": "line", "problem": "not_utf8"}], count=1) from error


async def _read_table(request: web.Request) -> bytes:
    """More than other requests may send. Raises TooLarge."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > TABLE_MAX_BYTES:
            raise TooLarge(allowed_bytes=TABLE_MAX_BYTES)
    return bytes(body)
