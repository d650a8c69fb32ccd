"""The team itself: its people, invitations, and the tokens of its programs. Start at `ROUTES`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web

from cloud_relay.console import letters
from cloud_relay.console.browser import VISIT
from cloud_relay.console.caller import STORE
from cloud_relay.console.drawing import drawn, gone_to, team_path
from cloud_relay.console.members import caller_here, form_of
from cloud_relay.fleet import invitations, members, post
from cloud_relay.fleet.ids import InvitationId, TeamId, TokenId, UserId
from cloud_relay.fleet.permissions import RIGHTS, may
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Invitation, Mail
from cloud_relay.fleet.roles import Role
from cloud_relay.fleet.teams import find_team, new_api_token
from sitelink.errors import RequestInvalid, SiteError
from web_ui.routes import Route

READ, WRITE = "team:read", "team:write"
TOKEN_DAYS_MAX = 3650


class RoleWords(msgspec.Struct, frozen=True):
    name: str
    may: str


ROLE_WORDS: dict[str, RoleWords] = {
    Role.ADMIN.value: RoleWords("Admin", "Everything, also people, tokens and webhooks."),
    Role.OPERATOR.value: RoleWords("Operator", "Sites, boxes, jobs and orders to charge points; reads the audit log."),
    Role.SUPPORT.value: RoleWords("Support", "Reads sites, boxes, jobs and the team; changes nothing."),
    Role.AUDITOR.value: RoleWords("Auditor", "Reads sites, boxes, jobs and the audit log; changes nothing."),
}
RIGHT_WORDS = {
    "sites:read": "read sites and boxes", "sites:write": "change sites and boxes", "installer-jobs:read": "read jobs",
    "installer-jobs:write": "change jobs", "charge-points:command": "give orders to charge points",
    "audit:read": "read the audit log", "webhooks:write": "change webhooks", "team:read": "read the team",
    "team:write": "change the team",
}  # fmt: skip
LETTER_WORDS = {
    post.SENT: "sent", post.REFUSED: "refused: is the address right?", post.GIVEN_UP: "not taken within a day",
}  # fmt: skip


class Typed(msgspec.Struct, frozen=True):
    """What stood in the forms when something was wrong with it. `scopes`: None where nothing was ticked yet."""

    name: str = ""
    email: str = ""
    role: str = ""
    token_name: str = ""
    days: str = ""
    scopes: list[str] | None = None


async def get_team(request: web.Request) -> web.Response:
    return await _page(request)


async def post_name(request: web.Request) -> web.Response:
    caller, name = caller_here(request), form_of(request).get("name", "")
    return await _done(
        request, lambda books: members.rename_team(books, caller.act, caller.team, name), "name", Typed(name=name)
    )


async def post_role(request: web.Request) -> web.Response:
    caller, user = caller_here(request), UserId(request.match_info["user"])
    role = _role(form_of(request).get("role", ""))
    here = "/team" if user != request[VISIT].user.id or may(role, READ) else ""
    return await _done(
        request, lambda books: members.change_role(books, caller.act, caller.team, user, role), f"role-{user}",
        there=team_path(request, here),
    )  # fmt: skip


async def post_remove(request: web.Request) -> web.Response:
    """Also oneself: one leaves."""
    caller, user = caller_here(request), UserId(request.match_info["user"])
    return await _done(
        request, lambda books: members.remove_member(books, caller.act, caller.team, user), f"role-{user}",
        there="/" if user == request[VISIT].user.id else "",
    )  # fmt: skip


async def post_invitation(request: web.Request) -> web.Response:
    """A letter where letters are sent; the link is shown in the answer and nowhere else."""
    caller, form = caller_here(request), form_of(request)
    typed = Typed(email=form.get("email", ""), role=form.get("role", ""))

    def work(books: Books) -> str:
        team = find_team(books, caller.team)
        made, token = invitations.invite(books, caller.act, team, typed.email, _role(typed.role))
        url = letters.invitation_url(request, token)
        if letters.sends_letters(request):
            letters.post_invitation(books, made, team.name, url)
        return url

    try:
        url = await request.app[STORE].write(work)
    except SiteError as error:
        return await _page(request, "role" if error.fields.get("where") == "role" else "email", error, typed)
    letters.hurry(request)
    return await _page(request, made_link=url, made_for=typed.email.strip())


async def post_revoke_invitation(request: web.Request) -> web.Response:
    caller, id_ = caller_here(request), InvitationId(request.match_info["invitation"])
    return await _done(request, lambda books: invitations.revoke_invitation(books, caller.act, caller.team, id_))


async def post_token(request: web.Request) -> web.Response:
    """The token is shown in the answer and nowhere else."""
    caller, form = caller_here(request), form_of(request)
    scopes, days = [right for right in RIGHTS if f"right {right}" in form], form.get("days", "").strip()
    typed = Typed(token_name=form.get("name", ""), days=days, scopes=scopes)

    def work(books: Books) -> str:
        if not scopes:
            raise RequestInvalid(where="rights", problem="empty")
        ends = caller.clock.now() + timedelta(days=int(days)) if days else None
        return new_api_token(books, caller.act, find_team(books, caller.team), typed.token_name, scopes, ends)[1]

    try:
        if days and not (days.isascii() and days.isdecimal() and 1 <= int(days) <= TOKEN_DAYS_MAX):
            raise RequestInvalid(where="days", problem="not_allowed", allowed=f"1 to {TOKEN_DAYS_MAX}")
        token = await request.app[STORE].write(work)
    except RequestInvalid as error:
        where = str(error.fields.get("where"))
        return await _page(request, where if where in ("days", "rights") else "token-name", error, typed)
    return await _page(request, made_token=token)


async def post_revoke_token(request: web.Request) -> web.Response:
    caller, id_ = caller_here(request), TokenId(request.match_info["token"])
    return await _done(request, lambda books: members.revoke_api_token(books, caller.act, caller.team, id_))


async def _done(
    request: web.Request, work: Any, where: str = "", typed: Typed | None = None, *, there: str = ""
) -> web.Response:
    """What was done, shown on the page or `there`; or the page again with what is wrong with the field `where`."""
    try:
        await request.app[STORE].write(work)
    except SiteError as error:
        if error.http_status == 404:
            raise
        return await _page(request, where, error, typed)
    return gone_to(there or team_path(request, "/team?saved=saved"))


async def _page(
    request: web.Request, where: str = "", problem: SiteError | None = None, typed: Typed | None = None, **made: str
) -> web.Response:
    """`where`: the id of the field something is wrong with."""
    caller = caller_here(request)
    now = caller.clock.now()

    def work(books: Books) -> tuple[Any, ...]:
        return (
            books.accounts.members_of(caller.team),
            _invited(books, caller.team, now),
            books.tokens.of_team(caller.team),
        )

    people, invited, tokens = await request.app[STORE].read(work)
    shown = {"made_link": "", "made_for": "", "made_token": "", **made}
    return drawn(
        request, "team", here="team", people=people, invited=invited, tokens=tokens, roles=ROLE_WORDS,
        rights=RIGHT_WORDS, may_write=caller.may(WRITE), sends=letters.sends_letters(request), wrong=where,
        typed=typed or Typed(), status=problem.http_status if problem else 200,
        problem=problem.code if problem else None, fields=problem.fields if problem else {},
        flash="account_saved" if request.query.get("saved") else None, **shown,
    )  # fmt: skip


def _invited(books: Books, team: TeamId, now: datetime) -> Sequence[tuple[Invitation, str]]:
    """The open ones, each with what became of its letter."""
    return [
        (each, _letter_words(books.mails.written(each.email, each.created_at)))
        for each in invitations.open_invitations(books, team, now)
    ]


def _letter_words(mail: Mail | None) -> str:
    if mail is None:
        return "none"
    waiting = "on its way" if mail.tries == 0 else "not taken yet, tried again"
    return LETTER_WORDS.get(mail.outcome, "") if mail.outcome else waiting


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
