"""Those who call in vain: what is remembered of them, and what ten thousand names cost."""

import asyncio
import gc
import itertools
import tracemalloc
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import structlog

from edge_agent.charge_points.server import STRANGER_LINES_PER_MIN, OcppServer
from edge_agent.charge_points.settings import OcppSettings
from edge_agent.site.admission import MAKE_ROOM_EVERY_S, WAITING_ROOM, Policy
from edge_agent.site.desk import StationDesk
from sitelink.model import Knock
from tests.doubles.clock import FakeClock
from tests.doubles.ocpp_box import HASTY, OcppBox, ocpp_box, until
from tests.edge_agent.store.facts import job, opened, writing

MOST_BYTES = 20 * 1024 * 1024


def knock(box: OcppBox, identity: str) -> Knock:
    return next(each for each in box.journal.state.knocks.values() if each.identity == identity)


async def test_a_stranger_is_shown_with_all_it_said_of_itself() -> None:
    async with ocpp_box() as box, box.station("STRANGER", offer=["ocpp2.0.1", "ocpp1.6"]) as station:
        kind = {"vendorName": "Acme", "model": "Post 2", "serialNumber": "SN-9", "firmwareVersion": "1.2"}
        answer = await station.call("BootNotification", {"reason": "PowerUp", "chargingStation": kind})
        assert answer[2]["status"] == "Pending"
        seen = knock(box, "STRANGER")
        assert (seen.vendor, seen.model, seen.serial, seen.firmware) == ("Acme", "Post 2", "SN-9", "1.2")
        assert (seen.version, seen.offered, seen.reason) == ("2.0.1", ("ocpp2.0.1", "ocpp1.6"), "unknown_identity")
        assert seen.ip == "127.0.0.1"
        assert seen.first_at == seen.at


async def test_it_is_counted_how_often_one_calls_and_since_when() -> None:
    async with ocpp_box() as box, box.station("STRANGER") as station:
        for _ in range(5):
            await station.boot()
        first = knock(box, "STRANGER").at
        box.clock.advance(601)
        await station.boot()
        seen = knock(box, "STRANGER")
        assert seen.count >= 6
        assert seen.first_at == first < seen.at


async def test_nameless_callers_are_told_apart_by_their_serials() -> None:
    async with ocpp_box() as box, box.station("") as one, box.station("/") as two:
        assert await one.boot(chargePointSerialNumber="SN-1") == "Pending"
        assert await two.boot(chargePointSerialNumber="SN-2") == "Pending"
        seen = {each.serial for each in box.journal.state.knocks.values()}
        assert {"SN-1", "SN-2"} <= seen
        assert all(each.reason == "identity_missing" for each in box.journal.state.knocks.values())


async def test_a_probe_in_another_version_changes_nothing() -> None:
    kind = {"vendorName": "Fox ESS", "model": "A022KP1", "serialNumber": "SN-1"}
    async with ocpp_box() as box:
        async with box.station(offer=["ocpp2.0.1"]) as station:
            await station.call("BootNotification", {"reason": "PowerUp", "chargingStation": kind})
        await until(lambda: not box.known().connected)
        before = box.known()
        async with box.station(offer=["ocpp1.6"]) as probe:
            await probe.call("Heartbeat")
        await until(lambda: not box.known().connected)
        after = box.known()
        assert (after.version, after.subprotocol, after.vendor) == ("2.0.1", "ocpp2.0.1", "Fox ESS")
        assert after.boots == before.boots
        async with box.station(offer=["ocpp1.6", "ocpp2.0.1"]) as station:
            assert station.subprotocol == "ocpp2.0.1"


async def test_one_address_cannot_crowd_others_out() -> None:
    async with ocpp_box() as box:
        for number in range(WAITING_ROOM):
            await box.desk.knocked(f"FLOOD{number}", "192.0.2.66", "unknown_identity")
        for number in range(3):
            await box.desk.knocked(f"OTHER{number}", f"192.0.2.{number + 1}", "unknown_identity")
        seen = [each.identity for each in box.journal.state.knocks.values()]
        assert len(seen) == WAITING_ROOM
        assert {"OTHER0", "OTHER1", "OTHER2"} <= set(seen)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("names", [1_000, pytest.param(10_000, marks=pytest.mark.nightly)])
async def test_thousands_of_names_cost_little(tmp_path: Path, names: int) -> None:
    """Memory of the whole process, this test's sockets included; ops in the journal; lines in the log."""
    clock, numbers = FakeClock(), itertools.count()
    async with opened(tmp_path, clock) as store, AsyncExitStack() as stack:
        await store.journal.write(writing(job()))
        desk = StationDesk(store.journal, clock, Policy())
        server = OcppServer(desk, clock, OcppSettings(timings=HASTY), lambda: f"box-{next(numbers)}")
        port = await stack.enter_async_context(server.serve("127.0.0.1", 0))
        lines = stack.enter_context(structlog.testing.capture_logs())
        await _call_under(port, range(200))
        lines.clear()
        seq = store.journal.seq
        gc.collect()
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        for start in range(200, names + 200, 100):
            await _call_under(port, range(start, start + 100))
            clock.advance(1)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        ops = store.journal.seq - seq
        print(f"{names} names: {(after - before) / 2**20:.1f} MiB, {ops} ops")
        assert after - before < MOST_BYTES
        told = Counter(line["event"] for line in lines if line["log_level"] != "debug")
        assert told.total() <= STRANGER_LINES_PER_MIN * (1 + names / 100 / 60) + 1, told
        assert ops <= 4 * WAITING_ROOM + 2 * names / 100 / MAKE_ROOM_EVERY_S
        assert len(store.journal.state.knocks) == WAITING_ROOM
        await until(lambda: not server.corrections)
        assert server.counts["connections"] >= names


async def _call_under(port: int, numbers: range) -> None:
    """Connect, send one odd frame, and go, under a name of its own each time."""

    async def call(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"GET /X{number} HTTP/1.1\r\nHost: box\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n".encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x81\x80\x00\x00\x00\x00")
        writer.transport.abort()

    async with asyncio.TaskGroup() as group:
        for number in numbers:
            group.create_task(call(number))
