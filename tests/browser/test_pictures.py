"""The pictures in the documents, made anew from the pages themselves: `GATEPOST_PICTURES=1 ./check -- -k pictures`.

Without that variable they are made beside, to see that they can be.
"""

import os
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser

from tests.browser.test_looks import pages

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
SHOTS = [
    ("installer-phone", "/job", (390, 844), "light", 0),
    ("installer-phone-list", "/job", (390, 844), "light", 560),
    ("installer-phone-dark", "/job", (390, 844), "dark", 560),
    ("installer-actions", "/actions", (390, 844), "light", 0),
    ("installer-notes", "/notes", (390, 844), "light", 0),
    ("installer-complete", "/complete", (390, 844), "light", 0),
    ("installer-tablet", "/job", (768, 1024), "light", 0),
    ("installer-desk", "/job", (1280, 800), "light", 0),
]

__all__ = ["pages"]


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
