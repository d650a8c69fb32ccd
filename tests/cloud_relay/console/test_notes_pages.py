"""What installers wrote and nobody has answered yet."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud_relay.fleet.roles import Role
from tests.cloud_relay.console.test_job_desk import rows_of
from tests.cloud_relay.console.test_jobs_pages import made_job
from tests.doubles.console import Console, Person, running_console


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with running_console(tmp_path) as running:
        yield running


async def installer_wrote(console: Console, person: Person, job: str, text: str, row: int = 0) -> str:
    """As the holder of a link, in the cloud. The row."""
    id_ = (await rows_of(person, job))[row]
    page = await person.post(f"{job}/links", {"role": "installer", "days": "1"})
    token = re.findall(r"gl1_[\w-]{43}", page.text)[0]
    answer = await person.http.post(
        f"{console.url}/api/v1/job/charge-points/{id_}/notes", json={"text": text},
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    assert answer.status == 201
    return id_


async def test_what_waits_is_answered_and_waits_no_more(console: Console) -> None:
    person = await console.member(Role.OPERATOR)
    job = await made_job(person)
    assert "Nothing waits for an answer" in (await person.get(f"{person.base}/notes")).text
    row = await installer_wrote(console, person, job, "Breaker <C2> is loose.")
    text = (await person.get(f"{person.base}/notes")).text
    assert "Breaker &lt;C2&gt; is loose." in text
    assert f'href="{job}#cp-{row}"' in text
    assert "to answer" in (await person.get(person.base)).text, "the overview counts it"
    empty = await person.post(f"{job}/charge-points/{row}/answer", {"text": " "})
    assert empty.status == 422
    assert 'aria-invalid="true"' in empty.text
    page = await person.post(f"{job}/charge-points/{row}/answer", {"text": "At three."})
    assert page.path == f"{person.base}/notes"
    assert "Nothing waits for an answer" in page.text
    assert "At three." in (await person.get(f"{person.base}/notes?show=all")).text


async def test_what_waits_comes_first_and_the_newest_before_older(console: Console) -> None:
    person = await console.member(Role.OPERATOR)
    job = await made_job(person)
    first = await installer_wrote(console, person, job, "one")
    second = await installer_wrote(console, person, job, "two", row=1)
    found = re.findall(r'id="h-([\w-]+)"', (await person.get(f"{person.base}/notes?show=all")).text)
    assert found == [second, first]
    await person.post(f"{job}/charge-points/{second}/answer", {"text": "yes"})
    found = re.findall(r'id="h-([\w-]+)"', (await person.get(f"{person.base}/notes?show=all")).text)
    assert found == [first, second]


async def test_others_only_read_or_see_nothing(console: Console) -> None:
    person, support = await console.member(Role.OPERATOR), await console.member(Role.SUPPORT)
    stranger = await console.member(team="Other")
    job = await made_job(person)
    row = await installer_wrote(console, person, job, "one")
    assert "<textarea" not in (await support.get(f"{support.base}/notes")).text
    assert (await support.post(f"{job}/charge-points/{row}/answer", {"text": "x"})).status == 403
    assert row not in (await stranger.get(f"{stranger.base}/notes?show=all")).text
