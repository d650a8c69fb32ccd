"""What letters say, and whether they are sent at all. Start at `post_invitation`."""

from datetime import datetime

from aiohttp import web

from cloud_relay.console.jobs_api import PUBLIC_URL
from cloud_relay.console.mailer import MAILS
from cloud_relay.fleet import post
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Invitation, User


def sends_letters(request: web.Request) -> bool:
    return request.app[MAILS] is not None


def hurry(request: web.Request) -> None:
    """Have letters sent that were written just now."""
    mailer = request.app[MAILS]
    if mailer is not None:
        mailer.hurry()


def invitation_url(request: web.Request, token: str) -> str:
    return f"{request.app[PUBLIC_URL]}/invitation?token={token}"


def new_password_url(request: web.Request, token: str) -> str:
    return f"{request.app[PUBLIC_URL]}/new-password?token={token}"


def post_invitation(books: Books, invitation: Invitation, team_name: str, url: str) -> None:
    team = " ".join(team_name.split())
    body = (
        f"{invitation.created_by} invites you to the team {team} on Gatepost, as {invitation.role.value}.\n\n"
        f"Open this link to join. It is good for seven days and once:\n\n{url}\n\n"
        "If you did not expect this, do nothing.\n"
    )
    post.write(books, invitation.email, f"Invitation to {team}", body, invitation.created_at)


def post_way_in(books: Books, user: User, url: str, now: datetime) -> None:
    body = (
        f"Somebody, perhaps you, asked for a new password for {user.email} on Gatepost.\n\n"
        f"Open this link to set one. It is good for an hour and once:\n\n{url}\n\n"
        "If it was not you, do nothing: your password stays as it is.\n"
    )
    post.write(books, user.email, "A new password", body, now)
