"""The whole way in a real browser: an operator's job, commissioned on site while the cloud is away, and what follows.

Box, cloud and charge points are real and talk over real sockets; that the cloud is away means that nobody listens
there.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from cloud_relay.config import Http, Settings
from tests.browser.test_console_fleet import signed_in
from tests.doubles.box import BoxProcess
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.console import Console, running_console
from tests.doubles.demo_processes import free_port

pytestmark = pytest.mark.timeout(300)
SOON_MS = 30_000
"""A box that lost its cloud looks for it again within this."""


class Place:
    """Where things are: the cloud comes and goes at the same address, the box stays."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port(0)
        self.box: BoxProcess | None = None

    @asynccontextmanager
    async def cloud(self) -> AsyncIterator[Console]:
        settings = Settings(data_dir=self.folder / "cloud", http=Http(bind="127.0.0.1", port=self.port))
        async with running_console(self.folder / "cloud", settings) as console:
            yield console

    @asynccontextmanager
    async def with_box(self, claim: str) -> AsyncIterator[BoxProcess]:
        box = BoxProcess(
            self.folder / "box", **{"relay.url": f"ws://127.0.0.1:{self.port}/relay", "relay.claim": claim}
        )
        await box.start()
        try:
            yield box
        finally:
            await box.stop()
            box.forget()


def row_of(page: Page, bay: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=bay))


async def expect_box(page: Page) -> str:
    """The claim of a new box at the site "Harbour"."""
    await page.get_by_role("link", name="Sites").click()
    await page.get_by_role("link", name="Harbour").click()
    await page.get_by_label("Name of the box").fill("GW-1")
    await page.get_by_role("button", name="Add the box").click()
    return (await page.locator(".claim").first.inner_text()).strip()


async def make_job(page: Page, rows: str) -> tuple[str, str]:
    """The path of its page, and a link for the installer."""
    await page.get_by_role("link", name="Jobs", exact=True).click()
    await page.get_by_role("link", name="New job").click()
    await page.get_by_label("Site", exact=True).fill("Harbour")
    await page.get_by_label("Charge points", exact=True).fill(rows)
    await page.get_by_role("button", name="Make the job").click()
    await page.get_by_role("button", name="Make a link").click()
    link = await page.get_by_label("Link", exact=True).input_value()
    return page.url.removesuffix("/links"), link.partition("#")[2]


async def on_site(chromium: Browser, box: BoxProcess, token: str) -> Page:
    """An installer's phone at the box."""
    context = await chromium.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = await context.new_page()
    await page.goto(f"{box.http}/j#{token}")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Installer job")
    return page


async def save(row: Locator, identity: str) -> None:
    field = row.get_by_label("Charge Point Identity")
    await field.fill(identity)
    await field.press("Enter")


async def test_a_job_is_made_above_done_below_and_finished_above(tmp_path: Path, chromium: Browser) -> None:
    place = Place(tmp_path)
    async with place.cloud() as console, signed_in(console, chromium) as desk:
        job, token = await make_job(desk, "Bay 1,CP001\nBay 2")
        claim = await expect_box(desk)
        box_of_place = place.with_box(claim)
        box = await box_of_place.__aenter__()
        await desk.goto(job)
        await expect(desk.locator("#desk")).to_contain_text("Delivered to the box", timeout=SOON_MS)

    try:  # the cloud is away from here on
        async with VirtualChargePoint(box.ocpp, "CP001", speed=20) as one, VirtualChargePoint(box.ocpp, "CP002"):
            phone = await on_site(chromium, box, token)
            await expect(phone.get_by_text("1 / 2 connected")).to_be_visible(timeout=SOON_MS)
            await save(row_of(phone, "Bay 2"), "CP002")
            await expect(phone.get_by_text("2 / 2 connected")).to_be_visible(timeout=SOON_MS)
            await charge_for_a_test(phone, one)
            await write_note(phone, "Breaker C2 is loose.")
            await complete_without_activation(phone)
            await expect(phone.locator("#header")).to_contain_text("Box to operator: offline")
            await phone.context.close()

            async with place.cloud() as console, signed_in(console, chromium) as desk:
                await desk.goto(job)
                await expect(desk.locator("#header .pill")).to_have_text("Completed", timeout=SOON_MS)
                await expect(row_of(desk, "Bay 2").get_by_label("Charge Point Identity")).to_have_value("CP002")
                await expect(row_of(desk, "Bay 1")).to_contain_text("Tested")
                await answer_note(desk, "An electrician comes at three.")
                await desk.get_by_role("button", name="Activate all charge points").click()
                await expect(desk.get_by_role("button", name="Deactivate Bay 1")).to_be_visible()
                await expect(desk.locator("#desk")).to_contain_text("Delivered to the box", timeout=SOON_MS)
                box.token = token
                state = await box.job()
                assert [row["active"] for row in state["charge_points"]] == [True, True]
                assert [note["side"] for note in state["charge_points"][0]["notes"]] == ["installer", "operator"]
    finally:
        await box_of_place.__aexit__(None, None, None)


