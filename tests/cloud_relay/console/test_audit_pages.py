"""The audit log for people, for programs, and as a table."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud_relay.fleet.roles import Role
from tests.cloud_relay.console.test_jobs_pages import made_job
from tests.doubles.console import Console, Person, running_console


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with running_console(tmp_path) as running:
        yield running


async def worked(console: Console) -> Person:
    """Somebody who has made a job, and a site by it."""
    person = await console.member(Role.OPERATOR)
    await made_job(person, site='=HYPERLINK("x")')
    return person


async def test_what_people_do_stands_in_it_and_others_see_nothing_of_it(console: Console) -> None:
    person, other = await worked(console), await console.member(team="Other")
    text = (await person.get(f"{person.base}/audit")).text
    for words in ("site.created", "job.created", "member.added", "operator@acme.example", "job 1001"):
        assert words in text
    assert "job.created" not in (await other.get(f"{other.base}/audit")).text.partition("<table")[2]
    assert (await other.get(f"{person.base}/audit")).status == 404


async def test_it_is_narrowed_by_the_address(console: Console) -> None:
    person = await worked(console)

    async def shown(query: str) -> str:
        return (await person.get(f"{person.base}/audit?{query}")).text.partition("<tbody")[2]

    assert "job.created" in await shown("kind=job.")
    assert "site.created" not in await shown("kind=job.")
    assert "site.created" in await shown("text=hyperlink")
    assert await shown("actor=nobody") == ""
    assert await shown("until=2020-01-01") == ""
    assert "site.created" in await shown("since=2020-01-01")
    assert (await person.get(f"{person.base}/audit?since=yesterday")).status == 400


async def test_the_table_runs_nothing(console: Console) -> None:
    person = await worked(console)
    page = await person.get(f"{person.base}/audit.csv?kind=site.created")
    rows = list(csv.DictReader(io.StringIO(page.text.removeprefix("\ufeff"))))
    assert [row["kind"] for row in rows] == ["site.created"]
    assert rows[0]["target_name"] == '\'=HYPERLINK("x")'


async def test_programs_read_it_page_by_page(console: Console) -> None:
    admin = await console.member()
    await worked(console)
    page = await admin.post(f"{admin.base}/team/tokens", {"name": "ci", "right audit:read": "1"})
    token = page.text.partition('id="made-token" readonly value="')[2].partition('"')[0]
    seen: list[int] = []
    after = ""
    while True:
        address = f"{console.url}/api/v1/audit?limit=2{after}"
        async with admin.http.get(address, headers={"Authorization": f"Bearer {token}"}) as response:
            answer = await response.json()
        assert response.status == 200, answer
        seen += [each["seq"] for each in answer["items"]]
        if answer["next"] is None:
            break
        after = f"&before={answer['next']}"
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) > 4


async def test_support_does_not_read_it_and_auditors_do(console: Console) -> None:
    support, auditor = await console.member(Role.SUPPORT), await console.member(Role.AUDITOR)
    assert (await support.get(f"{support.base}/audit")).status == 403
    assert (await auditor.get(f"{auditor.base}/audit")).status == 200
