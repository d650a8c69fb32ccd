"""What operators say in the cloud holds at the charge points: a real cloud, a real box, a virtual charge point."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cloud_relay.compose import Cloud
from cloud_relay.fleet import site_settings as s
from edge_agent.compose import Box
from edge_agent.site.settings_view import Origin, setting_views
from sitelink.id_token_rules import TokenEntry
from tests.cloud_relay.links.test_app import claim_in
from tests.cloud_relay.links.test_server import cloud_at
from tests.cloud_relay.made import OPERATOR
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_connector import Token
from tests.doubles.core import INSTALLER, job_file
from tests.edge_agent.relay.test_link import box_at, is_in_step, place_in, until

DRIVER = "04A1B2C3D4"


@asynccontextmanager
async def ready_at(folder: Path, url: str, claim: str) -> AsyncIterator[tuple[Box, VirtualChargePoint]]:
    """A box with a completed job: its charge point, which is there, is open to drivers."""
    async with box_at(folder, url, claim) as box:
        job = await box.jobs.import_job(job_file())
        async with station_at(box) as station:
            await box.jobs.complete(job.job, INSTALLER, activate_all=True)
            yield box, station


@asynccontextmanager
async def station_at(box: Box) -> AsyncIterator[VirtualChargePoint]:
    async with VirtualChargePoint(f"ws://127.0.0.1:{box.ocpp_port}", "CP001") as station:
        await station.wait_until(lambda: station.accepted)
        yield station


async def verdict(station: VirtualChargePoint) -> str:
    answer: Any = await station.ask("Authorize", station.tongue.authorize(Token(DRIVER)))
    return str(answer["idTagInfo"]["status"])


async def becomes(station: VirtualChargePoint, wanted: str) -> None:
    async with asyncio.timeout(15):
        while await verdict(station) != wanted:  # noqa: ASYNC110 -- the other side of a socket tells nobody here
            await asyncio.sleep(0.05)


async def say(cloud: Cloud, key: str, value: Any) -> None:
    await cloud.gateways.work(place_in(cloud), lambda desk: s.set_setting(desk, key, value, OPERATOR))


def state_of(cloud: Cloud, key: str) -> str | None:
    found = cloud.store.read_now(lambda books: s.settings_of(books, place_in(cloud)))
    return next(each.state for each in found if each.key == key)


async def test_settings_and_tokens_of_the_cloud_hold_at_once_later_and_after_a_restart(tmp_path: Path) -> None:
    unknown = "authorisation.unknown"
    async with cloud_at(tmp_path / "cloud") as (cloud, url):
        claim = await cloud.store.write(claim_in)
        async with ready_at(tmp_path / "box", url, claim) as (box, station):
            await until(lambda: is_in_step(box))
            await becomes(station, "Accepted")
            await say(cloud, unknown, "reject")
            await becomes(station, "Invalid")
            await until(lambda: state_of(cloud, unknown) == "delivered")
            await cloud.gateways.work(place_in(cloud), lambda desk: s.put_token(desk, TokenEntry(DRIVER), OPERATOR))
            await becomes(station, "Accepted")
        blocked = TokenEntry(DRIVER, status="Blocked")
        await cloud.gateways.work(place_in(cloud), lambda desk: s.put_token(desk, blocked, OPERATOR))
        token = cloud.store.read_now(lambda books: s.find_token(books, place_in(cloud), DRIVER))
        assert token.state == "waiting", "the box is away"
        async with box_at(tmp_path / "box", url, claim) as box, station_at(box) as station:
            await becomes(station, "Blocked")
            token = await until(
                lambda: (
                    (found := cloud.store.read_now(lambda books: s.find_token(books, place_in(cloud), DRIVER)))
                    and found.state == "delivered"
                    and found
                )
            )
            await cloud.gateways.work(place_in(cloud), lambda desk: s.remove_token(desk, DRIVER, OPERATOR))
            await becomes(station, "Invalid")
    async with box_at(tmp_path / "box", url, claim) as box, station_at(box) as station:  # the cloud is away
        assert await verdict(station) == "Invalid", "what was said holds without the cloud, after a restart"
        state = box.jobs.snapshot().state
        shown = {each.key: each for each in setting_views(state, {unknown: "accept"})}[unknown]
        assert (shown.value, shown.origin, shown.by) == ("reject", Origin.CLOUD, OPERATOR.name)
    async with cloud_at(tmp_path / "cloud") as (cloud, _):
        await cloud.gateways.work(place_in(cloud), lambda desk: s.clear_setting(desk, unknown, OPERATOR))
    async with (
        cloud_at(tmp_path / "cloud") as (_, url), box_at(tmp_path / "box", url, claim) as box,
        station_at(box) as station,
    ):  # fmt: skip
        await becomes(station, "Accepted")


async def test_lists_of_charge_points_follow_what_the_cloud_says(tmp_path: Path) -> None:
    async with cloud_at(tmp_path / "cloud") as (cloud, url):
        claim = await cloud.store.write(claim_in)
        await say(cloud, "authorisation.local_list", "on")
        await cloud.gateways.work(place_in(cloud), lambda desk: s.put_token(desk, TokenEntry(DRIVER), OPERATOR))
        async with ready_at(tmp_path / "box", url, claim) as (box, _):

            def held() -> set[str]:
                lists = box.jobs.snapshot().state.local_lists
                return {entry.id_token for each in lists.values() for entry in each.entries.values()}

            await until(lambda: DRIVER in held())
            await cloud.gateways.work(place_in(cloud), lambda desk: s.remove_token(desk, DRIVER, OPERATOR))
            await until(lambda: DRIVER not in held())
