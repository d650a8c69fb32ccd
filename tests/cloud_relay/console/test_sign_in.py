"""Coming in with address and password, and leaving."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from argon2 import PasswordHasher

from cloud_relay.console.sign_in import WRONG_MAX, local_path
from cloud_relay.fleet.ports import Books
from tests.doubles.console import PASSWORD, Console, running_console


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with running_console(tmp_path) as running:
        yield running


async def test_the_front_leads_to_signing_in_and_then_to_the_team(console: Console) -> None:
    person = await console.person()
    assert (await person.get("/")).path == "/sign-in"
    page = await person.sign_in()
    assert (page.status, page.path) == (200, person.base)
    assert "Acme" in page.text
    assert (await person.get("/")).path == person.base
    assert (await person.get("/sign-in?next=/t/x")).status == 404, "signed in already: on to where they wanted to go"


async def test_a_wrong_password_and_an_unknown_address_look_the_same(console: Console) -> None:
    person = await console.person()
    wrong = await person.sign_in("not the password")
    person.email = "nobody@acme.example"
    unknown = await person.sign_in()
    assert wrong.status == unknown.status == 401
    assert wrong.text.replace("admin@acme.example", "") == unknown.text.replace("nobody@acme.example", "")
    assert "do not go together" in wrong.text


async def test_too_many_wrong_passwords_close_the_account_for_a_while(console: Console) -> None:
    person = await console.person()
    pages = [await person.sign_in("wrong") for _ in range(WRONG_MAX)]
    assert {page.status for page in pages} == {401}
    refused = await person.sign_in()
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) > 0


async def test_leaving_ends_the_session_and_needs_our_own_form(console: Console) -> None:
    person = await console.member()
    assert (await person.post("/sign-out", csrf="guessed")).status == 403
    assert (await person.get(person.base)).status == 200
    cookies = [(each.key, each.value) for each in person.http.cookie_jar]
    assert (await person.post("/sign-out")).path == "/sign-in"
    person.http.cookie_jar.update_cookies(dict(cookies))
    assert (await person.get(person.base)).path.startswith("/sign-in?next="), "the secret is good no more"


async def test_whoever_is_shut_out_has_no_session(console: Console) -> None:
    person = await console.member()

    def shut_out(books: Books) -> None:
        user = books.accounts.user_with_email(person.email)
        assert user is not None
        books.accounts.put_user(msgspec.structs.replace(user, disabled_at=user.created_at))

    await console.cloud.store.write(shut_out)
    assert (await person.get(person.base)).path.startswith("/sign-in")
    assert (await person.sign_in()).status == 401


async def test_a_weakly_kept_password_is_kept_better_after_the_next_sign_in(console: Console) -> None:
    person = await console.person()
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)

    def kept(books: Books) -> str | None:
        user = books.accounts.user_with_email(person.email)
        return user.password_hash if user is not None else None

    def weaken(books: Books) -> None:
        user = books.accounts.user_with_email(person.email)
        assert user is not None
        books.accounts.put_user(msgspec.structs.replace(user, password_hash=weak))

    await console.cloud.store.write(weaken)
    assert (await person.sign_in()).path == person.base
    assert (await console.cloud.store.read(kept)) != weak
    assert (await person.sign_in()).path == person.base


async def test_somebody_without_a_team_is_told_so(console: Console) -> None:
    person = await console.member()

    def leave(books: Books) -> None:
        user = books.accounts.user_with_email(person.email)
        assert user is not None
        books.accounts.remove_member(books.accounts.memberships(user.id)[0].team.id, user.id)

    await console.cloud.store.write(leave)
    assert "No team yet" in (await person.get("/")).text


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("/t/x?a=1", "/t/x?a=1"), ("", "/"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil", "/"),
     ("/a\r\nSet-Cookie: x", "/")],
)  # fmt: skip
def test_only_our_own_paths_are_gone_to(wanted: str, found: str) -> None:
    assert local_path(wanted) == found
