"""Frames as bytes: what breaks RFC 6455 closes the socket with its code, what does not is read, however cut up."""

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from edge_agent.charge_points.station_socket import _awaits_frame, _frame_of, _message_of
from tests.doubles.ocpp_box import BOOT, HASTY, OcppBox, ocpp_box, until

TEXT, BINARY, CONT, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
HEARTBEAT = b'[2,"h","Heartbeat",{}]'


def frame(
    opcode: int, data: bytes = b"", *, fin: bool = True, rsv: int = 0, mask: bytes | None = b"\x01\x02\x03\x04",
    length: int | None = None,
) -> bytes:  # fmt: skip
    size = len(data) if length is None else length
    head = bytes([(fin << 7) | (rsv << 4) | opcode])
    bit = 0x80 if mask is not None else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", size)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", size)
    if mask is None:
        return head + data
    return head + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))


class Wire:
    """A TCP connection after the upgrade."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *frames: bytes) -> None:
        self.writer.write(b"".join(frames))
        await self.writer.drain()

    async def next(self) -> tuple[int, bytes]:
        """Opcode and payload of the next frame; opcode -1: the connection ended."""
        try:
            async with asyncio.timeout(5):
                first, second = await self.reader.readexactly(2)
                size = second & 127
                if size == 126:
                    (size,) = struct.unpack(">H", await self.reader.readexactly(2))
                return first & 15, await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return -1, b""

    async def answer(self) -> list[object]:
        """The next text, calls of the box left out."""
        while True:
            opcode, data = await self.next()
            assert opcode == TEXT, (opcode, data)
            said: list[object] = json.loads(data)
            if said[0] != 2:
                return said

    async def closed_with(self) -> int | None:
        """The code of the close frame; None: cut off without one."""
        while True:
            opcode, data = await self.next()
            if opcode == CLOSE:
                return int.from_bytes(data[:2], "big") if data else 0
            if opcode == -1:
                return None


@asynccontextmanager
async def wire(box: OcppBox) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", box.port)
    writer.write(
        b"GET /CP001 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"101" in head.split(b"\r\n")[0]
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (frame(TEXT, HEARTBEAT, mask=None), 1002),
        (frame(TEXT, HEARTBEAT, rsv=1), 1002),
        (frame(TEXT, HEARTBEAT, rsv=2), 1002),
        (frame(TEXT, HEARTBEAT, rsv=4), 1002),
        (frame(PING, b"x", rsv=4), 1002),
        (frame(CONT, HEARTBEAT), 1002),
        (frame(CONT, HEARTBEAT, fin=False), 1002),
        (frame(TEXT, b"[2,", fin=False) + frame(TEXT, HEARTBEAT), 1002),
        (frame(TEXT, b"[2,", fin=False) + frame(BINARY, HEARTBEAT), 1002),
        (frame(PING, b"x", fin=False), 1002),
        (frame(CLOSE, b"\x03\xe8", fin=False), 1002),
        (frame(PING, b"x" * 126), 1002),
        (frame(PONG, b"x" * 126), 1002),
        (frame(CLOSE, b"\x03\xe8" + b"x" * 124), 1002),
        (frame(CLOSE, b"\x03"), 1002),
        (frame(CLOSE, struct.pack(">H", 999)), 1002),
        (frame(CLOSE, struct.pack(">H", 1004)), 1002),
        (frame(CLOSE, struct.pack(">H", 1005)), 1002),
        (frame(CLOSE, struct.pack(">H", 1006)), 1002),
        (frame(CLOSE, struct.pack(">H", 1015)), 1002),
        (frame(CLOSE, struct.pack(">H", 2999)), 1002),
        (frame(CLOSE, struct.pack(">H", 1000) + b"\xff\xfe"), 1007),
        *[(frame(opcode, b"x"), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)],
        (frame(TEXT, b"x", length=2**63), 1009),
        (frame(TEXT, b"x", length=2**64 - 1), 1009),
        (frame(TEXT, b"x", length=2**62), 1009),
        (frame(TEXT, b"x", length=5 * 1024 * 1024), 1009),
        (frame(TEXT, b"x" * 65535, fin=False) + frame(CONT, b"x", length=5 * 1024 * 1024), 1009),
    ],
)  # fmt: skip
async def test_what_breaks_the_protocol_closes_the_socket_with_its_code(bad: bytes, code: int) -> None:
    async with ocpp_box(timings=replace(HASTY, close_s=0.05)) as box, wire(box) as station:
        await station.send(frame(TEXT, HEARTBEAT))
        assert (await station.answer())[:2] == [3, "h"]
        await station.send(bad)
        assert await station.closed_with() == code
        await until(lambda: not box.server._places.connections)
        assert box.server.counts["faults"] == 0


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 4999])
async def test_a_close_is_answered_with_its_own_code(code: int) -> None:
    async with ocpp_box() as box, wire(box) as station:
        await station.send(frame(CLOSE, struct.pack(">H", code) + b"bye"))
        assert await station.closed_with() == code
        await until(lambda: not box.server._places.connections)


async def test_a_close_without_a_code_is_answered_without_one() -> None:
    async with ocpp_box() as box, wire(box) as station:
        await station.send(frame(CLOSE))
        assert await station.closed_with() == 0


async def test_nothing_that_follows_a_close_is_handled() -> None:
    async with ocpp_box() as box, wire(box) as station:
        await station.send(frame(CLOSE, b"\x03\xe8"), frame(TEXT, HEARTBEAT))
        assert await station.closed_with() == 1000
        assert box.server.counts["calls_answered"] == 0


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
async def test_a_message_may_come_in_pieces_with_pings_between(size: int) -> None:
    call = json.dumps(
        [2, "b", "BootNotification", {**BOOT, "chargePointModel": "Säule ⚡"}], ensure_ascii=False
    ).encode()
    pieces = [call[place : place + size] for place in range(0, len(call), size)]
    async with ocpp_box() as box, wire(box) as station:
        for place, piece in enumerate(pieces):
            await station.send(frame(CONT if place else TEXT, piece, fin=place == len(pieces) - 1))
            if place < 3:
                await station.send(frame(PING, b"%d" % place))
        found = [await station.next() for _ in range(min(3, len(pieces)) + 1)]
        assert (PONG, b"0") in found
        [answer] = [json.loads(data) for opcode, data in found if opcode == TEXT]
        assert answer[2]["status"] == "Accepted"
        assert box.known().model == "Säule ⚡"


async def test_ten_thousand_pieces_of_one_byte_are_one_message() -> None:
    call = json.dumps([2, "d", "DataTransfer", {"vendorId": "Acme", "data": "x" * 10_000}]).encode()
    async with ocpp_box() as box, wire(box) as station:
        parts = [
            frame(TEXT, call[:1], fin=False),
            *(frame(CONT, call[n : n + 1], fin=False) for n in range(1, len(call))),
        ]
        await station.send(*parts, frame(CONT, b""), frame(TEXT, HEARTBEAT))
        assert (await station.answer())[:2] == [3, "d"]
        assert (await station.answer())[:2] == [3, "h"]


async def test_who_goes_in_the_middle_of_much_leaves_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    async with ocpp_box() as box:
        async with wire(box) as station:
            await station.send(*[frame(TEXT, HEARTBEAT)] * 1000)
            await station.answer()
            station.writer.transport.abort()
        await until(lambda: not box.server._sockets)
        assert box.server.counts["faults"] == 0
    assert [each.getMessage() for each in caplog.records if each.name == "asyncio"] == []


async def test_any_mask_and_empty_pieces_are_fine() -> None:
    async with ocpp_box() as box, wire(box) as station:
        for mask in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x00\x01\x80\x7f"):
            await station.send(frame(TEXT, b"", fin=False), frame(CONT, HEARTBEAT, mask=mask))
            assert (await station.answer())[:2] == [3, "h"]


async def test_what_is_no_utf_8_is_mended_also_where_a_piece_ends_inside_a_character() -> None:
    call = b'[2,"1","DataTransfer",{"vendorId":"\xc3\xa4","data":"\xff"}]'
    cut = call.index(b"\xa4")
    async with ocpp_box() as box, wire(box) as station:
        await station.send(frame(TEXT, call[:cut], fin=False), frame(CONT, call[cut:]))
        assert (await station.answer())[0] == 3
        assert box.server.counts["corrections"] == 1


async def test_pongs_nobody_asked_for_and_empty_messages_are_passed_over() -> None:
    async with ocpp_box() as box, wire(box) as station:
        await station.send(frame(PONG, b"hello"), frame(TEXT, b""), frame(BINARY, b""), frame(TEXT, HEARTBEAT))
        assert (await station.answer())[:2] == [3, "h"]


async def test_messages_before_the_upgrade_is_answered_are_not_lost() -> None:
    async with ocpp_box() as box:
        reader, writer = await asyncio.open_connection("127.0.0.1", box.port)
        head = (
            b"GET /CP001 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        writer.write(head + frame(TEXT, b'[2,"1","Heartbeat",{}]') + frame(TEXT, b'[2,"2","Heartbeat",{}]'))
        await reader.readuntil(b"\r\n\r\n")
        station = Wire(reader, writer)
        assert [(await station.answer())[1] for _ in range(2)] == ["1", "2"]
        writer.transport.abort()


async def test_a_station_that_does_not_read_is_not_read_either() -> None:
    """Calls without end and no answer taken: what waits for it here stays small, and others are served."""
    async with ocpp_box() as box, wire(box) as station, box.station("CP002") as neighbour:
        assert await neighbour.boot() == "Accepted"
        flood = frame(TEXT, b'[2,"1","NoSuchActionOfAnyVersionThereIs",{}]') * 500
        station.reader._transport.pause_reading()  # type: ignore[attr-defined]
        sent = 0
        while sent < 400:
            station.writer.write(flood)
            try:
                async with asyncio.timeout(0.2):
                    await station.writer.drain()
            except TimeoutError:
                break
            sent += 1
        assert sent < 400, "it was read without end"
        counts, before = box.server.counts, -1
        while counts["calls_refused"] != before:
            before = counts["calls_refused"]
            await asyncio.sleep(0.3)  # for as long as it is still read
        [held] = [each for each in box.server._places.connections if each.identity == "CP001"]
        assert held._socket.transport.get_write_buffer_size() < 2 * 1024 * 1024
        assert (await neighbour.call("Heartbeat"))[0] == 3
        assert counts["calls_refused"] == before


async def test_a_station_that_reads_nothing_for_long_is_cut_off() -> None:
    timings = replace(HASTY, ping_every_s=0.05, write_s=0.3)
    async with ocpp_box(timings=timings) as box, wire(box) as station, wire(box) as neighbour:
        flood = frame(TEXT, b'[2,"1","NoSuchActionOfAnyVersionThereIs",{}]') * 500
        station.reader._transport.pause_reading()  # type: ignore[attr-defined]
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(10):
                while True:
                    station.writer.write(flood)
                    await station.writer.drain()
        opcode, _ = await neighbour.next()
        assert opcode == PING


async def test_pings_come_to_a_station_that_says_nothing_and_their_pongs_are_taken() -> None:
    async with ocpp_box(timings=replace(HASTY, ping_every_s=0.05)) as box, wire(box) as station:
        pings = 0
        while pings < 3:
            opcode, data = await station.next()
            assert opcode in (PING, TEXT)
            if opcode == PING:
                pings += 1
                await station.send(frame(PONG, data))
        assert len(box.server._places.connections) == 1


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 4000, 65535])
def test_a_whole_text_frame_is_read_as_it_is(size: int) -> None:
    message = bytes(number % 256 for number in range(size))
    assert _message_of(frame(TEXT, message)) == message


@pytest.mark.parametrize(
    "data",
    [
        frame(TEXT, HEARTBEAT, fin=False), frame(BINARY, HEARTBEAT), frame(PING, b"x"), frame(CLOSE),
        frame(TEXT, HEARTBEAT, rsv=4), frame(TEXT, HEARTBEAT, mask=None), frame(TEXT, b"x" * 130, mask=None),
        frame(TEXT, HEARTBEAT)[:-1], frame(TEXT, HEARTBEAT) * 2, frame(TEXT, b"x" * 70_000), b"", b"\x81\xfe\x00",
        b"\x81\xfe\x00\x05\x00\x00\x00\x00hello",
    ],
)  # fmt: skip
def test_anything_else_is_left_to_the_library(data: bytes) -> None:
    assert _message_of(data) is None


@pytest.mark.parametrize("size", [0, 125, 126, 65535])
def test_our_frames_are_those_of_the_library(size: int) -> None:
    message = b"x" * size
    assert _frame_of(message) == Frame(Opcode.TEXT, message).serialize(mask=False)


def test_where_one_frame_ends_and_the_next_has_not_begun_is_known() -> None:
    """Of the library's parser: should it look for the next frame in another way one day, this says so."""
    protocol = ServerProtocol(state=State.OPEN)
    whole = frame(TEXT, HEARTBEAT)
    said = []
    for piece in (b"", whole, whole[:1], whole[1:5], whole[5:9], whole[9:], frame(PING), whole[:3], whole[3:] + whole):
        protocol.receive_data(piece)
        said.append(_awaits_frame(protocol))
    assert said == [True, True, False, False, False, True, True, False, True]


