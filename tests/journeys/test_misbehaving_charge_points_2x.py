"""Stations of OCPP 2.x that misbehave, one at a time, at a real box: the charge is on record once, all the same.

The frames travel real sockets to a real `edge-agent run`; what the box sends is judged by the strict schemas. The same
for 1.6: `test_misbehaving_charge_points.py`.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.box import BoxProcess, job_data, running_box
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_faults import Faults
from tests.doubles.charge_point_frames import Version
from tests.doubles.charge_point_power import Car

DRIVER = "04A2B3C4D5"
VERSIONS: tuple[Version, ...] = ("2.0.1", "2.1")
IN_BOTH = {
    "well_behaved",
    "begins_with_cable",
    "seq_no_gap",
    "ended_twice",
    "strings_for_numbers",
    "same_message_new_id",
}
"""The others are of what 2.1 did not change."""

CHARGES: dict[str, tuple[Faults, dict[str, str]]] = {
    "well_behaved": (Faults(), {}),
    "begins_with_cable": (Faults(), {"TxCtrlr.TxStartPoint": "EVConnected"}),
    "begins_with_card": (Faults(), {"TxCtrlr.TxStartPoint": "Authorized"}),
    "seq_no_gap": (Faults(seq_no_gap=2), {}),
    "ended_twice": (Faults(ended_twice=True), {}),
    "no_evse_in_updated": (Faults(no_evse_in_updated=True), {}),
    "shaped_like_16": (Faults(shaped_like_16=True), {}),
    "report_without_end": (Faults(report_without_end=True), {}),
    "status_before_boot": (Faults(status_before_boot=True), {}),
    "missing_zone": (Faults(missing_zone=True), {}),
    "time_1970": (Faults(time_1970=True), {}),
    "strings_for_numbers": (Faults(strings_for_numbers=True), {}),
    "energy_in_kwh": (Faults(energy_in_kwh=True), {}),
    "same_message_twice": (Faults(duplicate_messages="same_id"), {}),
    "same_message_new_id": (Faults(duplicate_messages="new_id"), {}),
    "malformed_json": (Faults(malformed_json_every_n=2), {}),
    "huge_frame": (Faults(huge_frame_bytes=900_000), {}),
    "drops_link": (Faults(drops_link_every_s=30.0), {}),
    "drops_link_and_boots": (Faults(drops_link_every_s=30.0, boot_after_every_reconnect=True), {}),
    "answers_twice": (Faults(answers_twice=True), {}),
    "answers_unknown_id": (Faults(answers_unknown_id=True), {}),
    "answers_late": (Faults(answers_late_s=1.0), {}),
    "errors_for_all": (Faults(callerror_everything=True), {}),
    "ignores_calls": (Faults(ignores_calls=True), {}),
}

COMMANDS = [
    ("start_done", Faults(), "start", {}, "done", "Accepted"),
    ("start_late", Faults(answers_late_s=1.0), "start", {}, "done", "Accepted"),
    ("start_refused", Faults(rejects_remote_start=True), "start", {}, "refused", "Rejected"),
    ("start_empty", Faults(accepts_but_does_nothing=True), "start", {}, "timed_out", "Accepted"),
    ("unlock_fails", Faults(unlock_fails=True), "unlock", {}, "failed", "UnlockFailed"),
    ("reboot_done", Faults(), "reboot", {"confirm": True}, "done", "Accepted"),
    ("reboot_unanswered", Faults(reset_unanswered=True), "reboot", {"confirm": True}, "done", ""),
]


def identity(version: str, name: str) -> str:
    return f"{version}-{name}".upper()


@pytest.fixture(scope="module")
async def box(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BoxProcess]:
    """One box for all: its job lists every station, open to drivers."""
    folder: Path = tmp_path_factory.mktemp("box")
    settings = {"commands.start_patience_s": "2", "log.level": "warning"}
    async with running_box(folder, **settings) as running:
        names = [identity(version, name) for version in VERSIONS for name in CHARGES]
        names += [identity("2.0.1", name) for name, *_ in COMMANDS]
        rows = [{"name": name, "identity": name, "active": True} for name in names]
        await running.import_job({**job_data([]), "charge_points": rows})
        yield running


def station(box: BoxProcess, version: Version, name: str, faults: Faults, **changes: Any) -> VirtualChargePoint:
    changes = {"speed": 60.0, "reboot_s": 20.0, **changes}
    return VirtualChargePoint(box.ocpp, identity(version, name), version=version, faults=faults, **changes)


async def transactions(box: BoxProcess, name: str) -> list[dict[str, Any]]:
    token = (await box.cli("token", "new", "--name", "journey"))["token"]
    async with box.api(token) as session, session.get(f"/api/v1/charge-points/{name}/transactions") as response:
        assert response.status == 200, await response.text()
        found: list[dict[str, Any]] = await response.json()
        return found


@pytest.mark.parametrize(
    ("name", "version"), [(name, v) for v in VERSIONS for name in CHARGES if v == "2.0.1" or name in IN_BOTH]
)
async def test_a_charge_is_on_record_once_whatever_the_station_does(
    box: BoxProcess, name: str, version: Version
) -> None:
    faults, configuration = CHARGES[name]
    bay = identity(version, name)
    async with station(box, version, name, faults, configuration=configuration) as cp:
        await cp.wait_until(lambda: cp.accepted, 15)
        cp.plug_in(1, Car(wants_wh=20_000))
        assert await cp.present_tag(1, DRIVER)
        await cp.wait_until(lambda: cp.transactions and cp.transactions[0].start_confirmed, 15)
        await box.until(bay, "connected (busy-charging)")
        await cp.wait_until(lambda: sum("meterValue" in s.payload for s in cp.confirmed) >= 3, 15)
        cp.unplug(1)
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed, 15)
        await box.until(bay, "connected (available)")
        ours = cp.transactions[0]
        await cp.wait_until(lambda: not cp.queue.waiting, 15)
        theirs = [each for each in cp.violations if not each.startswith("ours: ")]
        assert theirs == []
    (recorded,) = await transactions(box, bay)
    assert recorded["id_token"] == DRIVER
    assert (recorded["meter_start_wh"], recorded["meter_stop_wh"]) == (ours.meter_start_wh, ours.meter_stop_wh)
    assert recorded["reason"] == "EVDisconnected"


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_charge_without_the_box_is_on_record_when_it_is_back(box: BoxProcess, version: Version) -> None:
    bay = identity(version, "well_behaved")
    before = len(await transactions(box, bay))
    async with station(box, version, "well_behaved", Faults()) as cp:
        await cp.wait_until(lambda: cp.accepted, 15)
        cp.link_down()
        await cp.wait_until(lambda: not cp.connected)
        cp.plug_in(1, Car(wants_wh=20_000))
        assert await cp.present_tag(1, DRIVER)
        await cp.wait_until(lambda: len(cp.queue.waiting) > 8, 15)
        cp.unplug(1)
        cp.link_up()
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed, 15)
        ours = cp.transactions[0]
        assert cp.violations == []
    recorded = await transactions(box, bay)
    assert len(recorded) == before + 1
    stops = [each["meter_stop_wh"] for each in recorded]
    assert ours.meter_stop_wh in stops


@pytest.mark.parametrize(
    ("name", "faults", "action", "how", "state", "answer"), COMMANDS, ids=[name for name, *_ in COMMANDS]
)
async def test_a_command_ends_in_what_truly_happened(
    box: BoxProcess, name: str, faults: Faults, action: str, how: dict[str, Any], state: str, answer: str
) -> None:
    bay = identity("2.0.1", name)
    async with station(box, "2.0.1", name, faults) as cp:
        await box.until(bay, "connected (available)")
        if action == "start":
            cp.plug_in(1)
            await box.until(bay, "connected (busy-non-charging)")
        command = await box.act(bay, action, **how)
        assert command["state"] == state, command
        assert (command["answer"] or "") == answer, command
        assert cp.violations == []
