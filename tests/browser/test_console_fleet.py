"""Sites, boxes, charge points and transactions of the console, in a real browser at a desk and on a phone."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from sitelink import events as e
from sitelink.ids import ChargePointId, station_key
from sitelink.ops import Author
from sitelink.states import ActionName, AuthorType, CommandState
from sitelink.wire import messages as m
from tests.cloud_relay.made import op
from tests.doubles.console import PASSWORD, Console, running_console
from tests.doubles.fleet import Box, box_of, hours_ago
from tests.doubles.sites import charging_day, harbour_garage

AxeFaults = Callable[[Page], Awaitable[list[str]]]
HIDDEN = """() => [...document.querySelectorAll("main td, main th")]
  .filter((each) => !each.checkVisibility()).map((each) => each.outerHTML)"""
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
    point = f"{site}/charge-points"
    return [
        base, f"{base}/alerts", f"{base}/alerts/rules", f"{base}/webhooks/new",
        f"{base}/webhooks", f"{base}/sites", f"{base}/sites?q=nothing", f"{base}/sites/new", site,
        f"{site}/settings", f"{site}/id-tokens", f"{site}/id-tokens?q=04&change=04A1",
        f"{base}/charge-points",
        f"{base}/charge-points?q=nothing", f"{point}/row-3", f"{point}/row-4", f"{point}/row-3/charges/12",
    ]  # fmt: skip


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
                assert width < 768 or await page.evaluate(HIDDEN) == [], "a row has all its cells"
                assert await axe_faults(page) == [], (path, width)


async def test_a_site_is_made_and_its_box_revoked_without_script(tmp_path: Path, chromium: Browser) -> None:
    async with running_console(tmp_path) as console, signed_in(console, chromium, script=False) as page:
        await page.get_by_role("link", name="Sites").click()
        await page.get_by_role("link", name="New site").click()
        await page.get_by_label("Name").fill("Harbour")
        await page.get_by_role("button", name="Make the site").click()
        await page.get_by_label("Name of the box").fill("GW-7F3A")
        await page.get_by_role("button", name="Add the box").click()
        await expect(page.get_by_role("heading", name="GW-7F3A is expected")).to_be_visible()
        await page.get_by_role("link", name="I have it").click()
        await page.locator("summary", has_text="Revoke").click()
        await page.get_by_role("button", name="Revoke GW-7F3A").click()
        await expect(page.locator(".boxes .st")).to_contain_text("revoked")


async def test_what_the_boxes_are_told_is_said_without_script(tmp_path: Path, chromium: Browser) -> None:
    async with running_console(tmp_path) as console, signed_in(console, chromium, script=False) as page:
        box = await fleet(console)
        await page.goto(f"{console.url}/t/{box.place.team}/sites/{box.place.site}")
        await page.get_by_role("link", name="Settings").click()
        await page.get_by_label("Id tokens that are not listed").select_option("are refused")
        await page.get_by_role("button", name="Save the settings").click()
        await expect(page.get_by_text("waiting for the box")).to_have_count(1)
        await page.get_by_role("link", name="Id tokens", exact=True).click()
        await page.get_by_label("Id token", exact=True).fill("04A1")
        await page.get_by_label("Whose it is (optional)").fill("Ann")
        await page.get_by_role("button", name="List it").click()
        await page.get_by_role("link", name="Change 04A1").click()
        await expect(page.get_by_label("Whose it is (optional)")).to_have_value("Ann")
        await page.get_by_role("button", name="Remove 04A1").click()
        await expect(page.get_by_text("None yet.")).to_be_visible()


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
        await page.get_by_label("Name of the box").fill("half a na")
        await expect(page.locator(".boxes .st")).to_have_text("online")
        async with page.expect_response(lambda answer: answer.url == page.url):
            box.go()
            await box.tell_news()
        await expect(page.locator(".boxes .st")).to_contain_text("offline since")
        await expect(page.locator(".stale")).to_be_visible()
        await expect(page.get_by_label("Name of the box")).to_have_value("half a na")


async def test_a_day_is_drawn_and_its_charge_can_be_looked_at_without_script(tmp_path: Path, chromium: Browser) -> None:
    async with running_console(tmp_path) as console, signed_in(console, chromium, script=False) as page:
        box = await box_of(console)
        await box.tell_site(charging_day(hours_ago(20)))
        await page.goto(f"{console.url}/t/{box.place.team}/charge-points?q=zpr104221")
        await page.get_by_role("link", name="Bay 1").click()
        timeline = page.get_by_role("img", name="Connection and operation")
        widths = await timeline.locator("rect.span").evaluate_all(
            "all => all.map((each) => each.getBoundingClientRect().width)"
        )
        box_of_all = await timeline.bounding_box()
        assert box_of_all is not None
        assert 2 * 0.8 * box_of_all["width"] < sum(widths) < 2 * 0.9 * box_of_all["width"], "20 of 24 hours, twice"
        await page.locator("#r-charges").get_by_role("link", name="21").click()
        curve = page.get_by_role("img", name="Power and energy of charge 21")
        drawn = await curve.locator("polyline").evaluate_all(
            "all => all.map((each) => each.getBoundingClientRect().width)"
        )
        assert all(width > 500 for width in drawn)


async def test_an_order_asks_first_by_name_and_shows_how_it_goes_on(tmp_path: Path, chromium: Browser) -> None:
    async with running_console(tmp_path) as console, signed_in(console, chromium) as page:
        box = await fleet(console)
        await page.goto(f"{console.url}/t/{box.place.team}/sites/{box.place.site}/charge-points/row-3")
        await page.locator("summary", has_text="Stop").click()
        await expect(page.get_by_text("Stop Bay 3 (ZPR104223), connector 1?")).to_be_visible()
        async with page.expect_navigation():
            await page.get_by_role("button", name="Stop Bay 3").click()
        cmd = next(heard for heard in box.heard if isinstance(heard, m.Cmd))
        row, by = ChargePointId("row-3"), Author(type=AuthorType.OPERATOR, name=cmd.by)
        asked = e.CommandRequested(ActionName.STOP, row, station_key("ZPR104223"), 1)
        await box.tell(op(f"command:{cmd.command}", asked, author=by))
        newest = page.locator(".commands li").first
        await expect(newest).to_contain_text("Stop, Admin")
        await expect(newest).to_contain_text("waiting for its answer")
        await box.tell(op(f"command:{cmd.command}", e.CommandAnswered("Accepted", CommandState.ANSWERED)))
        await expect(newest).to_contain_text("Accepted")
