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
