"""The installer's page in the cloud: the same page, for the same link, as on the box."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.cloud_relay.console.api import Program, calling
from tests.edge_agent.relay.test_link import box_at, is_in_step, until


class Phone:
    """A browser that opened a link."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Sec-Fetch-Site": "same-origin"}
        async with self._session.request(method, f"{self.url}{path}", json=body, headers=headers) as response:
            return response.status, await response.json()

    async def job(self) -> dict[str, Any]:
        status, found = await self.call("GET", "/api/v1/job")
        assert status == 200, found
        view: dict[str, Any] = found
        return view

    async def page(self, path: str = "/j") -> tuple[int, str]:
        async with self._session.get(f"{self.url}{path}", headers={"Accept": "text/html"}) as response:
            return response.status, await response.text()


@asynccontextmanager
async def phone(url: str, token: str) -> AsyncIterator[Phone]:
    jar = aiohttp.CookieJar(unsafe=True)  # an address has no domain
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        opened = Phone(url, session)
        status, answer = await opened.call("POST", "/api/session", {"token": token})
        assert (status, answer["job"]) == (200, "1001"), answer
        yield opened


async def linked(program: Program, *identities: str) -> tuple[str, str, str]:
    """Site, job and the token of a link."""
    site, job = await program.job(*identities)
    token = (await program.post(f"/installer-jobs/{job}/links", {}))["token"]
    return site, job, token


async def test_the_page_is_the_same_and_what_is_done_on_it_is_in_the_log(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        _, job, token = await linked(program, "CP001", "")
        async with phone(program.url, token) as browser:
            view = await browser.job()
            assert (view["number"], [row["status"] for row in view["charge_points"]]) == (
                "1001",
                ["pending", "No serial"],
            )
            row = f"/api/v1/job/charge-points/{view['charge_points'][1]['id']}"
            assert (await browser.call("PATCH", row, {"identity": "CP002"}))[1]["identity"] == "CP002"
            status, refused = await browser.call("PATCH", row, {"identity": "CP001"})
            assert (status, refused["code"]) == (409, "identity_in_use")
            assert (await browser.call("POST", f"{row}/notes", {"text": "breaker is loose"}))[0] == 201
            status, page = await browser.page()
            assert status == 200
            assert "Installer job 1001" in page
            assert 'value="CP002"' in page
            assert (await browser.page(f"/j/charge-points/{view['charge_points'][0]['id']}/details"))[0] == 200
            status, refused = await browser.call("POST", f"{row}/actions", {"action": "start"})
            assert (status, refused["code"]) == (409, "gateway_offline")
            assert (await browser.call("POST", "/api/v1/job/complete", {"activate_all": True}))[1][
                "status"
            ] == "completed"
            status, again = await browser.call("POST", "/api/v1/job/complete", {"activate_all": True})
            assert (status, again["code"]) == (409, "already_completed")
        seen = (await program.get(f"/installer-jobs/{job}"))["charge_points"][1]
        assert [(note["side"], note["text"]) for note in seen["notes"]] == [("installer", "breaker is loose")]
        assert seen["active"]


async def test_a_link_is_good_for_its_job_alone(tmp_path: Path) -> None:
    async with calling(tmp_path, "Acme", "Beta") as (acme, beta):
        _, _, token = await linked(acme, "CP001")
        other = await beta.job("CP900")
        row = (await beta.get(f"/installer-jobs/{other[1]}"))["charge_points"][0]["id"]
        async with phone(acme.url, token) as browser:
            assert (await browser.job())["total"] == 1
            status, answer = await browser.call("PATCH", f"/api/v1/job/charge-points/{row}", {"identity": "X"})
            assert (status, answer["code"]) == (404, "not_found")
            assert (await browser.call("GET", "/api/v1/installer-jobs"))[0] == 401, "a link is no token of a team"
        async with aiohttp.ClientSession() as session:
            for headers in ({}, {"Authorization": "Bearer gl1_" + "x" * 43}):
                async with session.get(f"{acme.url}/api/v1/job", headers=headers) as response:
                    assert response.status == (404 if headers else 401)


async def test_an_archived_job_ends_its_link_here_at_once(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        _, job, token = await linked(program, "CP001")
        async with phone(program.url, token) as browser:
            await program.post(f"/installer-jobs/{job}/archive", {}, 200)
            status, answer = await browser.call("GET", "/api/v1/job")
            assert (status, answer["code"], answer["status"]) == (410, "link_ended", "archived")


async def test_what_is_ordered_in_the_cloud_is_done_on_site(tmp_path: Path) -> None:
    async with calling(tmp_path / "cloud") as (program,):
        site, job, token = await linked(program, "CP001")
        claim = (await program.post("/gateways", {"siteId": site, "name": "Box"}))["claim"]
        async with box_at(tmp_path / "box", program.url, claim) as box, phone(program.url, token) as browser:
            await until(lambda: is_in_step(box) and job in box.jobs.snapshot().state.jobs)
            row = f"/api/v1/job/charge-points/{(await browser.job())['charge_points'][0]['id']}"
            status, refused = await browser.call("POST", f"{row}/actions", {"action": "start"})
            assert (status, refused["code"]) == (409, "action_unavailable"), "the box says so"
            assert (await browser.call("POST", f"{row}/notes", {"text": "hello"}))[0] == 201
            notes = await until(lambda: next(iter(box.jobs.snapshot().state.charge_points.values())).notes)
            assert [note.text for note in notes] == ["hello"]


async def test_a_live_page_hears_of_what_others_write(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        _, job, token = await linked(program, "CP001")
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(f"{program.url}/api/v1/job/events") as stream,
        ):
            assert stream.status == 200
            await program.post(f"/installer-jobs/{job}/mark-complete", {}, 200)
            while not (line := (await stream.content.readline()).decode()).startswith("data: {"):
                pass
            assert '"region":"page"' in line
