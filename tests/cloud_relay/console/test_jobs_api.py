"""Installer jobs over the API: made, found, changed, completed; and nobody else's."""

from pathlib import Path
from typing import Any

import pytest

from cloud_relay.console import jobs_api, operator_api
from sitelink.states import JobStatus
from tests.cloud_relay.console.api import Program, calling
from tests.edge_agent.relay.test_link import box_at, is_in_step, until


async def test_a_job_is_made_found_and_read_as_its_link_holder_sees_it(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        site, job = await program.job("CP001", "")
        view = await program.get(f"/installer-jobs/{job}")
        assert (view["number"], view["status"], view["site"]["name"], view["total"]) == ("1001", "open", "Harbour", 2)
        assert [row["status"] for row in view["charge_points"]] == ["pending", "No serial"]
        assert view["sync"] == {"delivered": False, "as_of": None, "gateway_online": False}
        again = await program.post("/installer-jobs", {"siteId": site})
        assert again["number"] == "1002"
        listed = (await program.get("/installer-jobs?limit=1"))["items"]
        assert [each["number"] for each in listed] == ["1002"]
        assert (await program.get("/installer-jobs?status=archived"))["items"] == []
        rows = (await program.get(f"/installer-jobs/{job}/charge-points"))["items"]
        assert rows == view["charge_points"]


async def test_a_list_goes_on_where_it_ended(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        site, _ = await program.job("CP001")
        for _ in range(4):
            await program.post("/installer-jobs", {"siteId": site})
        seen, cursor = [], ""
        while True:
            page = await program.get(f"/installer-jobs?limit=2&site={site}{cursor}")
            seen += [each["number"] for each in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert seen == ["1005", "1004", "1003", "1002", "1001"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"siteId": "none"}, "not_found"), ({}, "request_invalid"), ({"siteId": "S", "x": 1}, "request_invalid"),
        ({"siteId": "S", "chargePoints": [{"name": "a", "identity": "a/b"}]}, "job_file_invalid"),
        ({"siteId": "S", "chargePoints": [{"name": "a"}, {"name": "a"}]}, "job_file_invalid"),
        ({"siteId": "S", "number": "1001"}, "job_exists"),
    ],
)  # fmt: skip
async def test_a_job_that_is_none_is_refused_and_nothing_is_made(tmp_path: Path, body: Any, code: str) -> None:
    async with calling(tmp_path) as (program,):
        site, _ = await program.job("CP001")
        status, answer = await program.call(
            "POST", "/installer-jobs", {key: site if value == "S" else value for key, value in body.items()}
        )
        assert (status >= 400, answer["code"]) == (True, code)
        assert len((await program.get("/installer-jobs"))["items"]) == 1


async def row_of(program: Program, job: str) -> dict[str, Any]:
    found: dict[str, Any] = (await program.get(f"/installer-jobs/{job}"))["charge_points"][0]
    return found


