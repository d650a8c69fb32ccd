"""The cookie of the console and the field of its forms."""

from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from cloud_relay.console.browser import COOKIE_PLAIN, is_still_member
from cloud_relay.console.caller import STORE
from cloud_relay.fleet.ids import TeamId
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.roles import Role
from programs.clock import SystemClock
from tests.doubles.console import running_console
from web_ui.access import GATE, Gate
from web_ui.limits import Limits
from web_ui.security import Hosts, Sessions


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


async def test_a_stream_ends_with_the_session_and_with_the_membership(tmp_path: Path) -> None:
    """Asked of a request as a stream has it: the cookie stays the same while the books change."""
    async with running_console(tmp_path) as console:
        leaving, staying = await console.member(Role.OPERATOR), await console.member()
        cookies = "; ".join(f"{each.key}={each.value}" for each in leaving.http.cookie_jar)
        app = web.Application()
        clock = SystemClock()
        app[STORE] = console.cloud.store
        app[GATE] = Gate(Sessions(b"k" * 32, clock), Limits(clock), Hosts([]), clock)
        request = make_mocked_request("GET", leaving.base, headers={"Cookie": cookies}, app=app)
        assert await is_still_member(request, leaving.team)
        assert not await is_still_member(request, "another")

        def leave(books: Books) -> None:
            user = books.accounts.user_with_email(leaving.email)
            assert user is not None
            books.accounts.remove_member(TeamId(leaving.team), user.id)

        await console.cloud.store.write(leave)
        assert not await is_still_member(request, leaving.team)
        assert (await staying.get(staying.base)).status == 200
