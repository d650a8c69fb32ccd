"""The team's jobs, and a new one."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud_relay.fleet.roles import Role
from tests.doubles.console import Console, Person, running_console


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with running_console(tmp_path) as running:
        yield running


async def made_job(person: Person, site: str = "Harbour", rows: str = "Bay 1,CP001\nBay 2") -> str:
    """The path of the new job's page."""
    page = await person.post(f"{person.base}/jobs/new", {"site": site, "rows": rows, "activate": "1", "pairing": "1"})
    assert page.status == 200, page.text
    assert page.path.endswith("/links")
    return page.path.removesuffix("/links")


async def test_a_job_is_made_from_a_form_and_stands_in_the_list(console: Console) -> None:
    person = await console.member(Role.OPERATOR)
    assert "No jobs yet" in (await person.get(f"{person.base}/jobs")).text
    path = await made_job(person)
    page = await person.get(f"{person.base}/jobs")
    assert f'<a href="{path}">1001</a>' in page.text
    assert "Harbour" in page.text
    assert "0 / 2" in page.text
    assert "1001" in (await person.get(person.base)).text, "the overview names it"


async def test_a_wrong_line_keeps_what_was_typed_and_makes_nothing(console: Console) -> None:
    person = await console.member(Role.OPERATOR)
    typed = {"site": "Harbour", "description": "Level <1>", "rows": "Bay 1,CP001,two"}
    page = await person.post(f"{person.base}/jobs/new", typed)
    assert page.status == 422
    assert "Line 1 of the charge points, connector" in page.text
    assert "Level &lt;1&gt;" in page.text
    assert "Bay 1,CP001,two</textarea>" in page.text
    assert "No jobs yet" in (await person.get(f"{person.base}/jobs")).text
    assert 'value="Harbour"' not in (await person.get(f"{person.base}/jobs/new")).text, "no site was made"
    for rows, words in (("Bay 1,CP/1", "identity"), ("Bay 1,CP1\nBay 1,CP2", "same name")):
        page = await person.post(f"{person.base}/jobs/new", {**typed, "rows": rows})
        assert page.status == 422
        assert words in page.text
    assert (await person.post(f"{person.base}/jobs/new", {**typed, "site": " "})).status == 400


async def test_the_list_is_narrowed_by_what_stands_in_the_address(console: Console) -> None:
    person = await console.member(Role.OPERATOR)
    await made_job(person, "Harbour", "Bay 1,CP001")
    await made_job(person, "Quay", "Bay 1,XY900")

    async def numbers(query: str) -> list[str]:
        text = (await person.get(f"{person.base}/jobs?{query}")).text
        return re.findall(r"/jobs/[\w-]{36}\">(\d+)<", text)

    assert await numbers("") == ["1002", "1001"]
    assert await numbers("q=harb") == ["1001"]
    assert await numbers("q=xy9") == ["1002"]
    assert await numbers("q=1002") == ["1002"]
    assert await numbers("q=%25") == []
    assert await numbers("status=completed") == []
    assert await numbers("status=nonsense") == ["1002", "1001"]


async def test_who_only_looks_makes_no_job(console: Console) -> None:
    person = await console.member(Role.SUPPORT)
    assert "New job" not in (await person.get(f"{person.base}/jobs")).text
    assert (await person.get(f"{person.base}/jobs/new")).status == 403
    assert (await person.post(f"{person.base}/jobs/new", {"site": "Harbour"})).status == 403
