"""The frame around every page of the console."""

from pathlib import Path

from cloud_relay.console.drawing import NAVIGATION
from cloud_relay.fleet.permissions import RIGHTS
from cloud_relay.fleet.roles import Role
from tests.doubles.console import running_console


async def test_the_frame_names_team_and_person_and_says_where_one_is(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member(Role.OPERATOR)
        text = (await person.get(person.base)).text
        assert '<p class="team">Acme</p>' in text
        assert f'<a href="{person.base}" aria-current="page">Overview</a>' in text
        assert ">Operator</a>" in text


async def test_somebody_of_two_teams_can_go_from_one_to_the_other(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        one = await console.person(email="both@example.com")
        other = await console.member(team="Other", email="both@example.com")
        text = (await other.get(other.base)).text
        assert f'<a href="/t/{one.team}">Acme</a>' in text
        assert f'<a href="/t/{other.team}" aria-current="true">Other</a>' in text


async def test_an_error_is_a_page_in_the_frame(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        page = await person.get(f"{person.base}/nothing-here")
        assert page.status == 404
        assert "<h1>" in page.text
        installer = await person.get("/j/nothing-here")
        assert "side" not in installer.text


def test_every_line_needs_a_right_there_is() -> None:
    assert {line.right for line in NAVIGATION} <= set(RIGHTS)
    assert len({line.key for line in NAVIGATION}) == len(NAVIGATION)
