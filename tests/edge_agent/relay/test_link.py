"""The link of a real box to a real cloud, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cloud_relay.compose import Cloud
from cloud_relay.fleet.log_records import Place
from cloud_relay.fleet.ports import Books
from edge_agent.compose import Box, serving
from edge_agent.config import Http, Ocpp, Relay, Settings
from sitelink import job_rules as rules
from sitelink.errors import GatewayOffline
from sitelink.ids import ChargePointId, CommandId, JobId
from sitelink.model import ChargePoint
from sitelink.ops import Author
from sitelink.states import AuthorType, JobStatus
from tests.cloud_relay.links.test_app import claim_in
from tests.cloud_relay.links.test_server import cloud_at
from tests.cloud_relay.made import OPERATOR
from tests.doubles.core import INSTALLER, job_file

WITHIN_S = 15.0


@asynccontextmanager
async def box_at(folder: Path, url: str, claim: str) -> AsyncIterator[Box]:
    settings = Settings(
        data_dir=folder, ocpp=Ocpp(bind="127.0.0.1", port=0), http=Http(bind="127.0.0.1", port=0),
        relay=Relay(url=f"{url.replace('http', 'ws')}/relay", claim=claim),
    )  # fmt: skip
    async with serving(settings) as box:
        yield box


async def until(true: Callable[[], Any]) -> Any:
    """What it is, once it is something."""
    async with asyncio.timeout(WITHIN_S):
        while not (found := true()):  # noqa: ASYNC110 -- the other side of a socket tells nobody here
            await asyncio.sleep(0.02)
        return found


def place_in(cloud: Cloud) -> Place:
    def work(books: Books) -> Place:
        (team,) = books.accounts.teams()
        (site,) = books.sites.page(team.id, after=None, limit=2)
        return Place(team.id, team.name, site.id)

    return cloud.store.read_now(work)


def bay(box: Box, name: str = "Bay 1") -> ChargePoint:
    return next(row for row in box.jobs.snapshot().state.charge_points.values() if row.name == name)


def is_in_step(box: Box) -> bool:
    relay = box.jobs.snapshot().relay
    return relay.connected and relay.backlog == 0


async def test_what_was_done_without_the_cloud_is_there_when_it_comes(tmp_path: Path) -> None:
    """The whole way: commission offline, come back, edits both ways, an order, a completion."""
    async with cloud_at(tmp_path / "cloud") as (cloud, url):
        claim = await cloud.store.write(claim_in)
    async with box_at(tmp_path / "box", url, claim) as box:  # nobody is there yet
        job = await box.jobs.import_job(job_file())
        await box.jobs.edit(job.job, bay(box, "Bay 2").id, INSTALLER, identity="CP077")
        await box.jobs.add_note(job.job, bay(box).id, INSTALLER, "breaker C2 is loose")
        assert not box.jobs.snapshot().relay.connected
        assert box.jobs.snapshot().relay.backlog > 0
    async with cloud_at(tmp_path / "cloud") as (cloud, url), box_at(tmp_path / "box", url, claim) as box:
        await until(lambda: is_in_step(box))
        place = place_in(cloud)
        held = await cloud.gateways.state(place)
        row = bay(box)
        assert [note.text for note in held.state.charge_points[row.id].notes] == ["breaker C2 is loose"]
        assert held.state.charge_points[bay(box, "Bay 2").id].identity == "CP077"
        await until(lambda: bay(box).checked == bay(box).identity)

        note = rules.decide_note(job.job, row.id, OPERATOR, "electrician comes at 3", by_operator=True)
        await cloud.gateways.decide(place, note)
        await until(lambda: len(bay(box).notes) == 2)

        (gateway,) = cloud.gateways.online
        ack = await cloud.gateways.order(
            gateway, "start", {"job": job.job, "charge_point": row.id}, "Ann", CommandId("c1")
        )
        assert ack.code == "action_unavailable", "the charge point is not connected: refused, and nothing is queued"
        unknown = await cloud.gateways.order(gateway, "dance", {}, "Ann", CommandId("c2"))
        assert unknown.code == "order_unknown"
        late = await cloud.gateways.order(gateway, "start", {}, "Ann", CommandId("c3"), ttl_ms=-1)
        assert late.code == "order_expired"

        await box.jobs.complete(job.job, INSTALLER, activate_all=True)
        await until(lambda: is_in_step(box))
        done = (await cloud.gateways.state(place)).state.jobs[job.job]
        assert done.status is JobStatus.COMPLETED
        live = cloud.store.read_now(lambda books: books.identities.activations(place.site, job.job))
        assert {each.state for each in live} == {"registered"}
        everything = cloud.store.read_now(lambda books: books.logs.of_gateway(gateway, 0, 999))
        assert [each.number for each in everything] == list(range(1, len(everything) + 1))
        assert len({each.op_id for each in everything}) == len(everything)


async def test_two_who_edit_apart_both_see_the_conflict(tmp_path: Path) -> None:
    async with cloud_at(tmp_path / "cloud") as (cloud, url):
        claim = await cloud.store.write(claim_in)
        async with box_at(tmp_path / "box", url, claim) as box:
            job = await box.jobs.import_job(job_file())
            await until(lambda: is_in_step(box) and bay(box).checked)
        place = place_in(cloud)
        row = ChargePointId(next(iter((await cloud.gateways.state(place)).state.charge_points)))
        desk = Author(type=AuthorType.OPERATOR, name="Desk")
        await cloud.gateways.decide(place, rules.decide_edit(job.job, row, desk, identity="CLOUD1"))
    async with box_at(tmp_path / "box", url, claim) as box:  # the cloud is away
        await box.jobs.edit(job.job, row, INSTALLER, identity="BOX1")
    async with cloud_at(tmp_path / "cloud") as (cloud, url), box_at(tmp_path / "box", url, claim) as box:
        mine = await until(
            lambda: (found := box.jobs.snapshot().state.charge_points[row]).identity_register.conflicting and found
        )
        assert {head.value for head in mine.identity_register.heads} == {"CLOUD1", "BOX1"}
        assert mine.identity == "BOX1", "meanwhile machines use what was written on site"
        await until(lambda: is_in_step(box))
        theirs = (await cloud.gateways.state(place)).state.charge_points[row]
        assert theirs.identity_register == mine.identity_register
        seen = [head.op for head in theirs.identity_register.heads]
        await cloud.gateways.decide(place, rules.decide_edit(job.job, row, desk, identity="CLOUD1", bases=seen))
        await until(lambda: not box.jobs.snapshot().state.charge_points[row].identity_register.conflicting)
        assert box.jobs.snapshot().state.charge_points[row].identity == "CLOUD1"


async def test_nothing_is_ordered_of_a_box_that_is_away(tmp_path: Path) -> None:
    async with cloud_at(tmp_path) as (cloud, _):
        try:
            await cloud.gateways.order(None, "start", {}, "Ann", CommandId("c1"))
        except GatewayOffline:
            return
    raise AssertionError("it was taken")


async def test_a_box_without_a_claim_says_so_and_works(tmp_path: Path) -> None:
    async with cloud_at(tmp_path / "cloud") as (_, url), box_at(tmp_path / "box", url, "") as box:
        job = await box.jobs.import_job(job_file())
        assert box.jobs.snapshot().relay.configured
        assert not box.jobs.snapshot().relay.connected
        assert JobId(job.job) in box.jobs.snapshot().state.jobs
