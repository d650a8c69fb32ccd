"""Drivers' tokens from a table to the reader: a real box, stations of every version, online, offline, and restarted."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.doubles.box import BoxProcess, job_data, running_box
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_frames import Version

VERSIONS: dict[str, Version] = {"CP16": "1.6", "CP201": "2.0.1", "CP21": "2.1"}
DRIVER, BLOCKED, STRANGER, FLEET = "04A1B2C3D4E5F6", "04FFFFFFFFFFFF", "04999999999999", "FLEET-TOKEN-42"
TABLE = f"token,status,parent\n{DRIVER},Accepted,{FLEET}\n{BLOCKED},Blocked,\n"
ONE = "/api/v1/charge-points"


@asynccontextmanager
async def admin(box: BoxProcess) -> AsyncIterator[aiohttp.ClientSession]:
    token = (await box.cli("token", "new", "--name", "desk"))["token"]
    async with box.api(token) as session:
        yield session


async def until(condition: Callable[[], object], what: str, timeout_s: float = 30) -> None:
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, what
        await asyncio.sleep(0.05)  # the box is another process: there is nothing to wait on but what it does


async def asked(session: aiohttp.ClientSession, method: str, path: str, body: Any = None) -> Any:
    async with session.request(method, path, json=body) as response:
        assert response.status in (200, 204), await response.text()
        return await response.json() if response.status == 200 else None


async def lists(session: aiohttp.ClientSession) -> dict[str, Any]:
    return {each["identity"]: each["local_list"] for each in await asked(session, "GET", ONE)}


async def lists_are(session: aiohttp.ClientSession, state: str, timeout_s: float = 20) -> None:
    deadline = asyncio.get_running_loop().time() + timeout_s
    while (seen := {view and view["state"] for view in (await lists(session)).values()}) != {state}:
        assert asyncio.get_running_loop().time() < deadline, seen
        await asyncio.sleep(0.1)


async def test_drivers_charge_by_the_sites_list_online_and_offline(tmp_path: Path) -> None:
    settings = {"authorisation.unknown": "reject", "authorisation.local_list": "on"}
    async with running_box(tmp_path, **settings) as box, AsyncExitStack() as stack:
        await box.import_job(job_data(list(VERSIONS)))
        table = tmp_path / "tokens.csv"
        table.write_text(TABLE)
        assert (await box.cli("id-token", "import", str(table)))["listed"] == 2
        cps = {
            name: await stack.enter_async_context(VirtualChargePoint(box.ocpp, name, version=version, speed=20, seed=1))
            for name, version in VERSIONS.items()
        }
        for cp in cps.values():
            await cp.wait_until(lambda cp=cp: cp.accepted, 20)
            assert not await cp.present_tag(1, DRIVER), "nobody charges before the charge points are active"
        async with box.api() as session:
            await asked(session, "POST", "/api/v1/job/complete", {"activate_all": True})
        session = await stack.enter_async_context(admin(box))

        # What every station holds for when it is offline: the installer's test, and the drivers as they are listed.
        for name, cp in cps.items():
            await until(lambda cp=cp: DRIVER.casefold() in cp.local_list.entries, f"{name} has no list")
            held = dict(cp.local_list.entries)
            assert (held.pop(DRIVER.casefold()), held.pop(BLOCKED.casefold())) == ("Accepted", "Blocked")
            assert list(held.values()) == ["Accepted"], "the installer's test"
        await lists_are(session, "current")
        for name, view in (await lists(session)).items():
            assert (view["state"], view["entries"], view["left_out"]) == ("current", 3, 0), name
            assert view["version"] == cps[name].local_list.version > 0

        # Online the box decides.
        for cp in cps.values():
            assert not await cp.present_tag(1, STRANGER)
            assert not await cp.present_tag(1, BLOCKED)
            cp.plug_in(1)
            assert await cp.present_tag(1, DRIVER.lower())
            await cp.wait_until(lambda cp=cp: cp.transactions and cp.transactions[-1].start_confirmed, 20)
            assert await cp.present_tag(1, DRIVER.lower())
            cp.unplug(1)
            await cp.wait_until(lambda cp=cp: not cp.connector(1).transaction, 20)

        # Offline the list does. Whoever is blocked meanwhile is verified again when the start is told.
        for cp in cps.values():
            cp.link_down()
            cp.plug_in(1)
            assert not await cp.present_tag(1, BLOCKED), "by its list"
            assert await cp.present_tag(1, DRIVER), "by its list"
            await cp.wait_until(lambda cp=cp: cp.connector(1).transaction, 20)
        await asked(session, "PUT", f"/api/v1/id-tokens/{DRIVER}", {"status": "Blocked"})
        await lists_are(session, "outdated")
        for cp in cps.values():
            cp.link_up()
        for name, cp in cps.items():
            await cp.wait_until(lambda cp=cp: cp.connected and not cp.connector(1).transaction, 20)
            assert cp.transactions[-1].reason in ("DeAuthorized", "SuspendedDeAuthorized"), name
            await until(lambda cp=cp: cp.local_list.entries[DRIVER.casefold()] == "Blocked", f"{name} was not told")
            (last, *_) = await asked(session, "GET", f"{ONE}/{name}/transactions")
            assert (last["id_token"].upper(), last["reason"]) == (DRIVER, cp.transactions[-1].reason)
            assert cp.violations == [], name
        await lists_are(session, "current")

        # Nothing of a token is in a log or a frame that is shown.
        for name in cps:
            shown = json.dumps(await asked(session, "GET", f"{ONE}/{name}/frames")).upper()
            assert "LOCALLIST" in shown
            assert [token for token in (DRIVER, BLOCKED, STRANGER, FLEET) if token in shown] == []
        assert [token for token in (DRIVER, BLOCKED, STRANGER, FLEET) if token in box.log.upper()] == []

        # What was confirmed is there after the worst.
        before = await lists(session)
        await box.kill()
        await box.start()
        assert (await asked(session, "GET", f"/api/v1/id-tokens/{DRIVER}"))["status"] == "Blocked"
        after = await lists(session)
        assert {name: (v["version"], v["entries"]) for name, v in after.items()} == {
            name: (v["version"], v["entries"]) for name, v in before.items()
        }


async def test_a_station_that_takes_registered_tags_only_is_tested_with_one(tmp_path: Path) -> None:
    async with running_box(tmp_path) as box, AsyncExitStack() as stack:
        await box.import_job(job_data(list(VERSIONS)))
        session = await stack.enter_async_context(admin(box))
        for n, (name, version) in enumerate(VERSIONS.items(), 1):
            cp = await stack.enter_async_context(VirtualChargePoint(box.ocpp, name, version=version, speed=20))
            await box.until(f"Bay {n}", "connected")
            patched = await asked(session, "PATCH", f"{ONE}/{name}", {"test_token": "0001"})
            assert patched["test_token"] == "0001"
            starting = asyncio.ensure_future(box.act(f"Bay {n}", "start"))
            await cp.wait_until(lambda cp=cp: any("StartTransaction" in said.action for said in cp.received), 20)
            cp.plug_in(1)
            started = await starting
            assert (started["state"], started["outcome"]) == ("done", "started"), started
            (running,) = await asked(session, "GET", f"{ONE}/{name}/transactions")
            assert running["id_token"] == "0001"
            assert (await box.row(f"Bay {n}"))["active"] is False, "a driver would have been refused"
            await asked(session, "POST", f"{ONE}/{name}/local-list", {"clear_cache": True})
            assert cp.local_list.entries == {"0001": "Accepted"}
            assert cp.violations == []
