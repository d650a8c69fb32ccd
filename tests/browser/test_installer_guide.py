"""The installer guide from opening the link to completion, in a real browser against a real box and real stations.

Chapters 1 to 6 in the guide's order and words: at three sizes by touch with script, by keyboard alone, and with
JavaScript off. Pictures of the phone and the desk land in docs/pictures when GATEPOST_PICTURES is set.
"""

import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import AxeFaults
from tests.doubles.box import BoxProcess, job_data, running_box
from tests.doubles.charge_point import VirtualChargePoint

PHONE, TABLET, DESK = (390, 844), (768, 1024), (1280, 800)
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"


class Visit:
    """A person at a page. Everything is found by what a person reads: roles, labels and words."""

    def __init__(self, page: Page, box: BoxProcess, axe_faults: AxeFaults, *, script: bool, name: str) -> None:
        self.page = page
        self.box = box
        self.script = script
        self.name = name
        self._axe_faults = axe_faults

    def row(self, bay: str) -> Locator:
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("rowheader", name=bay, exact=False))

    @property
    def dialog(self) -> Locator:
        """Where a dialog's content is: in a dialog with script, on a page of its own without."""
        return self.page.get_by_role("dialog") if self.script else self.page.locator("main")

    async def press(self, button: Locator) -> None:
        await button.scroll_into_view_if_needed()
        await (button.tap() if self.name.startswith("touch") else button.click())

    async def status(self, bay: str, text: str) -> None:
        """The status cell says exactly this. Without script a person reloads."""
        cell = self.row(bay).get_by_role("cell").filter(has_text=text).first
        for _ in range(40):
            try:
                await expect(cell).to_have_text(text, timeout=15_000 if self.script else 500)
                return
            except AssertionError:
                if self.script:
                    raise
                await self.page.reload()
        raise AssertionError(f"{bay} never became {text}")

    async def leave_dialog(self) -> None:
        if self.script:
            await self.page.keyboard.press("Escape")
            await expect(self.page.get_by_role("dialog")).to_have_count(0)
        else:
            await self.page.get_by_role("link", name="Back to the job").click()

    async def look(self, what: str) -> None:
        """No serious or critical fault for anybody, and a picture for the documents."""
        if self.script:
            assert await self._axe_faults(self.page) == [], what
        if os.environ.get("GATEPOST_PICTURES"):
            PICTURES.mkdir(exist_ok=True)
            await self.page.screenshot(path=PICTURES / f"{self.name}-{what}.png")


@asynccontextmanager
async def site(tmp_path: Path) -> AsyncIterator[tuple[BoxProcess, dict[str, VirtualChargePoint]]]:
    """A box with three bays: two stations connected, the third waiting under an identity the job does not know."""
    quick = {"ocpp.retry_interval_s": "1", "commands.start_patience_s": "20"}
    async with running_box(tmp_path, **quick) as box, AsyncExitStack() as stack:
        await box.import_job(job_data(["ZPR104221", "ZPR104222", ""]))
        cps = {}
        for n, identity in enumerate(("ZPR104221", "ZPR104222", "ZPR104223")):
            station = VirtualChargePoint(box.ocpp, identity, speed=20, reboot_s=20, seed=n, vendor="Zap", model="AC22")
            cps[identity] = await stack.enter_async_context(station)
        for identity in ("ZPR104221", "ZPR104222"):
            await cps[identity].wait_until(lambda station=cps[identity]: station.accepted, 20)
        await box.until("Bay 2", "connected")
        yield box, cps


@asynccontextmanager
async def visiting(
    chromium: Browser, box: BoxProcess, axe_faults: AxeFaults, size: tuple[int, int], *,
    touch: bool = False, script: bool = True, name: str,
) -> AsyncIterator[Visit]:  # fmt: skip
    width, height = size
    context = await chromium.new_context(
        viewport={"width": width, "height": height}, has_touch=touch, is_mobile=touch and width < 700,
        java_script_enabled=script, device_scale_factor=2 if width < 700 else 1,
    )  # fmt: skip
    foreign: list[str] = []
    problems: list[str] = []
    context.on("request", lambda request: foreign.append(request.url) if not _own(request.url, box) else None)
    context.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: problems.append(str(error.error)))
    try:
        page = await context.new_page()
        yield Visit(page, box, axe_faults, script=script, name=name)
        assert foreign == [], "no request may leave the host"
        told = ("status of 4", "net::ERR_")  # refusals, and a box that was killed on purpose
        assert [text for text in problems if not any(words in text for words in told)] == []
    finally:
        await context.close()


