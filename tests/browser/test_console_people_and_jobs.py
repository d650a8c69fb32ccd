"""Jobs, people and the audit log of the console, in a real browser at a desk and on a phone."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.test_console_fleet import HIDDEN, SIZES, signed_in
from tests.cloud_relay.console.test_jobs_pages import made_job
from tests.cloud_relay.console.test_notes_pages import installer_wrote
from tests.doubles.console import PASSWORD, running_console

AxeFaults = Callable[[Page], Awaitable[list[str]]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_fits_and_can_be_used_by_all(
    tmp_path: Path, chromium: Browser, axe_faults: AxeFaults, scheme: str
) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        job = await made_job(person)
        await installer_wrote(console, person, job, "Breaker C2 is loose. " * 20)
        await person.post(f"{person.base}/team/invitations", {"email": "new@example.com", "role": "support"})
        async with signed_in(console, chromium, scheme=scheme) as page:
            base = person.base
            for path in (
                f"{base}/jobs", f"{base}/jobs?q=nothing", f"{base}/jobs/new", job, f"{job}/links", f"{base}/team",
                f"{base}/notes", f"{base}/notes?show=all", f"{base}/audit", f"{base}/audit?text=nothing", "/account",
                "/account/second-factor", "/forgot", f"{base}/nothing-here",
            ):  # fmt: skip
                await page.goto(console.url + path)
                await page.locator("main details").evaluate_all("all => all.forEach((each) => each.open = true)")
                for width, height in SIZES:
                    await page.set_viewport_size({"width": width, "height": height})
                    assert await page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
                    assert width < 768 or path == job or await page.evaluate(HIDDEN) == [], path
                    assert await axe_faults(page) == [], (path, width)


async def test_a_job_is_made_and_its_link_taken_without_script(tmp_path: Path, chromium: Browser) -> None:
    async with running_console(tmp_path) as console, signed_in(console, chromium, script=False) as page:
        await page.get_by_role("link", name="Jobs", exact=True).click()
        await page.get_by_role("link", name="New job").click()
        await page.get_by_label("Site", exact=True).fill("Harbour")
        await page.get_by_label("Charge points", exact=True).fill("Bay 1;CP001;two")
        await page.get_by_role("button", name="Make the job").click()
        await expect(page.get_by_role("alert").first).to_contain_text("Line 1 of the charge points, connector")
        await page.get_by_label("Charge points", exact=True).fill("Bay 1;CP001;2\nBay 2")
        await page.get_by_role("button", name="Make the job").click()
        await page.get_by_role("button", name="Make a link").click()
        link = await page.get_by_label("Link", exact=True).input_value()
        assert re.search(r"/j#gl1_[\w-]{43}$", link)
        await page.get_by_role("link", name=re.compile("Job 1001")).click()
        await expect(page.get_by_role("rowheader", name="Bay 2")).to_be_visible()


async def test_two_desks_see_each_others_changes_at_once(tmp_path: Path, chromium: Browser) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        job = await made_job(person)
        async with signed_in(console, chromium) as one, signed_in(console, chromium) as other:
            for page in (one, other):
                await page.goto(console.url + job)
            row = one.get_by_role("row").filter(has_text="Bay 2")
            await row.get_by_label("Charge Point Identity").fill("CP777")
            await row.get_by_label("Charge Point Identity").press("Enter")
            theirs = other.get_by_role("row").filter(has_text="Bay 2")
            await expect(theirs.get_by_label("Charge Point Identity")).to_have_value("CP777")
            await theirs.get_by_role("button", name="Activate Bay 2").click()
            await expect(row.get_by_role("button", name="Deactivate Bay 2")).to_be_visible()


async def test_keys_alone_sign_in_and_write_a_note(tmp_path: Path, chromium: Browser) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        job = await made_job(person)
        page = await chromium.new_page()
        try:
            await page.goto(f"{console.url}{job}")
            # The browser gives the first field the focus only after the page counts as loaded.
            await expect(page.get_by_label("Mail address")).to_be_focused()
            await page.keyboard.type(person.email)
            await page.keyboard.press("Tab")
            await page.keyboard.type(PASSWORD)
            await expect(page.get_by_label("Mail address")).to_have_value(person.email)
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("heading", level=1)).to_contain_text("Installer job 1001")
            await page.get_by_role("button", name="Notes, Bay 1").focus()
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("dialog")).to_be_visible()
            await page.get_by_role("dialog").get_by_label("Operator note").focus()
            await page.keyboard.type("Use the left one.")
            await page.keyboard.press("Tab")
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("dialog")).to_contain_text("Operator · Admin")
            await page.keyboard.press("Escape")
            await expect(page.get_by_role("button", name=re.compile(r"^Notes \(1\)"))).to_be_visible()
        finally:
            await page.close()
