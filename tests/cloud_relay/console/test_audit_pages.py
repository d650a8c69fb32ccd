"""The audit log for people, for programs, and as a table."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud_relay.console.audit_pages import CSV_ROWS_AT_ONCE, kinds, lines_of
from cloud_relay.fleet.audit import AUDITED, note
from cloud_relay.fleet.ids import TeamId
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import AuditEntry
from cloud_relay.fleet.roles import Role
from cloud_relay.fleet.site_audit import KINDS
from tests.cloud_relay.console.test_jobs_pages import made_job
from tests.doubles.console import ACT, PASSWORD, Console, Person, running_console


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
    for words in ("site created", "job created", "member added", "operator@acme.example", "job 1001"):
        assert words in text
    assert "job created" not in (await other.get(f"{other.base}/audit")).text.partition("<table")[2]
    assert (await other.get(f"{person.base}/audit")).status == 404


async def test_it_is_narrowed_by_the_address(console: Console) -> None:
    person = await worked(console)

    async def shown(query: str) -> str:
        return (await person.get(f"{person.base}/audit?{query}")).text.partition("<tbody")[2]

    assert "job created" in await shown("kind=job.")
    assert "site created" not in await shown("kind=job.")
    assert "site created" in await shown("text=hyperlink")
    assert await shown("actor=nobody") == ""
    assert await shown("until=2020-01-01") == ""
    assert "site created" in await shown("since=2020-01-01")
    assert (await person.get(f"{person.base}/audit?since=yesterday")).status == 400


async def test_the_table_runs_nothing(console: Console) -> None:
    person = await worked(console)
    page = await person.get(f"{person.base}/audit.csv?kind=site.created")
    rows = list(csv.DictReader(io.StringIO(page.text.removeprefix("\ufeff"))))
    assert [row["kind"] for row in rows] == ["site.created"]
    assert rows[0]["target_name"] == '\'=HYPERLINK("x")'


async def test_the_table_has_all_that_is_found(console: Console) -> None:
    person = await console.member()
    count = CSV_ROWS_AT_ONCE + 2

    def fill(books: Books) -> None:
        for number in range(count):
            note(books, ACT, "site.changed", TeamId(person.team), "site", f"s{number}", f"Site {number}")

    await console.cloud.store.write(fill)
    text = (await person.get(f"{person.base}/audit.csv?kind=site.changed")).text.removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["target_id"] for row in rows] == [f"s{number}" for number in reversed(range(count))]
    assert (await person.get(f"{person.base}/audit.csv?since=yesterday")).status == 400


async def test_who_signs_in_or_is_refused_stands_in_the_logs_of_their_teams_only(console: Console) -> None:
    admin, other = await console.member(), await console.member(team="Other")
    for team in ("Acme", "Third"):
        person = await console.person(Role.SUPPORT, team, "both@example.com")
    third = await console.member(team="Third")
    assert (await person.sign_in("a wrong one, and long")).status == 401
    await person.post("/sign-in", {"email": "nobody@example.com", "password": "a wrong one, and long"})
    await person.sign_in()
    await person.post("/account/password", {"present": PASSWORD, "password": "another long one"})

    async def told(reader: Person) -> list[str]:
        address = f"{reader.base}/audit.csv?text=both@example.com&kind=user."
        rows = csv.DictReader(io.StringIO((await reader.get(address)).text.removeprefix("\ufeff")))
        return sorted(row["kind"] for row in rows if row["actor_kind"] == "user")

    wanted = ["user.password_changed", "user.sign_in_refused", "user.signed_in"]
    assert await told(admin) == wanted
    assert await told(third) == wanted
    assert await told(other) == []
    text = (await admin.get(f"{admin.base}/audit?kind=user.")).text
    assert "user sign in refused" in text
    assert "nobody@example.com" not in text
    assert "a wrong one" not in text


def test_what_changed_in_words() -> None:
    before, after = {"role": "admin", "on": True}, {"role": "support", "on": False, "scopes": ["a", "b"], "end": None}
    entry = AuditEntry(ACT.at, None, "user", "", "", "", "x", "x", "x", "x", before, after)
    assert lines_of(entry) == [
        ("end", "", ""), ("on", "yes", "no"), ("role", "admin", "support"), ("scopes", "", "a, b"),
    ]  # fmt: skip
    assert {kind for inside in kinds().values() for kind in inside} == {*AUDITED, *KINDS.values()}
    assert kinds()["charge_point."]["charge_point.note"] == "charge point note"


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
