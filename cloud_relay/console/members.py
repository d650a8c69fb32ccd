"""Pages for members of a team: who asks is known and allowed before a handler runs. Start at `admitted`.

Below `/t/{team}`: whoever is not signed in goes to sign in and comes back; a team one does not belong to is not there.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import quote

from aiohttp import web

from cloud_relay.console.browser import refuse_forgery, visit_of
from cloud_relay.console.caller import Caller
from cloud_relay.fleet.acts import Actor, ActorKind
from cloud_relay.fleet.permissions import OF_ROLE
from sitelink.errors import NotFound, PermissionMissing, SignInNeeded
from web_ui.access import CSRF_FIELD, GATE
from web_ui.bodies import FORM_TYPE, read_form
from web_ui.limits import address_key
from web_ui.routes import Route
from web_ui.surface import wants_json

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CALLER: web.RequestKey[Caller] = web.RequestKey("caller")
FORM: web.RequestKey[dict[str, str]] = web.RequestKey("form")
SAFE = ("GET", "HEAD")


def caller_here(request: web.Request) -> Caller:
    """The member who asks, in a handler of a route with auth "member"."""
    return request[CALLER]


def form_of(request: web.Request) -> dict[str, str]:
    """What was sent with a form; read and known to come from our own page."""
    return request[FORM]


def admitted(route: Route) -> Route:
    """The route, with its handler behind the door."""
    return replace(route, handler=_behind_the_door(route)) if route.auth in ("member", "person") else route


def _behind_the_door(route: Route) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        visit = await visit_of(request)
        if visit is None or not visit.is_whole:
            return _to_sign_in(request)
        if request.method not in SAFE:
            request[FORM] = await read_form(request) if _is_form(request) else {}
            refuse_forgery(request, visit, request[FORM].get(CSRF_FIELD) if _is_form(request) else None)
            request.app[GATE].limits.writes.take(visit.session.id)
        if route.auth == "person":
            return await route.handler(request)
        named = request.match_info["team"]
        member = next((each for each in visit.memberships if each.team.id == named), None)
        if member is None:
            raise NotFound(what="team", key=named)
        request[CALLER] = Caller(
            team=member.team.id, team_name=member.team.name,
            actor=Actor(ActorKind.USER, visit.user.id, visit.user.email), rights=OF_ROLE[member.role],
            name=visit.user.name, ip=address_key(request.remote), clock=request.app[GATE].clock,
        )  # fmt: skip
        if not request[CALLER].may(route.scope):
            raise PermissionMissing(right=route.scope, role=member.role.value)
        return await route.handler(request)

    return handle


def _is_form(request: web.Request) -> bool:
    return request.content_type in (FORM_TYPE, "multipart/form-data")


def _to_sign_in(request: web.Request) -> web.Response:
    """Raises SignInNeeded where a script asks, or a form was sent: neither can be brought back."""
    if request.method not in SAFE or wants_json(request) or "text/event-stream" in request.headers.get("Accept", ""):
        raise SignInNeeded(reason="console")
    return web.Response(status=303, headers={"Location": f"/sign-in?next={quote(request.path_qs, safe='')}"})
