"""What a failed attempt means, by real failures of the real client where that is possible."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.exceptions import InvalidHandshake

from edge_agent.relay.link import Dial
from edge_agent.relay.verdicts import CERTIFICATE_NOT_YET_VALID, verdict_of
from tests.doubles.demo_processes import free_port


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """Something on the way that answers every request like this."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/relay"


async def verdict(url: str) -> tuple[str, float]:
    try:
        async with Dial(url, open_timeout=3, proxy=None):
            raise AssertionError("there is nobody")
    except (OSError, InvalidHandshake, TimeoutError) as error:
        return verdict_of(error)


def response(status: str, *headers: str, body: str = "<html>Welcome to our Wi-Fi</html>") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, "Content-Type: text/html", f"Content-Length: {len(body)}", "", body]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    ("answer", "code", "after_s"),
    [
        (response("200 OK"), "captive_portal", 0),
        (response("301 Moved Permanently", "Location: http://portal.example/"), "captive_portal", 0),
        (response("302 Found", "Location: /login"), "captive_portal", 0),
        (response("401 Unauthorized"), "refused", 0),
        (response("403 Forbidden"), "refused", 0),
        (response("404 Not Found"), "no_cloud_there", 0),
        (response("429 Too Many Requests", "Retry-After: 120"), "asked_to_wait", 120),
        (response("502 Bad Gateway"), "cloud_trouble", 0),
        (response("503 Service Unavailable", "Retry-After: 7"), "cloud_trouble", 7),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "captive_portal", 0),
    ],
)
async def test_who_answers_something_else_is_not_the_cloud(answer: bytes, code: str, after_s: float) -> None:
    async with answering(answer) as url:
        assert await verdict(url) == (code, after_s)


async def test_nobody_there_and_a_name_nobody_has() -> None:
    assert (await verdict(f"ws://127.0.0.1:{free_port(0)}/relay"))[0] == "connection_refused"
    assert verdict_of(socket.gaierror(-2, "Name or service not known")).code == "dns"
    assert verdict_of(TimeoutError()).code == "no_answer_there"
    assert verdict_of(OSError(101, "Network is unreachable")).code == "unreachable"


async def test_a_wrong_certificate_is_told_from_a_wrong_clock() -> None:
    wrong = ssl.SSLCertVerificationError(1, "certificate verify failed")
    wrong.verify_code = 62
    assert verdict_of(wrong).code == "certificate"
    early = ssl.SSLCertVerificationError(1, "certificate verify failed")
    early.verify_code = CERTIFICATE_NOT_YET_VALID
    assert verdict_of(early).code == "certificate_date"
    assert verdict_of(ssl.SSLError(1, "wrong version number")).code == "tls"
