"""The jobs of a site, as the port wants them. The page over them: `tests/cloud_relay/console/test_job_links.py`."""

import asyncio
import itertools
from collections.abc import Sequence
from datetime import timedelta

import pytest

from cloud_relay.fleet.gateways import Gateways
from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.log_records import BoxLink, Place
from cloud_relay.fleet.news import News
from cloud_relay.fleet.site_jobs import SiteJobs
from cloud_relay.fleet.site_view import snapshot_of, sync_of
from cloud_relay.store.store import Store
from sitelink.errors import GatewayOffline, JobReadOnly, NotFound, TransferUnavailable
from sitelink.events import MeterRead
from sitelink.ids import ChargePointId, CommandId, JobId, TransferId
from sitelink.meter_values import Grade
from sitelink.states import ActionName, TransferKind
from tests.cloud_relay.made import batch, imported, op, site
from tests.doubles.clock import FakeClock
from tests.doubles.core import INSTALLER

JOB, ROW = JobId("j1"), ChargePointId("j1-1")


async def jobs_in(store: Store) -> SiteJobs:
    return (await jobs_and_boxes(store))[0]


async def jobs_and_boxes(store: Store) -> tuple[SiteJobs, Gateways, Place, GatewayId]:
    place, gateway = site(store)
    link = BoxLink(gateway, place.site, place.team, stream="s1")
    store.write_now(lambda books: books.links.put(link))
    numbers, clock, news = itertools.count(1), FakeClock(), News()
    gateways = Gateways(store, clock, news, lambda *_: True, node="n", new_id=lambda: f"id-{next(numbers)}")
    await gateways.take(place, gateway, batch(imported("CP001", "CP002")))
    links: Sequence[BoxLink] = [link]
    return SiteJobs(place, await gateways.state(place), links, gateways, news, clock.now()), gateways, place, gateway


async def test_what_is_changed_is_shown_at_once(store: Store) -> None:
    jobs = await jobs_in(store)
    await jobs.edit(JOB, ROW, INSTALLER, identity="CP009")
    await jobs.add_note(JOB, ROW, INSTALLER, "hello")
    await jobs.swap(JOB, ROW, ChargePointId("j1-2"), INSTALLER)
    rows = jobs.snapshot().state.charge_points
    assert [rows[ROW].identity, rows[ChargePointId("j1-2")].identity] == ["CP002", "CP009"]
    assert [note.text for note in rows[ROW].notes] == ["hello"]
    await jobs.open_pairing(JOB, INSTALLER)
    assert jobs.record(JOB)["number"] == "j1"
    await jobs.complete(JOB, INSTALLER, activate_all=True)
    with pytest.raises(JobReadOnly):
        await jobs.edit(JOB, ROW, INSTALLER, identity="CP010")


async def test_what_only_the_box_can_do_is_refused_while_it_is_away(store: Store) -> None:
    jobs = await jobs_in(store)
    for order in (
        jobs.act(JOB, ROW, ActionName.START, INSTALLER), jobs.pair_anew(JOB, ROW, INSTALLER),
        jobs.confirm_station(JOB, ROW, INSTALLER), jobs.secure(JOB, INSTALLER),
    ):  # fmt: skip
        with pytest.raises(GatewayOffline):
            await order
    with pytest.raises(TransferUnavailable):
        await jobs.fetch_log(JOB, ROW, TransferKind.DIAGNOSTICS, INSTALLER)
    with pytest.raises(NotFound):
        await jobs.command(JOB, CommandId("none"))
    for lookup in (jobs.transfer, jobs.transfer_file):
        with pytest.raises(NotFound):
            lookup(JOB, ROW, TransferId("none"))


async def test_a_page_that_was_away_hears_that_it_is_stale(store: Store) -> None:
    jobs = await jobs_in(store)
    news = jobs.news(JOB, after=jobs.snapshot().seq - 1)
    assert (await anext(news)).region == "page"  # type: ignore[call-overload]
    following = asyncio.ensure_future(anext(news))  # type: ignore[call-overload]
    await asyncio.sleep(0)
    await jobs.add_note(JOB, ROW, INSTALLER, "hello")
    assert (await following).seq == jobs.snapshot().seq
    await news.aclose()  # type: ignore[attr-defined]


async def test_what_a_meter_said_comes_minute_by_minute(store: Store) -> None:
    jobs, gateways, place, gateway = await jobs_and_boxes(store)
    begin = FakeClock().now() - timedelta(hours=2)
    said = [
        op(f"meter:j1/{name}", MeterRead(begin + timedelta(minutes=n), {"power_w.total": float(n)}), op_id=f"{name}{n}")
        for n in range(3) for name in ("Main", "Other")
    ]  # fmt: skip
    await gateways.take(place, gateway, batch(*said, channel="live"))
    since_s = int(begin.timestamp()) + 60
    told = await jobs.meter_moments(JOB, "Main", Grade.MINUTE, since_s)
    assert [(each.at_s - since_s, each.values["power_w.total"]) for each in told] == [(0, 1.0), (60, 2.0)]
    held = await gateways.state(place)
    known = snapshot_of(held, sync_of(held, [], ()), begin + timedelta(minutes=4)).meters[JOB, "Main"]
    assert (known.problem, known.values) == ("", {"power_w.total": 2.0})
    later = snapshot_of(held, sync_of(held, [], ()), begin + timedelta(minutes=9)).meters[JOB, "Main"]
    assert later.problem == "not_told"
