"""Boxes on a site's page: by code and by claim, replaced, revoked, and let in again."""

from dataclasses import replace
from pathlib import Path

import msgspec

from cloud_relay.fleet.announcing import announce
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.roles import Role
from cloud_relay.fleet.tokens import CLAIM, find
from tests.doubles.console import ACT, Console, running_console
from tests.doubles.fleet import Box, box_of


async def shown_code(console: Console, key: str = "k" * 8) -> str:
    """As a box without a claim gets it, to show to people."""
    act = replace(ACT, at=console.cloud.gateways._clock.now())
    said = await console.cloud.store.write(
        lambda books: announce(books, act, key, name="Cellar box", software="1.4.0", renew=False)
    )
    assert said.code is not None
    return said.code


async def changed(console: Console, box: Box, **what: object) -> None:
    def work(books: Books) -> None:
        link = books.links.of(box.id)
        assert link is not None
        books.links.put(msgspec.structs.replace(link, **what))

    await console.cloud.store.write(work)


async def test_a_claim_is_shown_once_and_a_box_is_revoked(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        box = await box_of(console)
        box.come()
        site = f"{person.base}/sites/{box.place.site}"
        page = await person.post(f"{site}/boxes", {"name": "GW-2"})
        claim = find(CLAIM, page.text.partition('<p class="claim"><code>')[2].partition("<")[0])
        assert claim is not None
        assert "ws://" in page.text
        text = (await person.get(site)).text
        assert claim not in text
        assert "expected until" in text
        assert (await person.post(f"{site}/boxes", {"name": ""})).status == 400
        revoked = await person.post(f"{site}/boxes/{box.id}/revoke")
        assert ">revoked" in revoked.text
        assert box.heard[-1] == "revoked"


async def test_who_types_the_code_a_box_shows_has_it(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member(Role.OPERATOR)
        site = f"{person.base}/sites/{(await box_of(console)).place.site}"
        code = await shown_code(console)
        bad = await person.post(f"{site}/boxes", {"name": "North", "code": "AAAA-BBBB"})
        assert (bad.status, "No box shows this code now." in bad.text) == (403, True)
        assert 'value="AAAA-BBBB"' in bad.text
        assert 'value="North"' in bad.text
        done = await person.post(f"{site}/boxes", {"name": "", "code": f" {code.lower().replace('-', ' ')} "})
        assert (done.path, ">Cellar box</h3>" in done.text) == (site, True)
        assert "claimed, not connected yet" in done.text
        again = await person.post(f"{site}/boxes", {"code": code})
        assert "This box was claimed already." in again.text


async def test_codes_are_not_guessed(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        site = f"{person.base}/sites/{(await box_of(console)).place.site}"
        answers = [await person.post(f"{site}/boxes", {"code": "AAAA-BBBB"}) for _ in range(60)]
        refused = next(each for each in answers if each.status == 429)
        assert 'id="e-box"' in refused.text


async def test_another_box_takes_its_place(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member(Role.OPERATOR)
        by_claim, by_code = await box_of(console), await box_of(console, site="Mill Lane", name="GW-2")
        site = f"{person.base}/sites/{by_claim.place.site}"
        by_claim.come()
        page = await person.post(f"{site}/boxes/{by_claim.id}/replace", {"code": ""})
        assert find(CLAIM, page.text.partition('<p class="claim"><code>')[2].partition("<")[0]) is not None
        assert by_claim.heard[-1] == "replaced"
        text = (await person.get(site)).text
        assert '<p class="st off">replaced' in text
        assert "It may come once more, to hand over." in text
        await changed(console, by_claim, late_since=ACT.at)
        assert "It came once more and handed over what it had." in (await person.get(site)).text
        twice = await person.post(f"{site}/boxes/{by_claim.id}/replace", {"code": ""})
        assert (twice.status, twice.path) == (409, f"{site}/boxes/{by_claim.id}/replace")

        site = f"{person.base}/sites/{by_code.place.site}"
        by_code.come()
        bad = await person.post(f"{site}/boxes/{by_code.id}/replace", {"code": "AAAA-BBBB"})
        assert f'id="replace-{by_code.id}" open' in bad.text
        assert "No box shows this code now." in bad.text
        assert "replaced" not in by_code.heard
        done = await person.post(f"{site}/boxes/{by_code.id}/replace", {"code": await shown_code(console)})
        assert (done.status, done.path) == (200, site)
        assert "replaced" in by_code.heard


async def test_of_two_with_one_disk_the_chosen_start_stays(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        box = await box_of(console)
        boots = ("aaaaaaaa-1", "bbbbbbbb-2", "aaaaaaaa-1")
        await changed(console, box, alarm="copied", quarantined_at=ACT.at, boots=boots)
        site = f"{person.base}/sites/{box.place.site}"
        text = (await person.get(site)).text
        assert text.count('name="boot"') == 2
        assert "Start <code>bbbbbbbb</code>" in text
        clear = f"{site}/boxes/{box.id}/clear"
        other = await person.post(clear, {"boot": "cccccccc-3"})
        assert (other.status, f'id="clear-{box.id}" open' in other.text) == (409, True)
        await person.post(clear, {"boot": "bbbbbbbb-2"})
        link = await console.cloud.store.read(lambda books: books.links.of(box.id))
        assert link is not None
        assert (link.quarantined_at, link.boots, link.barred) == (None, ("bbbbbbbb-2",), ("aaaaaaaa-1",))


async def test_who_may_not_change_boxes_is_refused(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        box, other = await box_of(console), await console.member(team="Other")
        path = f"/sites/{box.place.site}/boxes"
        for role in (Role.SUPPORT, Role.AUDITOR):
            person = await console.member(role)
            for below in ("", f"/{box.id}/replace", f"/{box.id}/revoke", f"/{box.id}/clear"):
                assert (await person.post(person.base + path + below, {"name": "x"})).status == 403, below
                assert (await other.post(other.base + path + below, {"name": "x"})).status == 404, below


async def test_a_stopped_box_may_connect_again_when_somebody_has_looked(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person, reader = await console.member(Role.OPERATOR), await console.member(Role.SUPPORT)
        other = await console.member(team="Other")
        box = await box_of(console)

        def stop(books: Books) -> None:
            link = books.links.of(box.id)
            assert link is not None
            books.links.put(msgspec.structs.replace(link, alarm="copied", quarantined_at=ACT.at))

        await console.cloud.store.write(stop)
        site = f"/sites/{box.place.site}"
        clear = f"{site}/boxes/{box.id}/clear"
        assert "Let GW-7F3A connect again" in (await person.get(person.base + site)).text
        assert "connect again</button>" not in (await reader.get(reader.base + site)).text
        assert (await reader.post(reader.base + clear)).status == 403
        assert (await other.post(other.base + clear)).status == 404
        done = await person.post(person.base + clear)
        assert done.path == person.base + site
        assert "Two boxes take turns" not in done.text
        link = await console.cloud.store.read(lambda books: books.links.of(box.id))
        assert link is not None
        assert link.quarantined_at is None
