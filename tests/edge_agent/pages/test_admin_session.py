"""Signing in to the box with an admin token: for its own pages, and for nothing else."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from edge_agent.pages.admin_session import COOKIE_PLAIN
from tests.doubles.box_pages import Box, running_box
from web_ui.security import COOKIE_PLAIN as JOB_COOKIE
from web_ui.security import IDLE_MAX_S, RENEW_AFTER_S


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        yield running


async def signed_in(box: Box, token: str | None = None) -> TestClient[Any, Any]:
    client = box.client()
    token = token or await box.core.jobs.new_admin_token("desk")
    answer = await client.post(
        "/admin/open", data={"token": f" {token}\n"}, headers={"Origin": box.origin}, allow_redirects=False
    )
    assert (answer.status, answer.headers["Location"]) == (303, "/admin")
    return client


async def test_a_token_opens_the_list_and_is_nowhere_in_it(box: Box) -> None:
    token = await box.core.jobs.new_admin_token("desk")
    client = await signed_in(box, token)
    answer = await client.get("/admin")
    page = await answer.text()
    assert answer.status == 200
    assert "CP001" in page
    assert token not in page
    cookie = client.session.cookie_jar.filter_cookies(client.make_url("/admin"))[COOKIE_PLAIN].value
    assert token not in cookie
    assert COOKIE_PLAIN not in client.session.cookie_jar.filter_cookies(client.make_url("/j"))


async def test_without_one_there_is_the_card_and_nothing_else(box: Box) -> None:
    client = box.client()
    assert "Admin token" in await (await client.get("/admin")).text()
    for path in ("/admin/charge-points/CP001", "/admin/charge-points/CP001/calls", "/admin/regions?names=stations"):
        answer = await client.get(path, allow_redirects=False)
        assert answer.status == 401
        assert "CP001" not in await answer.text()
        assert (await client.get(path, headers={"Accept": "text/html"}, allow_redirects=False)).status == 303


@pytest.mark.parametrize("token", ["", "ga1_wrong", "ga1_" + "A" * 43])
async def test_a_wrong_token_is_refused_and_guessing_slowed_down(box: Box, token: str) -> None:
    client = box.client()
    for _ in range(10):
        answer = await client.post("/admin/open", data={"token": token})
        assert answer.status == 401
        assert "That is no token of this box" in await answer.text()
    answer = await client.post("/admin/open", data={"token": token})
    assert (answer.status, "Retry-After" in answer.headers) == (429, True)


async def test_a_jobs_link_does_not_open_the_box_nor_its_cookie(box: Box) -> None:
    client = box.client()
    assert (await client.post("/admin/open", data={"token": box.imported.token})).status == 401
    browser = await box.browser()
    jar = browser.client.session.cookie_jar
    cookie = jar.filter_cookies(browser.client.make_url("/j"))[JOB_COOKIE].value
    answer = await box.client().get("/admin/charge-points/CP001", headers={"Cookie": f"{COOKIE_PLAIN}={cookie}"})
    assert answer.status == 401


async def test_the_boxs_cookie_opens_no_job(box: Box) -> None:
    client = await signed_in(box)
    cookie = client.session.cookie_jar.filter_cookies(client.make_url("/admin"))[COOKIE_PLAIN].value
    answer = await box.client().get("/api/v1/job", headers={"Cookie": f"{JOB_COOKIE}={cookie}"})
    assert answer.status == 401
    assert (
        await box.client().get("/api/v1/charge-points", headers={"Cookie": f"{COOKIE_PLAIN}={cookie}"})
    ).status == 401


async def test_another_sites_page_can_do_nothing(box: Box) -> None:
    token = await box.core.jobs.new_admin_token("desk")
    foreign = {"Origin": "http://evil.example"}
    assert (await box.client().post("/admin/open", data={"token": token}, headers=foreign)).status == 403
    client = await signed_in(box)
    page = await (await client.get("/admin")).text()
    csrf = page.split('name="csrf" value="', 1)[1].split('"', 1)[0]
    for data, headers in (({"csrf": csrf}, foreign), ({"csrf": "no"}, {"Origin": box.origin}), ({}, {})):
        answer = await client.post(
            "/admin/charge-points/CP001/calls", data={"action": "Reset", **data}, headers=headers
        )
        assert answer.status == 403
    assert box.stations.calls == []


async def test_leaving_forgets_the_session(box: Box) -> None:
    client = await signed_in(box)
    page = await (await client.get("/admin")).text()
    csrf = page.split('name="csrf" value="', 1)[1].split('"', 1)[0]
    await client.post("/admin/leave", data={"csrf": csrf}, headers={"Origin": box.origin})
    assert "Admin token" in await (await client.get("/admin")).text()


async def test_a_session_that_is_used_goes_on_and_an_idle_one_ends(box: Box) -> None:
    client = await signed_in(box)
    box.core.clock.advance(RENEW_AFTER_S + 1)
    assert COOKIE_PLAIN in (await client.get("/admin")).cookies
    box.core.clock.advance(IDLE_MAX_S + 1)
    assert "Admin token" in await (await client.get("/admin")).text()
