"""Settings and id tokens from above, over the API."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.cloud_relay.console.api import Program, calling


async def site_of(program: Program) -> str:
    return f"/sites/{(await program.post('/sites', {'name': 'Harbour'}))['id']}"


async def test_settings_are_changed_all_or_none(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        site = await site_of(program)
        wanted = {"authorisation.unknown": "reject", "ocpp.heartbeat_interval_s": 300}
        status, answer = await program.call("PUT", f"{site}/settings", {"settings": wanted})
        assert status == 200
        said = {each["key"]: (each["value"], each["state"]) for each in answer["items"]}
        assert said["authorisation.unknown"] == ("reject", "waiting")
        assert said["ocpp.heartbeat_interval_s"] == (300, "waiting")
        assert said["authorisation.concurrent"] == (None, None)
        wrong = {"authorisation.unknown": None, "authorisation.concurrent": "sometimes"}
        status, refused = await program.call("PUT", f"{site}/settings", {"settings": wrong})
        assert (status, refused["code"], refused["allowed"]) == (422, "setting_invalid", "accept, reject")
        assert (await program.get(f"{site}/settings")) == answer
        status, answer = await program.call("PUT", f"{site}/settings", {"settings": {"authorisation.unknown": None}})
        assert {each["key"]: each["value"] for each in answer["items"]}["authorisation.unknown"] is None


@pytest.mark.parametrize("body", [{}, {"settings": []}, {"settings": {"authorisation.unknown": {"a": 1}}}])
async def test_a_body_that_is_none_is_refused(tmp_path: Path, body: Any) -> None:
    async with calling(tmp_path) as (program,):
        status, answer = await program.call("PUT", f"{await site_of(program)}/settings", body)
        assert (status, answer["code"]) == (400, "request_invalid")


async def test_id_tokens_one_by_one_and_as_a_table(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,), aiohttp.ClientSession() as session:
        site = await site_of(program)
        status, one = await program.call("PUT", f"{site}/id-tokens/04A1", {"note": "Ann"})
        assert (status, one["token"], one["state"], one["source"]) == (200, "04A1", "waiting", "cloud")
        headers = {**program.headers, "Content-Type": "text/csv"}
        url = f"{program.url}/api/v1{site}/id-tokens"
        async with session.put(url, data="token\n04B2\n04C3\n", headers=headers) as response:
            assert (response.status, (await response.json())["total"]) == (200, 3)
        first = await program.get(f"{site}/id-tokens?limit=2")
        assert ([each["token"] for each in first["items"]], first["total"]) == (["04A1", "04B2"], 3)
        rest = await program.get(f"{site}/id-tokens?limit=2&cursor={first['next']}")
        assert ([each["token"] for each in rest["items"]], rest["next"]) == (["04C3"], None)
        assert (await program.get(f"{site}/id-tokens/04a1")) == one
        async with session.get(url, headers={**program.headers, "Accept": "text/csv"}) as response:
            assert (await response.text()).startswith('"token","status"')
        async with session.delete(f"{url}/04A1", headers=program.headers) as response:
            assert response.status == 204
        assert (await program.call("GET", f"{site}/id-tokens/04A1"))[0] == 404
        status, wrong = await program.call("PUT", f"{site}/id-tokens/04D4", {"status": "Perhaps"})
        assert (status, wrong["code"]) == (422, "id_token_invalid")
        async with session.put(url, data="token,status\n04E5,Perhaps\n", headers=headers) as response:
            assert (response.status, (await response.json())["code"]) == (422, "id_token_list_invalid")
