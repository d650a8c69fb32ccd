import gzip
import re

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpClient

from web_ui.assets import asset_url, assets, mount


@pytest.fixture
async def client(aiohttp_client: AiohttpClient) -> object:
    app = web.Application()
    mount(app)
    return await aiohttp_client(app, auto_decompress=False)


@pytest.mark.parametrize(("name", "kind"), [("gatepost.css", "text/css"), ("live.js", "text/javascript")])
async def test_a_file_is_kept_for_a_year_under_a_name_of_its_content(client: object, name: str, kind: str) -> None:
    answer = await client.get(asset_url(name), headers={"Accept-Encoding": "identity"})  # type: ignore[attr-defined]
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "public, max-age=31536000"
    assert answer.content_type == kind
    assert await answer.read() == assets()[name].body
    assert re.fullmatch(r"/static/\w+\.[0-9a-f]{12}\.\w+", asset_url(name))


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [("gzip, deflate, br", True), ("gzip;q=0", False), ("GZIP;q=0.5", True), ("", False), ("br", False)],
)
async def test_gzip_is_sent_to_who_takes_it(client: object, accepted: str, compressed: bool) -> None:
    answer = await client.get(asset_url("live.js"), headers={"Accept-Encoding": accepted})  # type: ignore[attr-defined]
    body = await answer.read()
    assert (answer.headers.get("Content-Encoding") == "gzip") is compressed
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert (gzip.decompress(body) if compressed else body) == assets()["live.js"].body


@pytest.mark.parametrize("path", ["/static/live.js", "/static/live.000000000000.js", "/static/../wording.py"])
async def test_no_other_name_is_served(client: object, path: str) -> None:
    assert (await client.get(path)).status == 404  # type: ignore[attr-defined]


def test_scripts_import_each_other_by_hashed_name() -> None:
    body = assets()["live.js"].body
    assert f'"./{assets()["idiomorph.js"].url_name}"'.encode() in body
    assert b'"./idiomorph.js"' not in body


def test_nothing_asks_another_host() -> None:
    for asset in assets().values():
        addresses = re.findall(rb"https?://[^\s\"')]+", re.sub(rb"/\*.*?\*/", b"", asset.body, flags=re.S))
        assert set(addresses) <= {b"http://www.w3.org/1999/xhtml"}  # a namespace's name, never fetched
