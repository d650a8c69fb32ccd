"""Rules for particular charge points, each over a real socket: what the station sees, what is recorded and counted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import Event

from edge_agent.charge_points.quirks import Quirks, Rule, Table, built_in
from sitelink.actions import actions_of
from sitelink.commands import ReadConfiguration, Trigger, UnlockConnector
from sitelink.errors import CallInvalid, NoAnswer
from sitelink.ids import StationKey
from sitelink.states import ActionName
from tests.doubles.ocpp_box import HASTY, OcppBox, Socket, ocpp_box, until

CP001 = StationKey("cp001")
T = "2026-11-23T12:00:00Z"
PROFILE = {
    "connectorId": 1,
    "csChargingProfiles": {
        "chargingProfileId": 1, "stackLevel": 2, "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}]},
    },
}  # fmt: skip


def table(**effects: Any) -> Table:
    """One rule for every station that says it is Odd."""
    return Table((Rule(name="odd", source="made up", vendor="odd", effects=effects),))


@asynccontextmanager
async def odd(rules: Table | None = None, vendor: str = "Odd", **boot: Any) -> AsyncIterator[tuple[OcppBox, Socket]]:
    async with ocpp_box(quirks=rules or built_in()) as box, box.station() as station:
        assert await station.boot(chargePointVendor=vendor, **boot) == "Accepted"
        yield box, station


async def answered(station: Socket, work: Any, action: str, *answers: dict[str, Any]) -> tuple[Any, list[Any]]:
    """Run `work` while the station answers the calls it is sent; its result and the payloads."""
    payloads = []
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        for answer in answers:
            frame = await station.asked(action)
            payloads.append(frame[3])
            await station.send([3, frame[1], answer])
    return task.result(), payloads


async def test_keys_are_read_one_at_a_time() -> None:
    async with odd(table(configuration_keys_at_once=1)) as (box, station):
        answers = [{"configurationKey": [{"key": key, "readonly": False, "value": "1"}]} for key in ("A", "B")]
        result, payloads = await answered(
            station, box.server.call(CP001, "GetConfiguration", {"key": ["A", "B"]}), "GetConfiguration", *answers
        )
        assert payloads == [{"key": ["A"]}, {"key": ["B"]}]
        assert [each["key"] for each in result["configurationKey"]] == ["A", "B"]
        order, payloads = await answered(
            station, box.server.send(CP001, ReadConfiguration(("A", "B"))), "GetConfiguration", *answers
        )
        assert len(payloads) == 2
        assert order.accepted


async def test_a_key_that_makes_it_restart_is_not_asked_for() -> None:
    terra = {"chargePointModel": "CDT_TACW22::NET_WIFI", "firmwareVersion": "TAC3Z000::V1.8.21"}
    async with odd(vendor="ABB", **terra) as (box, station):
        with pytest.raises(CallInvalid) as caught:
            await box.server.call(CP001, "GetConfiguration", {"key": ["MeterValuesSampledData"]})
        assert caught.value.fields == {
            "action": "GetConfiguration", "where": "key", "problem": "not_for_this_model",
        }  # fmt: skip
        assert await station.silence()
        assert box.known().traits.rules == ("abb-terra-ac-sampled-data", "abb-terra-ac-stack-level")


async def test_unlock_is_not_offered_where_there_is_nothing_to_unlock() -> None:
    async with odd(table(unlock=False)) as (box, station):
        state, job = box.journal.state, box.jobs.jobs()[0]
        view = next(each for each in actions_of(state, job, state.rows(job)[0]) if each.name is ActionName.UNLOCK)
        assert (view.enabled, view.reason) == (False, "unlock_not_supported")
        answer = await box.server.send(CP001, UnlockConnector(1))
        assert (answer.word, answer.accepted) == ("NotSupported", False)
        assert await station.silence()


async def test_meter_values_are_not_triggered_where_that_is_refused() -> None:
    async with odd(table(trigger_meter_values=False)) as (box, station):
        assert not (await box.server.send(CP001, Trigger("MeterValues", 1))).accepted
        assert await station.silence()


async def test_availability_goes_to_each_connector() -> None:
    async with odd(table(availability_per_connector=True)) as (box, station):
        work = box.server.call(CP001, "ChangeAvailability", {"connectorId": 0, "type": "Inoperative"})
        await until(lambda: "NumberOfConnectors" in box.known().configuration)
        result, payloads = await answered(
            station, work, "ChangeAvailability", {"status": "Accepted"}, {"status": "Scheduled"}
        )
        assert [each["connectorId"] for each in payloads] == [1, 2]
        assert result == {"status": "Scheduled"}


async def test_a_station_that_refuses_connector_0_is_asked_for_each_without_any_rule() -> None:
    async with odd(Table()) as (box, station):
        await until(lambda: "NumberOfConnectors" in box.known().configuration)
        work = box.server.call(CP001, "ChangeAvailability", {"connectorId": 0, "type": "Operative"})
        result, payloads = await answered(
            station, work, "ChangeAvailability",
            {"status": "Rejected"}, {"status": "Accepted"}, {"status": "Accepted"},
        )  # fmt: skip
        assert [each["connectorId"] for each in payloads] == [0, 1, 2]
        assert result == {"status": "Accepted"}
        assert box.server.corrections[CP001]["ChangeAvailability connectorId:one_by_one"] == 1


async def test_a_profile_is_sent_as_the_station_follows_it() -> None:
    rules = table(stack_level_zero_only=True, relative_profile=True, profile_unit="W")
    async with odd(rules) as (box, station):
        work = box.server.call(CP001, "SetChargingProfile", PROFILE)
        _, (payload,) = await answered(station, work, "SetChargingProfile", {"status": "Accepted"})
        profile = payload["csChargingProfiles"]
        assert (profile["stackLevel"], profile["chargingProfileKind"]) == (0, "Relative")
        assert profile["chargingSchedule"]["chargingRateUnit"] == "W"
        assert box.server.corrections[CP001]["SetChargingProfile stackLevel:set_to_0"] == 1


async def test_times_are_sent_without_milliseconds() -> None:
    async with odd(table(time_milliseconds=False)) as (_, station):
        assert (await station.call("Heartbeat"))[2] == {"currentTime": T}
        boot = {"chargePointVendor": "Odd", "chargePointModel": "Post 2"}
        assert (await station.call("BootNotification", boot))[2]["currentTime"] == T


async def test_a_slow_station_has_longer_before_our_next_call() -> None:
    async def ask(box: OcppBox, message: str) -> None:
        with suppress(NoAnswer):
            await box.server.send(CP001, Trigger(message))

    async with odd(table(answer_within_s=30)) as (box, station), asyncio.TaskGroup() as group:
        group.create_task(ask(box, "Heartbeat"))
        frame = await station.asked("TriggerMessage")
        await asyncio.sleep(HASTY.slot_s + 0.1)
        group.create_task(ask(box, "StatusNotification"))
        assert await station.silence(0.1), "the usual time is over"
        await station.send([3, frame[1], {"status": "Accepted"}])
        frame = await station.asked("TriggerMessage")
        assert frame[3] == {"requestedMessage": "StatusNotification"}


async def test_a_station_that_restarts_when_disturbed_is_left_alone_after_its_boot() -> None:
    async with ocpp_box(quirks=table(quiet_after_boot_s=0.3)) as box, box.station() as station:
        await station.call("BootNotification", {"chargePointVendor": "Odd", "chargePointModel": "P"})
        assert await station.silence(0.2)
        await station.asked("GetConfiguration")
        assert box.known().connected


class PingCounting(ClientConnection):
    """A station that counts the pings it is sent."""

    pings = 0

    def process_event(self, event: Event) -> None:
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            self.pings += 1
        super().process_event(event)


@pytest.mark.parametrize("pings", [True, False])
async def test_pings_go_only_to_those_that_can_take_them(pings: bool) -> None:
    timings = replace(HASTY, ping_every_s=0.05)
    async with (
        ocpp_box(quirks=table(pings=False), timings=timings) as box,
        box.station(create_connection=PingCounting) as station,
    ):
        await station.boot(chargePointVendor="Plain" if pings else "Odd")
        socket = station.socket
        assert isinstance(socket, PingCounting)
        before = socket.pings
        await asyncio.sleep(0.3)
        assert (socket.pings > before) is pings


async def test_a_second_socket_of_one_that_answers_no_ping_replaces_the_first_by_its_serial() -> None:
    async with ocpp_box(quirks=table(pings=False)) as box, box.station() as first:
        await first.boot(chargePointVendor="Odd")
        async with box.station() as second:
            await second.boot(chargePointVendor="Odd")
            assert await first.closed() == 1000
            assert box.is_online()


async def test_what_it_is_known_for_is_known_again_without_a_boot() -> None:
    async with ocpp_box(quirks=table(unlock=False)) as box:
        async with box.station() as station:
            await station.boot(chargePointVendor="Odd")
        await until(lambda: not box.known().connected)
        async with box.station() as station:
            await station.call("Heartbeat")
            assert (await box.server.send(CP001, UnlockConnector(1))).word == "NotSupported"


async def test_the_only_token_it_takes_is_read_from_it_and_used() -> None:
    async with ocpp_box(quirks=table(token_key="PlugAndChargeIdentifier")) as box, box.station() as station:
        await station.call("BootNotification", {"chargePointVendor": "Odd", "chargePointModel": "P"})
        for key, value in (("NumberOfConnectors", "1"), ("PlugAndChargeIdentifier", "A1B2C3")):
            frame = await station.asked("GetConfiguration")
            assert frame[3] == {"key": [key]}
            await station.send([3, frame[1], {"configurationKey": [{"key": key, "readonly": True, "value": value}]}])
        await until(lambda: "PlugAndChargeIdentifier" in box.known().configuration)
        answer = await station.call("Authorize", {"idTag": "A1B2C3"})
        assert answer[2]["idTagInfo"]["status"] == "Accepted"


async def test_energies_are_multiplied_and_the_corrections_counted() -> None:
    async with odd(table(energy_scale=1000)) as (box, station):
        values = [{"timestamp": T, "sampledValue": [{"value": "12.5", "unit": "Wh"}]}]
        await station.call("MeterValues", {"connectorId": 1, "meterValue": values})
        assert box.journal.state.readings[CP001, 1].value("Energy.Active.Import.Register") == 12500
        assert box.server.corrections[CP001]["MeterValues energy:scaled"] == 1


async def test_a_reboot_that_a_setting_needs_is_remembered_until_it_boots() -> None:
    async with odd() as (box, station):
        work = box.server.call(CP001, "ChangeConfiguration", {"key": "HeartbeatInterval", "value": "5"})
        await answered(station, work, "ChangeConfiguration", {"status": "RebootRequired"})
        assert box.known().reboot_needed == ("HeartbeatInterval",)
        await station.call("BootNotification", {"chargePointVendor": "Odd", "chargePointModel": "Post 2"})
        assert box.known().reboot_needed == ()


async def test_a_handshake_is_mended_by_rule_and_counted_for_the_station() -> None:
    async with ocpp_box() as box:
        reader, writer = await asyncio.open_connection("127.0.0.1", box.port)
        writer.write(
            b"GET /CP001 HTTP/1.1\r\nHost: box\r\nUpgrade: websocket\r\nConnection: close\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: socpp1.6\r\n\r\n"
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"socpp1.6" in head
        await until(lambda: "handshake connection_header" in box.server.corrections.get(CP001, {}))
        assert box.server.corrections[CP001].keys() >= {"handshake version_header", "handshake odd_subprotocol"}
        writer.close()


def test_every_effect_of_a_rule_is_applied_somewhere() -> None:
    """Each has a test here, in test_candour.py, test_conduct.py or in the core's tests of traits."""
    in_the_core = {"finishing_sticks", "available_while_plugged", "session_energy", "back_after_reset_s",
                   "token_form", "token_max"}  # fmt: skip
    here = {
        "configuration_keys_at_once", "configuration_keys_not_asked", "unlock", "availability_per_connector",
        "trigger_meter_values", "answer_within_s", "quiet_after_boot_s", "pings", "time_milliseconds", "token_key",
        "stack_level_zero_only", "relative_profile", "profile_unit", "energy_scale", "receive_time",
    }  # fmt: skip
    assert in_the_core | here == set(Quirks.__struct_fields__)
