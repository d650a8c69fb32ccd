"""Which meters are read, and what is known of them."""

import asyncio

import msgspec
import pytest

from edge_agent.site.meters import TOLD_EVERY_S, MeterDesk
from edge_agent.site.ports import MeterPoll
from sitelink.ops import Author
from sitelink.states import AuthorType
from tests.doubles.core import Core, job_file

MAIN = {"name": "Main", "profile": "abb-b23", "transport": "tcp://192.0.2.7"}
DESK = Author(type=AuthorType.OPERATOR, name="Desk")


@pytest.fixture
async def core() -> Core:
    return Core()


def desk_of(core: Core) -> tuple[MeterDesk, list[int]]:
    told: list[int] = []
    return MeterDesk(core.journal, core.clock, lambda: told.append(1)), told


async def test_meters_of_jobs_that_are_under_way_are_read(core: Core) -> None:
    desk, _ = desk_of(core)
    assert desk.listed() == {}
    waiting = asyncio.ensure_future(desk.changed())
    job = (await core.jobs.import_job(job_file(meters=[MAIN]))).job
    await asyncio.wait_for(waiting, 1)
    assert list(desk.listed()) == [(job, "Main")]
    waiting = asyncio.ensure_future(desk.changed())
    await core.jobs.archive(job)
    await asyncio.wait_for(waiting, 1)
    assert desk.listed() == {}, "nobody looks at it any more"


async def test_a_change_of_something_else_is_none(core: Core) -> None:
    desk, _ = desk_of(core)
    job = (await core.jobs.import_job(job_file(meters=[MAIN]))).job
    desk.listed()
    waiting = asyncio.ensure_future(desk.changed())
    row = core.journal.state.jobs[job].charge_points[0]
    await core.jobs.edit(job, row, DESK, identity="CP9")
    await asyncio.sleep(0.05)
    assert not waiting.done()
    waiting.cancel()


async def test_a_problem_keeps_the_last_values_and_says_since_when(core: Core) -> None:
    desk, told = desk_of(core)
    key = ((await core.jobs.import_job(job_file(meters=[MAIN]))).job, "Main")
    desk.listed()
    desk.take(MeterPoll(meter=key, values={"power_w.total": 5.0}, flags={"power_w.total": "implausible"}))
    read = desk.states()[key]
    assert (read.problem, read.values, read.at) == ("", {"power_w.total": 5.0}, core.clock.now())
    core.clock.advance(5)
    desk.take(MeterPoll(meter=key, problem="silent"))
    since = core.clock.now()
    core.clock.advance(5)
    desk.take(MeterPoll(meter=key, problem="silent"))
    state = desk.states()[key]
    assert (state.problem, state.since, state.at, state.values) == ("silent", since, read.at, read.values)
    desk.take(MeterPoll(meter=key, values={"power_w.total": 6.0}))
    assert (desk.states()[key].problem, desk.states()[key].since) == ("", None)
    assert len(told) == 4


async def test_pages_are_told_at_once_of_trouble_and_now_and_then_of_values(core: Core) -> None:
    desk, told = desk_of(core)
    key = ((await core.jobs.import_job(job_file(meters=[MAIN]))).job, "Main")
    for _ in range(5):
        desk.take(MeterPoll(meter=key, values={}))
        core.clock.advance(TOLD_EVERY_S / 2)
    assert len(told) == 3
    desk.take(MeterPoll(meter=key, problem="silent"))
    assert len(told) == 4


async def test_what_another_meter_said_is_not_said_by_the_one_that_takes_its_name(core: Core) -> None:
    desk, _ = desk_of(core)
    job = (await core.jobs.import_job(job_file(meters=[MAIN]))).job
    (meter,) = desk.listed().values()
    desk.take(MeterPoll(meter=(job, "Main"), values={"power_w.total": 5.0}))
    assert (job, "Main") in desk.states()
    other = msgspec.structs.replace(meter, unit_id=2)
    await core.jobs.put_meter(job, other, DESK, instead_of="Main")
    assert desk.listed() == {(job, "Main"): other}
    assert desk.states() == {}
    await core.jobs.remove_meter(job, "Main", DESK)
    assert desk.listed() == {}
