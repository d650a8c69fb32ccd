"""Details, messages and the box's own pages in a real browser: what stays fresh, and that nothing needs script."""

import json
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from edge_agent.site.reports import ConnectorReport
from sitelink.errors import CallInvalid
from sitelink.ids import station_key
from sitelink.states import ConnectorStatus
from tests.doubles.box_pages import Box, running_box


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        await running.core.boot("CP001", serial="S-1")
        running.stations.online.add(station_key("CP001"))
        for number in range(3):
            running.stations.framed("CP001", "in", [2, f"m{number}", "MeterValues", {"connectorId": 1}])
            running.stations.framed("CP001", "out", [3, f"m{number}", {}])
        yield running


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


async def new_page(context: BrowserContext, complaints: list[str]) -> Page:
    page = await context.new_page()
    page.set_default_timeout(8000)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if "Security Policy" in line.text else None)
    return page


async def opened(box: Box, context: BrowserContext, complaints: list[str]) -> Page:
    page = await new_page(context, complaints)
    await page.goto(f"{box.origin}/j#{box.imported.token}")
    await expect(page.locator("#header h1")).to_contain_text("Installer job 1042")
    return page


async def signed_in(box: Box, context: BrowserContext, complaints: list[str]) -> Page:
    page = await new_page(context, complaints)
    await page.goto(f"{box.origin}/admin")
    await page.get_by_label("Admin token").fill(await box.core.jobs.new_admin_token("desk"))
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("h1")).to_have_text("Charge points of this box")
    return page


async def test_details_are_a_page_that_stays_fresh_and_back_returns_to_the_row(
    box: Box, context: BrowserContext, complaints: list[str]
) -> None:
    page = await opened(box, context, complaints)
    await page.get_by_role("link", name="Details, Bay 1").click()
    await expect(page.locator("h1")).to_contain_text("Bay 1")
    state = page.locator("#d-state .st")
    await expect(state).to_have_text("connected")
    settings = page.locator("#d-corrections h2")
    await box.core.desk.connector_changed(
        station_key("CP001"), ConnectorReport(1, ConnectorStatus.FAULTED, "GroundFailure")
    )
    await expect(state).to_have_text("connected (error)")
    await expect(page.locator("#d-places")).to_contain_text("Earth fault reported.")
    await expect(settings).to_be_visible()
    await page.go_back()
    await expect(page.locator(f"#cp-{box.row()} .st")).to_have_text("connected (error)")
    await page.go_forward()
    await page.get_by_role("link", name="Back to the job").click()
    await expect(page).to_have_url(f"{box.origin}/j#cp-{box.row()}")


async def test_messages_come_by_themselves_stop_at_pause_and_keep_what_is_open(
    box: Box, context: BrowserContext, complaints: list[str]
) -> None:
    page = await opened(box, context, complaints)
    await page.goto(f"{box.origin}/j/charge-points/{box.row()}/frames")
    first = page.locator("#f-6 summary")
    await first.click()
    await expect(page.locator("#f-6 pre")).to_be_visible()
    box.stations.framed("CP001", "in", [2, "h", "Heartbeat", {}])
    await expect(page.locator("#f-7")).to_contain_text("Heartbeat")
    await expect(page.locator("#f-6 pre")).to_be_visible()
    pause = page.get_by_role("button", name="Pause")
    await pause.click()
    await expect(pause).to_have_attribute("aria-pressed", "true")
    box.stations.framed("CP001", "out", [3, "h", {"currentTime": "2026-11-25T10:00:00Z"}])
    await page.wait_for_timeout(1200)  # longer than it takes to hear of it
    await expect(page.locator("#f-8")).to_have_count(0)
    await pause.click()
    await expect(page.locator("#f-8")).to_contain_text("Answer")


async def test_a_filter_holds_for_what_comes_later(box: Box, context: BrowserContext, complaints: list[str]) -> None:
    page = await opened(box, context, complaints)
    await page.goto(f"{box.origin}/j/charge-points/{box.row()}/frames")
    await page.get_by_text("Show only some of them").click()
    await page.get_by_label("Direction").select_option("out")
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(page.locator(".frames li")).to_have_count(3)
    box.stations.framed("CP001", "in", [2, "h", "Heartbeat", {}])
    box.stations.framed("CP001", "out", [3, "h", {"currentTime": "2026-11-25T10:00:00Z"}])
    await expect(page.locator(".frames li")).to_have_count(4)
    await expect(page.locator(".frames")).to_contain_text("Heartbeat")
    await expect(page.locator("#f-7")).to_have_count(0)


