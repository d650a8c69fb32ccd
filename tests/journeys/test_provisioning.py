"""At a real box: what a virtual charge point has is asked for, kept over a restart, and changed by calls by hand."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.doubles.box import BoxProcess, job_data, running_box
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_frames import Version

ONE = "/api/v1/charge-points/CP001"
PATIENT_S = 40


async def told(session: aiohttp.ClientSession, path: str, ready: Any = bool) -> Any:
    """What the API answers once it is there."""
    async with asyncio.timeout(PATIENT_S):
        while True:
            async with session.get(path) as response:
                if response.status == 200 and ready(found := await response.json()):
                    return found
            await asyncio.sleep(0.2)


async def call(session: aiohttp.ClientSession, action: str, payload: dict[str, Any]) -> Any:
    async with session.post(f"{ONE}/calls", json={"action": action, "payload": payload}) as response:
        assert response.status == 200, await response.text()
        return await response.json()


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_what_a_station_has_is_known_and_kept(tmp_path: Path, version: Version) -> None:
    async with running_box(tmp_path) as box:
        await box.import_job(job_data(["CP001"]))
        token = await admin_token(box)
        async with VirtualChargePoint(box.ocpp, "CP001", version=version, reboot_s=1) as cp, box.api(token) as session:
            inventory = await told(session, f"{ONE}/inventory")
            assert (inventory["source"], inventory["missing"]) == ("GetBaseReport", 0)
            names = {each["component"] for each in inventory["variables"]}
            assert names >= {"ChargingStation", "EVSE", "Connector", "OCPPCommCtrlr", "SecurityCtrlr"}
            secret = next(each for each in inventory["variables"] if each["name"] == "BasicAuthPassword")
            assert secret["attributes"]["Actual"].get("value") is None
            assert inventory["facts"]["connectors"] == len(cp.connectors)

            most = inventory["facts"]["items GetVariables"]
            variable = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
            others = [{"component": {"name": "NoSuch"}, "variable": {"name": f"V{number}"}} for number in range(most)]
            answer = await call(session, "GetVariables", {"getVariableData": [variable, *others]})
            assert len(answer["result"]["getVariableResult"]) == most + 1
            change = {**variable, "attributeValue": "77"}
            await call(session, "SetVariables", {"setVariableData": [change]})
            narrowed = await told(session, f"{ONE}/inventory?q=HeartbeatInterval")
            assert [each["attributes"]["Actual"]["value"] for each in narrowed["variables"]] == ["77"]
            assert cp.violations == []
        await box.stop()
        await box.start()
        async with box.api(token) as session:
            again = await told(session, f"{ONE}/inventory")
            assert again["at"] == narrowed["at"]
        assert "Traceback" not in box.log


async def test_the_configuration_of_a_1_6_station_is_read_on_request(tmp_path: Path) -> None:
    async with running_box(tmp_path) as box:
        await box.import_job(job_data(["CP001"]))
        token = await admin_token(box)
        async with VirtualChargePoint(box.ocpp, "CP001", reboot_s=1) as cp, box.api(token) as session:
            await cp.wait_until(lambda: cp.accepted, 20)
            async with session.post(f"{ONE}/inventory") as response:
                assert response.status == 202
            inventory = await told(session, f"{ONE}/inventory")
            names = {each["name"]: each for each in inventory["variables"]}
            assert {"NumberOfConnectors", "HeartbeatInterval", "SupportedFeatureProfiles"} <= names.keys()
            assert names["HeartbeatInterval"]["attributes"]["Actual"]["mutability"] == "ReadWrite"
            assert cp.violations == []


async def admin_token(box: BoxProcess) -> str:
    made = await box.cli("token", "new", "--name", "desk")
    return str(made["token"])
