"""The OCPP port with real sockets: handshake, standing, orders, limits (OCPP.md §4.1, §8.1; SECURITY §4.2, §7.1)."""

import asyncio
import json
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from edge_agent.site.admission import Policy
from edge_agent.site.ports import Trouble
from sitelink import events as e
from sitelink.commands import RemoteStart, Reset, UnlockConnector
from sitelink.errors import CallInvalid, CallRefused, StationOffline
from sitelink.ids import StationKey, TransactionId
from sitelink.states import Registration
from tests.doubles.core import job_file
from tests.doubles.ocpp_box import BOOT, OcppBox, ocpp_box, until

CP001 = StationKey("cp001")
STATUS = {"connectorId": 1, "status": "Available", "errorCode": "NoError"}


async def raw_request(box: OcppBox, *lines: str) -> str:
    """A hand-written HTTP request; the head of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", box.port)
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return head.decode()


UPGRADE = (
    "GET /CP001 HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: ocpp1.6",
)  # fmt: skip


# ---- handshake ----


@pytest.mark.parametrize(
    ("offer", "chosen"),
    [
        (["ocpp1.6"], "ocpp1.6"),
        ([], None),
        (["ocpp1.6", "ocpp1.5"], "ocpp1.6"),
        (["ocpp1.6", "ocpp2.0.1"], "ocpp1.6"),
        (["OCPP1.6"], "OCPP1.6"),
        (["socpp1.6"], "socpp1.6"),
        (["ocpp1.6j"], "ocpp1.6j"),
    ],
)
async def test_a_station_is_served_by_the_1_6_token_it_offers_and_without_any(
    offer: list[str], chosen: str | None
) -> None:
    async with ocpp_box() as box, box.station(offer=offer) as station:
        assert station.subprotocol == chosen
        assert await station.boot() == "Accepted"
        assert box.known().subprotocol == chosen


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_station_of_2_x_is_served_by_the_token_it_offers(version: str) -> None:
    async with ocpp_box() as box, box.station(offer=[f"ocpp{version}"]) as station:
        assert station.subprotocol == f"ocpp{version}"
        boot = {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Post 2", "serialNumber": "S1"}}
        answer = await station.call("BootNotification", boot)
        assert answer[2]["status"] == "Accepted"
        known = box.known()
        assert (known.version, known.vendor, known.serial) == (version, "Acme", "S1")


async def test_only_other_versions_complete_the_handshake_without_a_protocol_and_are_closed_at_once() -> None:
    async with ocpp_box() as box:
        async with box.station(offer=["ocpp1.2"]) as station:
            assert station.subprotocol is None
            assert await station.closed() == 1002
        await until(lambda: box.known().faults)
        assert box.known().faults[0].code == "unsupported_subprotocol"
        assert [knock.reason for knock in box.journal.state.knocks.values()] == ["unsupported_subprotocol"]
        async with box.station() as station:
            assert await station.boot() == "Accepted"
            assert not box.known().faults
            assert not box.journal.state.knocks


@pytest.mark.parametrize(
    "path",
    ["CP001", "ocpp/v16/CP001", "CP001/", "CP001/CP001", "//CP001//", "cp001", "CP001%20", "%43P001", "CP001?x=1"],
)
async def test_the_last_segment_names_the_station_however_it_is_written(path: str) -> None:
    async with ocpp_box() as box, box.station(path) as station:
        assert await station.boot() == "Accepted"
        assert box.is_online()


async def test_a_caller_without_identity_stands_in_the_waiting_room() -> None:
    async with ocpp_box() as box, box.station("") as station:
        assert await station.boot() == "Pending"
        (knock,) = box.journal.state.knocks.values()
        assert (knock.reason, knock.ip, knock.vendor, knock.serial) == ("identity_missing", "127.0.0.1", "Acme", "SN-1")
        assert (await station.call("StatusNotification", STATUS))[2] == "SecurityError"


async def test_strict_answers_404_to_strangers_and_401_to_the_expected() -> None:
    async with ocpp_box(policy=Policy(security="strict")) as box:
        for path, status in (("CP009", 404), ("CP001", 401)):
            with pytest.raises(InvalidStatus) as refused:
                async with box.station(path):
                    pass
            assert refused.value.response.status_code == status
        assert not box.journal.state.knocks


@pytest.mark.parametrize(
    "lines",
    [
        tuple(line for line in UPGRADE if not line.startswith("Connection")),
        tuple(line.replace("Connection: Upgrade", "Connection: keep-alive") for line in UPGRADE),
        tuple(line.replace("Upgrade: websocket", "Upgrade: WebSocket, x") for line in UPGRADE),
        tuple(line for line in UPGRADE if not line.startswith("Sec-WebSocket-Version")),
        (*UPGRADE, "Sec-WebSocket-Protocol: ,ocpp1.5,"),
    ],
)
async def test_odd_upgrade_headers_are_repaired(lines: tuple[str, ...]) -> None:
    async with ocpp_box() as box:
        head = await raw_request(box, *lines)
        assert head.startswith("HTTP/1.1 101 ")
        assert "Sec-WebSocket-Protocol: ocpp1.6" in head


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (["Sec-Fetch-Mode: websocket"], 403),
        (["Origin: http://evil.example"], 403),
        (["Origin: null"], 403),
        (["Origin: http://127.0.0.1:8080"], 101),
        (["Origin: http://127.0.0.1"], 101),
    ],
)
async def test_a_web_page_may_not_drive_the_port_but_a_station_with_an_origin_may(
    headers: list[str], status: int
) -> None:
    async with ocpp_box() as box:
        assert (await raw_request(box, *UPGRADE, *headers)).startswith(f"HTTP/1.1 {status} ")


@pytest.mark.parametrize(("more", "status"), [(50, 101), (64, 431)])
async def test_the_headers_of_a_handshake_are_bounded(more: int, status: int) -> None:
    headers = [f"X-{number}: 1" for number in range(more)]
    async with ocpp_box() as box:
        assert (await raw_request(box, *UPGRADE, *headers)).startswith(f"HTTP/1.1 {status} ")


async def test_compression_is_never_agreed_to_with_1_6() -> None:
    async with ocpp_box() as box:
        head = await raw_request(box, *UPGRADE, "Sec-WebSocket-Extensions: permessage-deflate")
        assert head.startswith("HTTP/1.1 101 ")
        assert "permessage-deflate" not in head


async def test_plain_http_is_told_what_this_port_is() -> None:
    async with ocpp_box() as box:
        assert (await raw_request(box, "GET / HTTP/1.1", "Host: box")).startswith("HTTP/1.1 426 ")


async def test_a_port_probe_that_says_nothing_harms_nobody() -> None:
    async with ocpp_box() as box:
        _, writer = await asyncio.open_connection("127.0.0.1", box.port)
        writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        writer.close()
        await until(lambda: box.server.counts["handshakes_abandoned"])
        async with box.station() as station:
            assert await station.boot() == "Accepted"


async def test_connections_are_limited_in_all() -> None:
    async with ocpp_box(max_connections=2) as box, box.station("CP001"), box.station("CP002"):
        with pytest.raises(InvalidStatus) as refused:
            async with box.station("CP003"):
                pass
        assert refused.value.response.status_code == 503


# ---- standing ----


async def test_a_stranger_is_answered_pending_and_is_seen_and_served_once_a_job_names_it() -> None:
    async with ocpp_box() as box, box.station("CP009") as station:
        assert await station.boot(chargePointSerialNumber="SN-9") == "Pending"
        assert not box.is_online("CP009")
        (knock,) = box.journal.state.knocks.values()
        assert (knock.identity, knock.reason, knock.serial) == ("CP009", "unknown_identity", "SN-9")
        await box.jobs.import_job(
            job_file([{"name": "Bay 9", "identity": "CP009"}], number="1043"), replace=False
        )  # fmt: skip
        question = await station.asked("TriggerMessage")
        assert question[3] == {"requestedMessage": "BootNotification"}
        await station.send([3, question[1], {"status": "Accepted"}])
        assert await station.boot() == "Accepted"
        assert box.is_online("CP009")
        assert not box.journal.state.knocks


async def test_a_station_no_job_names_any_more_is_let_go() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        await box.jobs.import_job(job_file([{"name": "Bay 2", "identity": "CP002"}]), replace=True)
        await until(lambda: not box.is_online())
        assert not box.known().connected
        assert [knock.reason for knock in box.journal.state.knocks.values()] == ["unknown_identity"]
        with pytest.raises(StationOffline):
            await box.server.send(CP001, Reset())


async def test_nothing_is_sent_before_the_boot_is_answered() -> None:
    async with ocpp_box() as box:
        async with box.station() as station:
            await station.boot()
        await until(lambda: not box.is_online())
        async with box.station() as station:  # accepted before, so it may be asked, once the gate is open
            await until(box.is_online)
            asking = asyncio.ensure_future(box.server.send(CP001, Reset()))
            assert await station.silence(0.08)
            await station.send([2, "b", "BootNotification", BOOT])
            assert (await station.receive())[:2] == [3, "b"]
            question = await station.asked("Reset")
            await station.send([3, question[1], {"status": "Accepted"}])
            assert (await asking).accepted


async def test_a_station_that_reconnects_without_boot_is_asked_for_its_state_after_a_while() -> None:
    async with ocpp_box() as box:
        async with box.station() as station:
            await station.boot()
        await until(lambda: not box.known().connected)
        async with box.station() as station:
            question = await station.asked("TriggerMessage")
            assert question[3] == {"requestedMessage": "StatusNotification"}
            assert box.known().connected
            assert box.known().registration is Registration.ACCEPTED


async def test_a_station_that_never_boots_is_asked_to() -> None:
    async with ocpp_box() as box, box.station() as station:
        question = await station.asked("TriggerMessage")
        assert question[3] == {"requestedMessage": "BootNotification"}
        await station.send([4, question[1], "NotImplemented", "", {}])
        assert (await station.call("StatusNotification", STATUS))[0] == 3


async def test_what_comes_before_the_boot_is_stored_but_starts_nothing() -> None:
    async with ocpp_box() as box, box.station() as station:
        assert (await station.call("StatusNotification", STATUS))[0] == 3
        start = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-11-23T12:00:00Z"}
        answer = await station.call("StartTransaction", start)
        assert answer[2]["idTagInfo"]["status"] == "Invalid"
        assert box.known().connectors
        assert box.events(e.TransactionStarted)


# ---- orders ----


async def test_an_order_brings_back_the_stations_own_word() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        for order, action, payload, said, word, accepted in (
            (RemoteStart(1, "T"), "RemoteStartTransaction", {"connectorId": 1, "idTag": "T"}, "Accepted", None, True),
            (UnlockConnector(2), "UnlockConnector", {"connectorId": 2}, "UnlockFailed", None, False),
            (UnlockConnector(2), "UnlockConnector", {"connectorId": 2}, "unlocked", "Unlocked", True),
            (Reset(hard=True), "Reset", {"type": "Hard"}, "Rejected", None, False),
        ):
            asking = asyncio.ensure_future(box.server.send(CP001, order))
            question = await station.asked(action)
            assert question[3] == payload
            await station.send([3, question[1], {"status": said}])
            answer = await asking
            assert (answer.word, answer.accepted) == (word or said, accepted)


async def test_calls_are_checked_strictly_and_refusals_are_named() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        for action, payload in (
            ("ChangeConfiguration", {"key": "x"}),
            ("Heartbeat", {}),
            ("NoSuchThing", {}),
            ("TriggerMessage", {"requestedMessage": "BootNotification"}),
        ):
            with pytest.raises(CallInvalid):
                await box.server.call(CP001, action, payload)
        asking = asyncio.ensure_future(box.server.call(CP001, "ClearCache", {}))
        question = await station.asked("ClearCache")
        await station.send([3, question[1], {"status": "Accepted"}])
        assert await asking == {"status": "Accepted"}
        asking = asyncio.ensure_future(box.server.call(CP001, "ClearCache", {}))
        question = await station.asked("ClearCache")
        await station.send([4, question[1], "NotSupported", "never", {}])
        with pytest.raises(CallRefused) as refused:
            await asking
        assert refused.value.fields["error_code"] == "NotSupported"
        with pytest.raises(StationOffline):
            await box.server.call(StationKey("cp002"), "ClearCache", {})


async def test_the_connector_count_is_read_once_after_acceptance() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        await until(lambda: box.known().configuration)
        assert box.known().connector_count == 2


async def test_frames_are_shown_with_secrets_masked() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        await station.call("Authorize", {"idTag": "04A2B3C4D5"})
        await station.send('[2,"9","Authorize",{"idTag":"04A2B3C4D5",}]')
        await station.answer_to("9")
        change = {"key": "AuthorizationKey", "value": "c0ffee00c0ffee00"}
        asking = asyncio.ensure_future(box.server.call(CP001, "ChangeConfiguration", change))
        question = await station.asked("ChangeConfiguration")
        assert question[3] == change
        await station.send([3, question[1], {"status": "Accepted"}])
        await asking
        shown = msgspec.json.encode(box.server.frames(CP001)).decode()
        assert "Authorize" in shown
        assert "04A2B3C4D5" not in shown
        assert "c0ffee" not in shown
        assert {frame.direction for frame in box.server.frames(CP001)} == {"in", "out"}


# ---- trouble ----


async def test_nothing_is_confirmed_that_the_disk_did_not_take() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        start = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-11-23T12:00:00Z"}
        box.journal.fail(Trouble("disk_full", box.clock.now()))
        answer = await station.call("StartTransaction", start)
        assert answer[0] == 4
        assert answer[2] == "InternalError"
        assert (await station.call("Heartbeat"))[0] == 3
        box.journal.fail(None)
        assert (await station.call("StartTransaction", start))[0] == 3


async def test_a_connection_made_while_the_disk_is_full_is_recorded_when_it_is_not() -> None:
    async with ocpp_box() as box:
        box.journal.fail(Trouble("disk_full", box.clock.now()))
        async with box.station() as station:
            answer = await station.call("BootNotification", BOOT)
            assert answer[0] == 4
            box.journal.fail(None)
            assert (await station.call("BootNotification", BOOT))[2]["status"] == "Accepted"
            assert box.known().connected


async def test_a_bug_in_one_message_ends_that_message_alone() -> None:
    class Broken:
        def __init__(self, desk: Any) -> None:
            self._desk = desk

        def __getattr__(self, name: str) -> Any:
            return getattr(self._desk, name)

        async def connector_changed(self, *_: Any) -> None:
            raise ZeroDivisionError

    async with ocpp_box(desk=Broken) as box, box.station() as station:
        await station.boot()
        assert (await station.call("StatusNotification", STATUS))[2] == "InternalError"
        assert (await station.call("Heartbeat"))[0] == 3
        assert box.server.counts["faults"] == 1


async def test_a_silent_station_that_speaks_again_is_heard() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        box.clock.advance(200)
        await station.call("Heartbeat")
        await until(lambda: box.events(e.StationHeard))
        assert box.server.last_seen(CP001) == box.clock.now()


async def test_a_pong_counts_as_a_sign_of_life() -> None:
    async with ocpp_box() as box, box.station() as station:
        await station.boot()
        box.clock.advance(100)
        await (await station.socket.ping())
        assert box.server.last_seen(CP001) == box.clock.now()


async def test_many_stations_at_once() -> None:
    rows = [{"name": f"Bay {n}", "identity": f"S{n:03}"} for n in range(60)]
    async with ocpp_box(import_job=False) as box:
        await box.jobs.import_job(job_file(rows))
        together = asyncio.Barrier(60)

        async def live(identity: str) -> None:
            async with connect(f"ws://127.0.0.1:{box.port}/{identity}", subprotocols=["ocpp1.6"]) as socket:  # type: ignore[list-item]
                await socket.send(json.dumps([2, "1", "BootNotification", BOOT]))
                assert json.loads(await socket.recv())[2]["status"] == "Accepted"
                await until(lambda: sum(box.is_online(row["identity"]) for row in rows) == 60)
                await together.wait()  # nobody leaves before all have seen all

        async with asyncio.TaskGroup() as group:
            for row in rows:
                group.create_task(live(row["identity"]))
        await until(lambda: not any(station.connected for station in box.journal.state.stations.values()))


async def test_calls_that_were_read_are_handled_though_the_link_is_gone() -> None:
    async with ocpp_box() as box:
        async with box.station() as station:
            await station.boot()
            for number in range(5):
                stop = {"transactionId": 900 + number, "meterStop": 1, "timestamp": "2026-11-23T12:00:00Z"}
                await station.send([2, f"s{number}", "StopTransaction", stop])
        await until(lambda: len(box.events(e.TransactionStopped)) == 5)
        assert all(stop.orphan for stop in box.events(e.TransactionStopped))
        assert TransactionId(1) in {stop.id for stop in box.events(e.TransactionStopped)}
