"""What a live page hears."""

import asyncio
from collections.abc import AsyncIterator

from edge_agent.site.feed import stale_regions
from edge_agent.site.ports import Trouble
from edge_agent.site.reports import ConnectorReport
from sitelink.folding.changes import Changes
from sitelink.ids import CommandId
from sitelink.model import Command
from sitelink.states import ActionName, CommandState, ConnectorStatus
from tests.doubles.core import INSTALLER, Core, job_file
from tests.edge_agent.site.test_transactions import CP, values
from web_ui.ports import Stale


async def heard(news: AsyncIterator[Stale], count: int) -> list[Stale]:
    async with asyncio.timeout(5):
        return [await anext(news) for _ in range(count)]


async def test_a_connector_change_makes_its_row_and_the_header_stale_once() -> None:
    core = Core()
    job = await core.import_job()
    await core.boot("CP001")
    news = core.jobs.news(job.job, None)
    first = asyncio.ensure_future(anext(news))
    await asyncio.sleep(0)
    for status in (ConnectorStatus.PREPARING, ConnectorStatus.CHARGING):
        await core.desk.connector_changed(CP, ConnectorReport(1, status))
    regions = [(await first).region, *(stale.region for stale in await heard(news, 2))]
    assert sorted(regions) == sorted(["completion", f"cp:{core.row('Bay 1').id}", "header"])
    await news.aclose()


async def test_a_page_that_comes_back_hears_what_it_missed() -> None:
    core = Core()
    job = await core.import_job()
    after = core.journal.seq
    await core.jobs.add_note(job.job, core.row("Bay 2").id, INSTALLER, "hello")
    news = core.jobs.news(job.job, after)
    assert f"cp:{core.row('Bay 2').id}" in {stale.region for stale in await heard(news, 4)}
    await news.aclose()


async def test_a_page_that_comes_just_after_trouble_began_hears_of_it() -> None:
    core = Core()
    job = await core.import_job()
    after = core.journal.seq
    core.journal.fail(Trouble("disk_full", core.clock.now()))
    news = core.jobs.news(job.job, after)
    assert [stale.region for stale in await heard(news, 1)] == ["page"]
    await news.aclose()


async def test_a_page_from_another_life_of_the_box_reloads_whole() -> None:
    core = Core()
    job = await core.import_job()
    news = core.jobs.news(job.job, 999)
    assert [stale.region for stale in await heard(news, 1)] == ["page"]
    await news.aclose()
    assert core.feed.readers == 0


async def test_a_reboot_is_news_for_every_row_of_the_charge_point_and_a_start_for_its_own() -> None:
    core = Core()
    rows = [{"name": f"Bay {number}", "identity": "CP001", "connector": number} for number in (1, 2)]
    job = await core.jobs.import_job(job_file(rows))
    await core.boot("CP001")
    state = core.journal.state
    for action, names in ((ActionName.REBOOT, {"Bay 1", "Bay 2"}), (ActionName.START, {"Bay 1"})):
        command = Command(
            id=CommandId("c"), charge_point=core.row("Bay 1").id, action=action, station=CP, connector=1,
            by=INSTALLER, requested_at=core.clock.now(), state=CommandState.SENT,
        )  # fmt: skip
        stale = set(stale_regions(state, Changes(put=(command,))))
        assert stale == {(job.job, f"cp:{core.row(name).id}") for name in names}


async def test_strangers_are_news_for_the_seen_list_only() -> None:
    core = Core()
    job = await core.import_job()
    after = core.journal.seq
    await core.boot("STRANGER")
    news = core.jobs.news(job.job, after)
    assert [stale.region for stale in await heard(news, 1)] == ["seen"]
    await news.aclose()


async def test_meter_values_alone_make_a_row_stale_every_two_seconds_and_a_state_change_at_once() -> None:
    core = Core()
    job = await core.import_job()
    await core.boot("CP001")
    row = f"cp:{core.row('Bay 1').id}"
    news = core.jobs.news(job.job, None)
    first = asyncio.ensure_future(anext(news))
    await asyncio.sleep(0)
    await core.desk.meter_values(CP, values(100, station_time="2026-11-23T10:00:00Z"))
    assert (await asyncio.wait_for(first, 5)).region == row, "the first at once"
    second = asyncio.ensure_future(anext(news))
    await core.desk.meter_values(CP, values(110, station_time="2026-11-23T10:00:01Z"))
    done, _ = await asyncio.wait([second], timeout=0.6)
    assert not done, "the next ones wait"
    await core.desk.connector_changed(CP, ConnectorReport(1, ConnectorStatus.CHARGING))
    assert {(await asyncio.wait_for(second, 1)).region, *(s.region for s in await heard(news, 2))} >= {row, "header"}
    await news.aclose()


async def test_a_page_that_comes_back_hears_of_the_meter_values_it_missed() -> None:
    core = Core()
    job = await core.import_job()
    await core.boot("CP001")
    after = core.journal.seq
    await core.desk.meter_values(CP, values(100))
    news = core.jobs.news(job.job, after)
    assert [stale.region for stale in await heard(news, 1)] == [f"cp:{core.row('Bay 1').id}"]
    await news.aclose()


async def test_what_becomes_of_a_password_is_news_for_the_security_of_its_row() -> None:
    core = Core()
    job = await core.import_job()
    news = core.jobs.news(job.job, None)
    first = asyncio.ensure_future(anext(news))
    await asyncio.sleep(0)
    await core.keys.set_password(CP, "a-long-password-16", INSTALLER)
    row = core.row("Bay 1").id
    regions = {(await first).region, *(stale.region for stale in await heard(news, 3))}
    assert regions == {"completion", "header", f"cp:{row}", f"security:{row}"}
    await news.aclose()
