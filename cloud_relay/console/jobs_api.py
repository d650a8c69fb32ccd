"""The operator API of installer jobs. DESIGN §6; UX §1.2 for the verbs. Start at `ROUTES`.

What is changed here is in the site's log when the call returns, and goes to the box from there.
"""

from typing import Any

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from cloud_relay.console.caller import STORE, Caller, caller_of
from cloud_relay.console.job_work import held_here, job_id, place_here, sync_here, view_for
from cloud_relay.console.operator_api import GATEWAYS, cursor_of, page_of
from cloud_relay.fleet.ids import new_id
from cloud_relay.fleet.jobs import LINK_DAYS, make_job, make_link, next_number
from cloud_relay.fleet.log_records import Listed, Place
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.sites import find_site
from sitelink import job_rules as rules
from sitelink.decisions import Decide
from sitelink.errors import (
    ActionUnavailable,
    AlreadyCompleted,
    ChargeActive,
    ConfirmationNeeded,
    GatewayOffline,
    IdentityInUse,
    IdentityInvalid,
    JobExists,
    JobFileInvalid,
    JobReadOnly,
    NoAnswer,
    NoteInvalid,
    NotFound,
    RequestInvalid,
    error_of,
)
from sitelink.ids import ChargePointId, CommandId, JobId
from sitelink.job_file import JobFile, job_file_of
from sitelink.states import ActionName, JobStatus, LinkRole
from web_ui.bodies import read_json
from web_ui.job_api import answer
from web_ui.routes import Route

BASE = "/api/v1/installer-jobs"
PUBLIC_URL: web.AppKey[str] = web.AppKey("public_url", str)


