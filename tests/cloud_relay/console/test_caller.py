"""Who may call: a token that is good now, for what it is good for."""

from datetime import timedelta
from pathlib import Path

import msgspec

from cloud_relay.console.caller import Caller
from cloud_relay.fleet.acts import Actor, ActorKind
from cloud_relay.fleet.ids import TeamId
from cloud_relay.fleet.tokens import API_TOKEN, new_token
from sitelink.states import AuthorType
from tests.cloud_relay.console.api import Program, calling
from tests.cloud_relay.made import NOW
from tests.doubles.clock import FakeClock


async def test_without_a_good_token_nothing_is_there(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        for token in ("", new_token(API_TOKEN), "gl1_" + "x" * 43):
            program.headers = {"Authorization": f"Bearer {token}"} if token else {}
            status, answer = await program.call("GET", "/sites")
            assert (status, answer["code"]) == (401, "sign_in_needed")


async def test_a_token_is_good_for_its_scopes_alone(tmp_path: Path) -> None:
    async with calling(tmp_path, scopes=("sites:read",)) as (program,):
        assert (await program.get("/sites"))["items"] == []
        status, answer = await program.call("POST", "/sites", {"name": "Harbour"})
        assert (status, answer["code"], answer["scope"]) == (403, "scope_missing", "sites:write")


async def changed(program: Program, **fields: object) -> None:
    def work(books: object) -> None:
        (team,) = books.accounts.teams()  # type: ignore[attr-defined]
        (token,) = books.tokens.of_team(team.id)  # type: ignore[attr-defined]
        books.tokens.put(msgspec.structs.replace(token, **fields))  # type: ignore[attr-defined]

    await program.cloud.store.write(work)


async def test_a_token_that_ended_is_none_and_its_use_is_noted(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        await program.get("/teams")
        used = await program.cloud.store.read(lambda books: books.tokens.of_team(books.accounts.teams()[0].id))
        assert used[0].last_used_at is not None
        await changed(program, expires_at=NOW - timedelta(days=365))
        assert (await program.call("GET", "/teams"))[0] == 401
        await changed(program, expires_at=None, revoked_at=NOW)
        assert (await program.call("GET", "/teams"))[0] == 401


def test_what_somebody_does_bears_their_name() -> None:
    actor = Actor(ActorKind.TOKEN, "k", "ci")
    caller = Caller(TeamId("t"), "Acme", actor, frozenset({"sites:read"}), "ci", "192.0.2.1", FakeClock())
    assert (caller.author.type, caller.author.name) == (AuthorType.OPERATOR, "ci")
    assert (caller.act.actor.name, caller.act.ip, caller.team) == ("ci", "192.0.2.1", "t")
    assert [caller.may(right) for right in ("", "sites:read", "sites:write")] == [True, True, False]


async def test_every_answer_says_what_is_left_of_the_tokens_share(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        url = f"{program.url}/api/v1/sites"
        for left in (599, 598):
            async with program._session.get(url, headers=program.headers) as response:
                found = [response.headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")]
                assert found == ["600", str(left), "60"]
        headers = {**program.headers, "Idempotency-Key": "k1"}
        async with program._session.post(url, headers=headers, json={"name": "Harbour"}) as response:
            assert (response.status, response.headers["RateLimit-Remaining"]) == (201, "597")
        for _ in range(600):
            async with program._session.get(url, headers=program.headers) as response:
                if response.status == 429:
                    break
        assert (response.status, response.headers["RateLimit-Remaining"]) == (429, "0")
        assert 1 <= int(response.headers["Retry-After"]) <= 60
        async with program._session.get(url) as response:
            assert (response.status, "RateLimit-Limit" in response.headers) == (401, False)


async def test_what_the_router_refuses_has_the_form_of_every_error(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        for method, path, status, code in (
            ("GET", "/nothing", 404, "not_found"), ("PUT", "/sites", 405, "method_not_allowed"),
            ("POST", "/sites", 413, "too_large"),
        ):  # fmt: skip
            found, answer = await program.call(method, path, {"name": "x" * 70_000} if status == 413 else None)
            assert (found, answer["code"]) == (status, code)
            assert {"message", "next_step"} <= answer.keys()
