"""Two sockets under one name (DESIGN §7 (12)): the dead is replaced, the living is not, and nobody loops."""

import asyncio

from sitelink import events as e
from sitelink.ids import StationKey
from tests.doubles.ocpp_box import BOOT, OcppBox, Socket, ocpp_box, until

CP001 = StationKey("cp001")


def freeze(station: Socket) -> None:
    """It hangs: the socket stays open and nothing is read from it."""
    station.socket.transport.pause_reading()


def faults(box: OcppBox) -> list[str]:
    return [fault.code for fault in box.known().faults]


async def test_a_dead_socket_is_replaced_and_its_end_takes_nothing_with_it() -> None:
    async with ocpp_box() as box, box.station() as old:
        await old.boot()
        freeze(old)
        async with box.station() as new:
            assert (await new.call("StatusNotification", {"connectorId": 1, "status": "Available"}))[0] == 3
            assert box.known().connected
            assert [each.reason for each in box.events(e.StationDisconnected)] == ["replaced"]
            await until(lambda: len(box.server._places.connections) == 1)
            assert box.is_online()
            assert box.known().connected


async def test_a_living_one_is_replaced_by_its_own_serial_from_its_own_address() -> None:
    async with ocpp_box() as box, box.station() as old:
        await old.boot(chargePointSerialNumber="SN-1")
        answering = asyncio.ensure_future(old.closed())
        async with box.station() as new:
            assert await new.boot(chargePointSerialNumber="SN-1") == "Accepted"
            assert await answering == 1000
            assert box.is_online()
            assert not faults(box)
            assert not box.journal.state.knocks


async def test_another_serial_waits_is_shown_and_evicts_nobody() -> None:
    async with ocpp_box() as box, box.station() as old:
        await old.boot(chargePointSerialNumber="SN-1")
        async with box.station() as new:
            assert await new.boot(chargePointSerialNumber="SN-2") == "Pending"
            assert await new.boot(chargePointSerialNumber="SN-2") == "Pending"
            assert faults(box) == ["duplicate_identity"]
            (knock,) = box.journal.state.knocks.values()
            assert (knock.reason, knock.serial) == ("duplicate_identity", "SN-2")
            assert len(box.events(e.StationFaulted)) == 1, "said once, however often it boots"
            refused = await new.call("StatusNotification", {"connectorId": 1, "status": "Faulted"})
            assert refused[2] == "SecurityError"
            assert not box.known().connectors, "its reports are not taken for the other's"
            assert (await new.call("Heartbeat"))[0] == 3
            assert (await old.call("Heartbeat"))[0] == 3
            assert box.known().serial == "SN-1"
        await until(lambda: not faults(box))
        assert not box.journal.state.knocks
        assert box.is_online()


async def test_no_serial_is_no_proof() -> None:
    async with ocpp_box() as box, box.station() as old:
        await old.boot(chargePointSerialNumber="")
        async with box.station() as new:
            assert await new.boot(chargePointSerialNumber="") == "Pending"


async def test_one_that_does_not_boot_waits_too_and_is_asked_to() -> None:
    async with ocpp_box() as box, box.station() as old:
        await old.boot()
        async with box.station() as new:
            question = await new.asked("TriggerMessage")
            assert question[3] == {"requestedMessage": "BootNotification"}
            assert faults(box) == ["duplicate_identity"]
            await new.send([3, question[1], {"status": "Accepted"}])
            assert await new.boot() == "Accepted", "its boot shows that it is the same station"
            assert not faults(box)


async def test_when_the_first_goes_away_the_second_gets_its_chance() -> None:
    async with ocpp_box() as box:
        async with box.station() as old:
            await old.boot(chargePointSerialNumber="SN-1")
            new_context = box.station()
            new = await new_context.__aenter__()
            assert await new.boot(chargePointSerialNumber="SN-2") == "Pending"
        try:
            question = await new.asked("TriggerMessage")
            assert question[3] == {"requestedMessage": "BootNotification"}
            await new.send([3, question[1], {"status": "Accepted"}])
            assert await new.boot(chargePointSerialNumber="SN-2") == "Accepted"
            assert box.known().connected
            assert "duplicate_identity" not in faults(box)
            assert "serial_changed" in faults(box), "a changed serial is for a person to confirm"
        finally:
            await new_context.__aexit__(None, None, None)


async def test_a_fault_left_by_a_restart_ends_with_the_next_good_connection() -> None:
    async with ocpp_box() as box:
        await box.desk.faulted(CP001, "duplicate_identity", {})
        async with box.station() as station:
            assert (await station.call("BootNotification", BOOT))[2]["status"] == "Accepted"
            assert not faults(box)


async def test_twenty_newcomers_at_once_leave_one_serving() -> None:
    async with ocpp_box() as box:
        done = asyncio.Event()

        async def come(number: int) -> str:
            async with box.station() as station:
                answer = await station.call("BootNotification", {**BOOT, "chargePointSerialNumber": f"SN-{number}"})
                verdicts.append(answer[2]["status"])
                if len(verdicts) == 20:
                    done.set()
                await done.wait()
                return str(answer[2]["status"])

        verdicts: list[str] = []
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(come(number))
        assert sorted(verdicts) == ["Accepted", *["Pending"] * 19]
        await until(lambda: not box.known().connected)
        assert not faults(box)
        assert not box.journal.state.knocks
