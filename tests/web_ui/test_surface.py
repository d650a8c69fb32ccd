"""What every answer has in common, over a real port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from tests.doubles.box_pages import SESSION_KEY, Box, running_box
from tests.doubles.core import Core
from web_ui.access import Gate
from web_ui.faults import Faults
from web_ui.limits import Limits
from web_ui.security import SECURITY_HEADERS, Hosts, Sessions
from web_ui.surface import Handler, protect


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        yield running


async def raw(box: Box, request: str) -> tuple[int, str]:
    """Send exactly these bytes; the status and everything that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", box.server.port)
    writer.write(request.replace("\n", "\r\n").encode())
    async with asyncio.timeout(5):
        answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return int(answer.split(" ", 2)[1]), answer


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/j", 200),
        ("GET", "/api/v1/job", 401),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/nothing", 404),
        ("DELETE", "/api/v1/job", 405),
        ("PUT", "/j", 405),
        ("GET", "/j/complete", 401),
        ("POST", "/j/open", 415),
        ("GET", "/healthz", 200),
        ("GET", "/metrics", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/static/nothing.css", 404),
        ("GET", "/%00%ff/..%2f", 404),
    ],
)
async def test_every_answer_has_the_security_headers(box: Box, method: str, path: str, status: int) -> None:
    answer = await box.client().request(method, path)
    assert answer.status == status
    assert {name: answer.headers[name] for name in SECURITY_HEADERS} == dict(SECURITY_HEADERS)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Python" not in answer.headers.get("Server", "")


async def test_static_files_may_be_kept_and_pages_not(box: Box) -> None:
    client = box.client()
    text = await (await client.get("/")).text()
    path = text.split('rel="stylesheet" href="', 1)[1].split('"', 1)[0]
    style = await client.get(path)
    assert (style.status, style.headers["Cache-Control"]) == (200, "public, max-age=31536000")
    assert style.headers["X-Content-Type-Options"] == "nosniff"


async def test_errors_below_api_are_json_and_elsewhere_pages(box: Box) -> None:
    client = box.client()
    api = await client.get("/api/v1/nothing")
    assert set(await api.json()) >= {"code", "message", "next_step"}
    page = await client.get("/nothing", headers={"Accept": "text/html"})
    assert page.content_type == "text/html"
    script = await client.get("/nothing", headers={"Accept": "application/json"})
    assert (await script.json())["code"] == "not_found"
    wrong = await client.put("/api/v1/job")
    assert (wrong.status, wrong.headers["Allow"]) == (405, "GET, HEAD")
    assert (await wrong.json())["code"] == "method_not_allowed"


@asynccontextmanager
async def serving(handler: Handler, **options: Any) -> AsyncIterator[TestClient[Any, Any]]:
    """A protected application with one route of its own, /odd."""
    core = Core()
    gate = Gate(Sessions(SESSION_KEY, core.clock), Limits(core.clock), Hosts(), core.clock)
    app = protect(core.jobs, gate, **options)
    app.router.add_post("/odd", handler)
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_a_bug_is_answered_with_a_short_code_and_counted() -> None:
    async def broken(_request: web.Request) -> web.Response:
        raise RuntimeError("secret detail")

    faults = Faults()
    async with serving(broken, faults=faults) as client:
        for headers in ({"Accept": "application/json"}, {"Accept": "text/html"}):
            answer = await client.post("/odd", headers=headers)
            text = await answer.text()
            assert answer.status == 500
            assert "secret" not in text
            assert "RuntimeError" not in text
            assert "Nothing was lost" in text
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert faults.count >= 2


async def test_a_slow_request_is_given_up() -> None:
    async def slow(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    async with serving(slow, request_max_s=0.05) as client:
        answer = await client.post("/odd", headers={"Accept": "application/json"})
        assert (answer.status, (await answer.json())["code"]) == (503, "took_too_long")


async def test_a_body_that_never_comes_is_given_up() -> None:
    async def reads(request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    async with serving(reads, request_max_s=0.05) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(b"POST /odd HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nslow")
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(b"HTTP/1.1 503")
        writer.close()
        await writer.wait_closed()


# ---- Host ----


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /healthz HTTP/1.1\nHost: 192.0.2.1:8080\n", 200),
        ("GET /healthz HTTP/1.1\nHost: [2001:db8::1]\n", 200),
        ("GET /healthz HTTP/1.1\nHost: GATE-7F3A.local.\n", 200),
        ("GET /healthz HTTP/1.1\nHost: gate-7f3a\n", 200),
        ("GET /healthz HTTP/1.1\nHost: evil.example\n", 421),
        ("GET /healthz HTTP/1.1\nHost: evil.example:8080\n", 421),
        ("GET /healthz HTTP/1.1\nHost: 192.0.2.1.evil.example\n", 421),
        ("GET /healthz HTTP/1.1\nHost:\n", 421),
        ("GET /healthz HTTP/1.1\n", 400),
        ("GET /healthz HTTP/1.0\n", 421),
        ("GET /healthz HTTP/1.1\nHost: 192.0.2.1\nHost: evil.example\n", 400),
        ("GET http://evil.example/healthz HTTP/1.1\nHost: 192.0.2.1\n", 421),
        ("GET http://192.0.2.1/healthz HTTP/1.1\nHost: evil.example\n", 421),
        ("GET http://192.0.2.1/healthz HTTP/1.1\nHost: 192.0.2.1\n", 200),
    ],
)
async def test_only_our_own_names_are_answered(box: Box, head: str, status: int) -> None:
    found, answer = await raw(box, f"{head}Connection: close\n\n")
    assert found == status, answer


async def test_a_configured_name_is_ours(box: Box) -> None:
    answer = await box.client().get("/healthz", headers={"Host": "box.example:8080"})
    assert answer.status == 421
    assert (await answer.text()).count("box.example") == 0 or answer.content_type == "application/json"
