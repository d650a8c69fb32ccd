"""Meters looked for over HTTP: with script off, and by the API."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from edge_agent.site.jobs import OPERATOR
from tests.doubles.box_pages import Box, Browser, running_box
from tests.doubles.virtual_meter import Line, serving_tcp
from tests.edge_agent.meters.test_poller import meter

API, PAGE = "/api/v1/job/meter-search", "/j/meter-search"


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        task = asyncio.ensure_future(running.core.search.run())
        yield running
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def browser(box: Box) -> Browser:
    return await box.browser()


async def ask(box: Box, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    async with box.client().request(method, path, json=body, headers=box.bearer) as response:
        return response.status, await response.json()


async def done(box: Box) -> Any:
    async with asyncio.timeout(30):
        while (state := (await ask(box, "GET", API))[1])["running"]:  # noqa: ASYNC110 -- the scan's own pace
            await asyncio.sleep(0.05)
    return state


async def test_a_meter_is_found_and_added_without_script(box: Box, browser: Browser) -> None:
    page = await (await browser.get(PAGE)).text()
    assert 'id="s-hosts"' in page
    async with serving_tcp(Line(meter("abb-b23", 1), meter("eastron-sdm630", 2))) as port:
        answer = await browser.submit(PAGE, {"hosts": "127.0.0.1", "port": str(port), "serial": "1"})
        assert answer.headers["Location"] == PAGE
        await done(box)
        page = await (await browser.get(PAGE)).text()
        assert "abb-b23" in page
        assert "Perhaps" in page
        where = f"tcp://127.0.0.1:{port}"
        form = {"name": "Main", "profile": "abb-b23", "transport": where, "unit_id": "1"}
        assert (await browser.submit("/j/meters", form)).status == 303
    part = await (await browser.get(f"{PAGE}/regions?names=search")).json()
    assert "In the job: Main" in part["search"]
    assert "Look again" in page


@pytest.mark.parametrize(("field", "typed"), [("hosts", "8.8.8.8"), ("port", "70000"), ("port", "x"), ("hosts", "")])
async def test_what_cannot_be_searched_is_said_at_its_field(browser: Browser, field: str, typed: str) -> None:
    answer = await browser.submit(PAGE, {"hosts": "10.0.0.1", "port": "502", field: typed})
    assert answer.status == 400
    assert f'id="e-{field}"' in await answer.text()


async def test_the_api_begins_follows_and_ends_a_search(box: Box) -> None:
    assert (await ask(box, "GET", API))[1] == {
        "running": False, "stopped": False, "done": 0, "total": 0, "found": [], "problems": {}
    }  # fmt: skip
    async with serving_tcp(Line(meter("abb-b23"))) as port:
        status, state = await ask(box, "PUT", API, {"hosts": "127.0.0.1-2", "port": port})
        assert (status, state["running"], state["total"]) == (202, True, 2)
        state = await done(box)
        found = state["found"][0]
        assert (found["transport"], found["unit_id"], found["guessed"], found["in_job"]) == (
            f"tcp://127.0.0.1:{port}", 1, False, "",
        )  # fmt: skip
        assert found["models"][0]["profile"] == "abb-b23"
        await ask(box, "PUT", API, {"hosts": "127.0.0.1", "port": port, "every_address": True})
        assert (await ask(box, "DELETE", API))[1]["stopped"] is True
    assert (await ask(box, "PUT", API, {"hosts": "8.8.8.8"}))[0] == 400


async def test_an_ended_job_looks_for_nothing(box: Box) -> None:
    await box.core.jobs.complete(box.core.job().id, OPERATOR, activate_all=False)
    assert (await ask(box, "PUT", API, {"hosts": "127.0.0.1"}))[0] == 409
