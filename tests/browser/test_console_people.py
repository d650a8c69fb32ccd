"""People at the console in a real browser, at a desk and on a phone: accounts, the team, letters, the audit log."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from playwright.async_api import Browser, Page, expect

from cloud_relay.config import Http, Mail, Settings
from cloud_relay.fleet.roles import Role
from tests.doubles.console import PASSWORD, Console, running_console
from tests.doubles.post_office import PostOffice, post_office

AxeFaults = Callable[[Page], Awaitable[list[str]]]
SIZES = ((390, 844), (1280, 800))
CUT_OFF = """() => [...document.querySelectorAll("main .table")]
  .filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.innerText)"""


@asynccontextmanager
async def cloud(folder: Path) -> AsyncIterator[tuple[Console, PostOffice]]:
    """With people of every role, and somewhere to send letters."""
    async with post_office() as office:
        mail = Mail(host="127.0.0.1", port=office.port, tls="none")
        settings = Settings(data_dir=folder, http=Http(bind="127.0.0.1", port=0), mail=mail)
        async with running_console(folder, settings) as console:
            for role in Role:
                await console.person(role, email=f"{role.value}.with-a-long-name@charging.example.com")
            yield console, office


@asynccontextmanager
async def at_a_page(chromium: Browser, *, script: bool = True, scheme: str = "light") -> AsyncIterator[Page]:
    context = await chromium.new_context(
        viewport={"width": 1280, "height": 800},
        java_script_enabled=script,
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    yield await context.new_page()
    await context.close()


async def sign_in(page: Page, console: Console, email: str = "", password: str = PASSWORD) -> None:
    await page.goto(f"{console.url}/sign-in")
    await page.get_by_label("Mail address").fill(email or "admin.with-a-long-name@charging.example.com")
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()


async def base_of(page: Page) -> str:
    await page.wait_for_url("**/t/**")
    return page.url


async def fits_all(page: Page, axe_faults: AxeFaults) -> None:
    """At both widths nothing is cut off, and everybody can use it."""
    await page.locator("main details").evaluate_all("all => all.forEach((each) => each.open = true)")
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, (page.url, width)
        assert await page.evaluate(CUT_OFF) == [], (page.url, width)
        assert await axe_faults(page) == [], (page.url, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_fits_and_can_be_used_by_all(
    tmp_path: Path, chromium: Browser, axe_faults: AxeFaults, scheme: str
) -> None:
    async with cloud(tmp_path) as (console, office), at_a_page(chromium, scheme=scheme) as page:
        for path in ("/sign-in", "/forgot"):
            await page.goto(console.url + path)
            await fits_all(page, axe_faults)
        await sign_in(page, console, password="wrong, and long enough")
        await fits_all(page, axe_faults)
        await sign_in(page, console)
        base = await base_of(page)
        await page.goto(f"{base}/team")
        await page.get_by_label("Mail address").fill("somebody-new@charging.example.com")
        await page.get_by_role("button", name="Invite").click()
        await fits_all(page, axe_faults)
        await page.get_by_label("Name, such as the program's").fill("Billing")
        await page.get_by_role("button", name="Make a token").click()
        await fits_all(page, axe_faults)
        await page.get_by_label("Good for days").fill("0")
        await page.get_by_label("Name, such as the program's").fill("Billing")
        await page.get_by_role("button", name="Make a token").click()
        await fits_all(page, axe_faults)
        for path in ("/account", "/account/second-factor", f"{base}/audit", f"{base}/audit?actor=nobody&since=x"):
            await page.goto(path if path.startswith("http") else console.url + path)
            await fits_all(page, axe_faults)
        token = re.findall(r"gi1_[\w-]{43}", (await office.letter()).get_content())[0]
        async with at_a_page(chromium, scheme=scheme) as other:
            await other.goto(f"{console.url}/invitation?token={token}")
            await fits_all(other, axe_faults)


async def test_somebody_is_invited_turns_on_a_second_factor_and_forgets_the_password_without_script(
    tmp_path: Path, chromium: Browser
) -> None:
    async with cloud(tmp_path) as (console, office), at_a_page(chromium, script=False) as admin:
        await sign_in(admin, console)
        await admin.goto(f"{await base_of(admin)}/team")
        await admin.get_by_label("Mail address").fill("new@example.com")
        await admin.get_by_label("Role", exact=True).select_option("Support")
        await admin.get_by_role("button", name="Invite").click()
        await expect(admin.get_by_role("row", name="new@example.com")).to_contain_text("Support")
        invited = re.findall(r"/invitation\?token=\S+", (await office.letter()).get_content())[0]
        async with at_a_page(chromium, script=False) as page:
            await page.goto(console.url + invited)
            await page.get_by_label("Your name").fill("New Person")
            await page.get_by_label("A password").fill("a password of their own")
            await page.get_by_role("button", name="Make an account and join").click()
            await page.wait_for_url("**/t/**")
            secret = await turn_on_second_factor(page)
            await page.get_by_role("button", name="Sign out", exact=True).click()
            await page.get_by_role("link", name="Forgot the password?").click()
            await page.get_by_label("Mail address").fill("new@example.com")
            await page.get_by_role("button", name="Send me a link").click()
            await expect(page.get_by_role("status")).to_contain_text("a letter with a link is on its way")
            way_in = re.findall(r"/new-password\?token=\S+", (await office.letter()).get_content())[0]
            await page.goto(console.url + way_in)
            await page.get_by_label("The new password").fill("quite another password")
            await page.get_by_role("button", name="Set it").click()
            await page.get_by_label("Mail address").fill("new@example.com")
            await page.get_by_label("Password").fill("quite another password")
            await page.get_by_role("button", name="Sign in").click()
            later = datetime.now(UTC) + timedelta(seconds=30)  # noqa: TID251 -- an app's clock
            await page.get_by_label("Code").fill(pyotp.TOTP(secret).at(later))
            await page.get_by_role("button", name="Go on").click()
            await page.wait_for_url("**/t/**")
            await expect(page.get_by_role("link", name="New Person")).to_be_visible()


async def turn_on_second_factor(page: Page) -> str:
    """Its secret. Leaves the page at the account."""
    await page.get_by_role("link", name="New Person").click()
    await page.get_by_role("link", name="Turn it on").click()
    secret = re.sub(r"\s", "", await page.locator("#key").inner_text())
    await page.get_by_label("The code it shows now").fill("000000")
    await page.get_by_role("button", name="Turn it on").click()
    await expect(page.get_by_role("alert")).to_contain_text("That code is not right")
    await page.get_by_label("The code it shows now").fill(pyotp.TOTP(secret).now())
    await page.get_by_role("button", name="Turn it on").click()
    await expect(page.locator(".codes li")).to_have_count(10)
    await page.get_by_role("link", name="I have kept them").click()
    await expect(page.get_by_text("10 recovery codes left.")).to_be_visible()
    return secret


async def test_by_keyboard_somebody_is_removed_and_the_log_tells_who_did_it(tmp_path: Path, chromium: Browser) -> None:
    async with cloud(tmp_path) as (console, _), at_a_page(chromium) as page:
        await sign_in(page, console)
        base = await base_of(page)
        await page.goto(f"{base}/team")
        row = page.get_by_role("row", name="auditor.with-a-long-name")
        await row.locator("summary").focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.innerText") == "Remove Auditor"
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Saved.")).to_be_visible()
        await expect(row).to_have_count(0)
        await page.goto(f"{base}/audit?kind=member.removed")
        line = page.locator("tbody tr")
        await expect(line).to_have_count(1)
        await expect(line).to_contain_text("admin.with-a-long-name@charging.example.com")
        await expect(line).to_contain_text("auditor.with-a-long-name@charging.example.com")
