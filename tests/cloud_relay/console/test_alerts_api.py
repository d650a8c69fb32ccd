"""Alerts for programs."""

from datetime import timedelta
from pathlib import Path

from cloud_relay.fleet import alerts
from cloud_relay.fleet.alert_records import RULES, Cause
from cloud_relay.fleet.ids import SiteId, TeamId
from cloud_relay.fleet.ports import Books
from tests.cloud_relay.console.api import Program, calling
from tests.cloud_relay.made import NOW


async def opened(program: Program, *subjects: str, rule: str = "charge_point_offline", site: str = "") -> TeamId:
    """Each a minute after the other."""
    team = TeamId((await program.get("/teams"))["items"][0]["id"])
    for minutes, subject in enumerate(subjects):
        cause = Cause(rule, subject, f"Bay {subject}", NOW, SiteId(site) if site else None, {"job": "j1"})
        what, now = alerts.Move(opened=(cause,)), NOW + timedelta(minutes=minutes)

        def work(books: Books, what: alerts.Move = what, now: object = now) -> bool:
            return alerts.carry_out(books, team, what, now)  # type: ignore[arg-type]

        assert await program.cloud.store.write(work)
    return team


async def test_they_are_listed_narrowed_and_read_page_by_page(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        site = (await program.post("/sites", {"name": "Harbour"}))["id"]
        await opened(program, "1", "2", "3", rule="webhook_failing")
        await opened(program, "4", site=site)

        async def names(query: str) -> list[str]:
            return [each["name"] for each in (await program.get(f"/alerts?{query}"))["items"]]

        assert set(await names("")) == {"Bay 1", "Bay 2", "Bay 3", "Bay 4"}
        assert await names("rule=webhook_failing") == ["Bay 3", "Bay 2", "Bay 1"]
        assert await names(f"site={site}") == ["Bay 4"]
        assert await names("status=closed") == []
        page = await program.get("/alerts?rule=webhook_failing&limit=2")
        assert [each["name"] for each in page["items"]] == ["Bay 3", "Bay 2"]
        assert await names(f"rule=webhook_failing&limit=2&cursor={page['next']}") == ["Bay 1"]
        for wrong in ("status=nonsense", "rule=nonsense"):
            status, answer = await program.call("GET", f"/alerts?{wrong}")
            assert (status, answer["code"]) == (400, "request_invalid"), wrong


async def test_one_is_acknowledged_by_its_team_alone(tmp_path: Path) -> None:
    async with calling(tmp_path, "Acme", "Other") as (program, other):
        await opened(program, "1")
        (alert,) = (await program.get("/alerts"))["items"]
        assert (alert["state"], alert["detail"], alert["acknowledged_at"]) == ("open", {"job": "j1"}, None)
        path = f"/alerts/{alert['id']}/acknowledge"
        assert (await other.call("POST", path))[0] == 404
        assert (await other.get("/alerts"))["items"] == []
        known = await program.post(path, None, status=200)
        assert (known["state"], known["acknowledged_by"]) == ("acknowledged", "ci")
        assert await program.post(path, None, status=200) == known
        assert (await program.get("/alerts?status=acknowledged"))["items"] == [known]


async def test_rules_are_read_and_set(tmp_path: Path) -> None:
    async with calling(tmp_path, "Acme", "Other") as (program, other):
        usual = await program.get("/alert-rules")
        assert [each["rule"] for each in usual["items"]] == list(RULES)
        assert usual["items"][0] == {
            "rule": "gateway_offline", "enabled": True, "after": 10, "unit": "minutes", "usual": 10
        }  # fmt: skip
        wanted = {"items": [{"rule": "gateway_offline", "after": 2}, {"rule": "job_idle", "enabled": False}]}
        status, changed = await program.call("PUT", "/alert-rules", wanted)
        assert status == 200
        told = {each["rule"]: (each["enabled"], each["after"]) for each in changed["items"]}
        assert told["gateway_offline"] == (True, 2)
        assert told["job_idle"] == (False, 7)
        assert await program.get("/alert-rules") == changed
        assert await other.get("/alert-rules") == usual
        for wrong in ({"rule": "x"}, {"rule": "job_idle", "after": 366}, {"rule": "job_idle", "after": "1"}):
            assert (await program.call("PUT", "/alert-rules", {"items": [wrong]}))[0] in (400, 422), wrong
        assert (await program.call("PUT", "/alert-rules", {"items": []}))[1] == usual


async def test_a_token_needs_the_right_for_it(tmp_path: Path) -> None:
    async with calling(tmp_path, scopes=("alerts:read",)) as (program,):
        assert (await program.get("/alerts"))["items"] == []
        assert (await program.call("POST", "/alerts/x/acknowledge"))[0] == 403
        assert (await program.call("PUT", "/alert-rules", {"items": []}))[0] == 403
    async with calling(tmp_path, scopes=("sites:read",)) as (program,):
        assert (await program.call("GET", "/alerts"))[0] == 403