def _own(url: str, box: BoxProcess) -> bool:
    return url.startswith((box.http, "data:"))


async def open_link(visit: Visit) -> None:
    """Chapter 1. Without script the link is pasted."""
    await visit.page.goto(visit.box.link)
    if not visit.script:
        await visit.page.get_by_label("Link or token").fill(visit.box.link)
        await visit.press(visit.page.get_by_role("button", name="Open job"))
    await expect(visit.page.get_by_role("heading", level=1)).to_contain_text("Installer job 1042")
    assert visit.box.token not in visit.page.url
    for words in ("Harbour Garage", "Fourteen new charge points", "cabinet C2", "3 charge points"):
        await expect(visit.page.get_by_text(words).first).to_be_visible()
    await expect(visit.page.get_by_text("2 / 3 connected", exact=True)).to_be_visible()


async def update_details(visit: Visit) -> None:
    """Chapter 2: a missing identity, a taken one, a connector."""
    row = visit.row("Bay 3")
    field = row.get_by_label("Charge Point Identity")
    await field.fill("zpr104221")
    await _save(visit, row, field)
    await expect(row.get_by_text("Bay 1 already uses")).to_be_visible()
    await field.fill(" ZPR104223 ")
    await _save(visit, row, field)
    await visit.status("Bay 3", "connected")
    await expect(visit.row("Bay 3").get_by_label("Charge Point Identity")).to_have_value("ZPR104223")
    row = visit.row("Bay 2")
    await row.get_by_label("Connector").select_option("2")
    if not visit.script:
        await visit.press(row.get_by_role("button", name="Save"))
    await expect(visit.row("Bay 2").get_by_label("Connector")).to_have_value("2")
    await visit.page.wait_for_timeout(300)
    assert (await visit.box.row("Bay 2"))["connector"] == 2


async def _save(visit: Visit, row: Locator, field: Locator) -> None:
    if visit.script:
        await field.press("Enter")
    else:
        await visit.press(row.get_by_role("button", name="Save"))


async def use_remote_actions(visit: Visit, station: VirtualChargePoint) -> None:
    """Chapters 3 and 4: status, then Start, Stop, Unlock, Reboot with both parts of every outcome."""
    await visit.status("Bay 1", "connected")
    await visit.press(visit.row("Bay 1").get_by_role("button", name="Remote actions"))
    await expect(visit.dialog.get_by_role("button", name="Stop", exact=True)).to_be_disabled()
    await expect(visit.dialog.get_by_text("Nothing is charging").first).to_be_visible()
    station.plug_in(1)
    await visit.press(visit.dialog.get_by_role("button", name="Start", exact=True))
    await expect(visit.dialog.get_by_text("Accepted").first).to_be_visible(timeout=15_000)
    await expect(visit.dialog.get_by_text("Charging started").first).to_be_visible(timeout=15_000)
    await visit.look("actions")
    await visit.leave_dialog()
    await visit.status("Bay 1", "connected (busy-charging)")
    field = visit.row("Bay 1").get_by_label("Charge Point Identity")
    await field.fill("ZPR999999")
    await _save(visit, visit.row("Bay 1"), field)
    await expect(visit.row("Bay 1").get_by_text("charg", exact=False).first).to_be_visible()
    await visit.look("refused")
    if visit.script:
        await visit.row("Bay 1").get_by_label("Charge Point Identity").fill("ZPR104221")
    else:
        await visit.page.goto(f"{visit.box.http}/j")
    await station.wait_until(lambda: len(station.confirmed_of("MeterValues")) >= 2, 20)
    await visit.press(visit.row("Bay 1").get_by_role("button", name="Remote actions"))
    await visit.press(visit.dialog.get_by_role("button", name="Stop", exact=True))
    await expect(visit.dialog.get_by_text("Charging stopped").first).to_be_visible(timeout=15_000)
    station.unplug(1)
    await visit.press(visit.dialog.get_by_role("button", name="Unlock", exact=True))
    await expect(visit.dialog.get_by_text("Unlocked").first).to_be_visible(timeout=15_000)
    await visit.press(visit.dialog.get_by_role("button", name="Reboot", exact=True))
    await expect(visit.dialog.get_by_text("It will be offline for a few minutes").first).to_be_visible()
    await visit.press(visit.dialog.get_by_role("button", name="Restart Bay 1"))
    await expect(visit.dialog.get_by_text("Back after").first).to_be_visible(timeout=20_000)
    await visit.leave_dialog()


