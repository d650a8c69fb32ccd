"""Diagnostics, logs and firmware between a real box and stations of every version, over real HTTP(S) and FTP(S)."""

import asyncio
import hashlib
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.doubles.box import BoxProcess, job_data, running_box
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_faults import Faults
from tests.doubles.charge_point_flash import Installed
from tests.doubles.charge_point_frames import Version
from tests.doubles.file_news import until
from tests.doubles.maker import Maker

VERSIONS: tuple[Version, ...] = ("1.6", "2.0.1", "2.1")
IMAGE = b"version=2.0.0\n" + bytes(range(256)) * 2000
WITHIN_S = 30


class Office:
    """An operator's program at a real box with one station."""

    def __init__(self, box: BoxProcess, cp: VirtualChargePoint, token: str) -> None:
        self.box, self.cp, self.token = box, cp, token

    async def ask(self, method: str, path: str, **options: Any) -> Any:
        async with self.box.api(self.token) as session, session.request(method, path, **options) as response:
            assert response.status < 300, await response.text()
            return await response.json()

    async def request(self, kind: str, **how: Any) -> str:
        body = {"kind": kind, **how}
        asked = await self.ask("POST", "/api/v1/charge-points/CP001/transfers", json=body)
        return str(asked["transfer_id"])

    async def transfer(self, id_: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.ask("GET", f"/api/v1/transfers/{id_}")
        return found

    async def ended(self, id_: str) -> dict[str, Any]:
        return await self.until(id_, lambda found: not found["running"])

    async def until(self, id_: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        for _ in range(WITHIN_S * 20):
            if condition(found := await self.transfer(id_)):
                return found
            await asyncio.sleep(0.05)  # another process: there is nothing to wait on but its answers
        raise AssertionError(found)

    async def content(self, id_: str) -> bytes:
        async with self.box.api(self.token) as session, session.get(f"/api/v1/transfers/{id_}/file") as response:
            assert response.headers["Content-Disposition"].startswith("attachment")
            assert response.content_type == "application/octet-stream"
            return await response.read()

    async def add_image(self, **said: str) -> str:
        form = aiohttp.FormData()
        for name, text in said.items():
            form.add_field(name, text)
        form.add_field("file", IMAGE, filename="vcp.bin")
        image = await self.ask("POST", "/api/v1/firmware", data=form)
        assert image["sha256"] == hashlib.sha256(IMAGE).hexdigest()
        return str(image["id"])


@asynccontextmanager
async def office(
    tmp_path: Path, version: Version = "1.6", faults: Faults | None = None, **settings: str
) -> AsyncIterator[Office]:
    async with running_box(tmp_path, **settings) as box:
        await box.import_job(job_data(["CP001"]))
        token = (await box.cli("token", "new", "--name", "tests"))["token"]
        how: dict[str, Any] = {"version": version, "faults": faults}
        async with VirtualChargePoint(box.ocpp, "CP001", speed=20, reboot_s=10, **how) as cp:
            cp.flash.roots.append(Installed("CSMSRootCertificate", await box.root()))
            await cp.wait_until(lambda: cp.accepted, 20)
            await box.until("Bay 1", "connected")
            yield Office(box, cp, token)
        assert "Traceback" not in box.log


@pytest.mark.parametrize(
    ("version", "method"),
    [("1.6", "http"), ("1.6", "https"), ("1.6", "ftp"), ("1.6", "ftps"), ("2.0.1", "https"), ("2.0.1", "ftp"),
     ("2.1", "http"), ("2.1", "ftps")],
)  # fmt: skip
async def test_diagnostics_come_in_by_every_way_in_every_version(tmp_path: Path, version: Version, method: str) -> None:
    async with office(tmp_path, version) as desk:
        done = await desk.ended(await desk.request("diagnostics", method=method))
        assert (done["outcome"], done["word"], done["method"]) == ("received", "Uploaded", method), done
        ((_, sent),) = desk.cp.files.uploads
        assert await desk.content(done["id"]) == sent
        assert (done["size"], done["sha256"]) == (len(sent), hashlib.sha256(sent).hexdigest())
        assert done["station_file"]
        assert [path.suffix for path in (desk.box.data_dir / "uploads").iterdir()] == [".bin"]
        assert desk.cp.violations == []
        words = re.split(r"[/:@]", desk.cp.files.uploads[0][0])
        secret = max((each for each in words if each != done["station_file"]), key=len)
        assert len(secret) >= 32
        assert secret not in desk.box.log
        frames = str(await desk.ask("GET", "/api/v1/charge-points/CP001/frames"))
        assert "/files/up/***" in frames or ":***@" in frames
        if method.startswith("http"):
            assert secret not in frames
        assert secret.encode() not in (desk.box.data_dir / "gatepost.sqlite3").read_bytes()


@pytest.mark.parametrize("version", ["1.6", "2.1"])
async def test_the_security_log_comes_in(tmp_path: Path, version: Version) -> None:
    async with office(tmp_path, version) as desk:
        done = await desk.ended(await desk.request("security_log"))
        assert (done["kind"], done["outcome"], done["method"]) == ("security_log", "received", "http"), done
        assert "SecurityLog" in done["station_file"]


def answers(port: int) -> bool:
    """Whether anybody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


async def test_ftp_is_really_off_when_nothing_is_expected(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    async with office(tmp_path, **{"files.ftp_port": str(port)}) as desk:
        assert "ftp_listening" not in desk.box.log
        for _ in range(2):
            assert not answers(port)
            done = await desk.ended(await desk.request("diagnostics", method="ftp"))
            assert done["outcome"] == "received"
            await until(lambda: not answers(port))


async def test_a_station_that_fails_is_told_as_such(tmp_path: Path) -> None:
    async with office(tmp_path, faults=Faults(uploads_fail=True)) as desk:
        id_ = await desk.request("diagnostics")
        await desk.cp.wait_until(lambda: desk.cp.files.log_status == "UploadFailure", 60)
        found = await desk.until(id_, lambda found: found["word"] == "UploadFailed")
        assert found["running"], "the box waits a little: the file may still come"
        assert found["step"] == "The charge point says “UploadFailed”."


async def test_too_large_a_file_is_cut_off(tmp_path: Path) -> None:
    faults = Faults(log_padding_bytes=300_000)
    async with office(tmp_path, faults=faults, **{"files.upload_max_bytes": "100000"}) as desk:
        id_ = await desk.request("diagnostics")
        found = await desk.until(id_, lambda found: found["problem"] is not None)
        assert found["problem"] == "too_large"
        assert list((desk.box.data_dir / "uploads").iterdir()) == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_firmware_is_fetched_installed_and_done_with_the_new_version(tmp_path: Path, version: Version) -> None:
    async with office(tmp_path, version) as desk:
        image = await desk.add_image(version="2.0.0")
        body = {"kind": "firmware", "firmware": image}
        path = "/api/v1/charge-points/CP001/transfers"
        async with desk.box.api(desk.token) as session, session.post(path, json=body) as response:
            assert (response.status, (await response.json())["code"]) == (409, "firmware_unsigned")
        done = await desk.ended(await desk.request("firmware", firmware=image, unsigned=True))
        assert (done["state"], done["outcome"]) == ("done", "new_version"), done
        assert done["step"] == "Installed: the charge point runs version 2.0.0."
        assert (done["version_before"], done["moved"], done["signed"]) == ("1.4.2", True, False)
        assert desk.cp.files.images == [IMAGE]
        assert desk.cp.violations == []


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_signed_image_is_installed_signed_and_a_wrong_one_is_not(tmp_path: Path, version: Version) -> None:
    maker = Maker()
    certificate, key = maker.issue("Firmware signing")
    async with office(tmp_path, version) as desk:
        desk.cp.flash.roots.append(Installed("ManufacturerRootCertificate", maker.root))
        wrong = await desk.add_image(version="2.0.0", signature=Maker.signature(key, b"other"), certificate=certificate)
        id_ = await desk.request("firmware", firmware=wrong)
        refused = await desk.ended(id_)
        assert (refused["state"], refused["outcome"], refused["signed"]) == ("failed", "signature_invalid", True)
        right = await desk.add_image(version="2.0.0", signature=Maker.signature(key, IMAGE), certificate=certificate)
        done = await desk.ended(await desk.request("firmware", firmware=right))
        assert (done["outcome"], done["signed"]) == ("new_version", True), done
        assert "SignatureVerified" in [each["word"] for each in done["told"]]


@pytest.mark.parametrize("whole", [False, True])
async def test_a_box_killed_in_the_middle_reruns_nothing_and_keeps_only_what_is_whole(
    tmp_path: Path, whole: bool
) -> None:
    async with office(tmp_path, faults=Faults(uploads_fail=True)) as desk:
        id_ = await desk.request("diagnostics", method="http")
        await desk.cp.wait_until(lambda: bool(asked_of(desk.cp)), 20)
        (asked,) = asked_of(desk.cp)
        url = urlsplit(asked.payload["location"])
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        writer.write(f"PUT {url.path} HTTP/1.1\r\nHost: box\r\nContent-Length: 9\r\n\r\n".encode())
        writer.write(b"half done" if whole else b"half")
        if whole:
            assert b" 201 " in await reader.readline()
            await desk.until(id_, lambda found: found["moved"])
        else:
            found = await desk.until(id_, lambda found: found["so_far"] == 4)
            assert found["step"] == "4 bytes have arrived."
        await desk.box.kill()
        writer.close()
        await desk.box.start()
        found = await desk.transfer(id_)
        assert (found["running"], found["outcome"]) == (False, "received_no_word" if whole else "interrupted")
        kept = [path.read_bytes() for path in (desk.box.data_dir / "uploads").iterdir()]
        assert kept == ([b"half done"] if whole else [])
        if whole:
            assert await desk.content(id_) == b"half done"
        async with aiohttp.ClientSession() as session, session.put(url.geturl(), data=b"late") as response:
            assert response.status == 404
        assert len(asked_of(desk.cp)) == 1


def asked_of(cp: VirtualChargePoint) -> list[Any]:
    return [each for each in cp.record.received if each.action == "GetDiagnostics"]


async def test_images_are_kept_by_command(tmp_path: Path) -> None:
    file = tmp_path / "terra 2.fw"
    file.write_bytes(IMAGE)
    async with running_box(tmp_path) as box:
        added = await box.cli("firmware", "add", str(file), "--version", "2.0.0")
        assert (added["sha256"], added["name"]) == (hashlib.sha256(IMAGE).hexdigest(), "terra_2.fw")
        assert await box.cli("firmware", "list") == [added]
    async with running_box(tmp_path) as box:
        assert await box.cli("firmware", "list") == [added]
        assert await box.cli("firmware", "remove", added["id"]) == added
        assert await box.cli("firmware", "list") == []
