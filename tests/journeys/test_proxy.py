"""A box behind a proxy that wants a password: a real proxy (RFC 9110 §9.3.6), a real cloud."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge_agent import compose
from edge_agent.config import Http, Ocpp, Relay, Settings
from tests.cloud_relay.links.test_app import claim_in
from tests.cloud_relay.links.test_server import cloud_at
from tests.edge_agent.relay.test_desk import status

PASSWORD = "hunter2-hunter2"


class Proxy:
    """Lets through who shows user and password, by CONNECT or by an absolute address."""

    def __init__(self) -> None:
        self.served: list[str] = []
        self.refused = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split("\r\n", 1)[0].split(" ")
        wanted = base64.b64encode(f"ann:{PASSWORD}".encode()).decode()
        if f"basic {wanted}".casefold() not in head.casefold():
            self.refused += 1
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            writer.close()
            return
        self.served.append(method)
        address = target if method == "CONNECT" else target.split("/")[2]
        far_reader, far_writer = await asyncio.open_connection(
            address.partition(":")[0], int(address.partition(":")[2])
        )
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            far_writer.write(head.encode())
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def box_behind(folder: Path, url: str, claim: str, proxy: str) -> AsyncIterator[compose.Box]:
    settings = Settings(
        data_dir=folder, ocpp=Ocpp(bind="127.0.0.1", port=0), http=Http(bind="127.0.0.1", port=0),
        relay=Relay(url=f"{url.replace('http', 'ws')}/relay", claim=claim, proxy=proxy),
    )  # fmt: skip
    async with compose.serving(settings) as box:
        yield box


async def test_a_box_comes_through_a_proxy_with_a_password_and_never_logs_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proxy = Proxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with cloud_at(tmp_path / "cloud") as (cloud, url):
        claim = await cloud.store.write(claim_in)
        wrong = f"http://ann:{PASSWORD[::-1]}@127.0.0.1:{port}"
        async with box_behind(tmp_path / "wrong", url, claim, wrong) as box:
            found = await status(box, problem="proxy_password")
            assert "relay.proxy" in found["said"]
        right = f"http://ann:{PASSWORD}@127.0.0.1:{port}"
        async with box_behind(tmp_path / "right", url, claim, right) as box:
            await status(box, connected=True)
            assert "CONNECT" in proxy.served
            assert proxy.refused
    said = "".join(capsys.readouterr())
    assert PASSWORD not in said
    assert PASSWORD[::-1] not in said
    server.close()