async def write_notes(visit: Visit) -> None:
    """Chapter 5: both sides of the thread."""
    await visit.box.cli("job", "note", "1042", "Bay 2", "Please check the cable gland.")
    await visit.press(visit.row("Bay 2").get_by_role("button", name="Notes"))
    await expect(visit.dialog.get_by_text("Please check the cable gland.")).to_be_visible()
    await visit.dialog.get_by_label("Installer note").fill("Gland is tight now.\n<b>Not</b> bold.")
    await visit.press(visit.dialog.get_by_role("button", name="Save"))
    await expect(visit.dialog.get_by_text("<b>Not</b> bold.")).to_be_visible()
    await visit.look("notes")
    await visit.leave_dialog()
    await expect(visit.row("Bay 2").get_by_role("button", name=re.compile(r"Notes \(2\)"))).to_be_visible()


async def complete(visit: Visit, other: Visit) -> None:
    """Chapter 6, and the second press from another device."""
    await other.page.goto(other.box.link)
    await expect(other.page.get_by_role("heading", level=1)).to_contain_text("Installer job 1042")
    await other.press(other.page.get_by_role("button", name="Mark as complete"))
    await expect(other.dialog.get_by_role("heading", name="Complete job 1042?")).to_be_visible()
    await visit.press(visit.page.get_by_role("button", name="Mark as complete"))
    activate = visit.dialog.get_by_role("checkbox", name="Activate All Charge Points")
    await expect(activate).to_be_checked()
    await visit.look("complete")
    await visit.press(visit.dialog.get_by_role("button", name="Mark as complete"))
    await expect(visit.page.get_by_text("Job 1042 completed.")).to_be_visible()
    await visit.status("Bay 1", "connected (available)")
    await expect(visit.page.get_by_role("button", name="Mark as complete")).to_have_count(0)
    await expect(visit.row("Bay 1").get_by_label("Charge Point Identity")).not_to_be_editable()
    await visit.look("completed")
    await other.press(other.dialog.get_by_role("button", name="Mark as complete"))
    await expect(other.page.get_by_text("already completed", exact=False).first).to_be_visible()
    assert (await visit.box.job())["status"] == "completed"


async def guide(visit: Visit, other: Visit, cps: dict[str, VirtualChargePoint]) -> None:
    await open_link(visit)
    await update_details(visit)
    await visit.look("job")
    await use_remote_actions(visit, cps["ZPR104221"])
    await write_notes(visit)
    await complete(visit, other)
    assert [fault for station in cps.values() for fault in station.violations] == []


@pytest.mark.parametrize(("size", "touch", "script", "name"), [
    (PHONE, True, True, "touch-phone"),
    (TABLET, True, True, "touch-tablet"),
    (DESK, False, True, "desk"),
    (PHONE, True, False, "touch-phone-no-script"),
    (TABLET, True, False, "touch-tablet-no-script"),
    (DESK, False, False, "desk-no-script"),
])  # fmt: skip
async def test_the_guide(
    chromium: Browser, axe_faults: AxeFaults, tmp_path: Path, size: tuple[int, int], touch: bool, script: bool,
    name: str,
) -> None:  # fmt: skip
    async with (
        site(tmp_path) as (box, cps),
        visiting(chromium, box, axe_faults, size, touch=touch, script=script, name=name) as visit,
        visiting(chromium, box, axe_faults, PHONE, touch=True, name="touch-other") as other,
    ):
        await guide(visit, other, cps)


async def focused(page: Page) -> str:
    """What a screen reader would say of the focused element: its name."""
    script = """() => { const e = document.activeElement;
        return (e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent || '').trim(); }"""
    return str(await page.evaluate(script))


async def tab_to(page: Page, name: str, row: str | None = None) -> None:
    """Only the Tab key, as often as it takes, at most 120 times."""
    for _ in range(120):
        await page.keyboard.press("Tab")
        if name in await focused(page) and (row is None or await _in_row(page, row)):
            visible = await page.evaluate("() => document.activeElement.matches(':focus-visible')")
            assert visible, f"{name} has no visible focus"
            return
    raise AssertionError(f"Tab never reached {name}")


async def _in_row(page: Page, row: str) -> bool:
    script = "() => document.activeElement.closest('[role=row]')?.querySelector('[role=rowheader]')?.textContent || ''"
    return row in str(await page.evaluate(script))