async def charge_for_a_test(phone: Page, station: VirtualChargePoint) -> None:
    await row_of(phone, "Bay 1").get_by_role("button", name="Remote actions").tap()
    dialog = phone.get_by_role("dialog")
    station.plug_in(1)
    await dialog.get_by_role("button", name="Start", exact=True).tap()
    await expect(dialog.get_by_text("Charging started").first).to_be_visible(timeout=SOON_MS)
    await station.wait_until(lambda: len(station.confirmed_of("MeterValues")) >= 2, 30)
    await dialog.get_by_role("button", name="Stop", exact=True).tap()
    await expect(dialog.get_by_text("Charging stopped").first).to_be_visible(timeout=SOON_MS)
    station.unplug(1)
    await phone.keyboard.press("Escape")


async def write_note(phone: Page, text: str) -> None:
    await row_of(phone, "Bay 1").get_by_role("button", name="Notes").tap()
    await phone.get_by_role("dialog").get_by_label("Installer note").fill(text)
    await phone.get_by_role("dialog").get_by_role("button", name="Save").tap()
    await expect(phone.get_by_role("dialog")).to_contain_text("Saved on the box, waiting to be sent")
    await phone.keyboard.press("Escape")


async def answer_note(desk: Page, text: str) -> None:
    await row_of(desk, "Bay 1").get_by_role("button", name="Notes (1), the last from the installer").click()
    await expect(desk.get_by_role("dialog")).to_contain_text("Breaker C2 is loose.")
    await desk.get_by_role("dialog").get_by_label("Operator note").fill(text)
    await desk.get_by_role("dialog").get_by_role("button", name="Save").click()
    await expect(desk.get_by_role("dialog")).to_contain_text(text)
    await desk.keyboard.press("Escape")


async def complete_without_activation(phone: Page) -> None:
    await phone.get_by_role("button", name="Mark as complete").tap()
    dialog = phone.get_by_role("dialog")
    await dialog.get_by_label("Activate All Charge Points").uncheck()
    await dialog.get_by_label("What stays open, and why?").fill("Bay 2 is tested tomorrow.")
    await dialog.get_by_role("button", name="Mark as complete").tap()
    await expect(phone.locator("#completed")).to_be_visible(timeout=SOON_MS)


async def test_two_who_edit_apart_both_see_it_and_either_settles_it(tmp_path: Path, chromium: Browser) -> None:
    place = Place(tmp_path)
    async with place.cloud() as console, signed_in(console, chromium) as desk:
        job, token = await make_job(desk, "Bay 1,CP001\nBay 2,CP002")
        box_of_place = place.with_box(await expect_box(desk))
        box = await box_of_place.__aenter__()
        await desk.goto(job)
        await expect(desk.locator("#desk")).to_contain_text("Delivered to the box", timeout=SOON_MS)
        await box.stop()
        for bay, identity in (("Bay 1", "ABOVE1"), ("Bay 2", "ABOVE2")):
            await save(row_of(desk, bay), identity)
            await expect(desk.locator("#desk")).to_contain_text("Waiting for the box")
    try:
        await box.start()
        phone = await on_site(chromium, box, token)
        for bay, identity in (("Bay 1", "BELOW1"), ("Bay 2", "BELOW2")):
            await save(row_of(phone, bay), identity)
            await expect(phone.locator("#status")).to_contain_text("saved on the box", timeout=SOON_MS)
        async with place.cloud() as console, signed_in(console, chromium) as desk:
            await desk.goto(job)
            for page in (desk, phone):
                for bay in ("Bay 1", "Bay 2"):
                    clash = row_of(page, bay).locator(".clash")
                    await expect(clash).to_contain_text("set to different values", timeout=SOON_MS)
                    for words in (f"Use ABOVE{bay[-1]}", f"Use BELOW{bay[-1]}", "Operator Admin", "Installer"):
                        await expect(clash).to_contain_text(words)
            await row_of(desk, "Bay 1").get_by_role("button", name="Use ABOVE1").click()
            await row_of(phone, "Bay 2").get_by_role("button", name="Use BELOW2").tap()
            for page in (desk, phone):
                for bay, identity in (("Bay 1", "ABOVE1"), ("Bay 2", "BELOW2")):
                    await expect(row_of(page, bay).locator(".clash")).to_have_count(0, timeout=SOON_MS)
                    await expect(row_of(page, bay).get_by_label("Charge Point Identity")).to_have_value(identity)
        await phone.context.close()
    finally:
        await box_of_place.__aexit__(None, None, None)
