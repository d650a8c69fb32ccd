"""Security at a real box, end to end: from no password to a certificate, over restarts, and no secret anywhere."""

import asyncio
import base64
import re
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.box import BoxProcess, job_data, running_box
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_frames import Version

VERSIONS: tuple[Version, ...] = ("1.6", "2.0.1", "2.1")
LONG = 90


class Operator:
    """A tool that holds a token of the box."""

    def __init__(self, box: BoxProcess, token: str) -> None:
        self.box = box
        self.token = token

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        async with self.box.api(self.token) as session, session.request(method, f"/api/v1/{path}", json=body) as told:
            answer = await told.json()
            assert told.status < 300, answer
            return answer

    async def security(self) -> Any:
        return await self.ask("GET", "charge-points/CP001/security")

    async def log(self) -> list[str]:
        return [entry["kind"] for entry in (await self.ask("GET", "security-log"))["entries"]]


async def operator_of(box: BoxProcess) -> Operator:
    return Operator(box, (await box.cli("token", "new", "--name", "tool"))["token"])


def raise_to(version: Version, profile: int, url: str) -> list[tuple[str, dict[str, Any]]]:
    """The calls by which a station is moved to a higher security profile."""
    if version == "1.6":
        return [("ChangeConfiguration", {"key": "SecurityProfile", "value": str(profile)})]
    data = {
        "ocppVersion": "OCPP20", "ocppTransport": "JSON", "ocppCsmsUrl": url, "messageTimeout": 30,
        "securityProfile": profile, "ocppInterface": "Wired0",
    }  # fmt: skip
    priority = {
        "component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "NetworkConfigurationPriority"},
        "attributeValue": f"{profile},1" if profile == 2 else "3,2",
    }  # fmt: skip
    return [
        ("SetNetworkProfile", {"configurationSlot": profile, "connectionData": data}),
        ("SetVariables", {"setVariableData": [priority]}),
        ("Reset", {"type": "Immediate"}),
    ]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_station_climbs_from_no_password_to_a_certificate_and_never_goes_back(
    tmp_path: Path, version: Version
) -> None:
    async with running_box(tmp_path) as box:
        await box.import_job(job_data(["CP001"]))
        operator = await operator_of(box)
        station = VirtualChargePoint(
            box.ocpp, "CP001", version=version, speed=20, reboot_s=5, tls_url=box.ocpp_tls, profile=0
        )
        async with station as cp:
            await cp.wait_until(lambda: cp.accepted, LONG)
            assert (await box.row("Bay 1"))["station"]["security_profile"] == 0
            assert (await box.row("Bay 1"))["security"]["weak"]

            async with box.api() as session, session.post("/api/v1/job/secure") as response:
                assert await response.json() == {"charge_points": 1}
            await cp.wait_until(lambda: cp.flash.password is not None, LONG)
            await has(operator, cp, lambda told: told["key"] and told["key"]["state"] == "proven")
            await has(operator, cp, lambda told: told["profile"] == 1)

            await operator.ask("POST", "charge-points/CP001/roots", {})
            assert (await operator.ask("GET", "charge-points/CP001/roots"))["roots"]
            await climb(operator, cp, version, 2, box.ocpp_tls)

            await operator.ask("POST", "charge-points/CP001/certificate-request")
            await has(operator, cp, lambda told: told["certificate"] and told["certificate"]["state"] == "accepted")
            await climb(operator, cp, version, 3, box.ocpp_tls)
            secret = cp.flash.password or b""
            assert cp.violations == []

            await box.kill()
            await box.start()
            await cp.wait_until(lambda: cp.accepted, LONG)
            assert (await operator.security())["current_profile"] == 3

        lower = VirtualChargePoint(box.ocpp, "CP001", version=version, speed=20, profile=0)
        async with lower as cp:
            await cp.wait_until(lambda: cp.record.dial_errors, LONG)
            assert not cp.connected
        log = await operator.log()
        assert {"credentials_needed", "key.offered", "key.proven", "certificate.issued", "certificate_issued"} <= set(
            log
        )

        (issued,) = await operator.ask("GET", "certificates")
        await operator.ask("POST", f"certificates/{issued['serial']}/revoke")
        async with VirtualChargePoint(box.ocpp_tls, "CP001", version=version, speed=20, flash=station.flash) as cp:
            await cp.wait_until(lambda: cp.record.dial_errors, LONG)
            assert not cp.connected

        await box.cli("backup", str(tmp_path / "copy"))
        assert secret_places(tmp_path, box.log, secret) == []


