"""The team at a glance."""

import re
from html import unescape
from pathlib import Path

from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.sites import add_gateway, add_site
from tests.cloud_relay.made import ACT
from tests.doubles.console import running_console
from tests.doubles.fleet import box_of
from tests.doubles.sites import harbour_garage


async def test_it_counts_what_the_team_has_and_nothing_of_others(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person, other = await console.member(), await console.member(team="Other")
        team = await console.team()

        def work(books: Books) -> None:
            site = add_site(books, ACT, team.id, "Harbour")
            add_gateway(books, ACT, site, "Box")

        await console.cloud.store.write(work)
        assert "<b>1</b> <span>expected</span>" in (await person.get(person.base)).text
        assert "expected</span>" not in (await other.get(other.base)).text
        assert "No boxes yet." in (await other.get(other.base)).text
        assert "No open jobs" in (await person.get(person.base)).text


async def test_every_number_leads_to_the_list_that_has_as_many(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        box = await box_of(console)
        await box.tell_site(harbour_garage())
        box.come()
        await box_of(console, site="Mill Lane", name="GW-2")
        text = (await person.get(person.base)).text
        found = re.findall(r'<a href="([^"]+)"><b>(\d+)</b> <span>([^<]+)</span>', text)
        tiles = [tile for tile in found if not tile[0].endswith("/alerts")]  # they come by themselves, a moment later
        assert {words: int(count) for _, count, words in tiles} == {
            "online": 1, "offline": 1, "connected": 8, "charging now": 1, "disconnected": 1, "in trouble": 1,
            "awaited": 3, "with a fault": 1, "to answer": 1,
        }  # fmt: skip
        for path, count, words in tiles:
            listed = (await person.get(unescape(path))).text
            mark = 'class="card thread-card"' if path.endswith("/notes") else '<th role="rowheader"'
            assert listed.count(mark) == int(count), words
