"""A whole box whose disk fills, is read-only, or is damaged: told on the page and in the log, nothing confirmed lost.

Real disks: small memory file systems that the test mounts and unmounts, which takes root. Rows D5 and D7 of the
promises, seen from outside.
"""

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.box import BoxProcess, job_data, running_box
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.disks import small_disk

MIB = 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 32 * MIB) as place:
        yield place


def fill(disk: Path) -> Path:
    """Leave nothing free, also for a reserve that is given up."""
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as out:
        while True:
            try:
                out.write(b"x" * 65536)
            except OSError:
                return ballast


async def until(condition: Callable[[dict[str, Any]], bool], box: BoxProcess, timeout_s: float = 20) -> dict[str, Any]:
    """The job's view once it is so."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not condition(view := await box.job()):
        assert asyncio.get_running_loop().time() < deadline, view
        await asyncio.sleep(0.1)
    return view


async def test_a_full_disk_is_told_and_nothing_is_confirmed_until_there_is_room(disk: Path) -> None:
    async with running_box(disk, **{"storage.reserve_bytes": str(2 * MIB)}) as box:
        await box.import_job(job_data(["CP001"]))
        await box.cli("job", "activate", "1042")
        async with VirtualChargePoint(box.ocpp, "CP001", speed=20) as cp:
            await cp.wait_until(lambda: cp.accepted)
            ballast = fill(disk)
            row = await box.row("Bay 1")
            async with box.api() as session:
                for number in range(400):
                    url = f"/api/v1/job/charge-points/{row['id']}/notes"
                    async with session.post(url, json={"text": f"{number} {'x' * 1900}"}) as response:
                        fill(disk)
                        if response.status == 503:
                            assert (await response.json())["code"] == "store_unavailable"
                            break
                else:
                    pytest.fail("the disk never was full")
            view = await until(lambda view: view["trouble"] == "disk_full", box)
            kept = len(view["charge_points"][0]["notes"])
            confirmed = len(cp.confirmed_of("StartTransaction"))
            cp.plug_in(1)
            cp.present_tag_later(1, "04A2B3C4D5")
            await cp.wait_until(lambda: cp.record.refused, 20)
            assert len(cp.confirmed_of("StartTransaction")) == confirmed
            async with box.api() as session, session.get("/healthz") as response:
                assert (response.status, await response.json()) == (503, {"status": "disk_full"})
            ballast.unlink()
            view = await until(lambda view: view["trouble"] is None, box)
            assert len(view["charge_points"][0]["notes"]) == kept
            await cp.wait_until(lambda: cp.confirmed_of("StartTransaction"), 60)
            await box.until("Bay 1", "connected (busy-charging)")
            assert '"code":"disk_full"' in box.log


async def test_a_box_that_starts_on_a_read_only_disk_says_so_and_serves_when_it_can(disk: Path) -> None:
    async with running_box(disk) as box:
        await box.import_job(job_data(["CP001"]))
        await box.stop()
        remount(disk, "ro")
        await box.start(healthy=False)
        async with box.api() as session:
            async with session.get("/j", headers={"Accept": "text/html"}) as response:
                assert response.status == 503
                assert "storage takes nothing" in await response.text()
            async with session.get("/healthz") as response:
                assert await response.json() == {"status": "read_only"}
        remount(disk, "rw")
        async with VirtualChargePoint(box.ocpp, "CP001") as cp:
            await cp.wait_until(lambda: cp.accepted, 30)
        assert (await box.job())["number"] == "1042"
        assert '"code":"read_only"' in box.log


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


async def test_a_damaged_database_is_set_aside_and_the_page_says_so(tmp_path: Path) -> None:
    async with running_box(tmp_path) as box:
        await box.import_job(job_data(["CP001", "CP002"]))
        async with box.api() as session:
            row = await box.row("Bay 2")
            url = f"/api/v1/job/charge-points/{row['id']}/notes"
            async with session.post(url, json={"text": "before the damage"}) as response:
                assert response.status == 201
        await box.stop()
        database = box.data_dir / "gatepost.sqlite3"
        whole = bytearray(database.read_bytes())
        place = whole.index(b"before the damage")
        whole[place : place + 6] = b"BEFORE"
        database.write_bytes(whole)
        await box.start()
        view = await box.job()
        assert view["notice"] == "salvaged"
        assert view["trouble"] is None
        assert [each["identity"] for each in view["charge_points"]] == ["CP001", "CP002"]
        assert view["charge_points"][1]["notes"][0]["text"] == "before the damage"
        (aside,) = box.data_dir.glob("damaged-*")
        assert (aside / "gatepost.sqlite3").read_bytes() == bytes(whole), "nothing is deleted"
        assert "database_damaged" in box.log
