"""One commissioning journey for every version of OCPP, at a real box: nobody on the page can tell which one it is."""

from pathlib import Path
from typing import Any

import pytest

from tests.doubles.box import BoxProcess, job_data, running_box
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_frames import Version
from tests.doubles.charge_point_power import Car
from tests.doubles.maker import Maker

VERSIONS: tuple[Version, ...] = ("1.6", "2.0.1", "2.1")
PASSWORD = "a-password-of-16-letters"
DRIVER = "04A2B3C4D5"


@pytest.mark.parametrize("profile", range(4))
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_station_of_any_version_and_profile_is_commissioned_and_charges(
    tmp_path: Path, version: Version, profile: int
) -> None:
    maker = Maker()
    roots = tmp_path / "roots"
    roots.mkdir()
    (roots / "maker.pem").write_text(maker.root)
    async with running_box(tmp_path, **{"certificates.trusted_roots": str(roots)}) as box:
        await box.import_job(job_data(["", "CP002"]))
        proofs = await credentials(box, maker, profile)
        url = box.ocpp_tls if profile >= 2 else box.ocpp
        how: dict[str, Any] = {"version": version, "profile": profile, "speed": 20, "reboot_s": 10, **proofs}
        async with VirtualChargePoint(url, "CP001", **how) as cp:
            await commission(box, cp)
            assert cp.violations == []
            assert cp.subprotocol == f"ocpp{version}"
        assert "Traceback" not in box.log
        assert PASSWORD not in box.log


async def credentials(box: BoxProcess, maker: Maker, profile: int) -> dict[str, str]:
    """What a station of this security profile has in its flash when it leaves the carton."""
    found: dict[str, str] = {}
    if profile in (1, 2):
        found["password"] = PASSWORD
    if profile >= 2:
        found["root"] = await box.root()
    if profile == 3:
        found["certificate"], found["key"] = maker.issue("CP001")
    return found


async def commission(box: BoxProcess, cp: VirtualChargePoint) -> None:
    """From the first boot of a station nobody expected to the charge of a driver."""
    await cp.wait_until(lambda: cp.registration == "Pending", 20)
    row = await box.row("Bay 1")
    async with box.api() as session:
        url = f"/api/v1/job/charge-points/{row['id']}"
        async with session.patch(url, json={"identity": "CP001"}) as response:
            assert response.status == 200, await response.text()
    await cp.wait_until(lambda: cp.accepted, 20)
    await box.until("Bay 1", "connected")

    cp.plug_in(1, Car(wants_wh=30_000))
    await box.until("Bay 1", "connected (busy-non-charging)")
    assert not await cp.present_tag(1, DRIVER), "drivers are refused before activation"
    started = await box.act("Bay 1", "start")
    assert (started["state"], started["answer"]) == ("done", "Accepted"), started
    await box.until("Bay 1", "connected (busy-charging)")
    await cp.wait_until(lambda: cp.connector(1).outlet.power_w > 1_000, 20)
    stopped = await box.act("Bay 1", "stop")
    assert stopped["state"] == "done", stopped
    tested = await box.row("Bay 1")
    assert tested["test"]["energy_wh"] > 0, tested
    assert cp.transactions[0].reason == "Remote"
    unlocked = await box.act("Bay 1", "unlock")
    assert (unlocked["state"], unlocked["answer"]) == ("done", "Unlocked"), unlocked
    await box.until("Bay 1", "connected")
    rebooted = await box.act("Bay 1", "reboot", confirm=True)
    assert rebooted["state"] == "done", rebooted
    await cp.wait_until(lambda: cp.boots == 2, 20)

    async with (
        box.api() as session,
        session.post("/api/v1/job/complete", json={"activate_all": True}) as response,
    ):
        assert response.status == 200, await response.text()
    await box.until("Bay 1", "connected (available)")
    cp.plug_in(1, Car(wants_wh=30_000))
    assert await cp.present_tag(1, DRIVER), "drivers charge after activation"
    await box.until("Bay 1", "connected (busy-charging)")
    cp.unplug(1)
    await cp.wait_until(lambda: cp.transactions[-1].stop_confirmed, 20)
    await box.until("Bay 1", "connected (available)")
    token = (await box.cli("token", "new", "--name", "journey"))["token"]
    async with box.api(token) as session, session.get("/api/v1/charge-points/CP001/transactions") as response:
        recorded = await response.json()
    assert DRIVER in [each["id_token"] for each in recorded], recorded
    assert len(recorded) == 2, recorded
