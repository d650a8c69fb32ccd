"""Files on the box's admin pages with script switched off: asked for, followed, saved."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from edge_agent.site.ports import Stored
from sitelink.commands import FetchLog, OrderAnswer
from sitelink.ids import station_key
from tests.doubles.box_pages import Box, running_box
from tests.doubles.file_news import until

FILES = "/admin/charge-points/cp001/files"
CONTENT = b"<script>alert(1)</script>"


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        await running.core.boot("CP001")
        await running.core.desk.configured(station_key("CP001"), {"SupportedFileTransferProtocols": None})
        running.core.stations.answers[FetchLog] = OrderAnswer("Accepted", accepted=True, file="diag.zip")
        task = asyncio.get_running_loop().create_task(running.core.transfers.run())
        yield running
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def admin(box: Box) -> TestClient[Any, Any]:
    client = box.client()
    token = await box.core.jobs.new_admin_token("desk")
    await client.post("/admin/open", data={"token": token}, headers={"Origin": box.origin})
    return client


async def ask(box: Box, admin: TestClient[Any, Any], kind: str, path: str = FILES) -> ClientResponse:
    page = await (await admin.get(path)).text()
    csrf = page.split('name="csrf" value="', 1)[1].split('"', 1)[0]
    data = {"csrf": csrf, "kind": kind}
    return await admin.post(path, data=data, headers={"Origin": box.origin}, allow_redirects=False)


async def test_diagnostics_are_asked_for_followed_and_saved(
    box: Box, admin: TestClient[Any, Any], tmp_path: Path
) -> None:
    assert f'href="{FILES}"' in await (await admin.get("/admin/charge-points/CP001")).text()
    asked = await ask(box, admin, "diagnostics")
    assert (asked.status, asked.headers["Location"]) == (303, f"{FILES}?saved=asked")
    assert "Asked. The file appears here." in await (await admin.get(asked.headers["Location"])).text()
    transfers = box.core.journal.state.transfers
    (id_,) = transfers
    await until(lambda: transfers[id_].answer is not None)
    assert (await admin.get(f"{FILES}/{id_}")).status == 410, "it has not come yet"
    (tmp_path / "x").write_bytes(CONTENT)
    box.core.files.on_disk[transfers[id_].file or ""] = Stored(tmp_path / "x", len(CONTENT), "ab")
    box.core.transfers.arrived(id_, len(CONTENT), "ab")
    await until(lambda: box.core.journal.state.transfers[id_].moved_at is not None)
    for path in (FILES, "/admin/charge-points/cp001"):
        assert f'href="{FILES}/{id_}"' in await (await admin.get(path)).text()
    saved = await admin.get(f"{FILES}/{id_}")
    assert await saved.read() == CONTENT
    assert saved.headers["Content-Type"] == "application/octet-stream"
    assert saved.headers["Content-Disposition"].startswith("attachment;")
    assert (await admin.get(f"/admin/charge-points/cp002/files/{id_}")).status == 404, "it is another's"


async def test_what_cannot_be_had_is_said_on_the_page(box: Box, admin: TestClient[Any, Any]) -> None:
    offline = await ask(box, admin, "diagnostics", "/admin/charge-points/CP002/files")
    assert offline.status == 409
    assert "not connected" in await offline.text()
    assert (await ask(box, admin, "firmware")).status == 400
    assert (await admin.get(f"{FILES}/nothing")).status == 404
    assert box.core.journal.state.transfers == {}


async def test_strangers_get_no_file(box: Box) -> None:
    assert (await box.client().get(FILES)).status == 401
    assert (await box.client().get(f"{FILES}/nothing")).status == 401
    refused = await box.client().post(FILES, data={"kind": "diagnostics"}, headers={"Origin": box.origin})
    assert refused.status == 401
