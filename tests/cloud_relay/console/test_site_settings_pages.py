"""Settings of a site's boxes, changed on a page."""

from pathlib import Path

from cloud_relay.fleet.roles import Role
from tests.doubles.console import running_console
from tests.doubles.fleet import box_of


async def test_what_is_said_stands_on_the_page_until_it_is_taken_back(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member(Role.OPERATOR)
        box = await box_of(console)
        path = f"{person.base}/sites/{box.place.site}/settings"
        assert (await person.get(path)).text.count("never said") == 5
        done = await person.post(path, {"authorisation.unknown": "reject", "ocpp.heartbeat_interval_s": " 300 "})
        assert done.path == path
        assert '<option value="reject" selected>are refused</option>' in done.text
        assert 'value="300"' in done.text
        assert done.text.count("waiting for the box") == 2
        assert done.text.count("never said") == 3
        back = await person.post(path, {"authorisation.unknown": ""})
        assert "selected" not in back.text.partition("authorisation.unknown")[2].partition("</select>")[0]
        assert 'value="300"' in back.text, "what is not sent stays"


async def test_one_wrong_value_changes_nothing_and_stays_in_its_field(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        path = f"{person.base}/sites/{(await box_of(console)).place.site}/settings"
        for wrong in ("5", "soon", "9" * 40, "-60"):
            page = await person.post(path, {"authorisation.unknown": "reject", "ocpp.heartbeat_interval_s": wrong})
            assert (page.status, f'value="{wrong}"' in page.text) == (422, True), wrong
            assert "Allowed: 10 to 86400." in page.text
            assert (await person.get(path)).text.count("never said") == 5


async def test_who_may_only_read_reads(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        box, other = await box_of(console), await console.member(team="Other")
        operator = await console.member(Role.OPERATOR)
        path = f"/sites/{box.place.site}/settings"
        await operator.post(operator.base + path, {"ocpp.heartbeat_interval_s": "300"})
        reader = await console.member(Role.SUPPORT)
        page = await reader.get(reader.base + path)
        assert "300 seconds" in page.text
        assert "<select" not in page.text
        assert (await reader.post(reader.base + path, {"authorisation.unknown": "reject"})).status == 403
        assert (await other.get(other.base + path)).status == 404
        assert (await other.post(other.base + path, {"authorisation.unknown": "reject"})).status == 404
