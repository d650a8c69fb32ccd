"""The virtual charge point moves files: logs go up, firmware comes down, and every step is told."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from tests.doubles.central_system import CentralSystem, central_system
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_faults import Faults
from tests.doubles.maker import Maker

PAST = "2020-01-01T00:00:00Z"
IMAGE = b"firmware of the virtual charge point\nversion=2.0.0\n" + bytes(range(256)) * 40


@pytest.fixture(params=["1.6", "2.0.1", "2.1"])
async def csms(request: pytest.FixtureRequest) -> AsyncIterator[CentralSystem]:
    async with central_system(request.param) as system:
        yield system


@pytest.fixture
async def csms16() -> AsyncIterator[CentralSystem]:
    async with central_system("1.6") as system:
        yield system


class Shelf:
    """A web server that takes uploads and hands out one image."""

    def __init__(self) -> None:
        self.taken: dict[str, bytes] = {}
        self.methods: list[str] = []
        self.refusals = 0
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.methods.append(request.method)
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=500)
        if request.path.startswith("/secret"):
            return web.Response(status=403)
        self.taken[request.path] = body
        return web.Response(status=201)

    async def give(self, request: web.Request) -> web.Response:
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=404)
        return web.Response(body=IMAGE)


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    made = Shelf()
    app = web.Application()
    app.router.add_get("/{path:.*}", made.give)
    for method in ("PUT", "POST"):
        app.router.add_route(method, "/{path:.*}", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


def station(csms: CentralSystem, **changes: Any) -> VirtualChargePoint:
    changes = {"speed": 400.0, "answer_timeout_s": 0.5, "version": csms.version, "reboot_s": 5.0, **changes}
    return VirtualChargePoint(csms.url, "CP001", **changes)


def log_request(location: str, number: int = 1, **more: Any) -> dict[str, Any]:
    return {"logType": "DiagnosticsLog", "requestId": number, "log": {"remoteLocation": location}, **more}


def statuses(csms: CentralSystem, action: str) -> list[str]:
    return [each["status"] for each in csms.of(action)]


# logs


async def test_a_log_is_uploaded_and_each_step_told(csms: CentralSystem, shelf: Shelf) -> None:
    async with station(csms) as cp:
        await cp.wait_until(lambda: cp.accepted)
        answer = await csms.call("GetLog", log_request(f"{shelf.url}/up/"))
        await cp.wait_until(lambda: "Uploaded" in statuses(csms, "LogStatusNotification"))
    assert answer["status"] == "Accepted"
    assert statuses(csms, "LogStatusNotification") == ["Uploading", "Uploaded"]
    assert {each["requestId"] for each in csms.of("LogStatusNotification")} == {1}
    (path,) = shelf.taken
    assert path == f"/up/{answer['filename']}"
    assert b"BootNotification" in shelf.taken[path]
    assert cp.violations == []


async def test_an_upload_is_tried_again_and_a_refusal_is_told(csms: CentralSystem, shelf: Shelf) -> None:
    shelf.refusals = 1
    async with station(csms, faults=Faults(upload_method="POST")) as cp:
        await cp.wait_until(lambda: cp.accepted)
        await csms.call("GetLog", log_request(f"{shelf.url}/up/file.log", retries=2, retryInterval=5))
        await cp.wait_until(lambda: "Uploaded" in statuses(csms, "LogStatusNotification"))
        assert list(shelf.taken) == ["/up/file.log"]
        assert shelf.methods == ["POST", "POST"]
        await csms.call("GetLog", log_request(f"{shelf.url}/secret/x", 2, retries=0))
        await cp.wait_until(lambda: "PermissionDenied" in statuses(csms, "LogStatusNotification"))
        await csms.call("GetLog", log_request("gopher://127.0.0.1/x", 3, retries=0))
        await cp.wait_until(lambda: "NotSupportedOperation" in statuses(csms, "LogStatusNotification"))
    assert cp.violations == []


async def test_a_second_request_takes_the_place_of_the_first(csms: CentralSystem, shelf: Shelf) -> None:
    shelf.refusals = 1
    async with station(csms) as cp:
        await cp.wait_until(lambda: cp.accepted)
        await csms.call("GetLog", log_request(f"{shelf.url}/one", 1, retries=5, retryInterval=100_000))
        await cp.wait_until(lambda: shelf.methods)
        answer = await csms.call("GetLog", log_request(f"{shelf.url}/two", 2))
        await cp.wait_until(lambda: "Uploaded" in statuses(csms, "LogStatusNotification"))
    assert answer["status"] == "AcceptedCanceled"
    assert list(shelf.taken) == ["/two"]
    assert cp.violations == []


async def test_diagnostics_of_1_6_go_by_ftp(csms16: CentralSystem) -> None:
    with FtpServer() as ftp:
        async with station(csms16) as cp:
            await cp.wait_until(lambda: cp.accepted)
            location = f"ftp://someone:secret@127.0.0.1:{ftp.port}/in/"
            answer = await csms16.call("GetDiagnostics", {"location": location})
            await cp.wait_until(lambda: "Uploaded" in statuses(csms16, "DiagnosticsStatusNotification"))
            ftp.allowed = False
            await csms16.call("GetDiagnostics", {"location": location, "retries": 0})
            await cp.wait_until(lambda: "UploadFailed" in statuses(csms16, "DiagnosticsStatusNotification"))
    assert statuses(csms16, "DiagnosticsStatusNotification") == ["Uploading", "Uploaded", "Uploading", "UploadFailed"]
    assert b"StatusNotification" in ftp.files[f"in/{answer['fileName']}"]
    assert ftp.users[0] == ("someone", "secret")
    assert cp.violations == []


class FtpServer:
    """Enough of RFC 959 for one upload at a time, in a thread of its own."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.users: list[tuple[str, str]] = []
        self.allowed = True
        self.port = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> "FtpServer":
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(5)

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._session, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        async with server:
            await self._end.wait()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data: asyncio.Queue[bytes] = asyncio.Queue()
        user, passive = "", None

        async def receive(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            data.put_nowait(await source.read())
            sink.close()

        writer.write(b"220 ready\r\n")
        while line := (await reader.readline()).decode().strip():
            command, _, rest = line.partition(" ")
            match command.upper():
                case "USER":
                    user, answer = rest, "331 password?"
                case "PASS":
                    self.users.append((user, rest))
                    answer = "230 in" if self.allowed else "530 no"
                case "PASV" | "EPSV":
                    passive = await asyncio.start_server(receive, "127.0.0.1", 0)
                    port = passive.sockets[0].getsockname()[1]
                    answer = f"227 Entering (127,0,0,1,{port // 256},{port % 256})"
                case "STOR":
                    writer.write(b"150 go\r\n")
                    self.files[rest] = await data.get()
                    answer = "226 done"
                case "QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                case _:
                    answer = "200 fine"
            writer.write(f"{answer}\r\n".encode())
        writer.close()
        if passive is not None:
            passive.close()


# firmware


def update(version: str, location: str, **firmware: Any) -> tuple[str, dict[str, Any]]:
    """The message that asks for it."""
    signed = bool(firmware)
    inner = {"location": location, "retrieveDateTime": PAST, **firmware}
    if version != "1.6":
        return "UpdateFirmware", {"requestId": 7, "firmware": inner, "retries": 0}
    if signed:
        return "SignedUpdateFirmware", {"requestId": 7, "firmware": inner, "retries": 0}
    return "UpdateFirmware", {"location": location, "retrieveDate": PAST, "retries": 0}


async def test_firmware_is_downloaded_installed_and_booted(csms: CentralSystem, shelf: Shelf) -> None:
    async with station(csms) as cp:
        await cp.wait_until(lambda: cp.accepted)
        await csms.call(*update(csms.version, f"{shelf.url}/image.bin"))
        await cp.wait_until(lambda: "Installed" in statuses(csms, "FirmwareStatusNotification"))
        assert cp.firmware == "2.0.0"
    steps = ["Downloading", "Downloaded", "Installing", "InstallRebooting", "Installed"]
    if csms.version == "1.6":
        steps.remove("InstallRebooting")
        assert csms.of("BootNotification")[1]["firmwareVersion"] == "2.0.0"
    else:
        boot = csms.of("BootNotification")[1]
        assert (boot["reason"], boot["chargingStation"]["firmwareVersion"]) == ("FirmwareUpdate", "2.0.0")
    assert statuses(csms, "FirmwareStatusNotification") == steps
    assert cp.files.images == [IMAGE]
    assert cp.violations == []


async def test_signed_firmware_is_checked(csms: CentralSystem, shelf: Shelf) -> None:
    maker, stranger = Maker(), Maker("Stranger Root")
    certificate, key = maker.issue("Firmware Signing")
    told = "SignedFirmwareStatusNotification" if csms.version == "1.6" else "FirmwareStatusNotification"
    async with station(csms) as cp:
        await cp.wait_until(lambda: cp.accepted)
        root = {"certificateType": "ManufacturerRootCertificate", "certificate": maker.root}
        assert (await csms.call("InstallCertificate", root))["status"] == "Accepted"
        location = f"{shelf.url}/image.bin"
        foreign, _ = stranger.issue("Firmware Signing")
        refused = update(csms.version, location, signingCertificate=foreign, signature="AAAA")
        assert (await csms.call(*refused))["status"] == "InvalidCertificate"
        wrong = update(csms.version, location, signingCertificate=certificate, signature=maker.signature(key, b"other"))
        assert (await csms.call(*wrong))["status"] == "Accepted"
        await cp.wait_until(lambda: "InvalidSignature" in statuses(csms, told))
        assert cp.firmware == "1.4.2"
        right = update(csms.version, location, signingCertificate=certificate, signature=maker.signature(key, IMAGE))
        await csms.call(*right)
        await cp.wait_until(lambda: "Installed" in statuses(csms, told))
        assert cp.firmware == "2.0.0"
        await cp.wait_until(lambda: len(csms.of("SecurityEventNotification")) >= 3)
    assert "SignatureVerified" in statuses(csms, told)
    events = [each["type"] for each in csms.of("SecurityEventNotification")]
    assert events[:2] == ["InvalidFirmwareSigningCertificate", "InvalidFirmwareSignature"]
    assert cp.violations == []


async def test_a_missing_image_and_a_broken_one_are_told(csms: CentralSystem, shelf: Shelf) -> None:
    shelf.refusals = 1
    async with station(csms, faults=Faults(install_fails=True)) as cp:
        await cp.wait_until(lambda: cp.accepted)
        await csms.call(*update(csms.version, f"{shelf.url}/image.bin"))
        await cp.wait_until(lambda: "DownloadFailed" in statuses(csms, "FirmwareStatusNotification"))
        await csms.call(*update(csms.version, f"{shelf.url}/image.bin"))
        await cp.wait_until(lambda: "InstallationFailed" in statuses(csms, "FirmwareStatusNotification"))
        assert cp.firmware == "1.4.2"
        assert cp.boots == 1
    assert cp.violations == []


async def test_an_install_waits_for_the_charge_to_end(csms: CentralSystem, shelf: Shelf) -> None:
    async with station(csms) as cp:
        await cp.wait_until(lambda: cp.accepted)
        cp.plug_in(1)
        assert await cp.present_tag(1, "TAG")
        await csms.call(*update(csms.version, f"{shelf.url}/image.bin"))
        await cp.wait_until(lambda: "Downloaded" in statuses(csms, "FirmwareStatusNotification"))
        await asyncio.sleep(0.1)
        assert "Installing" not in statuses(csms, "FirmwareStatusNotification")
        cp.unplug(1)
        await cp.wait_until(lambda: "Installed" in statuses(csms, "FirmwareStatusNotification"))
    assert cp.transactions[0].reason == "EVDisconnected"
    assert cp.violations == []


async def test_the_state_of_a_transfer_is_told_when_triggered(csms: CentralSystem, shelf: Shelf) -> None:
    shelf.refusals = 1
    async with station(csms) as cp:
        await cp.wait_until(lambda: cp.accepted)
        await csms.call("GetLog", log_request(f"{shelf.url}/one", 4, retries=5, retryInterval=100_000))
        await cp.wait_until(lambda: csms.of("LogStatusNotification"))
        action = "ExtendedTriggerMessage" if csms.version == "1.6" else "TriggerMessage"
        await csms.call(action, {"requestedMessage": "LogStatusNotification"})
        await cp.wait_until(lambda: len(csms.of("LogStatusNotification")) == 2)
    assert csms.of("LogStatusNotification")[1] == {"status": "Uploading", "requestId": 4}
    assert json.dumps(cp.violations) == "[]"
