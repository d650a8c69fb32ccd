"""The link as people see and change it, over real sockets: a code, a claim, leaving, coming again."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cloud_relay.compose import Cloud
from cloud_relay.fleet.acts import SYSTEM, Act
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Gateway, Site
from cloud_relay.fleet.sites import add_gateway, add_site
from cloud_relay.fleet.teams import add_team
from edge_agent.compose import Box
from sitelink.errors import ClaimInvalid, CloudLeft, RelayRefused, TooMany
from tests.cloud_relay.links.test_server import cloud_at
from tests.cloud_relay.made import ACT
from tests.doubles.core import job_file
from tests.edge_agent.relay.test_link import WITHIN_S, box_at, is_in_step, until


def harbour(cloud: Cloud, name: str = "Harbour") -> Site:
    def work(books: Books) -> Site:
        known = books.accounts.team_named("Acme") or add_team(books, ACT, "Acme")
        return add_site(books, ACT, known.id, name)

    return cloud.store.write_now(work)


async def status(box: Box, **wanted: Any) -> dict[str, Any]:
    """As `edge-agent relay status` says it, once it says this; a value `...` means: anything that is something."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            found: dict[str, Any] = await box.operations.run("relay.status", {})
            if all(found[key] if value is ... else found[key] == value for key, value in wanted.items()):
                return found
            await asyncio.sleep(0.05)


async def typed(cloud: Cloud, site: Site, code: str) -> Gateway:
    act = Act(SYSTEM, cloud.gateways._clock.now())
    return await cloud.gateways.claim_box(act, site.team, site.id, "Cellar", code)


async def test_a_code_on_the_box_typed_in_the_console_makes_it_a_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud_relay.links.app.AGAIN_IN_S", 1)
    async with cloud_at(tmp_path / "cloud") as (cloud, url), box_at(tmp_path / "box", url, "") as box:
        site = harbour(cloud)
        await box.jobs.import_job(job_file())
        waits = await status(box, code=..., problem="waits_for_claim")
        assert (waits["enrolled"], waits["connected"], waits["backlog_ops"] > 0) == (False, False, True)
        assert waits["oldest_unsent"] is not None
        gateway = await typed(cloud, site, waits["code"])
        there = await status(box, connected=True)
        assert (there["gateway"], there["team"], there["site"]) == (gateway.id, "Acme", "Harbour")
        assert (there["code"], there["problem"], there["said"]) == (None, None, None)
        await until(lambda: is_in_step(box))
        assert cloud.store.read_now(lambda books: books.logs.end(site.id)) > 0


async def test_a_team_cannot_try_codes_without_end(tmp_path: Path) -> None:
    async with cloud_at(tmp_path) as (cloud, _):
        site = harbour(cloud)
        for n in range(10):
            with pytest.raises(ClaimInvalid):
                await typed(cloud, site, f"2222-222{n + 2}" if n < 8 else "nonsense")
        with pytest.raises(TooMany):
            await typed(cloud, site, "2222-2222")


async def test_a_claim_is_handed_over_while_the_agent_runs_and_the_cloud_is_left_for_another_site(
    tmp_path: Path,
) -> None:
    async with cloud_at(tmp_path / "cloud") as (cloud, url), box_at(tmp_path / "box", url, "") as box:
        site, other = harbour(cloud), harbour(cloud, "Other")
        job = await box.jobs.import_job(job_file())
        with pytest.raises(CloudLeft):
            await box.operations.run("relay.leave", {"confirm": True})
        with pytest.raises(RelayRefused):
            await box.operations.run("relay.enrol", {"claim": "gw1_wrong"})
        _, claim = cloud.store.write_now(lambda books: add_gateway(books, ACT, site, "Box"))
        await until_enrolled(box, cloud, site, "First")
        await until(lambda: is_in_step(box))
        with pytest.raises(CloudLeft) as refused:
            await box.operations.run("relay.leave", {})
        assert (refused.value.fields["problem"], refused.value.fields["unsent"]) == ("confirm", 0)
        with pytest.raises(CloudLeft):
            await box.operations.run("relay.enrol", {"claim": claim})
        assert await box.operations.run("relay.leave", {"confirm": True}) == {"left": "Harbour", "unsent": 0}
        assert job.job in box.jobs.snapshot().state.jobs, "what is on the box stays there"
        await status(box, enrolled=False, code=...)
        await until_enrolled(box, cloud, other, "Second")
        await until(lambda: is_in_step(box))

        def jobs_there() -> set[str]:
            listed = cloud.store.read_now(lambda books: books.logs.jobs(other.team, after=None, limit=9))
            return {each.id for each in listed if each.site == other.id}

        await until(lambda: job.job in jobs_there())
        assert job.job in box.jobs.snapshot().state.jobs


async def until_enrolled(box: Box, cloud: Cloud, site: Site, name: str) -> None:
    act = Act(SYSTEM, cloud.gateways._clock.now())
    _, claim = cloud.store.write_now(lambda books: add_gateway(books, act, site, name))
    done = await box.operations.run("relay.enrol", {"claim": claim})
    assert done["site"] == site.name
    await status(box, connected=True)