async def test_a_charge_point_is_changed_one_thing_at_a_time(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        _, job = await program.job("CP001")
        path = f"/installer-jobs/{job}/charge-points/{(await row_of(program, job))['id']}"
        assert (await program.call("PATCH", path, {"serialNumber": " CP002 ", "connector": 2}))[1][
            "identity"
        ] == "CP002"
        noted = (await program.call("PATCH", path, {"note": "call me"}))[1]
        assert [(note["side"], note["text"]) for note in noted["notes"]] == [("operator", "call me")]
        assert (await program.call("PATCH", path, {"isActive": True}))[1]["active"] is True
        for body in ({}, {"note": "a", "isActive": True}, {"connector": 2, "note": "a"}):
            status, answer = await program.call("PATCH", path, body)
            assert (status, answer["code"]) == (400, "request_invalid"), body
        assert (await program.call("PATCH", f"/installer-jobs/{job}/charge-points/none", {"note": "a"}))[0] == 404


async def test_a_job_is_completed_once_reopened_and_put_away(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        _, job = await program.job("CP001")
        done = await program.post(f"/installer-jobs/{job}/mark-complete", {}, 200)
        assert (done["status"], done["charge_points"][0]["active"]) == (JobStatus.COMPLETED, True)
        status, answer = await program.call("POST", f"/installer-jobs/{job}/mark-complete", {})
        assert (status, answer["code"]) == (409, "already_completed")
        assert (await program.post(f"/installer-jobs/{job}/reopen", {}, 200))["status"] == "open"
        for _ in range(2):
            assert (await program.post(f"/installer-jobs/{job}/archive", {}, 200))["status"] == "archived"


async def test_a_link_is_shown_once(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        _, job = await program.job("CP001")
        made = await program.post(f"/installer-jobs/{job}/links", {})
        assert made["url"].endswith(f"/j#{made['token']}")
        assert made["token"].startswith("gl1_")
        body = {"role": "admin"}
        assert (await program.call("POST", f"/installer-jobs/{job}/links", body))[1]["code"] == "request_invalid"


async def test_nothing_is_ordered_of_a_site_without_its_box(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        _, job = await program.job("CP001")
        path = f"/installer-jobs/{job}/charge-points/{(await row_of(program, job))['id']}/actions"
        status, answer = await program.call("POST", path, {"action": "start"})
        assert (status, answer["code"]) == (409, "gateway_offline")


async def test_a_job_made_in_the_cloud_is_on_the_box_with_its_link(tmp_path: Path) -> None:
    """The operator makes a job and a link; the installer opens it on site; an order comes back refused by the box."""
    async with calling(tmp_path / "cloud") as (program,):
        site, job = await program.job("CP001")
        token = (await program.post(f"/installer-jobs/{job}/links", {}))["token"]
        claim = (await program.post("/gateways", {"siteId": site, "name": "Box"}))["claim"]
        async with box_at(tmp_path / "box", program.url, claim) as box:
            await until(lambda: is_in_step(box) and job in box.jobs.snapshot().state.jobs)
            link = box.jobs.link_of_token(token)
            assert link is not None
            assert link.job == job
            await until(lambda: box.jobs.snapshot().relay.connected)
            path = f"/installer-jobs/{job}/charge-points/{(await row_of(program, job))['id']}"
            status, answer = await program.call("POST", f"{path}/actions", {"action": "start"})
            assert (status, answer["code"], answer["action"]) == (409, "action_unavailable", "start")
            await program.call("PATCH", path, {"serialNumber": "CP777"})
            await until(lambda: [row.identity for row in box.jobs.snapshot().state.charge_points.values()] == ["CP777"])
            (view,) = (await program.get("/gateways"))["items"]
            assert view["online"]

            async def delivered() -> bool:
                return bool((await program.get(f"/installer-jobs/{job}"))["sync"]["delivered"])

            for _ in range(200):
                if await delivered():
                    break
            assert await delivered()
            await program.post(f"/gateways/{view['id']}/revoke", {}, 200)
            await until(lambda: not box.jobs.snapshot().relay.connected)


def filled(path: str, site: str, job: str, row: str, gateway: str) -> str:
    known = {"{site}": site, "{job}": job, "{charge_point}": row, "{gateway}": gateway}
    for name, value in known.items():
        path = path.replace(name, value)
    return path.removeprefix("/api/v1")


async def test_what_another_team_has_is_not_there(tmp_path: Path) -> None:
    """Every route with every object of one team, asked by another: 404, and nothing changes."""
    async with calling(tmp_path, "Acme", "Beta") as (acme, beta):
        site, job = await acme.job("CP001")
        gateway = (await acme.post("/gateways", {"siteId": site, "name": "Box"}))["gateway"]
        row = (await row_of(acme, job))["id"]
        before = await acme.get(f"/installer-jobs/{job}")
        bodies = {
            "post_gateway": {"siteId": site, "name": "x"}, "post_job": {"siteId": site},
            "patch_charge_point": {"note": "x"}, "post_action": {"action": "start"},
            "post_release": {"boot": "x"},
        }  # fmt: skip
        asked = 0
        for route in (*operator_api.ROUTES, *jobs_api.ROUTES):
            if "{" not in route.path and route.handler.__name__ not in bodies:
                continue
            body = bodies.get(route.handler.__name__, {}) if route.method != "GET" else None
            status, answer = await beta.call(route.method, filled(route.path, site, job, row, gateway), body)
            assert (status, answer["code"]) == (404, "not_found"), route
            asked += 1
        assert asked >= 12
        assert (await beta.get("/installer-jobs"))["items"] == []
        assert (await beta.get("/sites"))["items"] == []
        assert (await beta.get("/gateways"))["items"] == []
        after = await acme.get(f"/installer-jobs/{job}")
        assert {**after, "now": 0} == {**before, "now": 0}
