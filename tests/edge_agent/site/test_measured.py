"""Everything the site measures, in one list."""

from datetime import timedelta

from edge_agent.site.measured import CURRENT_FOR, Measuring, measured_of
from edge_agent.site.ports import MeterPoll
from sitelink.decisions import Decision
from sitelink.events import MeterSample, MeterValuesReported
from sitelink.ops import STATION, Fact
from tests.doubles.core import Core, job_file

MAIN = {"name": "Main", "profile": "abb-b23", "transport": "tcp://192.0.2.7"}


async def core_that_measures() -> Core:
    core = Core()
    job = (await core.jobs.import_job(job_file(meters=[MAIN, {**MAIN, "name": "Roof"}]))).job
    await core.boot("CP001")
    core.meters.take(MeterPoll(meter=(job, "Main"), values={"power_w.total": 700.0}))
    samples = (
        MeterSample(measurand="Power.Active.Import", unit="W", value=3600.0),
        MeterSample(measurand="Energy.Active.Import.Register", unit="Wh", value=9000.0),
    )
    event = MeterValuesReported(connector=1, at=core.clock.now(), samples=samples, content="x")
    await core.journal.write(lambda _ledger: Decision((Fact("station:cp001", event, STATION),), None))
    return core


async def test_meters_and_charge_points_stand_side_by_side() -> None:
    core = await core_that_measures()
    found = {(each.kind, each.id): each for each in Measuring(core.journal, core.meters, core.clock).now()}
    assert list(found) == [
        ("meter", "1042/Main"), ("meter", "1042/Roof"), ("charge_point", "CP001"), ("charge_point", "CP002")
    ]  # fmt: skip
    assert found["meter", "1042/Main"].values == {"power_w.total": 700.0}
    assert (found["meter", "1042/Roof"].state, found["meter", "1042/Roof"].online) == ("not_read", False)
    point = found["charge_point", "CP001"]
    assert point.values == {"power_w.total": 3600.0, "energy_import_wh.total": 9000.0}
    assert point.online
    assert not found["charge_point", "CP002"].online


async def test_old_power_is_not_of_now_and_what_was_counted_stays() -> None:
    core = await core_that_measures()
    later = core.clock.now() + CURRENT_FOR + timedelta(seconds=1)
    found = {each.id: each for each in measured_of(core.journal.state, {}, later)}
    assert found["CP001"].values == {"energy_import_wh.total": 9000.0}


async def test_meters_of_an_ended_job_are_gone() -> None:
    core = await core_that_measures()
    await core.jobs.archive(core.job().id)
    assert await Measuring(core.journal, core.meters, core.clock).operation({}) == []
