"""The list of all charge points, and the same as CSV."""

import csv
import io
from pathlib import Path

from cloud_relay.fleet.roles import Role
from tests.doubles.console import running_console
from tests.doubles.fleet import box_of
from tests.doubles.sites import MadeSite, harbour_garage, row


async def test_the_list_says_how_rows_come_to_be_and_then_has_them(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member(Role.AUDITOR)
        assert "No charge points yet." in (await person.get(f"{person.base}/charge-points")).text
        box = await box_of(console)
        await box.tell_site(harbour_garage())
        text = (await person.get(f"{person.base}/charge-points")).text
        assert "8 / 14" in text
        assert "the box is offline" in text
        box.come()
        assert "the box is offline" not in (await person.get(f"{person.base}/charge-points")).text
        found = (await person.get(f"{person.base}/charge-points?state=maintenance&q=zpr")).text
        assert "of those chosen" in found
        assert f'href="{person.base}/charge-points.csv?q=zpr&amp;state=maintenance"' in found
        assert ">Bay 14</a>" in found
        assert ">Bay 1</a>" not in found
        assert "No charge point is like that." in (await person.get(f"{person.base}/charge-points?q=nothing")).text


async def test_many_come_page_by_page(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        made = MadeSite()
        made.job(*(row(number, f"CP{number:04}") for number in range(1, 251)))
        box = await box_of(console)
        await box.tell_site(made)
        first = (await person.get(f"{person.base}/charge-points")).text
        following = first.partition(">Next page</a>")[0].rpartition('href="')[2].partition('"')[0]
        second = (await person.get(f"{person.base}/charge-points{following}")).text
        assert [first.count("<code>CP"), second.count("<code>CP")] == [200, 50]
        assert ">Bay 200</a>" in first
        assert ">Bay 201</a>" in second
        assert "0 / 250" in second


async def test_csv_has_all_that_the_filter_finds_and_no_formula(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person, other = await console.member(), await console.member(team="Other")
        made = MadeSite()
        made.job(row(1, "CP1"), row(2, "=1+1"), row(3, "CP3"))
        box = await box_of(console)
        await box.tell_site(made)
        page = await person.get(f"{person.base}/charge-points.csv?q=bay+")
        assert page.headers["Content-Type"].startswith("text/csv")
        lines = list(csv.reader(io.StringIO(page.text)))
        assert [line[2] for line in lines] == ["Charge Point Identity", "CP1", "'=1+1", "CP3"]
        assert lines[1][:2] == ["Harbour Garage", "Bay 1"]
        assert len((await person.get(f"{person.base}/charge-points.csv?q=CP3")).text.splitlines()) == 2
        assert len((await other.get(f"{other.base}/charge-points.csv")).text.splitlines()) == 1
        site = f"site={box.place.site}"
        assert len((await other.get(f"{other.base}/charge-points.csv?{site}")).text.splitlines()) == 1
        assert len((await person.get(f"{person.base}/charge-points.csv?{site}")).text.splitlines()) == 4
