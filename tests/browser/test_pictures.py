"""The pictures in the documents, made anew from the pages themselves: `GATEPOST_PICTURES=1 ./check -- -k pictures`.

Without that variable they are made beside, to see that they can be.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser

from tests.doubles.details import admin_texts, detail_texts
from tests.doubles.sites import JOB, harbour_garage
from web_ui import assets, render
from web_ui.ports import Relay
from web_ui.views import job_view

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
SHOTS = [
    ("installer-phone", "/job", (390, 844), "light", 0),
    ("installer-phone-list", "/job", (390, 844), "light", 640),
    ("installer-phone-dark", "/job", (390, 844), "dark", 640),
    ("installer-actions", "/actions", (390, 844), "light", 0),
    ("installer-notes", "/notes", (390, 844), "light", 0),
    ("installer-complete", "/complete", (390, 844), "light", 0),
    ("installer-tablet", "/job", (768, 1024), "light", 0),
    ("installer-desk", "/job", (1280, 800), "light", 0),
    ("details-phone", "/details", (390, 844), "light", 0),
    ("details-desk", "/details", (1280, 800), "light", 0),
    ("messages-phone", "/frames", (390, 844), "light", 0),
    ("admin-desk", "/admin", (1280, 800), "light", 0),
    ("calls-desk", "/calls", (1280, 800), "light", 0),
]


@pytest.fixture
async def pages() -> AsyncIterator[TestServer]:
    """The pages of a made-up site, served by a box that works on its own."""
    site = harbour_garage()
    view = job_view(site.snapshot(relay=Relay()), JOB, link=site.link())
    bay = view.row("row-3")
    texts = {
        "/job": render.page("job.html", view=view),
        "/actions": render.page("actions.html", view=view, row=bay),
        "/notes": render.page("notes.html", view=view, row=bay),
        "/complete": render.page("complete.html", view=view),
        **detail_texts(), **admin_texts(),
    }  # fmt: skip

    async def draw(request: web.Request) -> web.Response:
        return web.Response(text=texts[request.path], content_type="text/html")

    app = web.Application()
    assets.mount(app)
    app.add_routes([web.get(path, draw) for path in texts])
    async with TestServer(app) as server:
        yield server


@pytest.mark.parametrize(("name", "path", "size", "scheme", "scrolled"), SHOTS)
async def test_pictures(
    chromium: Browser, pages: TestServer, tmp_path: Path, name: str, path: str, size: tuple[int, int], scheme: str,
    scrolled: int,
) -> None:  # fmt: skip
    folder = PICTURES if os.environ.get("GATEPOST_PICTURES") else tmp_path
    context = await chromium.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, device_scale_factor=1.5
    )
    page = await context.new_page()
    await page.goto(str(pages.make_url(path)))
    await page.evaluate(f"scrollTo(0, {scrolled})")
    await page.screenshot(path=folder / f"{name}.png")
    await context.close()
    assert (folder / f"{name}.png").stat().st_size > 10_000
