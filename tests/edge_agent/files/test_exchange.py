"""The adapter as a whole: addresses, the FTP server that is on only while it is needed, and what is told."""

import asyncio
import ftplib
import io
import socket
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession

from sitelink.errors import FileRefused, FirmwareInvalid, NotFound, TransferUnavailable
from sitelink.ids import TransferId
from sitelink.states import TransferMethod
from tests.doubles.file_news import serving_files

HTTP, FTP = TransferMethod.HTTP, TransferMethod.FTP
A, B = TransferId("a"), TransferId("b")


def store_by_ftp(url: str, content: bytes) -> str:
    parts = urlsplit(url)
    with ftplib.FTP(timeout=10) as client:
        client.connect(parts.hostname or "", parts.port or 0)
        client.login(parts.username or "", parts.password or "")
        return client.storbinary("STOR diag.zip", io.BytesIO(content))


async def test_ftp_listens_only_while_an_upload_by_ftp_is_expected(tmp_path):
    async with serving_files(tmp_path) as served:
        exchange = served.exchange
        assert exchange.ftp_port is None
        await exchange.expect(TransferId("by-http"), "h.bin", HTTP, None)
        assert exchange.ftp_port is None
        first = await exchange.expect(A, "a.bin", FTP, None)
        second = await exchange.expect(B, "b.bin", FTP, None)
        port = exchange.ftp_port
        assert urlsplit(first).port == urlsplit(second).port == port
        assert (await asyncio.to_thread(store_by_ftp, first, b"one")).startswith("226")
        await exchange.close(A)
        assert exchange.ftp_port == port
        assert (await asyncio.to_thread(store_by_ftp, second, b"two")).startswith("226")
        await exchange.close(B)
        assert exchange.ftp_port is None
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port or 0), timeout=5)
        assert [what for what, _ in await served.news.wait_for(2)] == ["arrived", "arrived"]


async def test_a_port_that_is_taken_is_said_and_nothing_is_expected(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        async with serving_files(tmp_path, ftp_port=other.getsockname()[1]) as served:
            with pytest.raises(TransferUnavailable):
                await served.exchange.expect(A, "a.bin", FTP, None)
            assert served.exchange.so_far(A) is None
            assert served.exchange.ftp_port is None


async def test_the_methods_are_those_the_box_serves(tmp_path):
    async with serving_files(tmp_path) as served:
        assert served.exchange.methods == {HTTP, FTP}
    async with serving_files(tmp_path, ftp=False) as served:
        assert served.exchange.methods == {HTTP}


async def test_an_address_that_was_set_is_told(tmp_path):
    async with serving_files(tmp_path, address="2001:db8::7") as served:
        by_http = await served.exchange.expect(A, "a.bin", HTTP, None)
        by_ftp = await served.exchange.expect(B, "b.bin", FTP, None)
        assert by_http.startswith(f"http://[2001:db8::7]:{served.port}/files/up/")
        assert urlsplit(by_ftp).hostname == "2001:db8::7"


async def test_what_made_room_is_told(tmp_path):
    async with serving_files(tmp_path, total_max_bytes=1000) as served, ClientSession() as client:
        for transfer, file in ((A, "a.bin"), (B, "b.bin")):
            url = await served.exchange.expect(transfer, file, HTTP, None)
            assert (await client.put(url, data=b"x" * 600)).status == 201
            await served.exchange.close(transfer)
        told = await served.news.wait_for(3)
        assert ("removed", "a.bin") in told
        assert served.exchange.path("a.bin") is None
        assert served.exchange.path("b.bin") is not None
        stored = await served.exchange.stored("b.bin")
        assert stored is not None
        assert stored.size == 600


async def test_after_a_restart_what_is_on_the_disk_is_compared_with_the_record(tmp_path):
    async with serving_files(tmp_path) as served, ClientSession() as client:
        for transfer, file in ((A, "a.bin"), (B, "b.bin")):
            await client.put(await served.exchange.expect(transfer, file, HTTP, None), data=b"x")
    async with serving_files(tmp_path) as served:
        assert await served.exchange.tidy({"a.bin", "c.bin"}) == ["c.bin"]
        assert [path.name for path in served.folder.iterdir()] == ["a.bin"]


async def test_an_image_is_read_from_a_file_of_the_box(tmp_path):
    file = tmp_path / "terra.fw"
    file.write_bytes(b"image" * 1000)
    async with serving_files(tmp_path) as served:
        image = await served.exchange.add_image_from(file, "2.0", None, None)
        assert (image.name, image.size, image.version) == ("terra.fw", 5000, "2.0")
        assert await served.exchange.images() == [image]
        with pytest.raises(FileRefused):
            await served.exchange.add_image_from(tmp_path / "nothing", None, None, None)
        with pytest.raises(FirmwareInvalid):
            await served.exchange.add_image_from(file, None, "half", None)
        await served.exchange.remove_image(image.id)
        with pytest.raises(NotFound):
            await served.exchange.image(image.id)
