"""The virtual charge point against a central system of a few lines: what it is trusted for in the other journeys."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.central_system import CentralSystem, central_system, until
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_faults import Faults
from tests.doubles.charge_point_power import Car

FAST = 200.0
ROOT = Path(__file__).parents[2]


@pytest.fixture(name="central_system")
async def _central_system() -> AsyncIterator[CentralSystem]:
    async with central_system() as system:
        yield system


def station(system: CentralSystem, **changes: Any) -> VirtualChargePoint:
    changes = {"speed": FAST, "answer_timeout_s": 0.5, **changes}
    return VirtualChargePoint(system.url, "CP001", **changes)


async def charging(cp: VirtualChargePoint) -> None:
    """Accepted, a car plugged in, and a confirmed transaction on connector 1."""
    await cp.wait_until(lambda: cp.accepted)
    cp.plug_in(1, Car(wants_wh=50_000))
    assert await cp.present_tag(1, "TAG")
    await cp.wait_until(lambda: cp.transactions and cp.transactions[-1].transaction_id is not None)


async def test_it_boots_first_and_then_tells_the_status_of_every_connector(central_system: CentralSystem) -> None:
    async with station(central_system) as cp:
        await cp.wait_until(lambda: len(cp.confirmed) >= 4)
    assert [action for action, _ in central_system.calls[:4]] == ["BootNotification", *["StatusNotification"] * 3]
    assert [payload["connectorId"] for payload in central_system.of("StatusNotification")[:3]] == [0, 1, 2]
    assert central_system.protocols == ["ocpp1.6"]
    assert cp.violations == []


async def test_it_says_nothing_until_accepted_and_keeps_the_retry_interval(central_system: CentralSystem) -> None:
    times: list[float] = []

    def pending_twice(_: dict[str, Any]) -> dict[str, Any]:
        times.append(asyncio.get_running_loop().time())
        status = "Accepted" if len(times) == 3 else "Pending"
        return {"status": status, "interval": 40, "currentTime": "2026-01-01T10:00:00Z"}

    central_system.answers["BootNotification"] = pending_twice
    async with station(central_system) as cp:
        await cp.wait_until(lambda: central_system.of("StatusNotification"))
    assert [action for action, _ in central_system.calls[:4]] == [*["BootNotification"] * 3, "StatusNotification"]
    assert times[1] - times[0] >= 40 / FAST


async def test_a_card_starts_a_charge_that_is_metered_and_ends(central_system: CentralSystem) -> None:
    async with station(central_system) as cp:
        await charging(cp)
        await cp.wait_until(lambda: len(cp.confirmed_of("MeterValues")) >= 5)
        assert await cp.present_tag(1, "TAG")
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed)
        cp.unplug(1)
        await cp.wait_until(lambda: central_system.of("StatusNotification")[-1]["status"] == "Available")
    statuses = [s["status"] for s in central_system.of("StatusNotification") if s["connectorId"] == 1]
    assert statuses == ["Available", "Preparing", "Charging", "Finishing", "Available"]
    energies = [float(m["meterValue"][0]["sampledValue"][0]["value"]) for m in central_system.of("MeterValues")]
    stop = central_system.of("StopTransaction")[0]
    assert energies == sorted(energies)
    assert stop["transactionId"] == cp.transactions[0].transaction_id
    assert stop["reason"] == "Local"
    assert stop["meterStop"] >= energies[-1] > central_system.of("StartTransaction")[0]["meterStart"]


async def test_offline_charges_are_kept_and_delivered_in_order(central_system: CentralSystem) -> None:
    async with station(central_system) as cp:
        await cp.wait_until(lambda: cp.accepted)
        cp.link_down()
        await cp.wait_until(lambda: not cp.connected)
        cp.plug_in(1)
        assert await cp.present_tag(1, "TAG")
        await cp.wait_until(lambda: len(cp.queue.waiting) >= 4)
        cp.unplug(1)
        assert central_system.of("StartTransaction") == []
        cp.link_up()
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed)
    order = [action for action, _ in central_system.calls if action.endswith("Transaction") or action == "MeterValues"]
    assert order[0] == "StartTransaction"
    assert order[-1] == "StopTransaction"
    assert set(order[1:-1]) == {"MeterValues"}
    assert {m["transactionId"] for m in central_system.of("MeterValues")} == {cp.transactions[0].transaction_id}
    times = [m["meterValue"][0]["timestamp"] for m in central_system.of("MeterValues")]
    assert [central_system.of("StartTransaction")[0]["timestamp"], *times] == sorted(
        [central_system.of("StartTransaction")[0]["timestamp"], *times]
    )
    assert len(central_system.of("BootNotification")) == 1


async def test_a_start_nobody_confirms_leads_to_a_stop_with_transaction_minus_one(
    central_system: CentralSystem,
) -> None:
    central_system.answers["StartTransaction"] = lambda _: None
    async with station(central_system, answer_timeout_s=0.05) as cp:
        await cp.wait_until(lambda: cp.accepted)
        cp.plug_in(1)
        await cp.present_tag(1, "TAG")
        await cp.wait_until(lambda: cp.transactions)
        cp.unplug(1)
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed)
    assert len(central_system.of("StartTransaction")) == 3
    assert central_system.of("StopTransaction")[0]["transactionId"] == -1


async def test_a_refused_token_ends_the_charge_as_deauthorized(central_system: CentralSystem) -> None:
    refused = {"transactionId": 7, "idTagInfo": {"status": "Blocked"}}
    central_system.answers["StartTransaction"] = lambda _: refused
    async with station(central_system) as cp:
        await cp.wait_until(lambda: cp.accepted)
        cp.plug_in(1)
        await cp.present_tag(1, "TAG")
        await cp.wait_until(lambda: cp.transactions and cp.transactions[0].stop_confirmed)
    assert central_system.of("StopTransaction")[0]["reason"] == "DeAuthorized"
    assert central_system.of("StopTransaction")[0]["transactionId"] == 7


async def test_remote_start_stop_and_unlock_have_their_effects(central_system: CentralSystem) -> None:
    async with station(central_system) as cp:
        await cp.wait_until(lambda: cp.accepted)
        cp.plug_in(2)
        started = await central_system.call("RemoteStartTransaction", {"idTag": "INSTALLER", "connectorId": 2})
        await cp.wait_until(lambda: cp.transactions and cp.transactions[0].transaction_id)
        running = cp.transactions[0].transaction_id
        wrong = await central_system.call("RemoteStopTransaction", {"transactionId": 9_999})
        right = await central_system.call("RemoteStopTransaction", {"transactionId": running})
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed)
        unlocked = await central_system.call("UnlockConnector", {"connectorId": 2})
        await cp.wait_until(lambda: cp.status_of(2) == "Available")
    assert [started, wrong, right, unlocked] == [
        {"status": "Accepted"},
        {"status": "Rejected"},
        {"status": "Accepted"},
        {"status": "Unlocked"},
    ]
    assert cp.transactions[0].id_tag == "INSTALLER"
    assert cp.transactions[0].reason == "Remote"


@pytest.mark.parametrize(("kind", "reason"), [("Soft", "SoftReset"), ("Hard", "HardReset")])
async def test_a_reset_ends_charges_drops_the_link_and_boots_again(
    central_system: CentralSystem, kind: str, reason: str
) -> None:
    async with station(central_system) as cp:
        await charging(cp)
        assert await central_system.call("Reset", {"type": kind}) == {"status": "Accepted"}
        await cp.wait_until(lambda: len(cp.confirmed_of("BootNotification")) == 2)
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed)
    assert central_system.of("StopTransaction")[0]["reason"] == reason
    assert len(central_system.sockets) == 2


async def test_a_power_cut_loses_no_transaction_and_no_energy(central_system: CentralSystem) -> None:
    async with station(central_system) as cp:
        await charging(cp)
        await cp.wait_until(lambda: cp.confirmed_of("MeterValues"))
        energy_wh = cp.connectors[0].outlet.energy_wh
        cp.power_cut()
        await cp.wait_until(lambda: not cp.connected)
        cp.power_on()
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed)
    assert central_system.of("StopTransaction")[0]["reason"] == "PowerLoss"
    assert cp.connectors[0].outlet.energy_wh >= energy_wh
    assert len(central_system.of("BootNotification")) == 2


async def test_a_hanging_socket_stays_open_while_a_new_one_comes(central_system: CentralSystem) -> None:
    async with station(central_system) as cp:
        await cp.wait_until(lambda: cp.accepted)
        cp.hang_and_dial_again()
        await cp.wait_until(lambda: len(central_system.sockets) == 2)
        assert central_system.sockets[0].close_code is None


async def test_configuration_trigger_and_availability_are_answered(central_system: CentralSystem) -> None:
    async with station(central_system) as cp:
        await cp.wait_until(lambda: len(cp.confirmed) >= 4)
        read = await central_system.call("GetConfiguration", {"key": ["HeartbeatInterval", "NoSuchKey"]})
        assert read["configurationKey"][0]["value"] == "300"
        assert read["unknownKey"] == ["NoSuchKey"]
        changed = await central_system.call("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "20"})
        assert changed == {"status": "Accepted"}
        fixed = await central_system.call("ChangeConfiguration", {"key": "NumberOfConnectors", "value": "20"})
        assert fixed == {"status": "Rejected"}
        await central_system.call("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1})
        await cp.wait_until(lambda: cp.confirmed_of("MeterValues"))
        await central_system.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
        await cp.wait_until(lambda: central_system.of("StatusNotification")[-1]["status"] == "Unavailable")
        assert await central_system.call("DataTransfer", {"vendorId": "X"}) == {"status": "UnknownVendorId"}


async def test_what_breaks_the_protocol_is_recorded(central_system: CentralSystem) -> None:
    central_system.answers["Heartbeat"] = lambda _: {"currentTime": "2026-01-01T10:00:00"}
    central_system.answers["StatusNotification"] = lambda _: {"surplus": 1}
    async with station(central_system, configuration={"HeartbeatInterval": "1"}) as cp:
        central_system.answers["BootNotification"] = lambda _: {
            "status": "Accepted",
            "interval": 1,
            "currentTime": "2026-01-01T10:00:00Z",
        }
        await cp.wait_until(lambda: cp.confirmed_of("Heartbeat"))
        await central_system.call("UnlockConnector", {"connectorId": 1, "foo": 2})
        await central_system.sockets[-1].send("no frame")
        await cp.wait_until(lambda: "not JSON: 'no frame'" in cp.violations)
    text = "\n".join(cp.violations)
    assert "StatusNotificationResponse" in text
    assert "HeartbeatResponse: currentTime" in text
    assert "UnlockConnector: Additional properties" in text


@pytest.mark.parametrize(
    ("faults", "shows"),
    [
        (Faults(no_subprotocol=True), lambda cs: cs.protocols == [None]),
        (Faults(wrong_subprotocol="socpp1.6"), lambda cs: cs.protocols == [None]),
        (Faults(never_boot=True), lambda cs: cs.of("StatusNotification") and not cs.of("BootNotification")),
        (Faults(status_before_boot=True), lambda cs: cs.calls[:1] and cs.calls[0][0] == "StatusNotification"),
        (Faults(changed_serial="X9"), lambda cs: cs.of("BootNotification")[0]["chargePointSerialNumber"] == "X9"),
        (
            Faults(strings_for_numbers=True),
            lambda cs: cs.of("StatusNotification") and cs.of("StatusNotification")[0]["connectorId"] == "0",
        ),
        (
            Faults(missing_zone=True),
            lambda cs: cs.of("StatusNotification") and not cs.of("StatusNotification")[0]["timestamp"].endswith("Z"),
        ),
        (
            Faults(time_1970=True),
            lambda cs: cs.of("StatusNotification") and cs.of("StatusNotification")[0]["timestamp"].startswith("1970"),
        ),
        (Faults(duplicate_messages="new_id"), lambda cs: len(cs.of("BootNotification")) == 2),
        (Faults(duplicate_messages="same_id"), lambda cs: len(cs.of("BootNotification")) == 2),
        (Faults(malformed_json_every_n=1), lambda cs: '{"transactionId":,}' in cs.broken[0]),
        (
            Faults(huge_frame_bytes=300_000),
            lambda cs: cs.of("DataTransfer") and len(cs.of("DataTransfer")[0]["data"]) == 300_000,
        ),
        (Faults(drops_link_every_s=5.0), lambda cs: len(cs.sockets) >= 3),
        (
            Faults(reports_only_connector_0=True, drops_link_every_s=20.0),
            lambda cs: len(cs.sockets) >= 2 and {s["connectorId"] for s in cs.of("StatusNotification")} == {0},
        ),
        (
            Faults(boot_after_every_reconnect=True, drops_link_every_s=5.0),
            lambda cs: len(cs.of("BootNotification")) >= 2,
        ),
    ],
    ids=lambda value: ",".join(str(value).split("(")[1:])[:40] if isinstance(value, Faults) else "",
)
async def test_a_fault_in_its_own_messages_shows(
    central_system: CentralSystem, faults: Faults, shows: Callable[[CentralSystem], Any]
) -> None:
    async with station(central_system, faults=faults) as cp:

        def shown() -> bool:
            return bool(central_system.calls) and bool(shows(central_system))

        await cp.wait_until(shown)


async def test_faults_in_its_answers_show(central_system: CentralSystem) -> None:
    async with station(central_system) as cp:
        await cp.wait_until(lambda: cp.accepted)
        cp.faults.rejects_remote_start = True
        assert await central_system.call("RemoteStartTransaction", {"idTag": "T"}) == {"status": "Rejected"}
        cp.faults.unlock_fails = True
        assert await central_system.call("UnlockConnector", {"connectorId": 1}) == {"status": "UnlockFailed"}
        cp.faults.unlock_not_supported = True
        assert await central_system.call("UnlockConnector", {"connectorId": 1}) == {"status": "NotSupported"}
        cp.faults.callerror_everything = True
        assert await central_system.call("ClearCache", {}) == "InternalError"
        cp.faults.callerror_everything = False
        cp.faults.accepts_but_does_nothing = True
        assert await central_system.call("Reset", {"type": "Soft"}) == {"status": "Accepted"}
        cp.faults.answers_unknown_id = True
        before = len(central_system.results)
        assert await central_system.call("ClearCache", {}) == {"status": "Accepted"}
        assert len(central_system.results) == before + 2
        assert len(central_system.sockets) == 1


async def test_a_late_answer_does_not_keep_it_from_reading(central_system: CentralSystem) -> None:
    async with station(central_system, faults=Faults(answers_late_s=0.3)) as cp:
        await cp.wait_until(lambda: cp.accepted)
        async with asyncio.TaskGroup() as tasks:
            late = tasks.create_task(central_system.call("ClearCache", {}))
            await cp.wait_until(lambda: cp.received)
            cp.plug_in(1)
            await cp.wait_until(lambda: central_system.of("StatusNotification")[-1]["status"] == "Preparing")
            assert not late.done()
        assert late.result() == {"status": "Accepted"}


async def test_a_station_ends_while_an_answer_is_still_late(central_system: CentralSystem) -> None:
    async with station(central_system, faults=Faults(answers_late_s=60.0)) as cp:
        await cp.wait_until(lambda: cp.accepted)
        await central_system.sockets[-1].send(json.dumps([2, "1", "ClearCache", {}]))
        await cp.wait_until(lambda: cp.received)


async def test_finishing_sticks_and_kwh_are_possible(central_system: CentralSystem) -> None:
    async with station(central_system, faults=Faults(finishing_sticks=True, kwh_labelled_wh=True)) as cp:
        await charging(cp)
        await cp.wait_until(lambda: cp.confirmed_of("MeterValues"))
        cp.unplug(1)
        await cp.wait_until(lambda: cp.transactions[0].stop_confirmed)
        assert cp.status_of(1) == "Finishing"
    sample = central_system.of("MeterValues")[0]["meterValue"][0]["sampledValue"][0]
    assert sample["unit"] == "Wh"
    assert float(sample["value"]) < 1_000


async def test_the_process_form_obeys_lines_and_ends_with_its_input(central_system: CentralSystem) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.doubles.charge_point", "--url", central_system.url, "--identity", "CP/7"),
        *("--speed", "100", "--fault", "time_1970", "--control"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for order in ({"do": "plug"}, {"do": "fly"}, {"do": "fault", "connector": 2}):
        process.stdin.write(json.dumps(order).encode() + b"\n")
    async with asyncio.timeout(20):
        await until(lambda: any(s["errorCode"] == "GroundFailure" for s in central_system.of("StatusNotification")))
        process.stdin.close()
        output = (await process.stdout.read()).decode()
        assert await process.wait() == 0
    lines = [json.loads(line) for line in output.splitlines()]
    assert any(line["event"] == "error" and "fly" in line["order"] for line in lines)
    assert central_system.sockets[0].request is not None
    assert central_system.sockets[0].request.path == "/CP%2F7"
