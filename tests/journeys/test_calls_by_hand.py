"""Every call a central system may make, by hand through the API of a real box, to a station of each version.

The box judges what it sends and the station what it gets, by schemas that neither has from the other.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.doubles.box import BoxProcess, job_data, running_box
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_frames import Version
from tests.doubles.directions import FROM_STATION_ALONE, NOT_OFFERED, VERSIONS
from tests.doubles.payloads import calls, example

LAST = "Reset"
RATHER: dict[str, dict[str, Any]] = {
    "ExtendedTriggerMessage": {"requestedMessage": "Heartbeat"},
    "TriggerMessage": {"requestedMessage": "Heartbeat"},
}
"""Where the first example of the schema is a thing that may not be asked after the boot was accepted."""


@pytest.fixture(scope="module")
async def box(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BoxProcess]:
    folder: Path = tmp_path_factory.mktemp("box")
    async with running_box(folder, **{"log.level": "warning"}) as running:
        await running.import_job(job_data([f"CP-{version}" for version in VERSIONS]))
        yield running


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_call_goes_out_by_hand_and_its_answer_comes_back(box: BoxProcess, version: Version) -> None:
    examples = {each.action: example(each) for each in calls(version) if each.action not in FROM_STATION_ALONE}
    examples |= {action: payload for action, payload in RATHER.items() if action in examples}
    if version == "1.6":
        examples["SetChargingProfile"] = default_profile_16()
    else:
        examples["SetChargingProfile"] = default_profile()
    reset = examples.pop(LAST)
    token = (await box.cli("token", "new", "--name", "journey"))["token"]
    async with (
        box.api(token) as session,
        VirtualChargePoint(box.ocpp, f"CP-{version}", version=version, speed=20) as cp,
    ):
        await cp.wait_until(lambda: cp.accepted, 20)
        for action, payload in [*examples.items(), (LAST, reset)]:
            status, answer = await call(session, f"CP-{version}", action, payload)
            assert status == 200, (action, answer)
            if action in NOT_OFFERED:
                assert answer["error"]["code"] == "NotSupported", (action, answer)
            else:
                assert "result" in answer, (action, answer)
        assert cp.violations == []
        assert {said.action for said in cp.received} >= {*examples, LAST}


def default_profile_16() -> dict[str, Any]:
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.0}]}
    profile = {
        "chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative", "chargingSchedule": schedule,
    }  # fmt: skip
    return {"connectorId": 1, "csChargingProfiles": profile}


def default_profile() -> dict[str, Any]:
    periods = [{"startPeriod": 0, "limit": 10.0}]
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": periods}
    profile = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
    }
    return {"evseId": 1, "chargingProfile": profile}


async def call(session: aiohttp.ClientSession, identity: str, action: str, payload: Any) -> tuple[int, Any]:
    body = {"action": action, "payload": payload}
    async with session.post(f"/api/v1/charge-points/{identity}/calls", json=body) as response:
        return response.status, await response.json()