async def test_files_are_saved_not_opened(box: Box, context: BrowserContext, complaints: list[str]) -> None:
    page = await opened(box, context, complaints)
    await page.goto(f"{box.origin}/j/charge-points/{box.row()}/frames")
    for name, ending in (("Table (CSV)", "csv"), ("JSON lines", "jsonl")):
        async with page.expect_download() as coming:
            await page.get_by_role("link", name=name).click()
        assert (await coming.value).suggested_filename == f"frames-CP001.{ending}"


async def test_messages_can_be_read_with_the_keyboard_alone(
    box: Box, context: BrowserContext, complaints: list[str]
) -> None:
    page = await opened(box, context, complaints)
    await page.goto(f"{box.origin}/j/charge-points/{box.row()}/frames")
    for _ in range(20):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.closest('#f-6') !== null"):
            break
    await page.keyboard.press("Enter")
    await expect(page.locator("#f-6 pre")).to_be_visible()
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.tagName") == "PRE"


async def test_the_list_of_the_box_hears_of_a_new_caller(
    box: Box, context: BrowserContext, complaints: list[str]
) -> None:
    page = await signed_in(box, context, complaints)
    await expect(page.locator("#stations")).to_contain_text("CP001")
    await box.core.desk.knocked("STRANGER", "192.0.2.7", "unknown_identity")
    await expect(page.locator("#h-callers")).to_be_visible()
    await page.get_by_role("link", name="STRANGER").click()
    await expect(page.locator("#d-state")).to_contain_text("192.0.2.7")


async def test_a_call_by_hand_from_example_to_answer(box: Box, context: BrowserContext, complaints: list[str]) -> None:
    page = await signed_in(box, context, complaints)
    await page.get_by_role("link", name="CP001").click()
    await page.get_by_role("link", name="Send a call by hand").click()
    await page.get_by_label("Call", exact=True).select_option("Reset")
    await page.get_by_role("button", name="Show its example").click()
    payload = page.get_by_label("Payload of Reset, as JSON")
    await expect(payload).to_have_value('{\n  "type": "Soft"\n}')
    box.stations.result = CallInvalid(action="Reset", where="type", problem="'Softly' is not one of ['Hard', 'Soft']")
    await payload.fill('{"type": "Softly"}')
    await page.get_by_role("button", name="Send Reset").click()
    await expect(page.get_by_role("alert").filter(has_text="not one of")).to_be_visible()
    await expect(payload).to_have_value('{"type": "Softly"}')
    box.stations.result = {"status": "Accepted"}
    now = box.core.clock.now()
    sent = {"id": 1, "action": "Reset", "payload": {"type": "Hard"}, "at": now, "state": "sent"}
    box.stations.kept_calls = [{**sent, "answered_at": None, "result": None, "error": None}]
    await payload.fill('{"type": "Hard"}')
    await page.get_by_role("button", name="Send Reset").click()
    await expect(page.locator("#call-1")).to_contain_text("Waiting for the answer.")
    box.stations.kept_calls = [
        {**sent, "state": "late", "answered_at": now, "result": {"status": "Accepted"}, "error": None}
    ]
    box.stations.framed("CP001", "in", json.dumps([3, "x", {"status": "Accepted"}]))
    await expect(page.locator("#call-1")).to_contain_text("Answered late.")
    assert box.stations.calls[-1][2] == {"type": "Hard"}


async def test_everything_works_without_script(box: Box, chromium: Browser, complaints: list[str]) -> None:
    context = await chromium.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = await new_page(context, complaints)
    await page.goto(f"{box.origin}/j")
    await page.get_by_label("Link or token").fill(box.imported.token)
    await page.get_by_role("button", name="Open job").click()
    await page.get_by_role("link", name="Details, Bay 1").click()
    await expect(page.locator("#d-about")).to_contain_text("S-1")
    await page.get_by_role("link", name="Show the messages").click()
    await expect(page.get_by_role("button", name="Pause")).to_be_hidden()
    await page.get_by_text("Show only some of them").click()
    await page.get_by_label("Errors only").check()
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(page.locator("#d-frames")).to_contain_text("None of the last 6 messages is like that.")
    page = await signed_in(box, context, complaints)
    await page.get_by_role("link", name="CP001").click()
    await page.get_by_role("link", name="Send a call by hand").click()
    box.stations.result = {"configurationKey": []}
    await page.get_by_role("button", name="Send GetConfiguration").click()
    await expect(page).to_have_url(f"{box.origin}/admin/charge-points/cp001/calls?action=GetConfiguration")
    assert box.stations.calls[-1][1] == "GetConfiguration"
    await context.close()
