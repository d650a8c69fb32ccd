"""Installer jobs as operators make and find them; the rules of a job itself: `sitelink.job_rules`.

Start at `make_job`.
"""

import secrets
from collections.abc import Sequence
from datetime import timedelta

from cloud_relay.fleet.ids import TeamId, new_id
from cloud_relay.fleet.log_records import Place
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.site_desk import SiteDesk
from cloud_relay.fleet.tokens import new_token, sha256_of
from sitelink.errors import NotFound
from sitelink.events import JobCancelled, LinkCreated, LinkRevoked
from sitelink.ids import JobId, LinkId
from sitelink.job_file import JobFile
from sitelink.job_rules import decide_import, job_of
from sitelink.ops import Author, Fact
from sitelink.states import JobStatus, LinkRole

JOB_LINK = "gl1_"
LINK_DAYS = 30
LINK_DAYS_MAX = 180
TEST_TOKEN_BYTES = 8


def make_job(desk: SiteDesk, file: JobFile, author: Author) -> JobId:
    """A new job of the desk's site, without a link yet. Raises JobExists for a number the site knows."""
    job = JobId(new_id())
    decision = decide_import(
        file, author, job=job, link=LinkId(""), token_sha256="", new_ids=[new_id() for _ in file.charge_points],
        test_token=secrets.token_hex(TEST_TOKEN_BYTES).upper(), replace=False,
    )(desk)  # fmt: skip
    desk.record([fact for fact in decision.facts if not isinstance(fact.event, LinkCreated)])
    return job


def make_link(desk: SiteDesk, job: JobId, author: Author, *, role: LinkRole, days: int = LINK_DAYS) -> str:
    """A link to the job; its token is shown only here. Raises NotFound."""
    job_of(desk.state, job)
    token = new_token(JOB_LINK)
    expires = desk.now + timedelta(days=min(max(days, 1), LINK_DAYS_MAX))
    event = LinkCreated(job, sha256_of(token), role, author.name, expires)
    desk.record((Fact(f"link:{new_id()}", event, author, job=job),))
    return token


def revoke_link(desk: SiteDesk, job: JobId, link: LinkId, author: Author) -> None:
    """Dead here from this moment, on the box at its next contact; once is as good as twice. Raises NotFound."""
    known = desk.state.links.get(link)
    if known is None or known.job != job:
        raise NotFound(what="link", key=link[:64])
    if known.revoked_at is None:
        desk.record((Fact(f"link:{link}", LinkRevoked(), author, job=job),))


def cancel_job(desk: SiteDesk, job: JobId, author: Author) -> None:
    """Called off: its links say so, its charge points are nobody's. Raises NotFound."""
    if job_of(desk.state, job).status is not JobStatus.CANCELLED:
        desk.record((Fact(f"job:{job}", JobCancelled(), author, job=job),))


def place_of_job(books: Books, team: TeamId, team_name: str, job: JobId) -> Place:
    """Where a job of the team is. Raises NotFound, also for a job of another team's."""
    site = books.logs.job_site(team, job)
    if site is None:
        raise NotFound(what="job", key=job[:64])
    return Place(team, team_name, site)


def next_number(books: Books, team: TeamId) -> str:
    """Short, readable, and not used in this team before."""
    return str(max((int(each) for each in _numbers(books, team)), default=1000) + 1)


def _numbers(books: Books, team: TeamId) -> Sequence[str]:
    return [each for each in books.logs.numbers(team) if each.isdecimal() and len(each) < 10]
