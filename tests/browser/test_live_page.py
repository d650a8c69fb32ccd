"""The installer page in a real browser: what live.js adds, and that nothing is missing without it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from edge_agent.site.ports import Trouble
from edge_agent.site.reports import ConnectorReport
from sitelink.ids import station_key
from sitelink.states import ConnectorStatus
from tests.doubles.box_pages import Box, running_box

SIZES = ({"width": 390, "height": 844}, {"width": 768, "height": 1024}, {"width": 1280, "height": 800})
AxeFaults = Callable[[Page], Awaitable[list[str]]]


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        dispatch = asyncio.ensure_future(running.core.dispatch.run())
        try:
            yield running
        finally:
            dispatch.cancel()
            await asyncio.gather(dispatch, return_exceptions=True)


@pytest.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    made = await chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    yield made
    await made.close()


@pytest.fixture
async def complaints() -> AsyncIterator[list[str]]:
    """What the browser complained of: script errors and breaches of the content security policy."""
    found: list[str] = []
    yield found
    assert found == []


async def opened(box: Box, context: BrowserContext, complaints: list[str] | None = None) -> Page:
    """The job, opened by its link."""
    page = await context.new_page()
    page.set_default_timeout(5000)
    if complaints is not None:
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if "Security Policy" in line.text else None)
    await page.goto(f"{box.origin}/j#{box.imported.token}")
    await expect(page.locator("#header h1")).to_contain_text("Installer job 1042")
    return page


def cell(page: Page, box: Box, kind: str, name: str = "Bay 1"):  # type: ignore[no-untyped-def]
    return page.locator(f"#cp-{box.row(name)} .{kind}")


async def boots(box: Box, identity: str) -> None:
    await box.core.boot(identity)
    box.stations.online.add(station_key(identity))
    await box.core.desk.connector_changed(station_key(identity), ConnectorReport(1, ConnectorStatus.AVAILABLE))


async def test_the_link_opens_the_job_and_its_token_leaves_the_address(
    box: Box, context: BrowserContext, complaints: list[str]
) -> None:
    page = await opened(box, context, complaints)
    assert page.url == f"{box.origin}/j"
    assert "gl1_" not in await page.content()


async def test_a_wrong_link_says_so(box: Box, context: BrowserContext) -> None:
    page = await context.new_page()
    await page.goto(f"{box.origin}/j#gl1_{'x' * 43}")
    await expect(page.locator("#entry-error")).to_contain_text("does not match a job on this box")


async def test_a_link_opened_over_the_entry_page_counts(box: Box, context: BrowserContext) -> None:
    """A browser only changes the fragment then; nothing is loaded."""
    page = await context.new_page()
    await page.goto(f"{box.origin}/j")
    await page.goto(f"{box.origin}/j#gl1_{'x' * 43}")
    await expect(page.locator("#entry-error")).to_contain_text("does not match a job on this box")
    await page.goto(f"{box.origin}/j#{box.imported.token}")
    await expect(page.locator("#header h1")).to_contain_text("Installer job 1042")


async def test_a_station_that_boots_shows_by_itself_and_typed_text_stays(
    box: Box, context: BrowserContext, complaints: list[str]
) -> None:
    page = await opened(box, context, complaints)
    field = page.locator(f"#i-{box.row('Bay 1')}")
    await field.click()
    await field.press_sequentially("-HALF")
    await boots(box, "CP001")
    await expect(cell(page, box, "st")).to_have_text("connected")
    await expect(page.locator(".count b")).to_have_text("1 / 2 connected")
    await expect(page.locator("#status")).to_contain_text("Bay 1: connected.")
    await expect(field).to_have_value("CP001-HALF")
    await expect(field).to_be_focused()


async def test_enter_saves_a_serial_and_focus_stays(box: Box, context: BrowserContext, complaints: list[str]) -> None:
    page = await opened(box, context, complaints)
    field = page.locator(f"#i-{box.row('Bay 1')}")
    await field.fill("CP777")
    await field.press("Enter")
    await expect(page.locator("#status")).to_contain_text("Bay 1: saved on the box.")
    await expect(field).to_be_focused()
    assert box.core.row("Bay 1").identity == "CP777"
    await expect(cell(page, box, "save")).to_be_hidden()


async def test_a_connector_is_saved_when_chosen(box: Box, context: BrowserContext) -> None:
    page = await opened(box, context)
    await page.locator(f"#c-{box.row('Bay 2')}").select_option("2")
    await expect(page.locator("#status")).to_contain_text("Bay 2: saved on the box.")
    assert box.core.row("Bay 2").connector == 2


async def test_a_serial_in_use_is_refused_at_its_field_and_swapping_helps(
    box: Box, context: BrowserContext, complaints: list[str]
) -> None:
    page = await opened(box, context, complaints)
    field = page.locator(f"#i-{box.row('Bay 1')}")
    await field.fill("CP002")
    await field.press("Enter")
    await expect(cell(page, box, "bad")).to_contain_text("Bay 2 already uses this serial and connector.")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(field).to_have_value("CP002")
    await page.get_by_role("button", name="Swap the two").click()
    await expect(page.locator(f"#i-{box.row('Bay 2')}")).to_have_value("CP001")
    assert box.core.row("Bay 1").identity == "CP002"
    await expect(page.locator(".bad")).to_have_count(0)


async def test_a_refused_serial_and_its_reason_outlast_news_of_the_row(
    box: Box, context: BrowserContext, complaints: list[str]
) -> None:
    page = await opened(box, context, complaints)
    field = page.locator(f"#i-{box.row('Bay 1')}")
    await field.fill("CP002")
    await field.press("Enter")
    await expect(cell(page, box, "bad")).to_contain_text("already uses this serial")
    await page.locator("#list").click()
    await boots(box, "CP001")
    await expect(cell(page, box, "st")).to_have_text("connected")
    await expect(field).to_have_value("CP002")
    await expect(cell(page, box, "bad")).to_contain_text("already uses this serial")
    await field.fill("CP777")
    await field.press("Enter")
    await expect(cell(page, box, "bad")).to_have_count(0)
    await expect(cell(page, box, "ident")).to_have_attribute("data-state", "✓ Saved on the box")


async def test_news_that_arrives_while_a_serial_is_on_its_way_leaves_it_alone(
    box: Box, context: BrowserContext
) -> None:
    page = await opened(box, context)
    field = page.locator(f"#i-{box.row('Bay 1')}")
    let_go = asyncio.Event()

    async def held(route: Route) -> None:
        await let_go.wait()
        await route.continue_()

    await page.route(f"**/j/charge-points/{box.row('Bay 1')}", held)
    await field.fill("CP777")
    await field.press("Enter")
    await expect(cell(page, box, "ident")).to_have_attribute("data-state", "Saving …")
    await boots(box, "CP001")
    await expect(cell(page, box, "st")).to_have_text("connected")
    await expect(field).to_have_value("CP777")
    let_go.set()
    await expect(page.locator("#status")).to_contain_text("Bay 1: saved on the box.")
    assert box.core.row("Bay 1").identity == "CP777"


async def test_two_phones_neither_edit_is_lost_unseen(box: Box, context: BrowserContext) -> None:
    page = await opened(box, context)
    field = page.locator(f"#i-{box.row('Bay 1')}")
    await field.click()
    await field.press_sequentially("-MINE")
    other = await box.browser()
    answer = await other.submit(f"/j/charge-points/{box.row('Bay 1')}", {"identity": "CP001-THEIRS", "connector": "1"})
    assert answer.status == 303
    await expect(page.locator("#status")).to_contain_text("changed elsewhere to CP001-THEIRS")
    await field.press("Enter")
    await expect(cell(page, box, "clash")).to_contain_text("was set to different values")
    await page.get_by_role("button", name="Use CP001-THEIRS").click()
    await expect(cell(page, box, "clash")).to_have_count(0)
    assert box.core.row("Bay 1").identity == "CP001-THEIRS"


async def test_a_note_joins_the_thread_in_its_dialog_and_focus_returns(
    box: Box, context: BrowserContext, complaints: list[str]
) -> None:
    page = await opened(box, context, complaints)
    opener = cell(page, box, "note").get_by_role("button")
    await opener.click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.get_by_label("Installer note").fill("Conduit is full.")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator(".thread")).to_contain_text("Conduit is full.")
    await expect(page.get_by_label("Installer note")).to_have_value("")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(opener).to_contain_text("Notes (1)")
    await expect(opener).to_be_focused()
    assert box.core.row("Bay 1").notes[0].text == "Conduit is full."


@pytest.mark.parametrize("how", ["back", "escape", "link"])
async def test_a_dialog_closes_by_back_escape_and_its_button(box: Box, context: BrowserContext, how: str) -> None:
    page = await opened(box, context)
    await cell(page, box, "act").get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("heading", name="Remote actions")).to_be_focused()
    assert page.url.endswith("/actions")
    if how == "back":
        await page.go_back()
    elif how == "escape":
        await page.keyboard.press("Escape")
    else:
        await dialog.get_by_role("link", name="Back to the job").click()
    await expect(dialog).to_be_hidden()
    await expect(page).to_have_url(f"{box.origin}/j")


async def test_an_action_shows_answer_and_outcome_while_the_dialog_is_open(
    box: Box, context: BrowserContext, complaints: list[str]
) -> None:
    await boots(box, "CP001")
    page = await opened(box, context, complaints)
    await cell(page, box, "act").get_by_role("button").click()
    await page.get_by_role("button", name="Unlock").click()
    log = page.locator(".log")
    await expect(log).to_contain_text("The charge point answered: Accepted.")
    await expect(log).to_contain_text("Unlocked")


async def test_reboot_asks_first_and_cancel_sends_nothing(box: Box, context: BrowserContext) -> None:
    await boots(box, "CP001")
    page = await opened(box, context)
    await cell(page, box, "act").get_by_role("button").click()
    await page.get_by_role("button", name="Reboot").click()
    await page.get_by_role("button", name="Cancel").click()
    assert box.core.stations.orders == []
    await page.get_by_role("button", name="Reboot").click()
    await page.get_by_role("button", name="Restart Bay 1").click()
    await expect(page.locator(".log")).to_contain_text("Reboot")
    assert len(box.core.stations.orders) == 1


async def test_completion_keeps_the_choice_and_ends_read_only(
    box: Box, context: BrowserContext, complaints: list[str]
) -> None:
    page = await opened(box, context, complaints)
    await page.get_by_role("button", name="Mark as complete").click()
    box_ticked = page.get_by_label("Activate All Charge Points")
    await expect(box_ticked).to_be_checked()
    await box_ticked.uncheck()
    await expect(page.get_by_text("The operator must activate the charge points later.")).to_be_visible()
    await page.get_by_role("dialog").get_by_role("button", name="Mark as complete").click()
    await expect(page.locator("#header h1")).to_contain_text("Completed")
    await expect(page.locator("#completed")).to_contain_text("The operator must activate the charge points later.")
    await expect(page.get_by_role("button", name="Mark as complete")).to_have_count(0)
    assert not box.core.row("Bay 1").active


async def test_an_entry_made_without_connection_is_kept_and_sent_later(box: Box, context: BrowserContext) -> None:
    page = await opened(box, context)
    field = page.locator(f"#i-{box.row('Bay 1')}")
    await context.set_offline(True)
    await field.fill("CP555")
    await field.press("Enter")
    await expect(page.locator("#lost")).to_contain_text("No connection to the box.")
    await expect(field).to_have_value("CP555")
    await context.set_offline(False)
    await expect(page.locator("#lost")).to_be_hidden(timeout=15_000)
    await expect(page.locator("#status")).to_contain_text("saved", timeout=15_000)
    assert box.core.row("Bay 1").identity == "CP555"


async def test_a_disk_that_takes_nothing_is_said_and_the_text_kept(box: Box, context: BrowserContext) -> None:
    page = await opened(box, context)
    box.core.journal.fail(Trouble("disk_full", box.core.clock.now()))
    await expect(page.locator("#header")).to_contain_text("The box's storage is full")
    field = page.locator(f"#i-{box.row('Bay 1')}")
    await field.fill("CP555")
    await field.press("Enter")
    await expect(cell(page, box, "bad")).to_contain_text("this was not saved")
    await expect(field).to_have_value("CP555")
    box.core.journal.fail(None)
    await field.press("Enter")
    await expect(page.locator("#status")).to_contain_text("Bay 1: saved on the box.")
    assert box.core.row("Bay 1").identity == "CP555"


async def test_an_answer_that_is_no_page_of_the_job_is_shown(box: Box, context: BrowserContext) -> None:
    page = await opened(box, context)
    await page.locator("form[data-row] input[name=csrf]").first.evaluate("field => field.value = 'stale'")
    await page.locator(f"#i-{box.row('Bay 1')}").fill("CP555")
    await page.keyboard.press("Enter")
    await expect(page.locator("#errors")).to_contain_text("could not tell that this came from its own page")


async def test_a_draft_survives_a_reload(box: Box, context: BrowserContext) -> None:
    page = await opened(box, context)
    field = page.locator(f"#i-{box.row('Bay 1')}")
    await field.click()
    await field.press_sequentially("-DRAFT")
    await page.evaluate("window.stop()")
    await page.reload()
    await expect(field).to_have_value("CP001-DRAFT")
    await expect(cell(page, box, "save")).to_be_visible()


async def test_the_whole_guide_without_script(box: Box, chromium: Browser) -> None:
    await boots(box, "CP001")
    context = await chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = await context.new_page()
    page.set_default_timeout(5000)
    await page.goto(f"{box.origin}/j")
    await page.get_by_label("Link or token").fill(f"{box.origin}/j#{box.imported.token}")
    await page.get_by_role("button", name="Open job").click()
    await page.locator(f"#i-{box.row('Bay 2')}").fill("CP888")
    await page.locator(f"#cp-{box.row('Bay 2')}").get_by_role("button", name="Save").click()
    await expect(page.locator("#status")).to_have_text("Saved on the box.")
    assert box.core.row("Bay 2").identity == "CP888"
    await cell(page, box, "act").get_by_role("button").click()
    await page.get_by_role("button", name="Unlock").click()
    await expect(page.locator(".log")).to_contain_text("Unlock")
    await page.get_by_role("link", name="Back to the job").click()
    await cell(page, box, "note").get_by_role("button").click()
    await page.get_by_label("Installer note").fill("Done by hand.")
    await page.get_by_role("button", name="Save").click()
    assert box.core.row("Bay 1").notes[0].text == "Done by hand."
    await page.get_by_role("link", name="Back to the job").click()
    await page.get_by_role("button", name="Mark as complete").click()
    await page.get_by_role("button", name="Mark as complete").click()
    await expect(page.locator("#header h1")).to_contain_text("Completed")
    assert box.core.row("Bay 1").active
    await context.close()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size['width']}")
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_and_nothing_overflows(
    box: Box, chromium: Browser, axe_faults: AxeFaults, size: dict[str, int], scheme: str
) -> None:
    await boots(box, "CP001")
    context = await chromium.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    page = await opened(box, context)
    assert await axe_faults(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    await cell(page, box, "act").get_by_role("button").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await axe_faults(page) == []
    await page.goto(f"{box.origin}/j/complete")
    assert await axe_faults(page) == []
    await context.close()