async def out_of_service(operator: Operator, cp: VirtualChargePoint, status: str) -> None:
    """A 2.x station is moved to another network profile only while nobody can charge (B10.FR.05)."""
    call = {"action": "ChangeAvailability", "payload": {"operationalStatus": status}}
    await operator.ask("POST", "charge-points/CP001/calls", call)
    wanted = "Unavailable" if status == "Inoperative" else "Available"
    async with asyncio.timeout(LONG):
        while True:
            (known,) = [each for each in await operator.ask("GET", "charge-points") if each["identity"] == "CP001"]
            if {each["status"] for place, each in known["connectors"].items() if place != "0"} == {wanted}:
                return
            await asyncio.sleep(0.1)  # another process: there is nothing to wait on but its word


async def climb(operator: Operator, cp: VirtualChargePoint, version: Version, profile: int, url: str) -> None:
    if version != "1.6":
        await out_of_service(operator, cp, "Inoperative")
    for action, payload in raise_to(version, profile, url):
        answer = await operator.ask("POST", "charge-points/CP001/calls", {"action": action, "payload": payload})
        assert "result" in answer, answer
    if version == "1.6":
        cp.dial_again()
    await has(operator, cp, lambda told: told["profile"] == profile and told["current_profile"] == profile)
    await cp.wait_until(lambda: cp.accepted, LONG)
    if version != "1.6":
        await out_of_service(operator, cp, "Operative")


async def has(operator: Operator, cp: VirtualChargePoint, condition: Any) -> None:
    """Until the box says so of the station's security: another process, so there is nothing to wait on but its word."""
    deadline = asyncio.get_running_loop().time() + LONG
    while not condition(told := await operator.security()):
        assert asyncio.get_running_loop().time() < deadline, (told, cp.record.dial_errors[-3:], cp.record.job_errors)
        await asyncio.sleep(0.1)


def secret_places(folder: Path, log: str, secret: bytes) -> list[str]:
    """Where a secret stands that must stand nowhere: as bytes, digits, base64 or text."""
    assert len(secret) >= 20
    spellings = {secret, secret.hex().encode(), secret.hex().upper().encode(), base64.b64encode(secret)}
    spellings |= {base64.b64encode(b"CP001:" + secret)[8:-4]}
    found = [f"log {spelling!r}" for spelling in spellings if spelling.decode("latin-1") in log]
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            found += [f"{file.name} {spelling!r}" for spelling in spellings if spelling in content]
    return found


async def test_a_given_password_is_in_no_log_no_database_and_no_backup(tmp_path: Path) -> None:
    canary = "canary-password-of-a-station"
    async with running_box(tmp_path, **{"log.level": "debug"}) as box:
        await box.import_job(job_data(["CP001"]))
        operator = await operator_of(box)
        await operator.ask("PUT", "charge-points/CP001/credentials", {"password": canary})
        async with VirtualChargePoint(box.ocpp, "CP001", profile=1, password=canary, speed=20) as cp:
            await cp.wait_until(lambda: cp.accepted, LONG)
        async with VirtualChargePoint(box.ocpp, "CP001", profile=1, password=canary[::-1], speed=20) as cp:
            await cp.wait_until(lambda: len(cp.record.dial_errors) > 2, LONG)
        await box.cli("backup", str(tmp_path / "copy"))
        assert secret_places(tmp_path, box.log, canary.encode()) == []
        assert secret_places(tmp_path, box.log, canary[::-1].encode()) == []
        assert not re.search(r"Traceback", box.log)
        (tmp_path / "planted").write_bytes(b"x" + canary.encode())
        assert len(secret_places(tmp_path, box.log, canary.encode())) == 1, "the search finds what it looks for"


async def test_strict_serves_who_proves_it_and_tells_strangers_nothing(tmp_path: Path) -> None:
    async with running_box(tmp_path, **{"ocpp.security": "strict"}) as box:
        await box.import_job(job_data(["CP001"]))
        operator = await operator_of(box)
        await operator.ask("PUT", "charge-points/CP001/credentials", {"password": "a-password-of-16-letters"})
        async with VirtualChargePoint(box.ocpp, "CP001", profile=1, password="a-password-of-16-letters") as cp:
            await cp.wait_until(lambda: cp.accepted, LONG)
        for identity, status in (("CP001", "401"), ("STRANGER", "404")):
            async with VirtualChargePoint(box.ocpp, identity, speed=20) as cp:
                await cp.wait_until(lambda: cp.record.dial_errors, LONG)
                assert status in cp.record.dial_errors[0]
        assert (await box.job())["seen"] == []
