"""The opening handshake: what is answered here is what the library would answer, and all else is left to it."""

import asyncio
import email.utils
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.datastructures import Headers
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from edge_agent.charge_points.opening import plain_answer
from edge_agent.charge_points.server import OcppServer
from tests.doubles.ocpp_box import ocpp_box, until

NOW = datetime(2026, 11, 23, 12, 0, 1, 500, tzinfo=UTC)
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
USUAL = {
    "Host": ["192.0.2.1"], "Upgrade": ["websocket"], "Connection": ["Upgrade"], "Sec-WebSocket-Key": [KEY],
    "Sec-WebSocket-Version": ["13"], "Sec-WebSocket-Protocol": ["ocpp1.6"],
}  # fmt: skip
ODD = {
    "Upgrade": ["WebSocket", "h2c", "h2c, websocket", ""],
    "Connection": ["upgrade", "keep-alive, Upgrade", "Upgrade, keep-alive", "close", ""],
    "Sec-WebSocket-Key": [
        "AAAAAAAAAAAAAAAAAAAAAA==",
        "dGhlIHNhbXBsZSBub25jZR==",
        "short",
        "dGhl IHNhbXBsZSBub25jZQ=",
        "",
    ],
    "Sec-WebSocket-Version": ["8", "13, 8", ""],
    "Origin": ["http://192.0.2.1"],
    "Sec-WebSocket-Extensions": ["permessage-deflate"],
}


def request_of(said: dict[str, list[str]], method: str = "GET", protocol: str = "HTTP/1.1") -> Request:
    headers = Headers()
    for name, values in said.items():
        for value in values:
            headers[name] = value
    return Request("/CP001", headers, method, protocol)


def answer_of_the_library(request: Request, subprotocol: str | None) -> bytes:
    chosen = Subprotocol(subprotocol) if subprotocol is not None else None
    response = ServerProtocol(select_subprotocol=lambda _protocol, _offered: chosen).accept(request)
    if "Date" in response.headers:
        del response.headers["Date"]
    return response.serialize()


def undated(answer: bytes) -> bytes:
    return b"\r\n".join(line for line in answer.split(b"\r\n") if not line.startswith(b"Date:"))


said = st.fixed_dictionaries(
    {}, optional={name: st.lists(st.sampled_from(USUAL.get(name, []) + odd), max_size=2) for name, odd in ODD.items()}
)


@given(said, st.sampled_from(["GET", "GET", "POST"]), st.sampled_from(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0"]))
def test_a_request_answered_here_gets_the_answer_of_the_library(
    odd: dict[str, list[str]], method: str, protocol: str
) -> None:
    request = request_of({**USUAL, **odd}, method, protocol)
    for subprotocol in ("ocpp1.6", None):
        answer = plain_answer(request, subprotocol, NOW)
        assert answer is None or undated(answer) == answer_of_the_library(request, subprotocol)


def test_the_usual_request_is_answered_here_with_the_time() -> None:
    answer = plain_answer(request_of(USUAL), "ocpp1.6", NOW)
    assert answer is not None
    (date,) = [line for line in answer.decode().split("\r\n") if line.startswith("Date: ")]
    assert email.utils.parsedate_to_datetime(date.removeprefix("Date: ")) == NOW.replace(microsecond=0)


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [("Sec-WebSocket-Key", "short", 400), ("Upgrade", "h2c", 101), ("Sec-WebSocket-Version", "8", 101)],
)
async def test_what_is_not_plain_is_mended_or_refused_as_before(name: str, value: str, status: int) -> None:
    async with ocpp_box() as box:
        reader, writer = await asyncio.open_connection("127.0.0.1", box.port)
        lines = [f"{key}: {value if key == name else values[0]}" for key, values in USUAL.items()]
        writer.write("\r\n".join(["GET /CP001 HTTP/1.1", *lines, "", ""]).encode())
        first = await asyncio.wait_for(reader.readline(), 5)
        assert first.split()[1] == str(status).encode()
        writer.close()


async def test_who_hangs_up_before_asking_is_counted_and_leaves_nothing_behind() -> None:
    async with ocpp_box() as box:
        _, writer = await asyncio.open_connection("127.0.0.1", box.port)
        writer.write(b"GET /CP001 HTTP/1.1\r\n")
        writer.close()
        await until(lambda: box.server.counts["handshakes_abandoned"] == 1)


async def test_a_failure_while_greeting_ends_that_handshake_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ocpp_box() as box:
        with monkeypatch.context() as broken:
            broken.setattr(OcppServer, "_refusal", lambda *_arguments: 1 / 0)
            reader, writer = await asyncio.open_connection("127.0.0.1", box.port)
            lines = [f"{key}: {values[0]}" for key, values in USUAL.items()]
            writer.write("\r\n".join(["GET /CP001 HTTP/1.1", *lines, "", ""]).encode())
            assert b" 500 " in await asyncio.wait_for(reader.readline(), 5)
            writer.close()
        async with box.station() as station:
            assert (await station.call("Heartbeat"))[0] == 3


async def test_who_takes_too_long_to_ask_is_cut_off() -> None:
    async with ocpp_box() as box:
        reader, writer = await asyncio.open_connection("127.0.0.1", box.port)
        writer.write(b"GET /CP001 HTTP/1.1\r\n")
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
