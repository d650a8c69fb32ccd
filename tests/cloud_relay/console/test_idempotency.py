"""A program that asks again with the same key: it happens once."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cloud_relay.console import app
from cloud_relay.console.idempotency import KEPT_FOR, UNDER_WAY_AT_MOST
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.tokens import sha256_of
from tests.cloud_relay.console.api import Program, calling

KEY = "0d3c5c1e-7a1f"


async def post(
    program: Program, path: str, body: Any, key: str = KEY, raw: bytes | None = None
) -> tuple[int, Any, bool]:
    """Status, answer, and whether it was an answer that was kept."""
    headers = {**program.headers, "Idempotency-Key": key}
    more: dict[str, Any] = {"data": raw} if raw is not None else {"json": body}
    async with program._session.post(f"{program.url}/api/v1{path}", headers=headers, **more) as response:
        return response.status, await response.json(), response.headers.get("Idempotency-Replayed") == "true"


async def aged(program: Program, key: str, by: timedelta, *, running: bool = False) -> None:
    def work(books: Books) -> None:
        team = books.accounts.team_named("Acme")
        assert team is not None
        kept = books.kept_answers.of(team.id, sha256_of(key))
        assert kept is not None
        status = None if running else kept.status
        books.kept_answers.put(msgspec.structs.replace(kept, at=kept.at - by, status=status))

    await program.cloud.store.write(work)


async def test_what_is_asked_again_happens_once_and_is_answered_the_same(tmp_path: Path) -> None:
    async with calling(tmp_path, "Acme", "Beta") as (acme, beta):
        status, made, replayed = await post(acme, "/sites", {"name": "Harbour"})
        assert (status, replayed) == (201, False)
        assert await post(acme, "/sites", {"name": "Harbour"}) == (201, made, True)
        assert len((await acme.get("/sites"))["items"]) == 1
        status, theirs, replayed = await post(beta, "/sites", {"name": "Harbour"})
        assert (status, replayed, theirs["id"] != made["id"]) == (201, False, True), "another team's key is another key"
    async with calling(tmp_path, "Acme") as (acme,):
        assert await post(acme, "/sites", {"name": "Harbour"}) == (201, made, True), "a start later too"
        status, refused, _ = await post(acme, "/sites", {"name": "Mill Lane"})
        assert (status, refused["code"]) == (422, "idempotency_key_reused")
        status, refused, _ = await post(acme, "/gateways", {"name": "Harbour"})
        assert (status, refused["code"]) == (422, "idempotency_key_reused")
        await aged(acme, KEY, KEPT_FOR)
        status, refused, replayed = await post(acme, "/sites", {"name": "Harbour"})
        assert (status, refused["code"], replayed) == (409, "name_taken", False), "after a day it is a new key"


async def test_two_at_once_are_one(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        answers = await asyncio.gather(*(post(program, "/sites", {"name": "Harbour"}) for _ in range(8)))
        made = [answer for status, answer, replayed in answers if status == 201 and not replayed]
        assert len(made) == 1
        for status, answer, _ in answers:
            assert (status, answer.get("code")) in ((201, None), (409, "idempotency_key_busy")), answer
        assert len((await program.get("/sites"))["items"]) == 1


async def test_what_was_refused_is_forgotten_and_what_broke_off_is_not_repeated(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        assert (await post(program, "/sites", {"name": " "}))[0] == 400
        assert (await post(program, "/sites", {"name": "Harbour"}))[0] == 201
        await aged(program, KEY, timedelta(), running=True)
        status, busy, _ = await post(program, "/sites", {"name": "Harbour"})
        assert (status, busy["problem"], busy["retry_after_s"]) == (409, "in_progress", 1)
        await aged(program, KEY, UNDER_WAY_AT_MOST, running=True)
        status, busy, _ = await post(program, "/sites", {"name": "Harbour"})
        assert (status, busy["problem"]) == (409, "broke_off")
        assert "new key" in busy["next_step"]


async def test_secrets_in_answers_are_not_kept_readable(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        site = (await program.post("/sites", {"name": "Harbour"}))["id"]
        _, made, _ = await post(program, "/gateways", {"siteId": site, "name": "Box"})
        assert (await post(program, "/gateways", {"siteId": site, "name": "Box"}))[1]["claim"] == made["claim"]
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert made["claim"].encode() not in file.read_bytes(), file
            assert KEY.encode() not in file.read_bytes(), file


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "caf\u00e9"])
async def test_a_key_that_is_none_is_refused(tmp_path: Path, key: str) -> None:
    async with calling(tmp_path) as (program,):
        status, refused, _ = await post(program, "/sites", {"name": "Harbour"}, key=key)
        assert (status, refused["code"], refused["where"]) == (400, "request_invalid", "Idempotency-Key")
        assert (await program.get("/sites"))["items"] == []


async def test_every_post_of_the_api_takes_a_key() -> None:
    posts = [route for route in app.API if route.method == "POST" and route.auth == "team"]
    assert len(posts) > 10
    assert all("once" in route.handler.__qualname__ for route in posts)
