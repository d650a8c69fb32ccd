"""Sites, boxes, charge points and transactions of the console, in a real browser at a desk and on a phone."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.doubles.console import PASSWORD, Console, running_console
from tests.doubles.fleet import Box, box_of
from tests.doubles.sites import harbour_garage

AxeFaults = Callable[[Page], Awaitable[list[str]]]
SIZES = ((390, 844), (1280, 800))


@asynccontextmanager
async def signed_in(
    console: Console, chromium: Browser, *, script: bool = True, scheme: str = "light"
) -> AsyncIterator[Page]:
    """Somebody at a page of their own, in their team."""
    person = await console.person()
    context = await chromium.new_context(
        viewport={"width": 1280, "height": 800},
        java_script_enabled=script,
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page = await context.new_page()
    await page.goto(f"{console.url}/sign-in")
    await page.get_by_label("Mail address").fill(person.email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/t/**")
    yield page
    await context.close()


async def fleet(console: Console) -> Box:
    """A site with fourteen charge points, and one whose box never came."""
    box = await box_of(console)
    await box.tell_site(harbour_garage())
    box.come()
    await box_of(console, site="Mill Lane Depot", name="GW-0B21")
    return box


def paths(box: Box) -> list[str]:
    base = f"/t/{box.place.team}"
    site = f"{base}/sites/{box.place.site}"
    return [f"{base}/sites", f"{base}/sites?q=nothing", f"{base}/sites/new", site]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_fits_and_can_be_used_by_all(
    tmp_path: Path, chromium: Browser, axe_faults: AxeFaults, scheme: str
) -> None:
    async with running_console(tmp_path) as console, signed_in(console, chromium, scheme=scheme) as page:
        for path in paths(await fleet(console)):
            await page.goto(console.url + path)
            await page.locator("main details").evaluate_all("all => all.forEach((each) => each.open = true)")
            for width, height in SIZES:
                await page.set_viewport_size({"width": width, "height": height})
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
                assert await axe_faults(page) == [], (path, width)


async def test_a_site_is_made_and_its_box_revoked_without_script(tmp_path: Path, chromium: Browser) -> None:
    async with running_console(tmp_path) as console, signed_in(console, chromium, script=False) as page:
        await page.get_by_role("link", name="Sites").click()
        await page.get_by_role("link", name="New site").click()
        await page.get_by_label("Name").fill("Harbour")
        await page.get_by_role("button", name="Make the site").click()
        await page.get_by_label("Name of another box").fill("GW-7F3A")
        await page.get_by_role("button", name="Expect a box").click()
        await expect(page.get_by_role("heading", name="GW-7F3A is expected")).to_be_visible()
        await page.get_by_role("link", name="I have it").click()
        await page.locator("summary", has_text="Revoke").click()
        await page.get_by_role("button", name="Revoke GW-7F3A").click()
        await expect(page.locator(".boxes .st")).to_contain_text("revoked")


async def test_keys_alone_lead_to_a_site(tmp_path: Path, chromium: Browser) -> None:
    async with running_console(tmp_path) as console, signed_in(console, chromium) as page:
        box = await fleet(console)
        await page.goto(f"{console.url}/t/{box.place.team}/sites")
        await page.get_by_label("Search").focus()
        await page.keyboard.type("harbour")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**q=harbour**")
        await page.get_by_role("link", name="Harbour Garage").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Harbour Garage")


async def test_an_open_page_follows_and_leaves_what_is_typed(tmp_path: Path, chromium: Browser) -> None:
    async with running_console(tmp_path) as console, signed_in(console, chromium) as page:
        box = await fleet(console)
        await page.goto(f"{console.url}/t/{box.place.team}/sites/{box.place.site}")
        await page.get_by_label("Name of another box").fill("half a na")
        await expect(page.locator(".boxes .st")).to_have_text("online")
        async with page.expect_response(lambda answer: answer.url == page.url):
            box.go()
            await box.tell_news()
        await expect(page.locator(".boxes .st")).to_contain_text("offline since")
        await expect(page.locator(".stale")).to_be_visible()
        await expect(page.get_by_label("Name of another box")).to_have_value("half a na")
