"""Files in the admin API, over real HTTP; the charge point and the disk are played."""

import asyncio
import hashlib

import pytest
from aiohttp import FormData

from edge_agent.site.ports import Stored
from edge_agent.site.reports import TransferReport
from sitelink.commands import FetchLog, OrderAnswer, UpdateFirmware
from sitelink.ids import station_key
from sitelink.states import TransferKind
from tests.doubles.box_pages import running_box
from tests.doubles.file_news import until

CP = "/api/v1/charge-points/CP001/transfers"


class Office:
    """An operator's program at a box with one charge point that answers."""

    def __init__(self, box, token):
        self.box, self.core = box, box.core
        self.client = box.client()
        self.headers = {"Authorization": f"Bearer {token}"}

    async def ask(self, method, path, status=200, **options):
        answer = await self.client.request(method, path, headers=self.headers, **options)
        assert answer.status == status, await answer.text()
        return await answer.json()

    async def add(self, content=b"image", **fields):
        form = FormData()
        for name, text in fields.items():
            form.add_field(name, text)
        form.add_field("file", content, filename="fw.bin")
        return await self.ask("POST", "/api/v1/firmware", 201, data=form)


@pytest.fixture
async def office():
    async with running_box() as box:
        await box.core.boot("CP001")
        await box.core.desk.configured(station_key("CP001"), {"SupportedFileTransferProtocols": None})
        box.core.stations.answers[FetchLog] = OrderAnswer("Accepted", accepted=True, file="diag.zip")
        task = asyncio.get_running_loop().create_task(box.core.transfers.run())
        yield Office(box, await box.core.jobs.new_admin_token("tests"))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_diagnostics_are_asked_for_and_fetched(office, tmp_path):
    core = office.core
    asked = await office.ask("POST", CP, 202, json={"kind": "diagnostics"})
    id_ = asked["transfer_id"]
    await until(lambda: core.journal.state.transfers[id_].answer is not None)
    content = b"<script>alert(1)</script>"
    (tmp_path / "x").write_bytes(content)
    core.files.on_disk[core.journal.state.transfers[id_].file] = Stored(tmp_path / "x", len(content), "ab")
    core.transfers.arrived(id_, len(content), "ab")
    await until(lambda: core.journal.state.transfers[id_].moved_at is not None)
    report = TransferReport("X", (TransferKind.DIAGNOSTICS,), "Uploaded")
    await core.desk.transfer_told(station_key("CP001"), report)
    await until(lambda: not core.journal.state.transfers[id_].running)
    (shown,) = await office.ask("GET", CP)
    assert shown == await office.ask("GET", f"/api/v1/transfers/{id_}")
    assert (shown["outcome"], shown["step"], shown["file"]) == ("received", "Received whole (25 bytes).", True)
    answer = await office.client.get(f"/api/v1/transfers/{id_}/file", headers=office.headers)
    assert await answer.read() == content
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="diagnostics-cp001-1.bin"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_file_that_is_not_here_is_gone(office):
    id_ = (await office.ask("POST", CP, 202, json={"kind": "security_log"}))["transfer_id"]
    assert (await office.ask("GET", f"/api/v1/transfers/{id_}/file", 410))["code"] == "file_gone"
    assert (await office.ask("GET", "/api/v1/transfers/other", 404))["code"] == "not_found"


async def test_the_same_id_names_the_same_transfer(office):
    body = {"kind": "diagnostics", "transfer_id": "0B7C0F3E-7D6E-4E7E-9E55-0D7B3A4C2F11"}
    first = await office.ask("POST", CP, 202, json=body)
    assert await office.ask("POST", CP, 202, json=body) == first
    await until(lambda: office.core.stations.orders)
    assert len(office.core.stations.orders) == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"kind": "photos"}, 400, "request_invalid"),
        ({"kind": "firmware"}, 400, "request_invalid"),
        ({"kind": "diagnostics", "firmware": "x"}, 400, "request_invalid"),
        ({"kind": "diagnostics", "oldest": "2026-11-03T00:00:00"}, 400, "request_invalid"),
        ({"kind": "diagnostics", "install_at": "2026-11-03T00:00:00Z"}, 400, "request_invalid"),
        ({"kind": "diagnostics", "method": "https"}, 409, "transfer_unavailable"),
        ({"kind": "firmware", "firmware": "nothing"}, 404, "not_found"),
    ],
)
async def test_what_cannot_be_is_refused(office, body, status, code):
    assert (await office.ask("POST", CP, status, json=body))["code"] == code
    assert office.core.stations.orders == []


async def test_a_station_that_is_away_is_not_asked(office):
    office.core.stations.online.clear()
    assert (await office.ask("POST", CP, 409, json={"kind": "diagnostics"}))["code"] == "station_offline"


async def test_images_are_kept_listed_and_removed(office):
    content = b"x" * 300_000  # more than other bodies may have
    image = await office.add(content, version="2.0", signature="c2ln", certificate="PEM")
    assert image["sha256"] == hashlib.sha256(content).hexdigest()
    assert (image["name"], image["version"], image["bytes"], image["signed"]) == ("fw.bin", "2.0", 300_000, True)
    assert await office.ask("GET", "/api/v1/firmware") == [image]
    assert await office.ask("DELETE", f"/api/v1/firmware/{image['id']}") == image
    assert await office.ask("GET", "/api/v1/firmware") == []


async def test_an_image_is_installed_only_signed_or_by_express_wish(office):
    image = await office.add()
    body = {"kind": "firmware", "firmware": image["id"]}
    assert (await office.ask("POST", CP, 409, json=body))["code"] == "firmware_unsigned"
    assert (await office.ask("POST", CP, 409, json={**body, "method": "ftp"}))["code"] == "transfer_unavailable"
    await office.ask("POST", CP, 202, json={**body, "unsigned": True})
    await until(lambda: office.core.stations.orders)
    assert isinstance(office.core.stations.orders[0][1], UpdateFirmware)


async def test_a_form_that_is_none_is_refused(office):
    assert (await office.ask("POST", "/api/v1/firmware", 415, data=b"raw"))["code"] == "media_type_refused"
    form = FormData({"version": "2.0"})
    form._is_multipart = True
    assert (await office.ask("POST", "/api/v1/firmware", 422, data=form))["problem"] == "no_file"
    form = FormData({"other": "2.0"})
    form._is_multipart = True
    assert (await office.ask("POST", "/api/v1/firmware", 422, data=form))["problem"] == "not_allowed"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", CP), ("GET", CP), ("GET", "/api/v1/transfers/x"), ("GET", "/api/v1/transfers/x/file"),
        ("GET", "/api/v1/firmware"), ("POST", "/api/v1/firmware"), ("DELETE", "/api/v1/firmware/x"),
    ],
)  # fmt: skip
async def test_nobody_else_may(office, method, path):
    for headers in ({}, office.box.bearer):
        answer = await office.client.request(method, path, headers=headers)
        assert answer.status == 401
