import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.doubles.box_pages import Box, running_box
from web_ui.security import SECURITY_HEADERS


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        yield running


async def exchange(box: Box, request: bytes) -> str:
    """Send exactly these bytes and read until the box closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", box.server.port)
    writer.write(request)
    async with asyncio.timeout(5):
        answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return answer


MANY = b"".join(b"X-%d: 1\r\n" % number for number in range(100))


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 192.0.2.1\r\nX-Long: " + b"x" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n" + MANY + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: 192.0.2.1\r\nHost: evil.example\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello on the plain port\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_answered_in_our_form(box: Box, request_: bytes) -> None:
    answer = await exchange(box, request_)
    assert answer.split(" ", 2)[1] == "400", answer[:200]
    assert '"code":"request_invalid"' in answer
    for name, value in SECURITY_HEADERS.items():
        assert f"{name}: {value}" in answer
    assert "aiohttp" not in answer


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: 192.0.2.1\r\nX-Slow: "])
async def test_a_connection_that_asks_nothing_is_dropped(box: Box, begun: bytes) -> None:
    assert await exchange(box, begun) == ""


async def test_other_pages_are_served_while_many_connections_are_half_open(box: Box) -> None:
    half_open = [await asyncio.open_connection("127.0.0.1", box.server.port) for _ in range(100)]
    assert (await box.client().get("/healthz")).status == 200
    for _, writer in half_open:
        writer.close()
        await writer.wait_closed()


async def test_more_connections_than_allowed_are_closed_at_once(box: Box) -> None:
    kept = [await asyncio.open_connection("127.0.0.1", box.server.port) for _ in range(300)]
    ended = 0
    for reader, writer in kept:
        async with asyncio.timeout(5):
            ended += await reader.read() == b""
        writer.close()
    assert ended == 300, "the surplus at once, the silent ones a little later"
    assert (await box.client().get("/healthz")).status == 200
