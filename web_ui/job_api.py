"""The JSON API of a job's link holder, the same on box and cloud. DESIGN §6 and "Contract details".

Every handler: who asks, what was sent, ask the port, answer. No rule of a job lives here. Start at `ROUTES`.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from sitelink.errors import (
    ActionUnavailable,
    AlreadyCompleted,
    ChargeActive,
    ConfirmationNeeded,
    ConnectorInvalid,
    IdentityInUse,
    IdentityInvalid,
    JobReadOnly,
    LinkEnded,
    LinkUnknown,
    NoteInvalid,
    NotFound,
    RequestInvalid,
    SiteError,
    StoreUnavailable,
    TooMany,
)
from sitelink.ids import ChargePointId, CommandId, OpId, StationKey
from sitelink.model import Command
from sitelink.states import ActionName, CommandState, LinkRole
from web_ui import live, report
from web_ui.access import (
    GATE,
    Visitor,
    jobs_of,
    open_session,
    refuse_foreign,
    set_cookie,
    visitor_of,
    writer_of,
)
from web_ui.bodies import command_id_in, read_json
from web_ui.detail_pages import FRAMES, row_of
from web_ui.routes import Route
from web_ui.surface import UNHURRIED
from web_ui.views import ChargePointView, JobView, job_view

KINDS = ("soft", "hard")
REASON_MAX_CHARACTERS = 2000
NAME_MAX_CHARACTERS = 200


class OpenSession(msgspec.Struct, forbid_unknown_fields=True):
    """The link's token, or the whole link."""

    token: str


class SessionOpened(msgspec.Struct):
    """`job` is the job's number."""

    job: str
    role: LinkRole


class EditChargePoint(msgspec.Struct, forbid_unknown_fields=True):
    """At least one field. `identity` null or "" clears it. `bases` are the op ids of the heads that were seen."""

    identity: str | UnsetType | None = UNSET
    connector: int | UnsetType = UNSET
    bases: list[str] | None = None


class RequestAction(msgspec.Struct, forbid_unknown_fields=True):
    """`command_id` made by the caller: sent again, it names the same command. `kind` (soft, hard) only for reboot."""

    action: ActionName
    command_id: UUID | None = None
    confirm: bool = False
    kind: str | None = None


class ActionRequested(msgspec.Struct):
    command_id: str


class CommandAnswer(msgspec.Struct):
    """`answer` is the station's own word, `outcome` a code for what actually changed."""

    command_id: str
    charge_point: str
    action: ActionName
    state: CommandState
    answer: str | None
    outcome: str | None
    outcome_detail: dict[str, Any]
    requested_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    late: bool


class AddNote(msgspec.Struct, forbid_unknown_fields=True):
    text: str


class Complete(msgspec.Struct, forbid_unknown_fields=True):
    """`activate_all` left out: as the job file says (`activate_by_default`)."""

    activate_all: bool | None = None
    reason: str | None = None
    name: str | None = None


class Secured(msgspec.Struct):
    """To how many charge points a key is on its way; how it goes stands in each one's `security`."""

    charge_points: int


class Swap(msgspec.Struct, forbid_unknown_fields=True):
    a: str
    b: str


class Swapped(msgspec.Struct):
    charge_points: list[ChargePointView]


# ---- session ----


async def post_session(request: web.Request) -> web.Response:
    """Exchange the token in the link's fragment for a cookie."""
    refuse_foreign(request)
    body = await read_json(request, OpenSession)
    link, cookie = open_session(request, body.token)
    number = jobs_of(request).snapshot().state.jobs[link.job].number
    response = answer(SessionOpened(number, link.role))
    set_cookie(request, response, cookie)
    return response


# ---- reading ----


async def get_job(request: web.Request) -> web.Response:
    return answer(view_of(request, visitor_of(request)))


async def get_events(request: web.Request) -> web.StreamResponse:
    """With `frames`, a row's id, also when something went over its wire: only who follows costs anything."""
    visitor = visitor_of(request)
    if not (id_ := request.query.get("frames", "")):
        return await live.stream(request, visitor)
    row = row_of(request, visitor, id_)
    state, frames = jobs_of(request).snapshot().state, request.app[FRAMES]

    def newest() -> tuple[StationKey, int]:
        station = state.charge_points[row.id].station if row.id in state.charge_points else row.station
        return station, frames.newest_frame(station)

    return await live.stream(request, visitor, live.followed(newest, f"frames:{row.id}"))


setattr(get_events, UNHURRIED, True)


async def get_command(request: web.Request) -> web.Response:
    visitor = visitor_of(request)
    command_id = command_id_in(request.match_info["command_id"])
    return answer(command_answer(await jobs_of(request).command(visitor.link.job, command_id)))


