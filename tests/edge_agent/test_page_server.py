"""One application on several ports, gone with the block."""

import socket
import ssl
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from edge_agent.certificates.keeper import Keeper
from edge_agent.certificates.names import Names
from edge_agent.page_server import PageServer
from tests.doubles.clock import FakeClock


def application() -> web.Application:
    async def greet(request: web.Request) -> web.Response:
        return web.Response(text=request.scheme)

    app = web.Application()
    app.router.add_get("/", greet)
    return app


async def test_pages_are_served_on_each_port_and_the_ports_are_free_afterwards(tmp_path: Path) -> None:
    keeper = await Keeper.open(tmp_path, FakeClock(), lambda: Names(("localhost",), ("127.0.0.1",)))
    async with PageServer(application(), "127.0.0.1") as pages, aiohttp.ClientSession() as session:
        plain = await pages.listen(0)
        secure = await pages.listen(0, keeper.for_pages())
        trusted = ssl.create_default_context(cadata=keeper.root_pem.decode())
        trusted.check_hostname, trusted.verify_mode = False, ssl.CERT_NONE  # the certificate is of another clock
        for url in (f"http://127.0.0.1:{plain}/", f"https://127.0.0.1:{secure}/"):
            async with session.get(url, ssl=trusted) as response:
                assert await response.text() == url.partition(":")[0]
    for port in (plain, secure):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


async def test_a_port_that_is_taken_is_an_error_and_the_others_go_on() -> None:
    async with PageServer(application(), "127.0.0.1") as pages, aiohttp.ClientSession() as session:
        plain = await pages.listen(0)
        with pytest.raises(OSError):
            await pages.listen(plain)
        async with session.get(f"http://127.0.0.1:{plain}/") as response:
            assert response.status == 200
