"""Serials handed over between teams: on the charge point's page, and by programs."""

import re
from pathlib import Path

from cloud_relay.fleet.roles import Role
from tests.cloud_relay.console.api import calling
from tests.doubles.console import Console, Person, running_console


async def pointed(console: Console, person: Person, site: str) -> str:
    """Where the page of the only charge point of a job that names CP001 is."""
    await person.post(f"{person.base}/jobs/new", {"site": site, "rows": "Bay 1;CP001"})
    text = (await person.get(f"{person.base}/charge-points")).text
    found = re.search(rf'href="({person.base}/sites/[^"]+/charge-points/[^"]+)"', text)
    assert found is not None
    return found[1]


async def test_an_operator_hands_it_over_and_takes_it_back(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        acme, beta = await console.member(Role.OPERATOR), await console.member(Role.OPERATOR, team="Beta")
        ours, theirs = await pointed(console, acme, "Harbour"), await pointed(console, beta, "Mill Lane")
        page = (await beta.get(theirs)).text
        assert "Serial is in use by: Acme" in page
        assert "Bay 1 has it as soon as they hand it over." in page
        assert "Beta names it too and waits." in (await acme.get(ours)).text
        assert (await acme.post(f"{ours}/release-serial", {"to": "Nobody"})).status == 404
        done = await acme.post(f"{ours}/release-serial", {"to": "Beta"})
        assert (done.path, "was given up here and belongs to Beta" in done.text) == (ours, True)
        assert "belongs to this site." in (await beta.get(theirs)).text
        again = await acme.post(f"{ours}/release-serial", {})
        assert (again.status, "no serial here that could be given up" in again.text) == (409, True)
        back = await acme.post(f"{ours}/take-back-serial")
        assert "belongs to Beta." in back.text
        await beta.post(f"{theirs}/release-serial", {})
        assert "belongs to this site." in (await acme.get(ours)).text


async def test_who_may_not_is_refused(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        operator = await console.member(Role.OPERATOR)
        reader, other = await console.member(Role.SUPPORT), await console.member(team="Beta")
        path = await pointed(console, operator, "Harbour")
        text = (await reader.get(path)).text
        assert ("belongs to this site." in text, "Give it up" in text) == (True, False)
        for below in ("release-serial", "take-back-serial"):
            assert (await reader.post(f"{path}/{below}", {})).status == 403
            there = path.replace(operator.base, other.base)
            assert (await other.post(f"{there}/{below}", {})).status == 404
        assert "belongs to this site." in (await reader.get(path)).text


async def test_a_program_hands_it_over(tmp_path: Path) -> None:
    async with calling(tmp_path, "Acme", "Beta") as (acme, beta):
        (_, ours), (_, theirs) = await acme.job("CP001"), await beta.job("CP001")
        (row,) = (await acme.get(f"/installer-jobs/{ours}"))["charge_points"]
        (wants,) = (await beta.get(f"/installer-jobs/{theirs}"))["charge_points"]
        assert wants["status"] == "Serial is in use by: Acme"
        path = f"/installer-jobs/{ours}/charge-points/{row['id']}"
        assert await acme.post(f"{path}/release-serial", {}, status=200) == {"team": "Beta"}
        (wants,) = (await beta.get(f"/installer-jobs/{theirs}"))["charge_points"]
        assert "in use" not in wants["status"]
        status, refused = await acme.call("POST", f"{path}/release-serial", {})
        assert (status, refused["code"], refused["team"]) == (409, "serial_not_held", "Beta")
        async with acme._session.post(f"{acme.url}/api/v1{path}/take-back-serial", headers=acme.headers) as response:
            assert response.status == 204
        (row,) = (await acme.get(f"/installer-jobs/{ours}"))["charge_points"]
        assert row["status"] == "Serial is in use by: Beta"
        kinds = [each["kind"] for each in (await acme.get("/audit?kind=serial."))["items"]]
        assert kinds == ["serial.taken_back", "serial.released"]
        assert [each["kind"] for each in (await beta.get("/audit?kind=serial."))["items"]] == ["serial.received"]
