"""A station climbs from no security at all to a client certificate, one step after the other, and can never come down.

Everything is asked of it through the API of a real box: a key of its own, the site's root, a certificate, the profile.
"""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.doubles.box import BoxProcess, job_data, running_box
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_frames import Version
from tests.doubles.directions import VERSIONS


@pytest.mark.timeout(180)
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_station_climbs_to_a_certificate_and_stays_there(tmp_path: Path, version: Version) -> None:
    async with running_box(tmp_path) as box:
        await box.import_job(job_data(["CP001"]))
        token = (await box.cli("token", "new", "--name", "journey"))["token"]
        how: dict[str, Any] = {"version": version, "speed": 20, "reboot_s": 10, "tls_url": box.ocpp_tls}
        async with VirtualChargePoint(box.ocpp, "CP001", **how) as cp, box.api(token) as session:
            await cp.wait_until(lambda: cp.accepted, 20)
            await post(session, "key")
            await cp.wait_until(lambda: cp.flash.password is not None, 20)
            await cp.wait_until(lambda: cp.record.dials > 1 and cp.accepted, 40)
            await raise_profile(box, session, cp, 1)
            await post(session, "roots", {})
            await cp.wait_until(lambda: cp.flash.roots_for_tls(), 20)
            await raise_profile(box, session, cp, 2)
            assert cp.url.startswith("wss:")
            await post(session, "certificate-request")
            await cp.wait_until(lambda: cp.flash.certificate is not None, 20)
            await raise_profile(box, session, cp, 3)
            assert cp.flash.proven_profile == 3
            assert cp.violations == []
            certificate, key, password = cp.flash.certificate, cp.flash.key, cp.flash.password
        assert password is not None
        root = await box.root()
        for less in (
            {"profile": 0},
            {"profile": 1, "password": password.decode("latin-1")},
        ):
            async with VirtualChargePoint(box.ocpp, "CP001", version=version, **less) as lower:  # type: ignore[arg-type]
                await lower.wait_until(lambda lower=lower: lower.record.dial_errors, 20)
                assert "401" in lower.record.dial_errors[0]
        again = {"profile": 3, "root": root, "certificate": certificate, "key": key}
        async with VirtualChargePoint(box.ocpp_tls, "CP001", version=version, **again) as cp:  # type: ignore[arg-type]
            await cp.wait_until(lambda: cp.accepted, 20)
        assert "Traceback" not in box.log
        assert password.decode("latin-1") not in box.log
        assert password.hex() not in box.log


async def post(session: aiohttp.ClientSession, what: str, body: Any = None) -> Any:
    async with session.post(f"/api/v1/charge-points/CP001/{what}", json=body) as response:
        assert response.status < 300, await response.text()
        return await response.json()


async def call(session: aiohttp.ClientSession, action: str, payload: Any) -> Any:
    answer = await post(session, "calls", {"action": action, "payload": payload})
    assert "result" in answer, answer
    return answer["result"]


async def raise_profile(box: BoxProcess, session: aiohttp.ClientSession, cp: VirtualChargePoint, profile: int) -> None:
    """And wait until it is connected that way. In 2.x another network profile is made the first, and it reboots."""
    dials = cp.record.dials
    if cp.version == "1.6":
        wish = {"key": "SecurityProfile", "value": str(profile)}
        assert await call(session, "ChangeConfiguration", wish) == {"status": "Accepted"}
    else:
        slot = profile + 1
        connection = {
            "ocppVersion": "OCPP20",
            "ocppTransport": "JSON",
            "ocppCsmsUrl": box.ocpp if profile == 1 else box.ocpp_tls,
            "messageTimeout": 30,
            "securityProfile": profile,
            "ocppInterface": "Wired0",
        }
        made = {"configurationSlot": slot, "connectionData": connection}
        assert await call(session, "SetNetworkProfile", made) == {"status": "Accepted"}
        first = {
            "component": {"name": "OCPPCommCtrlr"},
            "variable": {"name": "NetworkConfigurationPriority"},
            "attributeValue": str(slot),
        }
        await set_operative(session, cp, operative=False)
        answer = await call(session, "SetVariables", {"setVariableData": [first]})
        assert answer["setVariableResult"][0]["attributeStatus"] == "RebootRequired"
        assert await call(session, "Reset", {"type": "Immediate"}) == {"status": "Accepted"}
    await cp.wait_until(lambda: cp.record.dials > dials and cp.flash.current.profile == profile, 30)
    await cp.wait_until(lambda: cp.accepted and cp.flash.proven_profile == profile, 30)
    if cp.version != "1.6":
        await set_operative(session, cp, operative=True)


async def set_operative(session: aiohttp.ClientSession, cp: VirtualChargePoint, *, operative: bool) -> None:
    """And wait until every connector has said so: nobody may charge while a station moves (B10)."""
    wanted = {"operationalStatus": "Operative" if operative else "Inoperative"}
    assert await call(session, "ChangeAvailability", wanted) == {"status": "Accepted"}
    said = "Available" if operative else "Unavailable"

    def told() -> bool:
        last = {s.payload["evseId"]: s.payload["connectorStatus"] for s in cp.confirmed_of("StatusNotification")}
        return set(last.values()) == {said}

    await cp.wait_until(told, 20)
