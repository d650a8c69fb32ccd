"""The team's audit log, for people, for programs and as a table. Start at `get_audit`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from cloud_relay.console.caller import STORE, caller_of
from cloud_relay.console.drawing import drawn
from cloud_relay.console.members import caller_here
from cloud_relay.console.operator_api import page_of
from cloud_relay.fleet.audit import AUDITED
from cloud_relay.fleet.ids import TeamId
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import AuditEntry
from cloud_relay.fleet.site_audit import KINDS
from sitelink.errors import RequestInvalid
from web_ui.job_api import answer
from web_ui.report import lines_csv, table_csv
from web_ui.routes import Route

SHOWN = 50
CSV_ROWS_AT_ONCE = 1000
FIELDS = ("at", "actor_kind", "actor_name", "ip", "kind", "target_kind", "target_id", "target_name")


class Asked(msgspec.Struct, frozen=True):
    """What the address narrows the log by; `since` and `until` are days, or ""."""

    actor: str = ""
    kind: str = ""
    text: str = ""
    since: str = ""
    until: str = ""


class AuditEntryView(msgspec.Struct):
    """`before` and `after` hold what changed, never a secret. `seq`: its place in the log of the cloud."""

    seq: int
    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str
    ip: str
    kind: str
    target_kind: str
    target_id: str
    target_name: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


class AuditAnswer(msgspec.Struct):
    """`next` goes into `before` of the next call; null: these were the last."""

    items: list[AuditEntryView]
    next: str | None = None


def asked_of(request: web.Request) -> Asked:
    given = {name: request.query.get(name, "").strip()[:100] for name in Asked.__struct_fields__}
    return Asked(**given)


def entries(books: Books, team: TeamId, asked: Asked, *, before: int | None, limit: int) -> Sequence[AuditEntry]:
    """Newest first. Raises RequestInvalid for a day that is none."""
    until = _day(asked.until, "until")
    return books.audit.page(
        team, before=before, limit=limit, actor=asked.actor, kind=asked.kind, text=asked.text,
        since=_day(asked.since, "since"), until=until + timedelta(days=1) if until else None,
    )  # fmt: skip


def before_of(request: web.Request) -> int | None:
    text = request.query.get("before", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


async def get_audit(request: web.Request) -> web.Response:
    caller, asked, before = caller_here(request), asked_of(request), before_of(request)
    problem: RequestInvalid | None = None
    found: Sequence[AuditEntry] = ()
    try:
        found = await request.app[STORE].read(
            lambda books: entries(books, caller.team, asked, before=before, limit=SHOWN + 1)
        )
    except RequestInvalid as error:
        problem = error
    query = {name: value for name, value in msgspec.structs.asdict(asked).items() if value}
    following = f"?{urlencode({**query, 'before': found[SHOWN - 1].seq})}" if len(found) > SHOWN else ""
    return drawn(
        request, "audit", here="audit", lines_of=lines_of, words=kind_words, entries=found[:SHOWN],
        asked=asked, kinds=kinds(), following=following,
        table=f"audit.csv?{urlencode(query)}", status=problem.http_status if problem else 200,
        problem=problem.code if problem else None, fields=problem.fields if problem else {}, narrowed=bool(query),
        wrong=problem.fields.get("where") if problem else "", is_first=before is None,
        first=f"?{urlencode(query)}" if query else f"/t/{caller.team}/audit",
    )  # fmt: skip


async def get_csv(request: web.Request) -> web.StreamResponse:
    """All that is found, however much that is."""
    caller, asked = caller_here(request), asked_of(request)
    found = await _some(request, caller.team, asked, None)
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    response = web.StreamResponse(headers={**headers, "Content-Type": "text/csv; charset=utf-8"})
    await response.prepare(request)
    await response.write(table_csv([*FIELDS, "before", "after"], map(_cells, found)).encode("utf-8-sig"))
    while len(found) == CSV_ROWS_AT_ONCE:
        found = await _some(request, caller.team, asked, found[-1].seq)
        await response.write(lines_csv(map(_cells, found)).encode())
    await response.write_eof()
    return response


async def _some(request: web.Request, team: TeamId, asked: Asked, before: int | None) -> Sequence[AuditEntry]:
    return await request.app[STORE].read(
        lambda books: entries(books, team, asked, before=before, limit=CSV_ROWS_AT_ONCE)
    )


async def get_entries(request: web.Request) -> web.Response:
    """For programs: newest first, narrowed as the page is."""
    caller, asked, before = await caller_of(request, "audit:read"), asked_of(request), before_of(request)
    limit, _ = page_of(request)
    found = await request.app[STORE].read(
        lambda books: entries(books, caller.team, asked, before=before, limit=limit + 1)
    )
    following = str(found[limit - 1].seq) if len(found) > limit else None
    return answer(AuditAnswer([_view(each) for each in found[:limit]], following))


def _view(entry: AuditEntry) -> AuditEntryView:
    return AuditEntryView(**{name: getattr(entry, name) for name in AuditEntryView.__struct_fields__})


def _cells(entry: AuditEntry) -> list[str]:
    at = entry.at.astimezone(UTC).isoformat(timespec="seconds")
    return [at, *(str(getattr(entry, name)) for name in FIELDS[1:]), _json(entry.before), _json(entry.after)]


def kinds() -> dict[str, dict[str, str]]:
    """What may be chosen, in words: groups ("job.") with their kinds."""
    found: dict[str, dict[str, str]] = {}
    for kind in sorted({*AUDITED, *KINDS.values()}):
        found.setdefault(f"{kind.partition('.')[0]}.", {})[kind] = kind_words(kind)
    return found


def kind_words(kind: str) -> str:
    """ "team.created" is "team created"."""
    return kind.replace(".", " ").replace("_", " ")


def lines_of(entry: AuditEntry) -> list[tuple[str, str, str]]:
    """What changed: its name, what it was, what it is; "" where there was or is nothing."""
    names = sorted({*entry.before, *entry.after})
    return [(name.replace("_", " "), _said(entry.before.get(name)), _said(entry.after.get(name))) for name in names]


def _said(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_said(each) for each in value)
    return _json(value) if isinstance(value, dict) else str(value)


def _json(values: Any) -> str:
    return msgspec.json.encode(values).decode() if values else ""


def _day(text: str, where: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise RequestInvalid(where=where, problem="no_day") from error


def _route(path: str, handler: Any, summary: str, media: str) -> Route:
    return Route("GET", f"/t/{{team}}/{path}", handler, summary, media=media, auth="member", scope="audit:read")


ROUTES = (
    _route("audit", get_audit, "The audit log.", "text/html"),
    _route("audit.csv", get_csv, "The same as a table.", "text/csv"),
)
API_ROUTES = (
    Route("GET", "/api/v1/audit", get_entries, "The audit log, newest first.", auth="team", scope="audit:read",
          answer=AuditAnswer, query=("limit", "before", *Asked.__struct_fields__), errors=(RequestInvalid,)),
)  # fmt: skip
