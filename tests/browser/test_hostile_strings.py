"""Sixty hostile texts on the pages of a real box, in a real browser: nothing runs, nothing breaks out of its place."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, Page

from tests.doubles.box import BoxProcess, job_data, running_box
from tests.doubles.hostile_strings import fill, identities

PHONE = {"width": 390, "height": 844}
DETAILED = [f"HS{number:02}-{version}" for number in (0, 1, 4, 18, 37, 55, 56) for version in ("16", "201", "21")]
"""Details and messages of some: scripts, a page that would end, bidirectional text, long words."""
REPORT_WIDTH = 2500
"""A table of sixteen columns to print, each no wider than a few dozen characters."""


@pytest.fixture(scope="module")
async def box(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BoxProcess]:
    async with running_box(tmp_path_factory.mktemp("hostile")) as box, AsyncExitStack() as connected:
        await box.import_job(job_data(list(identities())))
        await fill(connected, box.ocpp)
        yield box


async def test_nothing_runs_and_nothing_is_wider_than_a_phone(box: BoxProcess, chromium: Browser) -> None:
    context = await chromium.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = await context.new_page()
    dialogs: list[str] = []
    asked: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(box.link)
    await page.get_by_role("heading", name="Seen on this network").wait_for()
    rows = {each["identity"]: each["id"] for each in (await box.job())["charge_points"]}
    row = rows["HS00-16"]
    for path in ("/j", "/j/complete", f"/j/charge-points/{row}/actions", f"/j/charge-points/{row}/notes"):
        await page.goto(f"{box.http}{path}")
        await _is_calm(page, path, PHONE["width"])
    for identity in DETAILED:
        for part in ("details", "frames"):
            path = f"/j/charge-points/{rows[identity]}/{part}"
            response = await page.goto(f"{box.http}{path}")
            assert response is not None
            assert response.status == 200, path
            await _is_calm(page, path, PHONE["width"])
    await page.goto(f"{box.http}/api/v1/job/report.html")
    await _is_calm(page, "/api/v1/job/report.html", REPORT_WIDTH)
    assert dialogs == []
    assert [url for url in asked if not url.startswith(box.http)] == []
    await context.close()


async def _is_calm(page: Page, path: str, widest: int) -> None:
    assert await page.evaluate("typeof window.pwned") == "undefined", path
    assert await page.evaluate("document.querySelectorAll('iframe, base, svg, math, object, embed').length") == 0, path
    assert await page.evaluate("document.documentElement.scrollWidth") <= widest, path
    assert page.url.endswith(path)
