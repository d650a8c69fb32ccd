"""Meters on the installer's page, in a real browser against a real box, a virtual meter and a charge point on a socket.

They are looked for, added, read, drawn, and their wiring is checked by a test charge; at a phone and at a desk.
"""

import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import AxeFaults
from tests.doubles.box import BoxProcess, job_data, running_box
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_power import Car
from tests.doubles.house_meter import house_meter

PHONE, DESK = (390, 844), (1280, 800)
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
pytestmark = pytest.mark.timeout(180)


@asynccontextmanager
async def opened(chromium: Browser, box: BoxProcess, size: tuple[int, int], *, script: bool) -> AsyncIterator[Page]:
    context = await chromium.new_context(viewport={"width": size[0], "height": size[1]}, java_script_enabled=script)
    page = await context.new_page()
    if script:
        await page.goto(box.link)
    else:
        await page.goto(f"{box.http}/j")
        await page.get_by_role("textbox").fill(box.link)
        await page.get_by_role("button", name="Open job").click()
    await expect(page.get_by_role("heading", name="Meters")).to_be_visible()
    yield page
    await context.close()


async def picture(page: Page, name: str) -> None:
    if os.environ.get("GATEPOST_PICTURES"):
        await page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


async def fits(page: Page, axe_faults: AxeFaults) -> None:
    assert await axe_faults(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off"


async def add_what_is_found(page: Page, port: int, *, script: bool, axe_faults: AxeFaults) -> None:
    await page.get_by_role("link", name="Add meters").click()
    await page.get_by_role("link", name="Look for meters").click()
    await page.get_by_label("Addresses of the network").fill("127.0.0.1-3")
    await page.get_by_label("Port", exact=True).fill(str(port))
    serial = page.get_by_role("checkbox", name=re.compile("^Serial port"))
    if await serial.count():
        await serial.uncheck()
    await page.get_by_role("button", name="Look for meters").click()
    done = page.get_by_role("heading", name="Done")
    for _ in range(60):
        if script or await done.count():
            break
        await page.wait_for_timeout(250)
        await page.reload()
    await expect(done).to_be_visible(timeout=20_000)
    found = page.get_by_role("article").filter(has_text=f"tcp://127.0.0.1:{port}")
    await expect(found).to_be_visible()
    if script:
        await fits(page, axe_faults)
    await found.get_by_label("Name").fill("Main")
    await found.get_by_label("Model").select_option(label="Eastron SDM630")
    await found.get_by_role("button", name="Add to the job").click()
    await expect(page.get_by_role("status")).to_contain_text("The meter is added.")


@pytest.mark.parametrize(("size", "name"), [(PHONE, "phone"), (DESK, "desk")])
async def test_a_meter_is_found_added_read_and_its_wiring_checked(
    chromium: Browser, axe_faults: AxeFaults, tmp_path: Path, size: tuple[int, int], name: str
) -> None:
    async with running_box(tmp_path, **{"ocpp.security": "open"}) as box:
        await box.import_job(job_data(["CP001"]))
        station = VirtualChargePoint(box.ocpp, "CP001", connectors=1, meter_interval_s=2.0)

        async def charging() -> Mapping[str, float]:
            outlet = station.connector(1).outlet
            return {f"l{n}": amps * 230.0 for n, amps in enumerate(outlet.currents_a(), 1)} if outlet.power_w else {}

        async with (
            station,
            house_meter(charging, {"l1": "l2", "l2": "l3", "l3": "l1"}, turned=["l3"]) as port,
            opened(chromium, box, size, script=True) as page,
        ):
            await add_what_is_found(page, port, script=True, axe_faults=axe_faults)
            await page.get_by_role("link", name="Main").click()
            live = page.get_by_role("table").first
            await expect(live).to_contain_text("231.4", timeout=20_000)
            wiring = page.get_by_role("region", name="Wiring")
            await expect(wiring).to_contain_text("L3 flows backwards. Turn the clamp")
            await page.wait_for_timeout(3_000)  # the meter is looked at for a while before a charge
            await box.until("Bay 1", "connected")
            station.plug_in(1, Car(phases=1))
            assert (await box.act("Bay 1", "start"))["outcome"] == "started"
            await expect(wiring).to_contain_text("L1 of the charge point is L2 of the meter.", timeout=40_000)
            await fits(page, axe_faults)
            await picture(page, f"meter-{name}")
            await wiring.get_by_role("button", name="Save this in the report").click()
            await expect(page.get_by_text("In the report since")).to_be_visible()
            await page.goto(f"{box.http}/api/v1/job/report.html")
            await expect(page.get_by_role("table").last).to_contain_text("L1 of the charge point is L2 of the meter.")
            await page.goto(f"{box.http}/j")
            await expect(page.get_by_role("region", name="Meters").or_(page.locator("#meters"))).to_contain_text(
                "231.4"
            )


async def test_without_script_too(chromium: Browser, axe_faults: AxeFaults, tmp_path: Path) -> None:
    async def nothing() -> Mapping[str, float]:
        return {}

    async with running_box(tmp_path) as box, house_meter(nothing) as port:
        await box.import_job(job_data(["CP001"]))
        async with opened(chromium, box, PHONE, script=False) as page:
            await add_what_is_found(page, port, script=False, axe_faults=axe_faults)
            for _ in range(40):
                await page.goto(f"{box.http}/j/meters/Main")
                if await page.get_by_text("231.4").count():
                    break
                await page.wait_for_timeout(250)
            await expect(page.get_by_text("Nothing speaks against its wiring.")).to_be_visible()
            await page.get_by_role("button", name="Save this in the report").click()
            await expect(page.get_by_text("In the report since")).to_be_visible()
