"""The team at a glance."""

from pathlib import Path

from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.sites import add_gateway, add_site
from tests.cloud_relay.made import ACT
from tests.doubles.console import running_console


async def test_it_counts_what_the_team_has_and_nothing_of_others(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person, other = await console.member(), await console.member(team="Other")
        team = await console.team()

        def work(books: Books) -> None:
            site = add_site(books, ACT, team.id, "Harbour")
            add_gateway(books, ACT, site, "Box")

        await console.cloud.store.write(work)
        assert "<b>1</b> <span>boxes offline</span>" in (await person.get(person.base)).text
        assert "<b>0</b> <span>boxes offline</span>" in (await other.get(other.base)).text
        assert "No open jobs" in (await person.get(person.base)).text
