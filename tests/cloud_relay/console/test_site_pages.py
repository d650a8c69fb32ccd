"""Sites and boxes as pages: what is listed, what is changed, and who may."""

import csv
import io
from html import unescape
from pathlib import Path

from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.roles import Role
from cloud_relay.fleet.sites import add_site
from tests.doubles.console import ACT, running_console
from tests.doubles.fleet import box_of
from tests.doubles.sites import harbour_garage

READERS = (Role.SUPPORT, Role.AUDITOR)


async def test_the_list_says_how_rows_come_to_be_and_then_has_them(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        assert "No sites yet." in (await person.get(f"{person.base}/sites")).text
        box = await box_of(console)
        await box.tell_site(harbour_garage())
        text = (await person.get(f"{person.base}/sites")).text
        assert "offline since" in text
        assert "8 / 14" in text
        assert ">1042</a>" in text
        assert "1.4.0" in text
        box.come()
        assert '<p class="st ok">online</p>' in (await person.get(f"{person.base}/sites")).text


async def test_search_and_filters_stand_in_the_address(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        box = await box_of(console)
        await box.tell_site(harbour_garage())
        await box_of(console, site="Mill Lane", name="GW-2")
        for query, found in (
            ("q=harb", ["Harbour"]), ("q=ZPR104221", ["Harbour"]), ("q=sn-1", ["Harbour"]),
            ("q=gw-2", ["Mill"]), ("show=job", ["Harbour"]),
            ("show=offline", ["Harbour", "Mill"]), ("q=mill&show=job", []), ("show=nonsense", ["Harbour", "Mill"]),
        ):  # fmt: skip
            text = (await person.get(f"{person.base}/sites?{query}")).text
            assert [name for name in ("Harbour", "Mill") if f">{name} " in text] == found, query
        assert "No site here with “zz&lt;b” in its name" in (await person.get(f"{person.base}/sites?q=zz%3Cb")).text


async def test_many_sites_come_page_by_page(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        team = await console.team()

        def work(books: Books) -> None:
            for number in range(120):
                add_site(books, ACT, team.id, f"Site {number:03}")

        await console.cloud.store.write(work)
        seen, path = [], f"{person.base}/sites"
        for _ in range(3):
            text = (await person.get(path)).text
            seen += [number for number in range(120) if f">Site {number:03}<" in text]
            following = text.partition(">Next page</a>")[0].rpartition('href="')[2]
            path = f"{person.base}/sites{unescape(following.rstrip(chr(34)))}"
        assert seen == list(range(120))
        assert ">First page<" in text
        assert ">Next page<" not in text


async def test_a_site_is_made_named_anew_and_removed(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member(Role.OPERATOR)
        made = await person.post(f"{person.base}/sites", {"name": "Harbour", "address": "Quay 4"})
        assert made.path.startswith(f"{person.base}/sites/")
        assert "Quay 4" in made.text
        again = await person.post(f"{person.base}/sites", {"name": "harbour", "address": "kept"})
        assert (again.status, 'value="kept"' in again.text) == (409, True)
        empty = await person.post(made.path, {"name": " "})
        assert (empty.status, 'id="e-site"' in empty.text) == (400, True)
        changed = await person.post(made.path, {"name": "Harbour North", "address": ""})
        assert ">Harbour North<" in changed.text
        gone = await person.post(f"{made.path}/remove")
        assert gone.path == f"{person.base}/sites"
        assert "No sites yet." in gone.text
        assert (await person.get(made.path)).status == 404


async def test_what_a_removed_site_named_is_free_for_others(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        box = await box_of(console)
        await box.tell_site(harbour_garage())
        box.come()
        owned = await console.cloud.store.read(lambda books: books.identities.owned(box.place.team, 99))
        assert owned
        await person.post(f"{person.base}/sites/{box.place.site}/remove")
        assert box.heard[-1] == "revoked"
        assert not await console.cloud.store.read(lambda books: books.identities.owned(box.place.team, 99))


async def test_a_site_shows_its_charge_points_and_how_old_that_is(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        box = await box_of(console)
        await box.tell_site(harbour_garage())
        site = f"{person.base}/sites/{box.place.site}"
        text = (await person.get(site)).text
        assert '<p class="st busy">connected (busy-charging)</p>' in text
        assert "wait for it." in text
        assert "No box is online." in text
        box.come()
        assert "No box is online." not in (await person.get(site)).text


async def test_who_may_not_change_sees_no_buttons_and_is_refused(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        box = await box_of(console)
        site = f"/sites/{box.place.site}"
        for role in READERS:
            person = await console.member(role)
            for path in ("/sites", site):
                page = await person.get(person.base + path)
                assert page.status == 200
                assert 'method="post"' not in page.text.replace('method="post" action="/sign-out"', ""), path
                assert "New site" not in page.text
            assert (await person.get(f"{person.base}/sites/new")).status == 403
            for path in ("/sites", site, f"{site}/remove", f"{site}/boxes", f"{site}/boxes/{box.id}/revoke"):
                assert (await person.post(person.base + path, {"name": "x"})).status == 403, (role, path)


async def test_what_another_team_has_is_not_there(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        other = await console.member(team="Other")
        theirs, ours = await box_of(console), await box_of(console, team="Other")
        site = f"{other.base}/sites/{theirs.place.site}"
        assert (await other.get(site)).status == 404
        assert (await other.get(f"{other.base}/sites/Harbour%20Garage")).status == 404, "by its id alone"
        for path in ("", "/remove", "/boxes", f"/boxes/{theirs.id}/revoke"):
            assert (await other.post(site + path, {"name": "x"})).status == 404, path
        mixed = f"{other.base}/sites/{ours.place.site}/boxes/{theirs.id}/revoke"
        assert (await other.post(mixed)).status == 404
        assert not theirs.heard


async def test_what_the_list_finds_can_be_saved(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person, other = await console.member(Role.AUDITOR), await console.member(team="Other")
        box = await box_of(console, site="=Harbour")
        await box.tell_site(harbour_garage())
        await console.cloud.store.write(lambda books: add_site(books, ACT, box.place.team, "Yard"))
        page = await person.get(f"{person.base}/sites.csv")
        lines = list(csv.reader(io.StringIO(page.text)))
        assert [line[0] for line in lines] == ["Site", "'=Harbour", "Yard"]
        assert lines[1][2:4] == ["GW-7F3A", "offline since"]
        assert lines[1][6:] == ["8", "14", "1042"]
        assert lines[2][3] == "no box"
        assert len((await person.get(f"{person.base}/sites.csv?show=job")).text.splitlines()) == 2
        assert len((await other.get(f"{other.base}/sites.csv")).text.splitlines()) == 1
