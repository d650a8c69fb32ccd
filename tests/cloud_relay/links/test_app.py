"""Enrolment over HTTP."""

import base64
from pathlib import Path
from typing import Any

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.sites import add_gateway, add_site
from cloud_relay.fleet.teams import add_team
from sitelink.wire.messages import to_sign_announcement
from tests.cloud_relay.links.test_server import cloud_at
from tests.cloud_relay.made import ACT


def claim_in(books: Books) -> str:
    team = add_team(books, ACT, "Acme")
    _, claim = add_gateway(books, ACT, add_site(books, ACT, team.id, "Harbour"), "Box")
    return claim


def key() -> str:
    return base64.b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()


async def post(url: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.post(f"{url}/relay/enrol", json=body) as response:
        return response.status, await response.json()


async def test_a_box_is_enrolled_by_its_claim_once(tmp_path: Path) -> None:
    async with cloud_at(tmp_path) as (cloud, url):
        claim = await cloud.store.write(claim_in)
        mine = key()
        status, answer = await post(url, {"claim": claim, "public_key": mine, "box": {"name": "gw"}})
        assert (status, answer["team"], answer["site"]) == (200, "Acme", "Harbour")
        assert await post(url, {"claim": claim, "public_key": mine}) == (200, answer)
        status, refused = await post(url, {"claim": claim, "public_key": key()})
        assert (status, refused["code"], refused["problem"]) == (403, "claim_invalid", "used")


async def test_claims_cannot_be_tried_without_end(tmp_path: Path) -> None:
    async with cloud_at(tmp_path) as (_, url):
        assert (await post(url, {"claim": "x", "public_key": "no key"}))[1]["problem"] == "key"
        answers = [(await post(url, {"claim": "gw1_x", "public_key": key()}))[0] for _ in range(15)]
        assert answers[0] == 403
        assert answers[-1] == 429


async def test_a_box_announces_itself_with_its_own_key_alone(tmp_path: Path) -> None:
    async with cloud_at(tmp_path) as (_, url), aiohttp.ClientSession() as session:
        private = Ed25519PrivateKey.generate()
        public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
        signature = base64.b64encode(private.sign(to_sign_announcement(public))).decode()

        async def announce(**changes: Any) -> tuple[int, dict[str, Any]]:
            body = {"public_key": public, "signature": signature, "box": {"name": "gw"}, **changes}
            async with session.post(f"{url}/relay/announce", json=body) as response:
                return response.status, await response.json()

        status, answer = await announce()
        assert (status, len(answer["code"]), answer["good_for_s"], answer["gateway"]) == (200, 9, 900, None)
        assert (await announce())[1]["code"] is None, "only a hash of it is kept"
        assert (await announce(renew=True))[1]["code"] not in (None, answer["code"])
        status, refused = await announce(public_key=key())
        assert (status, refused["code"], refused["problem"]) == (403, "claim_invalid", "key")
        assert [(await announce())[0] for _ in range(60)][-1] == 429


async def test_a_request_that_is_none_is_refused_in_our_form(tmp_path: Path) -> None:
    async with cloud_at(tmp_path) as (_, url):
        status, answer = await post(url, {"claim": 7})
        assert status in (400, 422)
        assert answer["code"] == "request_invalid"
