"""The team itself: its people, invitations, and the tokens of its programs. Start at `ROUTES`."""

from datetime import timedelta
from typing import Any

from aiohttp import web

from cloud_relay.console import letters
from cloud_relay.console.caller import STORE
from cloud_relay.console.drawing import drawn, gone_to, team_path
from cloud_relay.console.members import caller_here, form_of
from cloud_relay.fleet import invitations, members
from cloud_relay.fleet.ids import InvitationId, TokenId, UserId
from cloud_relay.fleet.permissions import RIGHTS
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.roles import Role
from cloud_relay.fleet.teams import find_team, new_api_token
from sitelink.errors import RequestInvalid, SiteError
from web_ui.routes import Route

READ, WRITE = "team:read", "team:write"
TOKEN_DAYS_MAX = 3650


async def get_team(request: web.Request) -> web.Response:
    return await _page(request)


async def post_name(request: web.Request) -> web.Response:
    caller, name = caller_here(request), form_of(request).get("name", "")
    return await _done(request, lambda books: members.rename_team(books, caller.act, caller.team, name), "name")


async def post_role(request: web.Request) -> web.Response:
    caller, user = caller_here(request), UserId(request.match_info["user"])
    role = _role(form_of(request).get("role", ""))
    return await _done(
        request, lambda books: members.change_role(books, caller.act, caller.team, user, role), "members"
    )


async def post_remove(request: web.Request) -> web.Response:
    caller, user = caller_here(request), UserId(request.match_info["user"])
    return await _done(request, lambda books: members.remove_member(books, caller.act, caller.team, user), "members")


async def post_invitation(request: web.Request) -> web.Response:
    """A letter where letters are sent; the link is shown in the answer and nowhere else."""
    caller, form = caller_here(request), form_of(request)
    role = _role(form.get("role", ""))

    def work(books: Books) -> str:
        team = find_team(books, caller.team)
        made, token = invitations.invite(books, caller.act, team, form.get("email", ""), role)
        url = letters.invitation_url(request, token)
        if letters.sends_letters(request):
            letters.post_invitation(books, made, team.name, url)
        return url

    try:
        url = await request.app[STORE].write(work)
    except SiteError as error:
        return await _page(request, "invitations", error, typed=form.get("email", ""))
    letters.hurry(request)
    return await _page(request, made_link=url, made_for=form.get("email", "").strip())


async def post_revoke_invitation(request: web.Request) -> web.Response:
    caller, id_ = caller_here(request), InvitationId(request.match_info["invitation"])
    return await _done(
        request, lambda books: invitations.revoke_invitation(books, caller.act, caller.team, id_), "invitations"
    )


async def post_token(request: web.Request) -> web.Response:
    """The token is shown in the answer and nowhere else."""
    caller, form = caller_here(request), form_of(request)
    scopes = [right for right in RIGHTS if f"right {right}" in form]
    days = form.get("days", "").strip()

    def work(books: Books) -> str:
        if not scopes:
            raise RequestInvalid(where="rights", problem="empty")
        ends = caller.clock.now() + timedelta(days=int(days)) if days else None
        return new_api_token(books, caller.act, find_team(books, caller.team), form.get("name", ""), scopes, ends)[1]

    try:
        if days and not (days.isascii() and days.isdecimal() and 1 <= int(days) <= TOKEN_DAYS_MAX):
            raise RequestInvalid(where="days", problem="not_allowed", allowed=f"1 to {TOKEN_DAYS_MAX}")
        token = await request.app[STORE].write(work)
    except SiteError as error:
        return await _page(request, "tokens", error)
    return await _page(request, made_token=token)


async def post_revoke_token(request: web.Request) -> web.Response:
    caller, id_ = caller_here(request), TokenId(request.match_info["token"])
    return await _done(request, lambda books: members.revoke_api_token(books, caller.act, caller.team, id_), "tokens")


async def _done(request: web.Request, work: Any, where: str) -> web.Response:
    """What was done, or the page again with what went wrong in that part."""
    try:
        await request.app[STORE].write(work)
    except SiteError as error:
        if error.http_status == 404:
            raise
        return await _page(request, where, error)
    return gone_to(team_path(request, "/team"))


async def _page(request: web.Request, where: str = "", problem: SiteError | None = None, **made: str) -> web.Response:
    caller = caller_here(request)
    now = caller.clock.now()

    def work(books: Books) -> tuple[Any, ...]:
        return (
            books.accounts.members_of(caller.team), invitations.open_invitations(books, caller.team, now),
            books.tokens.of_team(caller.team),
        )  # fmt: skip

    people, invited, tokens = await request.app[STORE].read(work)
    shown = {"typed": "", "made_link": "", "made_for": "", "made_token": "", **made}
    return drawn(
        request, "team", here="team", people=people, invited=invited, tokens=tokens, roles=list(Role), rights=RIGHTS,
        may_write=caller.may(WRITE), sends=letters.sends_letters(request), wrong=where,
        status=problem.http_status if problem else 200, problem=problem.code if problem else None,
        fields=problem.fields if problem else {}, **shown,
    )  # fmt: skip


def _role(text: str) -> Role:
    if text not in list(Role):
        raise RequestInvalid(where="role", problem="not_allowed", allowed=", ".join(Role))
    return Role(text)


def _route(method: str, path: str, handler: Any, summary: str) -> Route:
    scope = READ if method == "GET" else WRITE
    return Route(method, f"/t/{{team}}/team{path}", handler, summary, media="text/html", auth="member", scope=scope)


ROUTES = (
    _route("GET", "", get_team, "People, invitations and tokens."),
    _route("POST", "/name", post_name, "Another name for the team."),
    _route("POST", "/members/{user}/role", post_role, "Another role for somebody."),
    _route("POST", "/members/{user}/remove", post_remove, "Out of the team."),
    _route("POST", "/invitations", post_invitation, "Invite somebody."),
    _route("POST", "/invitations/{invitation}/revoke", post_revoke_invitation, "Take an invitation back."),
    _route("POST", "/tokens", post_token, "A token for a program."),
    _route("POST", "/tokens/{token}/revoke", post_revoke_token, "End a token."),
)
