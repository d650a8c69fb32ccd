"""Uploads and images over real HTTP, as charge points send and fetch them."""

import asyncio
import base64
import hashlib

import pytest
from aiohttp import ClientSession, FormData

from sitelink.ids import TransferId
from sitelink.states import TransferMethod
from tests.doubles.file_news import serving_files, until

HTTP = TransferMethod.HTTP
A, B = TransferId("a"), TransferId("b")


@pytest.fixture
async def served(tmp_path):
    async with serving_files(tmp_path, upload_max_bytes=300_000, least_bytes_per_s=1000, window_s=0.3) as served:
        yield served


@pytest.fixture
async def client():
    async with ClientSession() as client:
        yield client


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("tail", ["", "/diag.tar.gz", "/..%2f..%2fetc%2fpasswd", "/a/b/c"])
async def test_a_raw_body_is_kept_under_our_name_whatever_the_station_calls_it(served, client, method, tail):
    url = await served.exchange.expect(A, "a.bin", HTTP, None)
    content = b"x" * 200_000  # more than other bodies may have
    answer = await client.request(method, url + tail, data=content, headers={"Host": "whatever.example"})
    assert answer.status == 201
    assert [path.name for path in served.folder.iterdir()] == ["a.bin"]
    assert (served.folder / "a.bin").read_bytes() == content
    assert await served.news.wait_for(1) == [("arrived", (A, 200_000, hashlib.sha256(content).hexdigest()))]


async def test_the_file_of_a_form_is_kept_without_the_form(served, client):
    url = await served.exchange.expect(A, "a.bin", HTTP, None)
    form = FormData()
    form.add_field("comment", "from the station")
    form.add_field("file", b"y" * 150_000, filename="../../evil.sh", content_type="text/html")
    answer = await client.post(url, data=form)
    assert answer.status == 201
    assert (served.folder / "a.bin").read_bytes() == b"y" * 150_000
    assert [path.name for path in served.folder.iterdir()] == ["a.bin"]


async def test_a_form_without_a_file_is_refused_and_the_way_stays_open(served, client):
    url = await served.exchange.expect(A, "a.bin", HTTP, None)
    form = FormData({"comment": "nothing"})
    form._is_multipart = True
    assert (await client.post(url, data=form)).status == 400
    assert (await client.put(url, data=b"now")).status == 201


async def test_an_unknown_name_is_not_there(served, client):
    await served.exchange.expect(A, "a.bin", HTTP, None)
    url = f"http://127.0.0.1:{served.port}/files/up/{'x' * 32}"
    assert (await client.put(url, data=b"x")).status == 404
    assert (await client.get(url)).status == 405


async def test_a_second_upload_is_refused(served, client):
    url = await served.exchange.expect(A, "a.bin", HTTP, None)
    assert (await client.put(url, data=b"first")).status == 201
    assert (await client.put(url, data=b"second")).status == 409
    assert (served.folder / "a.bin").read_bytes() == b"first"


async def test_after_the_transfer_the_way_is_closed(served, client):
    url = await served.exchange.expect(A, "a.bin", HTTP, None)
    await served.exchange.close(A)
    assert (await client.put(url, data=b"late")).status == 404


async def test_over_quota_is_cut_off_with_413(served, client):
    url = await served.exchange.expect(A, "a.bin", HTTP, None)
    answer = await client.put(url, data=b"x" * 300_001)
    assert answer.status == 413
    assert list(served.folder.iterdir()) == []
    assert await served.news.wait_for(1) == [("failed", (A, "too_large"))]


async def half_an_upload(served, url: str):
    """5 of 100 bytes are sent."""
    path = url.partition(str(served.port))[2].encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"PUT " + path + b" HTTP/1.1\r\nHost: b\r\nContent-Length: 100\r\n\r\n" + b"x" * 5)
    await writer.drain()
    return reader, writer


async def test_an_upload_that_stands_still_is_cut(served):
    url = await served.exchange.expect(A, "a.bin", HTTP, None)
    reader, writer = await half_an_upload(served, url)
    async with asyncio.timeout(5):
        assert b" 408 " in await reader.readline()
    writer.close()
    assert await served.news.wait_for(1) == [("failed", (A, "too_slow"))]
    assert list(served.folder.iterdir()) == []