async def test_frames_alone_and_in_pieces_take_turns() -> None:
    async with ocpp_box() as box, wire(box) as station:
        for part in ([HEARTBEAT], [HEARTBEAT[:9], HEARTBEAT[9:]], [HEARTBEAT]):
            fragments = [frame(TEXT if place == 0 else CONT, each, fin=place == len(part) - 1)
                         for place, each in enumerate(part)]  # fmt: skip
            for each in fragments:
                await station.send(each[:4])
                await station.send(each[4:])
            assert (await station.answer())[1] == "h"
            await station.send(frame(TEXT, HEARTBEAT))
            assert (await station.answer())[1] == "h"


async def test_what_was_read_is_let_go_at_once_when_it_breaks_the_protocol() -> None:
    """The frames of the exception hold it; in a circle with the socket it would stay until a collector comes."""
    async with ocpp_box(timings=replace(HASTY, close_s=0.05)) as box, wire(box) as station:
        await until(lambda: box.server._places.connections)
        sockets = [connection._socket for connection in box.server._places.connections]
        await station.send(frame(TEXT, HEARTBEAT, rsv=4))
        assert await station.closed_with() == 1002
        (socket,) = sockets
        await socket.wait_closed()
        broken = socket.protocol.parser_exc
        assert broken is not None
        assert broken.__traceback__ is None
