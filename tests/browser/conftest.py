"""One Chromium for all browser tests of a run, and axe-core to look for what a person could not use.

The system's Chromium, driven through Playwright's async API on the loop all tests share. Pages open in contexts of
their own: `context = await chromium.new_context(viewport=…)`. Start at `chromium` and `axe_faults`.
"""

import importlib.util
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",  # CI runs as root; nothing but our own pages is opened
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
BAD_IMPACTS = frozenset({"serious", "critical"})

AxeFaults = Callable[[Page], Awaitable[list[str]]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser. Without Chromium the tests are skipped at a desk and fail in CI."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing: in CI that is a failure, not a skip")
        pytest.skip("Chromium is missing; ./check installs it")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        await browser.close()


@cache
def axe_script() -> str:
    """axe-core (MPL-2.0), as the package axe-playwright-python carries it. Tests only, never served."""
    spec = importlib.util.find_spec("axe_playwright_python")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0], "axe.min.js").read_text("utf-8")


@pytest.fixture(scope="session")
def axe_faults() -> AxeFaults:
    """`await axe_faults(page)`: one line for each serious or critical fault, none when the page is fit for all."""

    async def faults(page: Page) -> list[str]:
        await page.evaluate(axe_script())
        result = await page.evaluate("() => axe.run({resultTypes: ['violations']})")
        return [
            f"{violation['impact']} {violation['id']}: {', '.join(map(str, node['target']))}: {node['failureSummary']}"
            for violation in result["violations"]
            if violation["impact"] in BAD_IMPACTS
            for node in violation["nodes"]
        ]

    return faults
