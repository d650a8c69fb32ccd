"""Details and messages over HTTP, with script off; and news of messages only for who follows."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from edge_agent.site.reports import ListReport
from sitelink.ids import StationKey
from sitelink.inventory import Variable, attribute, items_of
from sitelink.states import LinkRole, ReportKind
from tests.doubles.box_pages import Box, Browser, running_box

SECRET = "04A1B2C3D4"


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        await running.core.boot("CP001", serial="S-1")
        running.stations.framed("CP001", "in", [2, "a", "BootNotification", {"chargePointVendor": "<b>Acme</b>"}])
        running.stations.framed("CP001", "out", [3, "a", {"status": "Accepted"}])
        running.stations.framed("CP001", "in", [2, "b", "Authorize", {"idTag": SECRET}])
        yield running


@pytest.fixture
async def browser(box: Box) -> Browser:
    return await box.browser()


def path(box: Box, rest: str, name: str = "Bay 1") -> str:
    return f"/j/charge-points/{box.row(name)}/{rest}"


async def test_the_row_links_to_its_details_and_they_back_to_it(box: Box, browser: Browser) -> None:
    job = await (await browser.get("/j")).text()
    assert f'href="{path(box, "details")}"' in job
    answer = await browser.get(path(box, "details"))
    page = await answer.text()
    assert answer.status == 200
    assert f'href="/j#cp-{box.row()}"' in page
    for title in ("Status", "What it is", "Connectors", "Charges", "Put right", "Settings", "Messages"):
        assert f">{title}</h2>" in page
    assert "S-1" in page
    assert "<form" not in page, "nothing can be changed or sent from here"


@pytest.mark.parametrize("rest", ["details", "frames", "frames.csv", "frames.jsonl", "regions?names=about"])
async def test_only_holders_of_the_jobs_link_see_them(box: Box, browser: Browser, rest: str) -> None:
    assert (await box.client().get(path(box, rest))).status == 401
    assert (await browser.get("/j/charge-points/nobody/" + rest)).status == 404


async def test_a_link_that_only_looks_sees_them_too(box: Box) -> None:
    link = box.core.jobs.link_of_token(box.imported.token)
    assert link is not None
    box.core.journal.state.links[link.id] = link.__class__(
        **{**{name: getattr(link, name) for name in link.__struct_fields__}, "role": LinkRole.READ}
    )
    for rest in ("details", "frames", "frames.csv"):
        assert (await box.client().get(path(box, rest), headers=box.bearer)).status == 200


async def test_messages_newest_first_escaped_and_masked(box: Box, browser: Browser) -> None:
    page = await (await browser.get(path(box, "frames"))).text()
    assert page.index("Authorize") < page.index("BootNotification")
    assert "<b>Acme</b>" not in page
    assert "&lt;b&gt;Acme" in page
    assert SECRET not in page


async def test_messages_are_narrowed_by_a_plain_form(box: Box, browser: Browser) -> None:
    page = await (await browser.get(path(box, "frames?direction=out&action="))).text()
    assert 'id="f-2"' in page
    assert 'id="f-1"' not in page
    assert f'href="{path(box, "frames.csv")}?direction=out"' in page
    nothing = await (await browser.get(path(box, "frames?text=" + SECRET[2:6]))).text()
    assert "None of the last 3 messages is like that." in nothing


async def test_a_filter_that_cannot_be_is_said_and_everything_shown(box: Box, browser: Browser) -> None:
    answer = await browser.get(path(box, "frames?direction=up"))
    page = await answer.text()
    assert answer.status == 400
    assert 'role="alert"' in page
    assert 'id="f-1"' in page


async def test_files_of_messages(box: Box, browser: Browser) -> None:
    csv = await browser.get(path(box, "frames.csv"))
    assert csv.headers["Content-Disposition"] == 'attachment; filename="frames-CP001.csv"'
    lines = await (await browser.get(path(box, "frames.jsonl?direction=in"))).text()
    assert [json.loads(line)["action"] for line in lines.splitlines()] == ["BootNotification", "Authorize"]
    assert SECRET not in await csv.text() + lines


async def test_regions_as_the_first_paint_draws_them(box: Box, browser: Browser) -> None:
    answer = await browser.get(path(box, "regions?names=about,frames,nonsense&direction=out"))
    drawn = await answer.json()
    assert set(drawn) == {"about", "frames"}
    page = await (await browser.get(path(box, "frames?direction=out"))).text()
    assert drawn["frames"] in page
    assert drawn["about"] in await (await browser.get(path(box, "details"))).text()


async def test_a_row_without_an_identity_has_a_page_too(box: Box, browser: Browser) -> None:
    await browser.submit(f"/j/charge-points/{box.row('Bay 2')}", {"identity": "", "connector": "1"})
    for rest in ("details", "frames"):
        assert (await browser.get(path(box, rest, "Bay 2"))).status == 200


async def first_event(browser: Browser, box: Box, address: str, act: bool = True) -> str:
    answer = await browser.client.get(address)
    box.streams_read.append(answer)
    if act:
        box.stations.framed("CP001", "in", [2, "c", "Heartbeat", {}])
    async with asyncio.timeout(10):
        async for line in answer.content:
            if line.startswith(b"event: "):
                return line.decode().strip()
    return ""


async def test_who_follows_hears_that_something_went_over_the_wire(box: Box, browser: Browser) -> None:
    row = box.row()
    assert await first_event(browser, box, f"/api/v1/job/events?frames={row}") == f"event: frames:{row}"


async def test_of_another_jobs_row_nobody_hears(box: Box, browser: Browser) -> None:
    assert (await browser.get("/api/v1/job/events?frames=nobody")).status == 404


async def test_settings_are_found_by_name_and_value_without_script(box: Box, browser: Browser) -> None:
    values = {"HeartbeatInterval": "300", "Language": "no-NB", **{f"Setting{number}": "x" for number in range(20)}}
    told = [Variable(name=name, attributes={"Actual": attribute(name, value)}) for name, value in values.items()]
    report = ListReport(ReportKind.INVENTORY, items_of(told), "GetConfiguration")
    await box.core.desk.listed(StationKey("cp001"), report)

    async def page(query: str) -> str:
        return await (await browser.get(path(box, f"details{query}"))).text()

    assert "22 settings" in await page("")
    narrowed = await page("?q=heartBEAT")
    assert "1 of 22 settings" in narrowed
    assert "HeartbeatInterval" in narrowed
    assert "Setting7" not in narrowed
    assert "regions?q=heartBEAT&amp;" in narrowed
    assert "Language" in await page("?q=no-nb")
    nothing = await page("?q=%3Cb%3E")
    assert "No setting has" in nothing
    assert "<b>&" not in nothing
    region = await browser.get(path(box, "regions?q=language&names=settings"))
    assert "1 of 22 settings" in (await region.json())["settings"]