async def test_an_upload_whose_connection_breaks_leaves_nothing(served):
    url = await served.exchange.expect(A, "a.bin", HTTP, None)
    _, writer = await half_an_upload(served, url)
    await until(lambda: served.exchange.so_far(A) == 5)
    writer.transport.abort()
    told = await served.news.wait_for(1)
    assert told == [("failed", (A, "cut_off"))]
    assert list(served.folder.iterdir()) == []


async def test_two_uploads_at_once_do_not_mix(served, client):
    urls = [await served.exchange.expect(each, f"{each}.bin", HTTP, None) for each in (A, B)]

    async def slowly(letter: bytes):
        for _ in range(20):
            yield letter * 5000
            await asyncio.sleep(0)

    answers = await asyncio.gather(client.put(urls[0], data=slowly(b"a")), client.put(urls[1], data=slowly(b"b")))
    assert [answer.status for answer in answers] == [201, 201]
    assert (served.folder / "a.bin").read_bytes() == b"a" * 100_000
    assert (served.folder / "b.bin").read_bytes() == b"b" * 100_000


# ---- images ----

IMAGE = bytes(range(256)) * 2000


@pytest.fixture
async def image(served):
    async def chunks():
        yield IMAGE

    return await served.exchange.add_image("fw 2.0 (final).bin", chunks(), "2.0")


async def test_an_image_is_served_with_its_checksum(served, client, image):
    url = await served.exchange.offer(A, image.id, HTTP, None)
    assert url.endswith("/fw_2.0_final_.bin")
    answer = await client.get(url, headers={"Host": "whatever.example"})
    assert await answer.read() == IMAGE
    assert answer.headers["ETag"] == f'"{hashlib.sha256(IMAGE).hexdigest()}"'
    assert base64.b64decode(answer.headers["Digest"].removeprefix("sha-256=")) == hashlib.sha256(IMAGE).digest()
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    told = await served.news.wait_for(1)
    assert told == [("arrived", (A, len(IMAGE), hashlib.sha256(IMAGE).hexdigest()))]
    assert served.news.steps >= 1


async def test_an_image_is_fetched_in_parts(served, client, image):
    url = await served.exchange.offer(A, image.id, HTTP, None)
    half = len(IMAGE) // 2
    first = await client.get(url, headers={"Range": f"bytes=0-{half - 1}"})
    assert (first.status, await first.read()) == (206, IMAGE[:half])
    assert first.headers["Content-Range"] == f"bytes 0-{half - 1}/{len(IMAGE)}"
    assert served.exchange.so_far(A) == half
    assert served.news.told == []
    again = await client.get(url, headers={"Range": f"bytes=0-{half - 1}", "If-Range": first.headers["ETag"]})
    assert again.status == 206
    await again.read()
    assert served.exchange.so_far(A) == half, "the same part twice is no progress"
    rest = await client.get(url, headers={"Range": f"bytes={half}-"})
    assert await rest.read() == IMAGE[half:]
    assert [what for what, _ in await served.news.wait_for(1)] == ["arrived"]


async def test_the_end_of_an_image_can_be_asked_for(served, client, image):
    url = await served.exchange.offer(A, image.id, HTTP, None)
    answer = await client.get(url, headers={"Range": "bytes=-100"})
    assert (answer.status, await answer.read()) == (206, IMAGE[-100:])
    beyond = await client.get(url, headers={"Range": f"bytes={len(IMAGE)}-"})
    assert beyond.status == 416
    changed = await client.get(url, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (changed.status, len(await changed.read())) == (200, len(IMAGE))
    nonsense = await client.get(url, headers={"Range": "pages=1-2"})
    assert (nonsense.status, len(await nonsense.read())) == (200, len(IMAGE))


async def test_an_image_is_served_only_while_it_is_offered(served, client, image):
    url = await served.exchange.offer(A, image.id, HTTP, None)
    head = await client.head(url)
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(IMAGE)))
    await served.exchange.close(A)
    assert (await client.get(url)).status == 404
    assert (await client.get(f"http://127.0.0.1:{served.port}/files/fw/{image.id}/{image.name}")).status == 404