async def get_report(request: web.Request) -> web.Response:
    return answer(_record(request))


async def get_report_csv(request: web.Request) -> web.Response:
    record = _record(request)
    return web.Response(
        body=report.csv_of(record).encode("utf-8-sig"), content_type="text/csv", charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="{report.file_name(record)}.csv"'},
    )  # fmt: skip


async def get_report_html(request: web.Request) -> web.Response:
    return web.Response(text=report.html_of(_record(request)), content_type="text/html")


def _record(request: web.Request) -> dict[str, Any]:
    visitor = visitor_of(request)
    record: dict[str, Any] = msgspec.to_builtins(jobs_of(request).record(visitor.link.job))
    return record


# ---- changing ----


async def patch_charge_point(request: web.Request) -> web.Response:
    visitor = writer_of(request)
    body = await read_json(request, EditChargePoint)
    if body.identity is UNSET and body.connector is UNSET:
        raise RequestInvalid(where="body", problem="nothing_to_change", allowed="identity, connector")
    await jobs_of(request).edit(
        visitor.link.job, _row_id(request), visitor.author,
        identity=None if body.identity is UNSET else body.identity or "",
        connector=None if body.connector is UNSET else body.connector,
        bases=None if body.bases is None else [OpId(op) for op in body.bases],
    )  # fmt: skip
    return answer(row_view(request, visitor))


async def post_action(request: web.Request) -> web.Response:
    visitor = writer_of(request)
    body = await read_json(request, RequestAction)
    if body.kind is not None and (body.kind not in KINDS or body.action is not ActionName.REBOOT):
        raise RequestInvalid(where="kind", problem="not_allowed", allowed="soft or hard, with reboot")
    command_id = await request_action(
        request, visitor, body.action,
        command=CommandId(str(body.command_id)) if body.command_id else None,
        confirm=body.confirm, hard=body.kind == "hard",
    )  # fmt: skip
    return answer(ActionRequested(command_id), status=202)


async def request_action(
    request: web.Request, visitor: Visitor, action: ActionName, *, command: CommandId | None, confirm: bool, hard: bool
) -> CommandId:
    """Set a remote action going at the row of the path; one that is known already is only named again."""
    jobs, row = jobs_of(request), _row_id(request)
    if command is not None:
        try:
            return (await jobs.command(visitor.link.job, command)).id
        except NotFound:
            pass
    limit = request.app[GATE].limits.commands
    limit.take(row)
    try:
        return await jobs.act(
            visitor.link.job, row, action, visitor.author, command=command, confirm=confirm, hard=hard
        )  # fmt: skip
    except SiteError:
        limit.give_back(row)
        raise


async def post_note(request: web.Request) -> web.Response:
    visitor = writer_of(request)
    body = await read_json(request, AddNote)
    await jobs_of(request).add_note(visitor.link.job, _row_id(request), visitor.author, body.text)
    return answer(row_view(request, visitor), status=201)


async def post_complete(request: web.Request) -> web.Response:
    visitor = writer_of(request)
    body = await read_json(request, Complete)
    activate_all = body.activate_all
    if activate_all is None:
        activate_all = jobs_of(request).snapshot().state.jobs[visitor.link.job].activate_by_default
    await complete(request, visitor, activate_all=activate_all, reason=body.reason, name=body.name)
    return answer(view_of(request, visitor))


async def complete(
    request: web.Request, visitor: Visitor, *, activate_all: bool, reason: str | None, name: str | None
) -> None:
    """Complete the visitor's job. Raises RequestInvalid for texts that are too long, and what the port raises."""
    for where, text, allowed in (("reason", reason, REASON_MAX_CHARACTERS), ("name", name, NAME_MAX_CHARACTERS)):
        if text is not None and len(text) > allowed:
            raise RequestInvalid(where=where, problem="too_long", allowed=allowed)
    await jobs_of(request).complete(
        visitor.link.job, visitor.author, activate_all=activate_all, reason=reason, name=name
    )  # fmt: skip


async def post_confirm(request: web.Request) -> web.Response:
    visitor = writer_of(request)
    await jobs_of(request).confirm_station(visitor.link.job, _row_id(request), visitor.author)
    return answer(row_view(request, visitor))


async def post_swap(request: web.Request) -> web.Response:
    visitor = writer_of(request)
    body = await read_json(request, Swap)
    await jobs_of(request).swap(visitor.link.job, ChargePointId(body.a), ChargePointId(body.b), visitor.author)
    view = view_of(request, visitor)
    return answer(Swapped([row for row in view.charge_points if row.id in (body.a, body.b)]))


