"""Stations that misbehave, one at a time, at a real box: the charge is on record once, and nothing strict is broken.

The frames travel real sockets to a real `edge-agent run`; what the box sends is judged by the strict schemas.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.box import BoxProcess, job_data, running_box
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_faults import Faults
from tests.doubles.charge_point_power import Car

DRIVER = "04A2B3C4D5"

CHARGES = {
    "well_behaved": Faults(),
    "no_subprotocol": Faults(no_subprotocol=True),
    "vendor_subprotocol": Faults(wrong_subprotocol="socpp1.6"),
    "two_subprotocols": Faults(wrong_subprotocol="ocpp1.6, ocpp1.5"),
    "status_before_boot": Faults(status_before_boot=True),
    "missing_zone": Faults(missing_zone=True),
    "time_1970": Faults(time_1970=True),
    "strings_for_numbers": Faults(strings_for_numbers=True),
    "energy_in_kwh": Faults(energy_in_kwh=True),
    "kwh_labelled_wh": Faults(kwh_labelled_wh=True),
    "same_message_twice": Faults(duplicate_messages="same_id"),
    "same_message_new_id": Faults(duplicate_messages="new_id"),
    "malformed_json": Faults(malformed_json_every_n=2),
    "huge_frame": Faults(huge_frame_bytes=900_000),
    "oversized_frame": Faults(huge_frame_bytes=2_000_000),
    "drops_link": Faults(drops_link_every_s=30.0),
    "drops_link_and_boots": Faults(drops_link_every_s=30.0, boot_after_every_reconnect=True),
    "only_connector_0": Faults(reports_only_connector_0=True),
    "answers_twice": Faults(answers_twice=True),
    "answers_unknown_id": Faults(answers_unknown_id=True),
    "errors_for_all": Faults(callerror_everything=True),
    "ignores_calls": Faults(ignores_calls=True),
}

COMMANDS = [
    ("start_done", Faults(), "start", {}, "done", "Accepted"),
    ("start_late", Faults(answers_late_s=1.0), "start", {}, "done", "Accepted"),
    ("start_twice", Faults(answers_twice=True), "start", {}, "done", "Accepted"),
    ("start_foreign", Faults(answers_unknown_id=True), "start", {}, "done", "Accepted"),
    ("start_refused", Faults(rejects_remote_start=True), "start", {}, "refused", "Rejected"),
    ("start_empty", Faults(accepts_but_does_nothing=True), "start", {}, "timed_out", "Accepted"),
    ("unlock_fails", Faults(unlock_fails=True), "unlock", {}, "failed", "UnlockFailed"),
    ("unlock_never", Faults(unlock_not_supported=True), "unlock", {}, "refused", "NotSupported"),
    ("reboot_done", Faults(), "reboot", {"confirm": True}, "done", "Accepted"),
    ("reboot_hard", Faults(), "reboot", {"confirm": True, "kind": "hard"}, "done", "Accepted"),
]


@pytest.fixture(scope="module")
async def box(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BoxProcess]:
    """One box for all: its job lists every station, open to drivers."""
    folder: Path = tmp_path_factory.mktemp("box")
    settings = {"commands.start_patience_s": "2", "log.level": "warning"}
    async with running_box(folder, **settings) as running:
        names = [*CHARGES, *(name for name, *_ in COMMANDS), "broken_answer"]
        rows = [{"name": name, "identity": name.upper(), "active": True} for name in names]
        await running.import_job({**job_data([]), "charge_points": rows})
        yield running


def station(box: BoxProcess, name: str, faults: Faults, **changes: Any) -> VirtualChargePoint:
    settings = {"TransactionMessageRetryInterval": "10"}
    changes = {"speed": 60.0, "reboot_s": 20.0, "configuration": settings, **changes}
    return VirtualChargePoint(box.ocpp, name.upper(), faults=faults, **changes)


async def transactions(box: BoxProcess, identity: str) -> list[dict[str, Any]]:
    token = (await box.cli("token", "new", "--name", "journey"))["token"]
    async with box.api(token) as session, session.get(f"/api/v1/charge-points/{identity}/transactions") as response:
        assert response.status == 200, await response.text()
        found: list[dict[str, Any]] = await response.json()
        return found


@pytest.mark.parametrize("name", CHARGES)
async def test_a_charge_is_on_record_once_whatever_the_station_does(box: BoxProcess, name: str) -> None:
    async with station(box, name, CHARGES[name]) as cp:
        await cp.wait_until(lambda: cp.accepted, 15)
        cp.plug_in(1, Car(wants_wh=20_000))
        assert await cp.present_tag(1, DRIVER)
        await cp.wait_until(lambda: cp.transactions and cp.transactions[0].transaction_id is not None, 15)
        await box.until(name, "connected (busy-charging)")
        await cp.wait_until(lambda: cp.confirmed_of("MeterValues"), 15)
        cp.unplug(1)
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed, 15)
        await box.until(name, "connected (available)")
        ours = cp.transactions[0]
        assert cp.violations == []
    (recorded,) = await transactions(box, name.upper())
    assert recorded["id"] == ours.transaction_id
    assert recorded["id_token"] == DRIVER
    assert (recorded["meter_start_wh"], recorded["meter_stop_wh"]) == (ours.meter_start_wh, ours.meter_stop_wh)
    assert recorded["reason"] == "EVDisconnected"


@pytest.mark.parametrize(
    ("name", "faults", "action", "how", "state", "answer"), COMMANDS, ids=[name for name, *_ in COMMANDS]
)
async def test_a_command_ends_in_what_truly_happened(
    box: BoxProcess, name: str, faults: Faults, action: str, how: dict[str, Any], state: str, answer: str
) -> None:
    async with station(box, name, faults) as cp:
        await box.until(name, "connected (available)")
        if action == "start":
            cp.plug_in(1)
            await box.until(name, "connected (busy-non-charging)")
        command = await box.act(name, action, **how)
        assert (command["state"], command["answer"]) == (state, answer), command
        assert cp.violations == []


async def test_a_reset_that_is_obeyed_and_never_answered_is_done(box: BoxProcess) -> None:
    async with station(box, "broken_answer", Faults(reset_unanswered=True)) as cp:
        await box.until("broken_answer", "connected (available)")
        command = await box.act("broken_answer", "reboot", confirm=True)
        assert command["state"] == "done", command
        assert len(cp.confirmed_of("BootNotification")) == 2


async def test_a_version_nobody_speaks_is_said_and_does_not_disturb(box: BoxProcess) -> None:
    async with station(box, "well_behaved", Faults(wrong_subprotocol="ocpp1.5")) as cp:
        await cp.wait_until(lambda: cp.record.closes, 10)
        row = await box.row("well_behaved")
        assert (row["integration_state"], "OCPP" in row["explanation"]) == ("error", True)
        assert cp.confirmed == []
