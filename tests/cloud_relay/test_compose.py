"""The cloud as a whole: it starts, says that it can save, and keeps who it is."""

from pathlib import Path

import aiohttp
import pytest

from cloud_relay.compose import CannotStart, relay_url, serving
from cloud_relay.config import Http, Oidc, Settings
from cloud_relay.fleet.registration import EPOCH
from tests.cloud_relay.links.test_server import cloud_at


async def test_it_says_that_it_can_save(tmp_path: Path) -> None:
    async with cloud_at(tmp_path) as (_, url), aiohttp.ClientSession() as session:
        async with session.get(f"{url}/healthz") as response:
            assert (response.status, await response.json()) == (200, {"status": "ok"})
            assert response.headers["X-Content-Type-Options"] == "nosniff"
        async with session.get(f"{url}/healthz", headers={"Host": "evil.example"}) as response:
            assert response.status == 421


async def test_after_a_restart_it_is_the_same_cloud(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        async with cloud_at(tmp_path) as (cloud, _):
            found.append(
                await cloud.store.read(lambda books: (books.secrets.get(EPOCH), books.secrets.get("session_key")))
            )
    assert found[0] == found[1]
    assert all(found[0])


async def test_a_port_that_is_taken_is_said_in_one_sentence(tmp_path: Path) -> None:
    async with cloud_at(tmp_path / "one") as (cloud, _):
        taken = Settings(data_dir=tmp_path / "two", http=Http(bind="127.0.0.1", port=cloud.http_port))
        with pytest.raises(CannotStart, match=r"Set http\.port"):
            async with serving(taken):
                pass


async def test_a_provider_without_tls_is_refused_but_on_this_machine(tmp_path: Path) -> None:
    http = Http(bind="127.0.0.1", port=0)
    for issuer in ("http://login.example", "login.example"):
        with pytest.raises(CannotStart, match=r"oidc\.issuer"):
            async with serving(Settings(data_dir=tmp_path, http=http, oidc=Oidc(issuer=issuer))):
                pass
    async with serving(Settings(data_dir=tmp_path, http=http, oidc=Oidc(issuer="http://127.0.0.1:9"))) as cloud:
        assert cloud.http_port


def test_the_address_for_boxes() -> None:
    assert relay_url(Settings(), 8090) == "ws://127.0.0.1:8090/relay"
    public = Settings(http=Http(public_url="https://cloud.example/"))
    assert relay_url(public, 8090) == "wss://cloud.example/relay"