async def post_pair(request: web.Request) -> web.Response:
    visitor = writer_of(request)
    await jobs_of(request).pair_anew(visitor.link.job, _row_id(request), visitor.author)
    return answer(row_view(request, visitor))


async def post_secure(request: web.Request) -> web.Response:
    visitor = writer_of(request)
    return answer(Secured(await jobs_of(request).secure(visitor.link.job, visitor.author)), status=202)


async def post_pairing(request: web.Request) -> web.Response:
    visitor = writer_of(request)
    await jobs_of(request).open_pairing(visitor.link.job, visitor.author)
    return answer(view_of(request, visitor))


# ---- shapes ----


def answer(value: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")


def view_of(request: web.Request, visitor: Visitor, only: Collection[ChargePointId] | None = None) -> JobView:
    """The job as it is now; with `only`, as much as drawing these rows again needs."""
    return job_view(jobs_of(request).snapshot(), visitor.link.job, link=visitor.link, only=only)


def row_view(request: web.Request, visitor: Visitor) -> ChargePointView:
    """The row of the path as it is now. Raises NotFound."""
    row = view_of(request, visitor, {_row_id(request)}).row(_row_id(request))
    if row is None:
        raise NotFound(what="charge_point", key=_row_id(request))
    return row


def command_answer(command: Command) -> CommandAnswer:
    return CommandAnswer(
        command_id=command.id, charge_point=command.charge_point, action=command.action, state=command.state,
        answer=command.answer, outcome=command.outcome, outcome_detail=command.outcome_detail,
        requested_at=command.requested_at, answered_at=command.answered_at, ended_at=command.ended_at,
        late=command.late,
    )  # fmt: skip


def _row_id(request: web.Request) -> ChargePointId:
    return ChargePointId(request.match_info["id"])


_JOB = "/api/v1/job"
_ROW = f"{_JOB}/charge-points/{{id}}"
_WRITE = (JobReadOnly, StoreUnavailable)

ROUTES = (
    Route("POST", "/api/session", post_session, "Open a session with the link's token; sets the cookie.",
          OpenSession, SessionOpened, auth="", errors=(LinkUnknown, LinkEnded, TooMany)),
    Route("GET", _JOB, get_job, "The whole page as data.", answer=JobView),
    Route("GET", f"{_JOB}/events", get_events, "Server-sent events: which regions of the page went stale.",
          media="text/event-stream", errors=(TooMany, NotFound), query=("after", "frames")),
    Route("PATCH", _ROW, patch_charge_point, "Correct identity or connector; answers the row's new view.",
          EditChargePoint, ChargePointView,
          errors=(NotFound, IdentityInvalid, ConnectorInvalid, IdentityInUse, ChargeActive, *_WRITE)),
    Route("POST", f"{_ROW}/actions", post_action, "Set a remote action going.", RequestAction, ActionRequested, 202,
          errors=(NotFound, ActionUnavailable, ConfirmationNeeded, *_WRITE)),
    Route("GET", f"{_JOB}/commands/{{command_id}}", get_command, "How a remote action stands.", answer=CommandAnswer,
          errors=(NotFound,)),
    Route("POST", f"{_ROW}/notes", post_note, "Add an installer note; answers the row's new view.",
          AddNote, ChargePointView, 201, errors=(NotFound, NoteInvalid, *_WRITE)),
    Route("POST", f"{_ROW}/confirm", post_confirm, "The station with another serial is the right one.",
          answer=ChargePointView, errors=(NotFound, *_WRITE)),
    Route("POST", f"{_ROW}/pair", post_pair, "Let the row's station pair anew, whatever security it shows.",
          answer=ChargePointView, errors=(NotFound, *_WRITE)),
    Route("POST", f"{_JOB}/secure", post_secure, "Give every connected station of the job a key of its own.",
          answer=Secured, status=202, errors=_WRITE),
    Route("POST", f"{_JOB}/charge-points/swap", post_swap, "Exchange two rows' identities and connectors.",
          Swap, Swapped, errors=(NotFound, ChargeActive, *_WRITE)),
    Route("POST", f"{_JOB}/pairing", post_pairing, "Let new stations the job names connect for 30 minutes.",
          answer=JobView, errors=_WRITE),
    Route("POST", f"{_JOB}/complete", post_complete, "Mark the job as complete.", Complete, JobView,
          errors=(AlreadyCompleted, *_WRITE)),
    Route("GET", f"{_JOB}/report", get_report, "The commissioning record.", answer=dict[str, Any]),
    Route("GET", f"{_JOB}/report.csv", get_report_csv, "The commissioning record as a table.", media="text/csv"),
    Route("GET", f"{_JOB}/report.html", get_report_html, "The commissioning record to print.", media="text/html"),
)  # fmt: skip
