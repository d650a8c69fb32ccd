"""The id tokens of a site as pages."""

from html import unescape
from pathlib import Path

from cloud_relay.fleet.roles import Role
from tests.doubles.console import running_console
from tests.doubles.fleet import box_of


async def test_tokens_are_listed_changed_found_and_removed(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member(Role.OPERATOR)
        path = f"{person.base}/sites/{(await box_of(console)).place.site}/id-tokens"
        assert "None yet." in (await person.get(path)).text
        made = await person.post(path, {"token": "04A1", "note": "Ann", "expires": "2027-03-31T18:00"})
        assert "<code>04A1</code><small>Ann</small>" in made.text
        assert "waiting for the box" in made.text
        await person.post(path, {"token": "04B2", "status": "Blocked", "parent": "FLEET", "charge_points": "CP1; CP2"})
        form = (await person.get(f"{path}?change=04b2")).text
        for said in ('value="04B2"', "<option selected>Blocked</option>", 'value="FLEET"', 'value="cp1, cp2"'):
            assert said in form, said
        assert 'value="2027-03-31T18:00"' in (await person.get(f"{path}?change=04A1")).text
        await person.post(path, {"token": "04b2", "status": "Accepted", "note": "Ben"})
        text = (await person.get(path)).text
        assert ("Ben" in text, "FLEET" in text) == (True, False), "what is said replaces all of it"
        for query, found in (("ann", ["04A1"]), ("04b", ["04b2"]), ("zz", [])):
            text = (await person.get(f"{path}?q={query}")).text
            assert [each for each in ("04A1", "04b2") if f"<code>{each}</code>" in text] == found, query
        gone = await person.post(f"{path}/remove", {"token": "04A1"})
        assert ("<code>04A1</code>" in gone.text, "<code>04b2</code>" in gone.text) == (False, True)
        assert (await person.post(f"{path}/remove", {"token": "04A1"})).status == 404


async def test_what_is_wrong_is_said_at_the_form(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        path = f"{person.base}/sites/{(await box_of(console)).place.site}/id-tokens"
        for form, where in (
            ({"token": " "}, "token"), ({"token": "04A1", "status": "Perhaps"}, "status"),
            ({"token": "04A1", "expires": "soon"}, "expires"), ({"token": "04A1", "note": "x" * 201}, "note"),
        ):  # fmt: skip
            page = await person.post(path, {"note": "kept", **form})
            assert (page.status, 'id="e-one"' in page.text) == (422, True), form
            assert f'name="{where}"' in page.text.partition('aria-describedby="e-one"')[0].rpartition("<")[2], where
        assert "None yet." in (await person.get(path)).text


async def test_a_table_is_taken_whole_or_not_at_all_and_saved_again(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        path = f"{person.base}/sites/{(await box_of(console)).place.site}/id-tokens"
        lines = "".join(f"04{number:04X}\n" for number in range(150))
        wrong = await person.post(f"{path}/table", {"table": f"token,status\n{lines}04FF,Perhaps\n"})
        assert (wrong.status, "Line 152, status: not allowed; allowed: Accepted" in wrong.text) == (422, True)
        assert "04FF,Perhaps" in wrong.text
        assert "None yet." in (await person.get(path)).text
        done = await person.post(f"{path}/table", {"table": f"token\n{lines}"})
        assert "<b>150</b> listed" in done.text
        following = unescape(done.text.partition(">Next page</a>")[0].rpartition('href="')[2].rstrip('"'))
        assert (await person.get(path + following)).text.count('<th role="rowheader"') == 50
        saved = (await person.get(f"{path}.csv")).text
        assert len(saved.splitlines()) == 151
        await person.post(f"{path}/table", {"table": "token\n04A1\n", "replace": "1"})
        assert "<b>1</b> listed" in (await person.get(path)).text
        assert "<b>150</b> listed" in (await person.post(f"{path}/table", {"table": saved, "replace": "1"})).text


async def test_who_may_only_read_reads(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        box, other = await box_of(console), await console.member(team="Other")
        operator, reader = await console.member(Role.OPERATOR), await console.member(Role.AUDITOR)
        path = f"/sites/{box.place.site}/id-tokens"
        await operator.post(operator.base + path, {"token": "04A1"})
        page = await reader.get(reader.base + path)
        assert "<code>04A1</code>" in page.text
        assert 'method="post"' not in page.text.replace('method="post" action="/sign-out"', "")
        for below in ("", "/remove", "/table"):
            form = {"token": "04A1", "table": "token\n04B2"}
            assert (await reader.post(reader.base + path + below, form)).status == 403, below
            assert (await other.post(other.base + path + below, form)).status == 404, below
        for below in ("", ".csv"):
            assert (await other.get(other.base + path + below)).status == 404, below
