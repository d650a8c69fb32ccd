"""The door before pages of a team: who is let through, and who is sent where."""

from pathlib import Path

from cloud_relay.console.members import admitted
from cloud_relay.fleet.roles import Role
from tests.doubles.console import running_console
from web_ui.routes import Route


async def test_a_team_one_does_not_belong_to_is_not_there(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        ours, theirs = await console.member(), await console.member(team="Other")
        assert (await ours.get(ours.base)).status == 200
        assert (await ours.get(theirs.base)).status == 404
        assert (await ours.get("/t/nowhere")).status == 404


async def test_whoever_is_not_signed_in_comes_back_after_signing_in(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.person()
        page = await person.get(f"{person.base}?q=a%26b")
        assert page.path == f"/sign-in?next=/t/{person.team}?q%3Da%2526b"
        assert f'value="{person.base}?q=a%26b"' in page.text
        status = (await person.http.get(console.url + person.base, headers={"Accept": "application/json"})).status
        assert status == 401, "a script is told, not sent elsewhere"


async def test_every_role_sees_what_it_may(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        for role in Role:
            person = await console.member(role)
            assert (await person.get(person.base)).status == 200, role


def test_a_route_for_others_is_left_as_it_is() -> None:
    async def handler(_request: object) -> object:
        raise AssertionError

    route = Route("GET", "/x", handler, "x", auth="")  # type: ignore[arg-type]
    assert admitted(route) is route
