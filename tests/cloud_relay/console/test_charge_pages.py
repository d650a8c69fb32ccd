"""A charge, with its curve."""

from pathlib import Path

from cloud_relay.fleet.roles import Role
from tests.doubles.console import running_console
from tests.doubles.fleet import box_of, hours_ago
from tests.doubles.sites import charging_day, harbour_garage


async def test_it_shows_who_when_how_much_and_its_curve(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member(Role.AUDITOR)
        box = await box_of(console)
        await box.tell_site(charging_day(hours_ago(20)))
        page = await person.get(f"{person.base}/sites/{box.place.site}/charge-points/row-1/charges/21")
        assert page.status == 200
        assert "04A1B2C3D4E5" not in page.text
        assert "1 h 41 min" in page.text
        assert "the car was unplugged" in page.text
        assert page.text.count("<polyline") == 2
        assert "11.0 kW at most." in page.text
        assert "data-seq" not in page.text, "it is over and changes no more"


async def test_one_that_runs_says_what_it_has_so_far(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        box = await box_of(console)
        await box.tell_site(harbour_garage())
        text = (await person.get(f"{person.base}/sites/{box.place.site}/charge-points/row-3/charges/12")).text
        assert "<b>0.42 kWh</b>" in text
        assert "running" in text
        assert "data-seq" in text


async def test_without_values_there_is_a_line_by_the_meter_alone(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        box = await box_of(console)
        await box.tell_site(harbour_garage())
        text = (await person.get(f"{person.base}/sites/{box.place.site}/charge-points/row-1/charges/11")).text
        assert "worked out from the energy" in text
        assert "0.42 kWh" in text


async def test_a_charge_of_another_team_site_or_charge_point_is_not_there(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person, other = await console.member(), await console.member(team="Other")
        box, theirs = await box_of(console), await box_of(console, team="Other")
        await box.tell_site(harbour_garage())
        await theirs.tell_site(charging_day(hours_ago(20)))
        ours = f"/sites/{box.place.site}/charge-points"
        for path in (f"{ours}/row-1/charges/12", f"{ours}/row-1/charges/21", f"{ours}/row-1/charges/x"):
            assert (await person.get(person.base + path)).status == 404, path
        assert (await other.get(f"{other.base}{ours}/row-1/charges/11")).status == 404
        assert (
            await person.get(f"{person.base}/sites/{theirs.place.site}/charge-points/row-1/charges/21")
        ).status == 404
