"""Teams, sites and boxes over the API."""

from pathlib import Path

import aiohttp
import pytest

from cloud_relay.console.operator_api import cursor_of
from tests.cloud_relay.console.api import calling


async def test_sites_come_in_pages_that_end(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        for name in ("Beta", "alpha", "Gamma"):
            await program.post("/sites", {"name": name, "address": "Quay 4"})
        first = await program.get("/sites?limit=2")
        assert [each["name"] for each in first["items"]] == ["alpha", "Beta"]
        rest = await program.get(f"/sites?limit=2&cursor={first['next']}")
        assert ([each["name"] for each in rest["items"]], rest["next"]) == (["Gamma"], None)
        one = first["items"][0]
        assert await program.get(f"/sites/{one['id']}") == one
        status, answer = await program.call("POST", "/sites", {"name": "ALPHA"})
        assert (status, answer["code"], answer["what"]) == (409, "name_taken", "site")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=!!", f"cursor={cursor_of('a')}"])
async def test_a_page_that_is_none_is_refused(tmp_path: Path, query: str) -> None:
    async with calling(tmp_path) as (program,):
        status, answer = await program.call("GET", f"/sites?{query}")
        assert (status, answer["code"]) == (400, "request_invalid")


async def test_a_box_is_expected_seen_and_revoked(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        site = (await program.post("/sites", {"name": "Harbour"}))["id"]
        made = await program.post("/gateways", {"siteId": site, "name": "Box"})
        assert made["claim"].startswith("gw1_")
        (view,) = (await program.get("/gateways"))["items"]
        assert (view["id"], view["online"], view["enrolled_at"], view["alarm"]) == (made["gateway"], False, None, None)
        for _ in range(2):
            revoked = await program.post(f"/gateways/{made['gateway']}/revoke", {}, 200)
            assert revoked["revoked_at"] is not None
        assert (await program.call("POST", "/gateways/none/revoke", {}))[0] == 404
        team = (await program.get("/teams"))["items"][0]["id"]
        noted = await program.cloud.store.read(lambda books: books.audit.page(team, limit=9))
        assert [each.kind for each in noted][:3] == ["gateway.revoked", "gateway.created", "site.created"]


async def test_a_code_that_no_box_shows_is_refused_and_cannot_be_tried_without_end(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        site = (await program.post("/sites", {"name": "Harbour"}))["id"]
        body = {"siteId": site, "code": "7F3A-KQ92"}
        status, answer = await program.call("POST", "/gateways", body)
        assert (status, answer["code"], answer["problem"]) == (403, "claim_invalid", "code_unknown")
        assert [(await program.call("POST", "/gateways", body))[0] for _ in range(10)][-1] == 429
        assert (await program.get("/gateways"))["items"] == []


async def test_the_document_names_every_route(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,), aiohttp.ClientSession() as session:
        async with session.get(f"{program.url}/openapi.json") as response:
            document = await response.json()
        assert document["openapi"] == "3.1.0"
        assert {"/api/v1/sites", "/api/v1/installer-jobs/{job}/links", "/relay/enrol"} <= set(document["paths"])
        assert document["paths"]["/api/v1/sites"]["get"]["security"] == [{"teamToken": []}]