class NewJob(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """`chargePoints` as in the job file. Without `number` the next free one is taken."""

    site_id: str
    description: str | None = None
    instructions: str | None = None
    charge_points: list[dict[str, Any]] = []
    activate_by_default: bool = True
    open_pairing: bool = True
    number: str | None = None
    contact: str | None = None


class NewJobAnswer(msgspec.Struct):
    id: str
    number: str


class Jobs(msgspec.Struct):
    items: list[Listed]
    next: str | None = None


class NewLink(msgspec.Struct, forbid_unknown_fields=True):
    """`days`: how long it is good, at most 180."""

    role: LinkRole = LinkRole.INSTALLER
    days: int = LINK_DAYS


class NewLinkAnswer(msgspec.Struct):
    """The token is shown only here. `box_url` null: the box has not said how it is reached on site."""

    url: str
    token: str
    box_url: str | None = None


class ChangeChargePoint(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Exactly one of `serialNumber` (with `connector`, where it changes too), `note` and `isActive`."""

    serial_number: str | UnsetType | None = UNSET
    connector: int | UnsetType = UNSET
    note: str | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class MarkComplete(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    activate_all: bool | None = None
    reason: str | None = None


class RequestAction(msgspec.Struct, forbid_unknown_fields=True):
    action: ActionName
    command_id: str | None = None
    confirm: bool = False
    kind: str | None = None


class ActionSent(msgspec.Struct):
    """The box has written it down and tells the charge point; what comes of it stands in the job."""

    command_id: str


async def post_job(request: web.Request) -> web.Response:
    caller = await caller_of(request, "installer-jobs:write")
    body = await read_json(request, NewJob)
    place, number = await request.app[STORE].read(lambda books: _where(books, caller, body))
    file = _file(body, place[1], number)
    job = await request.app[GATEWAYS].work(place[0], lambda desk: make_job(desk, file, caller.author))
    return answer(NewJobAnswer(job, number), status=201)


def _where(books: Books, caller: Caller, body: NewJob) -> tuple[tuple[Place, str], str]:
    site = find_site(books, caller.team, body.site_id)
    return (Place(caller.team, caller.team_name, site.id), site.name), body.number or next_number(books, caller.team)


def _file(body: NewJob, site_name: str, number: str) -> JobFile:
    """Raises JobFileInvalid naming the row and the field."""
    return job_file_of(
        {
            "number": number, "site": {"name": site_name}, "description": body.description,
            "instructions": body.instructions, "charge_points": body.charge_points, "contact": body.contact,
            "activate_by_default": body.activate_by_default, "open_pairing": body.open_pairing,
        }
    )  # fmt: skip


async def get_jobs(request: web.Request) -> web.Response:
    """Newest first; `status` and `site` narrow the list."""
    caller = await caller_of(request, "installer-jobs:read")
    limit, after = page_of(request)
    status, site = request.query.get("status", ""), request.query.get("site", "")
    if status and status not in [each.value for each in JobStatus]:
        raise RequestInvalid(where="status", problem="not_allowed", allowed=", ".join(JobStatus))
    found = await request.app[STORE].read(
        lambda books: books.logs.jobs(caller.team, after=after, limit=limit + 1, status=status, site=site)
    )
    last = found[limit - 1] if len(found) > limit else None
    return answer(Jobs(list(found[:limit]), cursor_of(last.created_at, last.id) if last is not None else None))


async def get_job(request: web.Request) -> web.Response:
    caller = await caller_of(request, "installer-jobs:read")
    return answer(await _view(request, caller))


async def get_charge_points(request: web.Request) -> web.Response:
    caller = await caller_of(request, "installer-jobs:read")
    view = await _view(request, caller)
    return answer({"items": view["charge_points"], "next": None})


async def patch_charge_point(request: web.Request) -> web.Response:
    caller = await caller_of(request, "installer-jobs:write")
    body = await read_json(request, ChangeChargePoint)
    job, row = job_id(request), ChargePointId(request.match_info["charge_point"])
    await _decide(request, caller, _change(body, job, row, caller))
    view = await _view(request, caller)
    return answer(next(each for each in view["charge_points"] if each["id"] == row))


def _change(body: ChangeChargePoint, job: JobId, row: ChargePointId, caller: Caller) -> Decide[Any]:
    """Raises RequestInvalid, IdentityInvalid, NoteInvalid."""
    given = [name for name in ("serial_number", "note", "is_active") if getattr(body, name) is not UNSET]
    alone = body.connector is not UNSET and not given
    if len(given) + alone != 1 or (body.connector is not UNSET and given not in ([], ["serial_number"])):
        raise RequestInvalid(where="body", problem="not_one", allowed="serialNumber (+ connector), note or isActive")
    if not isinstance(body.note, UnsetType):
        return rules.decide_note(job, row, caller.author, body.note, by_operator=True)
    if not isinstance(body.is_active, UnsetType):
        return rules.decide_row_activity(job, row, caller.author, active=body.is_active)
    identity = None if isinstance(body.serial_number, UnsetType) else body.serial_number or ""
    connector = None if isinstance(body.connector, UnsetType) else body.connector
    return rules.decide_edit(job, row, caller.author, identity=identity, connector=connector)


async def post_link(request: web.Request) -> web.Response:
    caller = await caller_of(request, "installer-jobs:write")
    body = await read_json(request, NewLink)
    if body.role is LinkRole.ADMIN:
        raise RequestInvalid(where="role", problem="not_allowed", allowed="installer, read")
    job, place = job_id(request), await place_here(request, caller)
    token = await request.app[GATEWAYS].work(
        place, lambda desk: make_link(desk, job, caller.author, role=body.role, days=body.days)
    )
    return answer(NewLinkAnswer(f"{request.app[PUBLIC_URL]}/j#{token}", token), status=201)


async def post_mark_complete(request: web.Request) -> web.Response:
    caller = await caller_of(request, "installer-jobs:write")
    body = await read_json(request, MarkComplete)
    job, held = job_id(request), await held_here(request, caller)
    activate_all = body.activate_all
    if activate_all is None:
        activate_all = held[1].state.jobs[job].activate_by_default
    decide = rules.decide_complete(job, caller.author, activate_all=activate_all, reason=body.reason, name=caller.name)
    await _decide(request, caller, decide)
    return answer(await _view(request, caller))


async def post_archive(request: web.Request) -> web.Response:
    caller = await caller_of(request, "installer-jobs:write")
    await _decide(request, caller, rules.decide_archive(job_id(request), caller.author))
    return answer(await _view(request, caller))


async def post_reopen(request: web.Request) -> web.Response:
    caller = await caller_of(request, "installer-jobs:write")
    await _decide(request, caller, rules.decide_reopen(job_id(request), caller.author))
    return answer(await _view(request, caller))


async def post_action(request: web.Request) -> web.Response:
    """Now or not at all: an order for a box that is away is refused, never kept."""
    caller = await caller_of(request, "charge-points:command")
    body = await read_json(request, RequestAction)
    job, row = job_id(request), ChargePointId(request.match_info["charge_point"])
    place, held = await held_here(request, caller)
    rules.row_of(held.state, rules.job_of(held.state, job), row)
    gateways = request.app[GATEWAYS]
    command = CommandId(body.command_id or new_id())
    arguments = {"job": job, "charge_point": row, "confirm": body.confirm, "kind": body.kind}
    ack = await gateways.order(
        await gateways.gateway_of(place.site), body.action.value, arguments, caller.name, command
    )
    if ack.code is not None:
        raise error_of(ack.code, ack.fields)
    return answer(ActionSent(command), status=202)


# ---- what they share ----


async def _decide(request: web.Request, caller: Caller, decide: Decide[Any]) -> None:
    await request.app[GATEWAYS].decide(await place_here(request, caller), decide)


async def _view(request: web.Request, caller: Caller) -> dict[str, Any]:
    """The same view as the link's holder sees, and how far it goes."""
    place, held = await held_here(request, caller)
    sync = await sync_here(request, place, held)
    view: dict[str, Any] = msgspec.to_builtins(view_for(held, sync, job_id(request), caller.clock.now()))
    return {"id": job_id(request), **view, "sync": msgspec.to_builtins(sync)}


def _route(method: str, path: str, handler: Any, summary: str, **more: Any) -> Route:
    scope = more.pop("scope", "installer-jobs:write" if method != "GET" else "installer-jobs:read")
    errors = (NotFound, *more.pop("errors", ()))
    return Route(method, BASE + path, handler, summary, auth="team", scope=scope, errors=errors, **more)


_EDITS = (IdentityInvalid, IdentityInUse, ChargeActive, JobReadOnly, NoteInvalid)
_ORDERS = (ActionUnavailable, ConfirmationNeeded, GatewayOffline, NoAnswer)
_VIEW = dict[str, Any]
ROUTES = (
    _route("POST", "", post_job, "A new job.", body=NewJob, answer=NewJobAnswer, status=201,
           errors=(JobFileInvalid, JobExists)),
    _route("GET", "", get_jobs, "The team's jobs.", answer=Jobs, query=("limit", "cursor", "status", "site")),
    _route("GET", "/{job}", get_job, "A job as its link's holder sees it.", answer=_VIEW),
    _route("GET", "/{job}/charge-points", get_charge_points, "Its charge points.", answer=_VIEW),
    _route("PATCH", "/{job}/charge-points/{charge_point}", patch_charge_point, "Change one.", body=ChangeChargePoint,
           answer=_VIEW, errors=_EDITS),
    _route("POST", "/{job}/charge-points/{charge_point}/actions", post_action, "Start, stop, unlock or reboot.",
           body=RequestAction, answer=ActionSent, status=202, scope="charge-points:command", errors=_ORDERS),
    _route("POST", "/{job}/links", post_link, "A link for the installer.", body=NewLink, answer=NewLinkAnswer,
           status=201),
    _route("POST", "/{job}/mark-complete", post_mark_complete, "Complete it.", body=MarkComplete, answer=_VIEW,
           errors=(AlreadyCompleted, JobReadOnly)),
    _route("POST", "/{job}/archive", post_archive, "Put it away.", answer=_VIEW),
    _route("POST", "/{job}/reopen", post_reopen, "Open it again.", answer=_VIEW),
)  # fmt: skip
