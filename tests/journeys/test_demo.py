"""The demo's cast is as the story needs it, and the demo runs, shows it on the page, and leaves nothing behind."""

import asyncio
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.doubles.demo_processes import ROOT, environment
from tests.doubles.demo_story import site, version_of

STORY_S = 120.0
pytestmark = pytest.mark.timeout(180)


def test_the_job_of_fourteen_has_every_character() -> None:
    cast = site(14)
    rows = cast.job_file()["charge_points"]
    assert len(rows) == 14
    assert cast.at_once == 8
    assert [row["name"] for row in rows if row["identity"] is None] == ["Bay 11"]
    assert (rows[4]["identity"], rows[5]["identity"]) == ("CP006", "CP005")
    assert [row["connector"] for row in rows if row["identity"] == "CP012"] == [1, 2]
    assert "CP011" in cast.identities
    assert "CP014" not in cast.identities
    assert {version_of(each) for each in cast.identities[: cast.at_once]} == {"1.6", "2.0.1"}
    assert "2.1" in {version_of(each) for each in cast.identities}


@pytest.mark.parametrize("count", [1, 3, 8, 14, 60, 200])
def test_any_size_lists_every_bay_once(count: int) -> None:
    rows = site(count).job_file()["charge_points"]
    places = [(row["identity"], row["connector"]) for row in rows if row["identity"]]
    assert len(rows) == count
    assert len(places) == len(set(places))


async def test_the_demo_shows_its_story_on_the_page_and_ends_without_a_trace() -> None:
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.doubles.demo", "--json"),
        cwd=ROOT,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert demo.stdout is not None
        async with asyncio.timeout(STORY_S):
            text = await demo.stdout.readline()
            assert text, f"the demo ended with exit code {await demo.wait()}"
            links = json.loads(text)
            children = _children_of(demo.pid)
            await _until_story_shows(links, links["http_url"])
            await _until_story_shows(links, links["cloud_url"])
            assert "Overview" in await _console_of(links)
        assert links["token"] in links["local_link"]
        assert len(children) >= 2, "box and cloud"
    finally:
        children = _children_of(demo.pid)
        demo.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            code = await demo.wait()
    assert code == 0
    assert [pid for pid in children if _runs(pid)] == []
    assert not Path(links["data_dir"]).exists()


async def test_the_box_alone_needs_no_cloud() -> None:
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.doubles.demo", "--json", "--offline", "--charge-points", "1"),
        cwd=ROOT,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert demo.stdout is not None
    async with asyncio.timeout(STORY_S):
        links = json.loads(await demo.stdout.readline())
        demo.send_signal(signal.SIGINT)
        assert await demo.wait() == 0
    assert (links["cloud_url"], links["console_login"]) == (None, None)
    assert links["token"] in links["installer_link"]


async def test_nothing_outlives_a_demo_that_was_killed() -> None:
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.doubles.demo", "--json", "--charge-points", "2"),
        cwd=ROOT,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert demo.stdout is not None
    async with asyncio.timeout(STORY_S):
        links = json.loads(await demo.stdout.readline())
        while len(children := _children_of(demo.pid)) < 2:  # noqa: ASYNC110 (of another process)
            await asyncio.sleep(0.1)
        demo.kill()
        await demo.wait()
        while [pid for pid in children if _runs(pid)]:  # noqa: ASYNC110 (of another process)
            await asyncio.sleep(0.1)
    shutil.rmtree(Path(links["data_dir"]).parent)


def _runs(pid: int) -> bool:
    """Still there, and no zombie that waits for its new parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def _console_of(links: dict[str, Any]) -> str:
    """The first page of the console, for whoever signs in with what the demo prints."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        form = {**links["console_login"], "next": "/"}
        async with session.post(f"{links['cloud_url']}/sign-in", data=form) as response:
            assert response.status == 200
            return await response.text()


def _is_read(job: dict[str, Any]) -> bool:
    """The meter of the house; the cloud is told of it once a minute."""
    (meter,) = job["meters"]
    return job["in_cloud"] or "power_w" in meter["readings"]


async def _until_story_shows(links: dict[str, Any], url: str) -> None:
    """At least eight bays connected, and the station that no row lists calling in; on the box as in the cloud."""
    headers = {"Authorization": f"Bearer {links['token']}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        while True:
            async with session.get(f"{url}/api/v1/job") as response:
                job = await response.json()
            seen = [station["identity"] for station in job["seen"]]
            if job["connected"] >= 8 and "CP011" in seen and _is_read(job):
                return
            await asyncio.sleep(0.5)


def _children_of(pid: int) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry))
    return found
