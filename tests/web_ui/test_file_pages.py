"""Files for whoever holds the job's link, over HTTP with script off and by the job's API."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from edge_agent.site.ports import Stored
from edge_agent.site.reports import TransferReport
from sitelink.commands import FetchLog, OrderAnswer
from sitelink.ids import StationKey, TransferId
from sitelink.model import Transfer
from sitelink.ops import BOX
from sitelink.states import LinkRole, TransferKind, TransferMethod
from tests.doubles.box_pages import Box, Browser, running_box
from tests.doubles.file_news import until
from tests.sitelink.builders import WHEN
from web_ui.file_pages import attachment

CP = StationKey("cp001")
CONTENT = b"<script>alert(1)</script>"


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        await running.core.boot("CP001")
        await running.core.desk.configured(CP, {"SupportedFileTransferProtocols": None})
        running.core.stations.answers[FetchLog] = OrderAnswer("Accepted", accepted=True, file="<b>diag</b>.zip")
        task = asyncio.get_running_loop().create_task(running.core.transfers.run())
        yield running
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def browser(box: Box) -> Browser:
    return await box.browser()


def files(box: Box, name: str = "Bay 1") -> str:
    return f"/j/charge-points/{box.row(name)}/files"


def api(box: Box, name: str = "Bay 1") -> str:
    return f"/api/v1/job/charge-points/{box.row(name)}/transfers"


async def arrive(box: Box, folder: Path) -> str:
    """What was asked last comes in whole."""
    core = box.core
    await until(lambda: bool(core.journal.state.transfers))
    id_ = list(core.journal.state.transfers)[-1]
    await until(lambda: core.journal.state.transfers[id_].answer is not None)
    (folder / "x").write_bytes(CONTENT)
    core.files.on_disk[core.journal.state.transfers[id_].file or ""] = Stored(folder / "x", len(CONTENT), "ab")
    core.transfers.arrived(id_, len(CONTENT), "ab")
    await until(lambda: core.journal.state.transfers[id_].moved_at is not None)
    await core.desk.transfer_told(CP, TransferReport("X", (TransferKind.DIAGNOSTICS,), "Uploaded"))
    await until(lambda: not core.journal.state.transfers[id_].running)
    return id_


async def test_diagnostics_are_asked_for_followed_and_saved(box: Box, browser: Browser, tmp_path: Path) -> None:
    details = await (await browser.get(f"/j/charge-points/{box.row()}/details")).text()
    assert f'href="{files(box)}"' in details
    asked = await browser.submit(files(box), {"kind": "diagnostics"})
    assert (asked.status, asked.headers["Location"]) == (303, f"{files(box)}?saved=asked")
    page = await (await browser.get(asked.headers["Location"])).text()
    assert "Asked. The file appears here." in page
    id_ = await arrive(box, tmp_path)
    for path in (files(box), f"/j/charge-points/{box.row()}/details"):
        page = await (await browser.get(path)).text()
        assert "Received whole (25 bytes)." in page
        assert f'href="{files(box)}/{id_}"' in page
    saved = await browser.get(f"{files(box)}/{id_}")
    assert await saved.read() == CONTENT
    assert saved.headers["Content-Type"] == "application/octet-stream"
    assert saved.headers["Content-Disposition"].startswith("attachment")
    assert saved.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_list_is_a_live_region(box: Box, browser: Browser, tmp_path: Path) -> None:
    await browser.submit(files(box), {"kind": "diagnostics"})
    await arrive(box, tmp_path)
    answer = await browser.get(f"/j/charge-points/{box.row()}/regions?names=transfers,files")
    regions = await answer.json()
    for name in ("transfers", "files"):
        assert f'data-region="{name}"' in regions[name]
        assert f'data-on="cp:{box.row()}"' in regions[name]
        assert "Received whole" in regions[name]


async def test_why_it_cannot_be_asked_stands_on_the_page(box: Box, browser: Browser) -> None:
    box.core.stations.online.clear()
    refused = await browser.submit(files(box), {"kind": "diagnostics"})
    assert refused.status == 409
    assert "The charge point is not connected at the moment." in await refused.text()
    assert (await browser.submit(files(box), {"kind": "firmware"})).status == 400
    assert box.core.stations.orders == []


async def test_a_forged_form_asks_for_nothing(box: Box, browser: Browser) -> None:
    answer = await browser.client.post(files(box), data={"kind": "diagnostics", "csrf": "x"}, headers=browser.own)
    assert answer.status == 403
    assert box.core.journal.state.transfers == {}


async def test_by_program(box: Box, tmp_path: Path) -> None:
    client = box.client()
    body = {"transfer_id": "0b7c0f3e-7d6e-4e7e-9e55-0d7b3a4c2f11"}
    for _ in range(2):
        asked = await client.post(api(box), json=body, headers=box.bearer)
        assert (asked.status, await asked.json()) == (202, body)
    id_ = await arrive(box, tmp_path)
    (shown,) = await (await client.get(api(box), headers=box.bearer)).json()
    assert (shown["outcome"], shown["title"], shown["file"]) == ("received", "Diagnostics", True)
    assert await (await client.get(f"{api(box)}/{id_}", headers=box.bearer)).json() == shown
    saved = await client.get(f"{api(box)}/{id_}/file", headers=box.bearer)
    assert await saved.read() == CONTENT
    assert len(box.core.stations.orders) == 1


async def test_firmware_is_an_operators_choice(box: Box) -> None:
    client = box.client()
    for body in ({"kind": "firmware"}, {"kind": "firmware", "firmware": "x", "unsigned": True}):
        assert (await client.post(api(box), json=body, headers=box.bearer)).status == 400
    assert box.core.journal.state.transfers == {}


async def test_a_row_shows_its_own_stations_files_alone(box: Box, browser: Browser, tmp_path: Path) -> None:
    await browser.submit(files(box), {"kind": "diagnostics"})
    id_ = await arrive(box, tmp_path)
    assert (await browser.get(f"{files(box, 'Bay 2')}/{id_}")).status == 404
    client = box.client()
    assert await (await client.get(api(box, "Bay 2"), headers=box.bearer)).json() == []
    assert (await client.get(f"{api(box, 'Bay 2')}/{id_}/file", headers=box.bearer)).status == 404
    assert (await client.get(f"{api(box)}/{id_}/file")).status == 401
    assert (await box.client().get(f"{files(box)}/{id_}")).status == 401


async def test_a_link_that_only_looks_asks_for_nothing(box: Box, browser: Browser) -> None:
    link = box.core.jobs.link_of_token(box.imported.token)
    assert link is not None
    box.core.journal.state.links[link.id] = msgspec.structs.replace(link, role=LinkRole.READ)
    page = await (await browser.get(files(box))).text()
    assert "<form" not in page
    assert (await box.client().post(api(box), json={}, headers=box.bearer)).status == 403


async def test_a_charge_point_is_not_asked_too_often(box: Box) -> None:
    client = box.client()
    statuses = [(await client.post(api(box), json={}, headers=box.bearer)).status for _ in range(3)]
    assert statuses == [202, 409, 409], "one at a time"


def test_a_file_is_an_attachment_with_a_harmless_name(tmp_path: Path) -> None:
    transfer = Transfer(
        id=TransferId("t1"), kind=TransferKind.DIAGNOSTICS, station=StationKey('cp"\r\nü/..'), request=7,
        method=TransferMethod.HTTP, by=BOX, requested_at=WHEN, file="a.bin",
    )  # fmt: skip
    response = attachment(tmp_path / "a", transfer)
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"] == 'attachment; filename="diagnostics-cp_____..-7.bin"'
