"""A search for meters is begun, followed and ended; the ports it uses are free meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_agent.meters import scan as module
from edge_agent.meters.poller import Poller
from edge_agent.meters.search import Search
from edge_agent.site.ports import SearchState, SearchWanted
from sitelink.errors import RequestInvalid
from tests.doubles.core import Core, job_file
from tests.doubles.virtual_meter import Line, serial_line, serving_tcp
from tests.edge_agent.meters.test_poller import meter


@pytest.fixture
async def core() -> AsyncIterator[Core]:
    made = Core()
    task = asyncio.ensure_future(made.search.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def ended(search: Search) -> SearchState:
    async with asyncio.timeout(60):
        while (state := search.state()) is None or state.running:  # noqa: ASYNC110 -- the scan's own pace
            await asyncio.sleep(0.02)
    return state


async def test_what_is_found_stays_until_the_next(core: Core) -> None:
    assert core.search.state() is None
    async with serving_tcp(Line(meter("abb-b23"))) as port:
        await core.search.start(SearchWanted(hosts="127.0.0.1", port=port))
        state = core.search.state()
        assert state is not None
        assert state.running
        state = await ended(core.search)
    assert [(each.profiles[0], each.guessed, each.unit) for each in state.found] == [("abb-b23", False, 1)]
    assert (state.done, state.total, state.stopped) == (1, 1, False)
    await core.search.start(SearchWanted(hosts="127.0.0.9", port=port))
    assert (await ended(core.search)).found == ()


async def test_it_is_stopped_and_begun_anew_while_it_runs(core: Core) -> None:
    async with serving_tcp(Line(meter("abb-b23"))) as port:
        await core.search.start(SearchWanted(hosts="127.0.0.1", port=port, every_address=True))
        async with asyncio.timeout(30):
            while not (state := core.search.state()) or not state.found:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await core.search.stop()
        state = core.search.state()
        assert state is not None
        assert (state.running, state.stopped, len(state.found)) == (False, True, 1)
        await core.search.stop()
        await core.search.start(SearchWanted(hosts="127.0.0.1", port=port, every_address=True))
        await core.search.start(SearchWanted(hosts="127.0.0.1", port=port))
        assert len((await ended(core.search)).found) == 1


async def test_of_two_that_start_at_once_the_last_is_the_one(core: Core) -> None:
    async with serving_tcp(Line(meter("abb-b23"))) as port:
        first = core.search.start(SearchWanted(hosts="127.0.0.1", port=port, every_address=True))
        await asyncio.gather(first, core.search.start(SearchWanted(hosts="127.0.0.1", port=port)))
        state = await ended(core.search)
    assert (state.done, state.total, len(state.found)) == (1, 1, 1)


@pytest.mark.parametrize("hosts", ["8.8.8.8", "x", "10.0.0.0/8", ""])
async def test_hosts_that_are_none_of_the_site_are_refused(core: Core, hosts: str) -> None:
    with pytest.raises(RequestInvalid):
        await core.search.start(SearchWanted(hosts=hosts))
    assert core.search.state() is None


async def test_meters_on_serial_ports_are_not_read_meanwhile_and_are_afterwards(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.01)
    monkeypatch.setattr(module, "lines_of", lambda _profiles: (module.Settings(9600, "N", 1),))
    async with serial_line(Line(meter("abb-b23", 1), meter("eastron-sdm630", 2)), tmp_path) as device:
        listed = {"name": "Main", "profile": "abb-b23", "transport": f"rtu://{device}", "unit_id": 1}
        job = (await core.jobs.import_job(job_file(meters=[listed]))).job
        poller = asyncio.ensure_future(Poller(core.meters, period_s=0.05).run())
        async with asyncio.timeout(30):
            while not core.meters.states():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        core.serial_ports = (str(device),)
        await core.search.start(SearchWanted())
        await asyncio.sleep(0.05)
        assert core.meters.listed() == {}
        assert core.meters.states()[(job, "Main")].problem == "searching"
        state = await ended(core.search)
        assert sorted(each.unit for each in state.found) == [1, 2]
        assert state.problems == {}
        async with asyncio.timeout(30):
            while core.meters.states()[(job, "Main")].problem:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        poller.cancel()
        await asyncio.gather(poller, return_exceptions=True)
