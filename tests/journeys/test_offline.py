"""A box that was away for weeks comes back: how things stand is seen at once, then everything arrives, once, in order.

The nightly run is thirty days of twenty charge points with a sample a minute each (RELIABILITY N1).
"""

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from cloud_relay.store import log_tables as t
from edge_agent.compose import Box
from sitelink import events as e
from sitelink.decisions import Decision
from sitelink.ops import STATION, Fact
from sitelink.states import ConnectorStatus
from tests.cloud_relay.links.test_app import claim_in
from tests.cloud_relay.links.test_server import cloud_at
from tests.doubles.core import job_file
from tests.edge_agent.relay.test_link import box_at, is_in_step, place_in, until

STATIONS = 20
AT_ONCE = 500
WORDS = (ConnectorStatus.PREPARING, ConnectorStatus.AVAILABLE)


def status(number: int, at: object) -> Fact:
    event = e.ConnectorChanged(connector=1, status=WORDS[number // STATIONS % 2], at=at)  # type: ignore[arg-type]
    return Fact(f"station:cp{number % STATIONS:03}", event, STATION)


def sample(number: int, at: object) -> Fact:
    value = e.MeterSample(measurand="Energy.Active.Import.Register", unit="Wh", value=float(number))
    event = e.MeterValuesReported(connector=1, at=at, samples=(value,), content=f"c{number}")  # type: ignore[arg-type]
    return Fact(f"station:cp{number % STATIONS:03}", event, STATION)


async def live_through(box: Box, ops: int, samples: int) -> None:
    """So much happens on site while nobody is there to be told."""
    begin = box.jobs.snapshot().now
    for make, count in ((status, ops), (sample, samples)):
        for first in range(0, count, AT_ONCE):
            some = range(first, min(first + AT_ONCE, count))
            facts = tuple(make(number, begin + timedelta(seconds=number)) for number in some)
            await box.store.journal.write(lambda _ledger, these=facts: Decision(these, None))


async def away_and_back(tmp_path: Path, ops: int, samples: int, within_s: float) -> None:
    async with cloud_at(tmp_path / "cloud") as (cloud, url):
        claim = await cloud.store.write(claim_in)
    async with box_at(tmp_path / "box", url, claim) as box:
        await box.jobs.import_job(job_file())
        await live_through(box, ops, samples)
        waiting = box.jobs.snapshot().relay.backlog
        expected = {key: each.connectors[1].status for key, each in box.jobs.snapshot().state.stations.items()}
    async with cloud_at(tmp_path / "cloud") as (cloud, url), box_at(tmp_path / "box", url, claim) as box:
        began = time.perf_counter()
        await until(lambda: box.jobs.snapshot().relay.connected)
        place = await asyncio.to_thread(place_in, cloud)
        while True:
            shown = (await cloud.gateways.state(place)).state.stations
            if {key: each.connectors[1].status for key, each in shown.items() if key in expected} == expected:
                break
        live_s = time.perf_counter() - began
        async with asyncio.timeout(within_s):
            while not is_in_step(box):  # noqa: ASYNC110 -- the other side of a socket tells nobody here
                await asyncio.sleep(0.05)
            log_s = time.perf_counter() - began
            while await asyncio.to_thread(measured, cloud.store) < samples:  # noqa: ASYNC110 -- as above
                await asyncio.sleep(0.1)
        all_s = time.perf_counter() - began
        rates = f"log {waiting / log_s:.0f} ops/s, telemetry {samples / max(all_s - log_s, 0.001):.0f} samples/s"
        print(
            f"\nback after {ops} ops, {samples} samples: live status after {live_s:.1f} s, {rates}, all {all_s:.1f} s"
        )
        assert live_s <= 5
        (gateway,) = cloud.gateways.online
        numbers, ids = await asyncio.to_thread(in_the_cloud, cloud.store, gateway)
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(set(ids)) == len(ids)
        own = [op.op_id for _, op in await everything(box) if op.kind != "ownership"]
        assert ids == own


async def everything(box: Box) -> list[object]:
    found: list[object] = []
    after = 0
    while some := await box.store.history.ops(after, 5000):
        found += [(seq, op) for seq, op in some]
        after = some[-1][0]
    return found


def measured(store: object) -> int:
    query = sa.select(sa.func.count()).select_from(t.telemetry)
    return int(store._database.read(lambda connection: connection.execute(query).scalar()).result())  # type: ignore[attr-defined]


def in_the_cloud(store: object, gateway: str) -> tuple[list[int], list[str]]:
    query = sa.select(t.op.c.number, t.op.c.op_id).where(t.op.c.gateway_id == gateway).order_by(t.op.c.number)
    rows = store._database.read(lambda connection: connection.execute(query).all()).result()  # type: ignore[attr-defined]
    return [row[0] for row in rows], [row[1] for row in rows]


async def test_a_box_that_was_away_for_a_while(tmp_path: Path) -> None:
    await away_and_back(tmp_path, ops=3_000, samples=6_000, within_s=90)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
async def test_a_box_that_was_away_for_thirty_days(tmp_path: Path) -> None:
    await away_and_back(tmp_path, ops=50_000, samples=864_000, within_s=1800)
