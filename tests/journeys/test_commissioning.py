"""The main job without a browser: real stations over real sockets, a real box, its job API."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from tests.doubles.box import BoxProcess, job_data, running_box
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_faults import Faults

IDENTITIES = [f"ZPR1042{n:02}" for n in range(1, 15)]
DRIVER = "04A2B3C4D5"


async def stations(stack: AsyncExitStack, box: BoxProcess, identities: list[str]) -> dict[str, VirtualChargePoint]:
    made = {
        name: await stack.enter_async_context(VirtualChargePoint(box.ocpp, name, speed=20, reboot_s=10, seed=n))
        for n, name in enumerate(identities)
    }
    for each in made.values():
        await each.wait_until(lambda each=each: each.accepted, 20)
    return made


async def test_fourteen_stations_from_the_first_boot_to_completion(tmp_path: Path) -> None:
    async with running_box(tmp_path) as box, AsyncExitStack() as stack:
        await box.import_job(job_data(IDENTITIES))
        assert (await box.job())["connected"] == 0
        cps = await stations(stack, box, IDENTITIES)
        for n in range(1, 15):
            await box.until(f"Bay {n}", "connected")
        job = await box.job()
        assert (job["connected"], job["total"], job["status"]) == (14, 14, "open")

        first = cps[IDENTITIES[0]]
        first.plug_in(1)
        await box.until("Bay 1", "connected (busy-non-charging)")
        assert not await first.present_tag(1, DRIVER), "drivers are refused before activation"
        started = await box.act("Bay 1", "start")
        assert (started["state"], started["answer"]) == ("done", "Accepted"), started
        await box.until("Bay 1", "connected (busy-charging)")
        await first.wait_until(lambda: len(first.confirmed_of("MeterValues")) >= 3, 20)
        stopped = await box.act("Bay 1", "stop")
        assert stopped["state"] == "done", stopped
        tested = await box.row("Bay 1")
        assert tested["test"]["energy_wh"] > 0
        first.unplug(1)

        rebooted = await box.act("Bay 2", "reboot", confirm=True)
        assert rebooted["state"] == "done", rebooted
        unlocked = await box.act("Bay 3", "unlock")
        assert unlocked["state"] == "done", unlocked

        async with box.api() as session:
            async with session.post("/api/v1/job/complete", json={"activate_all": True}) as response:
                assert response.status == 200, await response.text()
            async with session.post("/api/v1/job/complete", json={"activate_all": True}) as response:
                assert (response.status, (await response.json())["code"]) == (409, "already_completed")
        await box.until("Bay 1", "connected (available)")
        first.plug_in(1)
        assert await first.present_tag(1, DRIVER), "drivers charge after activation"
        await box.until("Bay 1", "connected (busy-charging)")
        assert [fault for each in cps.values() for fault in each.violations] == []


async def test_a_wrong_identity_is_found_in_the_seen_list_and_claimed(tmp_path: Path) -> None:
    async with running_box(tmp_path, **{"ocpp.retry_interval_s": "1"}) as box:
        await box.import_job(job_data(["", "CP002"]))
        assert (await box.row("Bay 1"))["status"] == "No serial"
        async with VirtualChargePoint(box.ocpp, "CP001", speed=20) as cp:
            await cp.wait_until(lambda: cp.registration == "Pending", 10)
            (seen,) = (await box.job())["seen"]
            assert (seen["identity"], seen["reason"]) == ("CP001", "unknown_identity")
            row = await box.row("Bay 1")
            async with box.api() as session:
                url = f"/api/v1/job/charge-points/{row['id']}"
                async with session.patch(url, json={"identity": seen["identity"]}) as response:
                    assert response.status == 200, await response.text()
            await cp.wait_until(lambda: cp.accepted, 10)
            await box.until("Bay 1", "connected")
            assert (await box.job())["seen"] == []


async def test_a_station_that_keeps_running_through_a_restart_needs_no_boot(tmp_path: Path) -> None:
    async with running_box(tmp_path) as box:
        await box.import_job(job_data(["CP001"]))
        async with VirtualChargePoint(box.ocpp, "CP001", speed=20) as cp:
            await cp.wait_until(lambda: cp.accepted)
            cp.plug_in(1)
            await box.act("Bay 1", "start")
            boots = len(cp.confirmed_of("BootNotification"))
            await box.kill()
            await box.start()
            await box.until("Bay 1", "connected (busy-charging)", 40)
            assert len(cp.confirmed_of("BootNotification")) == boots
            stopped = await box.act("Bay 1", "stop")
            assert stopped["state"] == "done", stopped


async def test_a_fault_and_a_lost_link_are_told(tmp_path: Path) -> None:
    async with running_box(tmp_path) as box:
        await box.import_job(job_data(["CP001"]))
        async with VirtualChargePoint(box.ocpp, "CP001", speed=20, faults=Faults()) as cp:
            await box.until("Bay 1", "connected")
            cp.fault(1, "GroundFailure")
            row = await box.until("Bay 1", "connected (error)")
            assert "Earth fault" in row["explanation"]
            cp.link_down()
            await box.until("Bay 1", "disconnected")
            cp.link_up()
            await box.until("Bay 1", "connected (error)")


async def test_two_stations_of_one_identity_do_not_evict_each_other(tmp_path: Path) -> None:
    async with running_box(tmp_path, **{"ocpp.retry_interval_s": "1"}) as box:
        await box.import_job(job_data(["CP001"]))
        async with VirtualChargePoint(box.ocpp, "CP001", serial="A") as one:
            await one.wait_until(lambda: one.accepted)
            async with VirtualChargePoint(box.ocpp, "CP001", serial="B") as other:
                await other.wait_until(lambda: other.registration == "Pending", 20)
                row = await box.until("Bay 1", "error")
                assert row["integration_state"] == "error"
                assert {seen["reason"] for seen in (await box.job())["seen"]} == {"duplicate_identity"}
                await asyncio.sleep(3)
                assert one.connected
                assert len(one.confirmed_of("BootNotification")) == 1
            await box.until("Bay 1", "connected")