async def test_the_guide_by_keyboard_alone(chromium: Browser, axe_faults: AxeFaults, tmp_path: Path) -> None:
    async with (
        site(tmp_path) as (box, cps),
        visiting(chromium, box, axe_faults, DESK, name="keyboard") as visit,
    ):
        page, keys = visit.page, visit.page.keyboard
        await open_link(visit)
        await tab_to(page, "Charge Point Identity", "Bay 3")
        await keys.type("ZPR104223")
        await keys.press("Enter")
        await visit.status("Bay 3", "connected")
        await tab_to(page, "Remote actions", "Bay 1")
        cps["ZPR104221"].plug_in(1)
        await keys.press("Enter")
        await expect(visit.dialog).to_be_visible()
        await tab_to(page, "Start")
        await keys.press("Space")
        await expect(visit.dialog.get_by_text("Charging started").first).to_be_visible(timeout=15_000)
        await keys.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        assert "Remote actions" in await focused(page), "focus returns to the opener"
        await visit.status("Bay 1", "connected (busy-charging)")
        await tab_to(page, "Notes", "Bay 1")
        await keys.press("Enter")
        await tab_to(page, "Installer note")
        await keys.type("Done by keyboard.")
        await tab_to(page, "Save")
        await keys.press("Enter")
        await expect(visit.dialog.get_by_text("Done by keyboard.").first).to_be_visible()
        await keys.press("Escape")
        await tab_to(page, "Mark as complete")
        await keys.press("Enter")
        await tab_to(page, "Activate All Charge Points")
        await keys.press("Space")
        await expect(visit.dialog.get_by_text("The operator must activate")).to_be_visible()
        await tab_to(page, "Mark as complete")
        await keys.press("Enter")
        await expect(page.get_by_text("Job 1042 completed.")).to_be_visible()
        job = await box.job()
        assert job["status"] == "completed"
        assert [row["active"] for row in job["charge_points"]] == [False, False, False]


async def test_two_phones_editing_one_charge_point_lose_neither_edit(
    chromium: Browser, axe_faults: AxeFaults, tmp_path: Path
) -> None:
    async with running_box(tmp_path) as box:
        await box.import_job(job_data(["CP001"]))
        async with (
            visiting(chromium, box, axe_faults, PHONE, touch=True, name="touch-one") as one,
            visiting(chromium, box, axe_faults, PHONE, touch=True, name="touch-two") as two,
        ):
            for visit in (one, two):
                await visit.page.goto(box.link)
                await expect(visit.page.get_by_role("heading", level=1)).to_contain_text("1042")
            typed = two.row("Bay 1").get_by_label("Charge Point Identity")
            await typed.fill("BBB222")
            field = one.row("Bay 1").get_by_label("Charge Point Identity")
            await field.fill("AAA111")
            await field.press("Enter")
            await expect(one.page.get_by_text("saved on the box").first).to_be_visible(timeout=10_000)
            await expect(typed).to_have_value("BBB222")
            await typed.press("Enter")
            for visit in (one, two):
                await expect(visit.row("Bay 1").get_by_text("set to different values")).to_be_visible()
                await expect(visit.row("Bay 1").get_by_role("button", name="Use AAA111")).to_be_visible()
            await one.look("conflict")
            await one.press(one.row("Bay 1").get_by_role("button", name="Use BBB222"))
            for visit in (one, two):
                await expect(visit.row("Bay 1").get_by_text("set to different values")).to_have_count(0)
                await expect(visit.row("Bay 1").get_by_label("Charge Point Identity")).to_have_value("BBB222")


async def test_an_open_page_lives_through_a_restart_of_the_box(
    chromium: Browser, axe_faults: AxeFaults, tmp_path: Path
) -> None:
    async with (
        site(tmp_path) as (box, cps),
        visiting(chromium, box, axe_faults, PHONE, touch=True, name="touch-restart") as visit,
    ):
        await open_link(visit)
        await visit.status("Bay 1", "connected")
        await box.kill()
        await expect(visit.page.get_by_text("No connection to the box")).to_be_visible(timeout=15_000)
        field = visit.row("Bay 3").get_by_label("Charge Point Identity")
        await field.fill("ZPR104223")
        await field.press("Enter")
        await box.start()
        await expect(visit.page.get_by_text("No connection to the box")).to_have_count(0, timeout=30_000)
        await visit.status("Bay 3", "connected")
        cps["ZPR104221"].plug_in(1)
        await visit.status("Bay 1", "connected (busy-non-charging)")
