"""A job at the console: seen as the installer sees it, changed as only an operator may."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud_relay.console.job_desk import ROUTES
from cloud_relay.fleet.roles import Role
from tests.cloud_relay.console.test_jobs_pages import made_job
from tests.doubles.console import Console, Person, running_console


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with running_console(tmp_path) as running:
        yield running


async def rows_of(person: Person, job: str) -> list[str]:
    return re.findall(r'id="cp-([\w-]+)"', (await person.get(job)).text)


async def test_identity_and_connector_are_corrected_in_place(console: Console) -> None:
    person = await console.member(Role.OPERATOR)
    job = await made_job(person)
    first, second = await rows_of(person, job)
    page = await person.post(f"{job}/charge-points/{second}", {"identity": "CP002", "connector": "2"})
    assert page.path.startswith(f"{job}?saved=saved")
    assert 'value="CP002"' in page.text
    assert "Edited last by Operator" in page.text
    clash = await person.post(f"{job}/charge-points/{second}", {"identity": "CP001", "connector": "1"})
    assert clash.status == 409
    assert f'href="#cp-{first}"' in clash.text
    assert '<nav class="side"' in clash.text, "still in the console's frame"


async def test_notes_go_as_the_operators(console: Console) -> None:
    person = await console.member(Role.OPERATOR)
    job = await made_job(person)
    row = (await rows_of(person, job))[0]
    page = await person.post(f"{job}/charge-points/{row}/notes", {"text": "Use the left one."})
    assert "Use the left one." in page.text
    assert "<b>Operator · Operator</b>" in page.text
    assert "Operator note</label>" in page.text
    assert (await person.post(f"{job}/complete", {"activate_all": "1"})).status == 200
    later = await person.post(f"{job}/charge-points/{row}/notes", {"text": "Thanks."})
    assert "Thanks." in later.text, "also when the job is done"


async def test_rows_are_activated_one_by_one_and_all_at_once(console: Console) -> None:
    person = await console.member(Role.OPERATOR)
    job = await made_job(person)
    first, _ = await rows_of(person, job)
    page = await person.post(f"{job}/charge-points/{first}/activity", {"active": "1"})
    assert page.text.count(">Active<") == 1
    page = await person.post(f"{job}/activity", {"active": "1"})
    assert page.text.count(">Active<") == 2
    assert "Activate all" not in page.text
    page = await person.post(f"{job}/charge-points/{first}/activity", {"maintenance": "1"})
    assert "Active, in maintenance" in page.text
    page = await person.post(f"{job}/charge-points/{first}/activity", {"active": "0"})
    assert "Not active, in maintenance" in page.text


async def test_a_job_is_completed_opened_again_and_put_away(console: Console) -> None:
    person = await console.member(Role.OPERATOR)
    job = await made_job(person)
    assert (await person.post(f"{job}/reopen")).status == 409
    page = await person.post(f"{job}/complete", {"activate_all": "1"})
    assert "Completed</b>" in page.text
    assert "Open</b>" in (await person.post(f"{job}/reopen")).text
    assert "Archived</b>" in (await person.post(f"{job}/archive")).text
    assert (await person.post(f"{job}/archive")).status == 200, "once is as good as twice"


async def test_a_link_is_shown_once_works_and_can_be_ended(console: Console) -> None:
    person = await console.member(Role.OPERATOR)
    job = await made_job(person)
    page = await person.post(f"{job}/links", {"role": "installer", "days": "7"})
    token = re.findall(r"gl1_[\w-]{43}", page.text)[0]
    assert "<svg" in page.text
    assert token not in (await person.get(f"{job}/links")).text
    answer = await person.http.post(f"{console.url}/api/session", json={"token": token})
    assert answer.status == 200
    link = re.findall(r"/links/([\w-]+)/revoke", page.text)[0]
    assert "revoked" in (await person.post(f"{job}/links/{link}/revoke")).text
    assert (await person.http.post(f"{console.url}/api/session", json={"token": token})).status == 410
    for wrong in ({"days": "0"}, {"days": "181"}, {"role": "admin", "days": "1"}):
        assert (await person.post(f"{job}/links", {"role": "installer", **wrong})).status == 400
    assert (await person.post(f"{job}/links/nowhere/revoke")).status == 404


async def test_the_sheet_to_print_names_everything_the_installer_needs(console: Console) -> None:
    person = await console.member(Role.OPERATOR)
    job = await made_job(person)
    page = await person.post(f"{job}/links", {"role": "installer", "days": "7", "sheet": "1"})
    for words in ("Installer job 1001", "Harbour", "Bay 1", "CP001", "<svg", "gl1_"):
        assert words in page.text


async def test_an_order_without_a_box_is_refused_and_never_kept(console: Console) -> None:
    person = await console.member(Role.OPERATOR)
    job = await made_job(person)
    row = (await rows_of(person, job))[0]
    page = await person.post(f"{job}/charge-points/{row}/actions", {"action": "reboot", "confirm": "1"})
    assert page.status == 409
    assert "What happened" not in (await person.get(f"{job}/charge-points/{row}/actions")).text


async def test_details_report_and_regions_are_there_too(console: Console) -> None:
    person = await console.member(Role.AUDITOR)
    operator = await console.member(Role.OPERATOR)
    job = await made_job(operator)
    row = (await rows_of(person, job))[0]
    assert "CP001" in (await person.get(f"{job}/charge-points/{row}/details")).text
    assert "CP001" in (await person.get(f"{job}/report.html")).text
    assert (await person.get(f"{job}/report.csv")).headers["Content-Type"].startswith("text/csv")
    assert "header" in (await person.get(f"{job}/regions?names=header,cp:{row}")).text


async def test_who_only_looks_sees_no_buttons_and_is_refused(console: Console) -> None:
    operator, person = await console.member(Role.OPERATOR), await console.member(Role.SUPPORT)
    job = await made_job(operator)
    row = (await rows_of(person, job))[0]
    text = (await person.get(job)).text
    for words in ("Archive", "Activate", "Mark as complete", 'class="btn save"'):
        assert words not in text
    for path, fields in (
        ("/archive", {}), ("/activity", {}), ("/links", {"days": "1"}), ("/complete", {}),
        (f"/charge-points/{row}", {"identity": "X"}), (f"/charge-points/{row}/notes", {"text": "x"}),
        (f"/charge-points/{row}/actions", {"action": "start"}),
    ):  # fmt: skip
        assert (await person.post(job + path, fields)).status == 403, path


async def test_another_teams_job_is_not_there(console: Console) -> None:
    ours, theirs = await console.member(Role.OPERATOR), await console.member(Role.ADMIN, team="Other")
    job = await made_job(ours)
    row = (await rows_of(ours, job))[0]
    foreign = job.replace(ours.team, theirs.team)
    for route in ROUTES:
        path = route.path.replace("/t/{team}/jobs/{job}", foreign).format(
            id=row, link="x", region="header", name="Main"
        )
        page = await (theirs.get(path) if route.method == "GET" else theirs.post(path, {"days": "1"}))
        assert page.status == 404, route.path
        assert (await theirs.get(path.replace(theirs.team, ours.team))).status in (404, 405)


async def test_news_of_the_job_reach_who_follows_it(console: Console) -> None:
    person = await console.member(Role.OPERATOR)
    job = await made_job(person)
    row = (await rows_of(person, job))[0]
    async with person.http.get(f"{console.url}{job}/events") as stream:
        assert stream.content_type == "text/event-stream"
        await stream.content.readuntil(b"welcome\n\n")
        await person.post(f"{job}/charge-points/{row}/activity", {"active": "1"})
        assert (await stream.content.readline()).startswith(b"event: page")
