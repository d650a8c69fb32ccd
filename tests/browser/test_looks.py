"""Every page, with fourteen states at once: contrast 7:1, targets of 48 px, nothing wider than the screen."""

import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser

from tests.doubles.details import admin_texts, detail_texts
from tests.doubles.sites import JOB, NOW, harbour_garage
from web_ui import assets, render
from web_ui.ports import Relay
from web_ui.views import ErrorView, job_view

SIZES = ((320, 640), (390, 844), (768, 1024), (1024, 768), (1280, 800))
IN_USE = ErrorView("identity_in_use", "Bay 1 already uses this serial.", "Swap the two.", "ZPR104221", "row-1", "Bay 1")
SMALL = """() => [...document.querySelectorAll("button, input, select, textarea, summary")]
  .filter((each) => each.checkVisibility() && each.type !== "checkbox" && each.type !== "hidden")
  .map((each) => [each.outerHTML.slice(0, 60), each.getBoundingClientRect().height])
  .filter(([, height]) => height < 48)"""


@pytest.fixture
async def pages() -> AsyncIterator[TestServer]:
    """The pages alone, of a made-up site; nothing in them can be sent."""
    site = harbour_garage()
    view = job_view(site.snapshot(relay=Relay(configured=True, since=NOW, backlog=3)), JOB, link=site.link())
    bay = view.row("row-3")
    texts = {
        "/job": render.page("job.html", view=view, errors={"row-2": {"identity": IN_USE}}, flash="saved"),
        "/actions": render.page("actions.html", view=view, row=bay),
        "/notes": render.page("notes.html", view=view, row=bay),
        "/complete": render.page("complete.html", view=view),
        "/entry": render.page("entry.html", problem="link_unknown"),
        **detail_texts(), **admin_texts(),
    }  # fmt: skip

    async def draw(request: web.Request) -> web.Response:
        return web.Response(text=texts[request.path], content_type="text/html")

    app = web.Application()
    assets.mount(app)
    app.add_routes([web.get(path, draw) for path in texts])
    async with TestServer(app) as server:
        yield server


def axe_script() -> str:
    spec = importlib.util.find_spec("axe_playwright_python")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0], "axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_can_be_read_and_touched_at_every_size(
    pages: TestServer, chromium: Browser, scheme: str
) -> None:
    context = await chromium.new_context(color_scheme=scheme, java_script_enabled=True)  # type: ignore[arg-type]
    page = await context.new_page()
    for path in ("/job", "/actions", "/notes", "/complete", "/entry", *detail_texts(), *admin_texts()):
        await page.goto(str(pages.make_url(path)))
        await page.locator("details").evaluate_all("all => all.forEach((each) => each.open = true)")
        for width, height in SIZES:
            await page.set_viewport_size({"width": width, "height": height})
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
            assert await page.evaluate(SMALL) == [], (path, width)
        await page.evaluate(axe_script())
        result = await page.evaluate(
            "() => axe.run({runOnly: {type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'wcag2aaa']}})"
        )
        assert [violation["id"] for violation in result["violations"]] == [], path
        assert any(rule["id"] == "color-contrast-enhanced" for rule in result["passes"])
    await context.close()


async def test_the_list_shows_only_what_is_asked_for(pages: TestServer, chromium: Browser) -> None:
    """By CSS alone."""
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(str(pages.make_url("/job")))
    rows, empty = page.locator(".cp:visible"), page.locator(".none")
    assert await rows.count() == 14
    await page.get_by_text("Needs action", exact=True).click()
    statuses = await rows.locator(".st").all_text_contents()
    assert 0 < len(statuses) < 14
    assert "No serial" in statuses
    assert "connected (available)" not in statuses
    await page.get_by_text("Not tested", exact=True).click()
    assert await rows.count() == await page.locator(".cp:not([data-tested])").count()
    assert not await empty.is_visible()
    await page.locator(".cp").evaluate_all("rows => rows.forEach((row) => row.dataset.tested = '')")
    assert await rows.count() == 0
    assert await empty.is_visible()
    await context.close()
