"""The cookie of the console and the field of its forms."""

from pathlib import Path

from cloud_relay.console.browser import COOKIE_PLAIN
from cloud_relay.fleet.ports import Books
from tests.doubles.console import running_console


async def test_the_cookie_is_a_secret_the_database_does_not_hold(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        (cookie,) = [each for each in person.http.cookie_jar if each.key == COOKIE_PLAIN]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie.value.startswith("gs1_")
        assert cookie.value not in (tmp_path / "gatepost-cloud.sqlite3").read_bytes().decode("latin-1", "replace")


async def test_a_form_of_another_site_is_refused(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        headers = {"Origin": "https://evil.example"}
        data = {"csrf": person.csrf}
        async with person.http.post(f"{console.url}/sign-out", data=data, headers=headers) as response:
            assert response.status == 403
        async with person.http.post(f"{console.url}/sign-in", data={}, headers=headers) as response:
            assert response.status == 403


async def test_a_session_that_is_used_is_noted_but_not_at_every_turn(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        await person.get(person.base)

        def seen(books: Books) -> list[object]:
            user = books.accounts.user_with_email(person.email)
            assert user is not None
            return [each.seen_at - each.created_at for each in books.sessions.of_user(user.id)]

        (kept,) = await console.cloud.store.read(seen)
        assert str(kept) == "0:00:00"
