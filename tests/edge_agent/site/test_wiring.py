"""A test charge is compared with how the meter stood before it began."""

import pytest

from edge_agent.site.ports import MeterPoll
from sitelink.decisions import Decision
from sitelink.events import Event, MeterSample, MeterValuesReported, TransactionStarted, TransactionStopped
from sitelink.ids import StationKey, TransactionId
from sitelink.ops import STATION, Fact
from tests.doubles.core import INSTALLER, Core, job_file
from web_ui.ports import MeterKey

MAIN = {"name": "Main", "profile": "abb-b23", "transport": "tcp://192.0.2.7"}
CP = StationKey("cp001")


class Site:
    """A meter that is read once a second, and charge points that say what they take."""

    def __init__(self, core: Core, meter: MeterKey) -> None:
        self.core = core
        self.meter = meter

    def seconds(self, count: int, **watts: float) -> None:
        for _ in range(count):
            self.core.clock.advance(1)
            values = {f"power_w.{phase}": watt for phase, watt in watts.items()}
            self.core.meters.take(MeterPoll(meter=self.meter, values={**values, "power_w.total": sum(watts.values())}))

    async def begin(self, id_: int = 1, station: StationKey = CP) -> None:
        at = self.core.clock.now()
        await self.tell(station, TransactionStarted(TransactionId(id_), 1, at, f"start {id_}", id_token="T", test=True))

    async def tell(self, station: StationKey, event: Event) -> None:
        await self.core.journal.write(lambda _ledger: Decision((Fact(f"station:{station}", event, STATION),), None))

    async def says(self, station: StationKey = CP, **watts: float) -> None:
        samples = tuple(
            MeterSample(measurand="Power.Active.Import", unit="W", value=watt, phase=phase.upper())
            for phase, watt in watts.items()
        )
        now = self.core.clock.now()
        await self.tell(station, MeterValuesReported(connector=1, at=now, samples=samples, content=now.isoformat()))


@pytest.fixture
async def site() -> Site:
    core = Core()
    job = (await core.jobs.import_job(job_file(meters=[MAIN]))).job
    for identity in ("CP001", "CP002"):
        await core.boot(identity)
    core.meters.listed()
    return Site(core, (job, "Main"))


def findings(site: Site) -> list[tuple[str, str, str]]:
    wiring = site.core.jobs.wiring(*site.meter)
    assert wiring is not None
    return [(each.code, each.phase, each.other) for each in (wiring.charge.findings if wiring.charge else ())]


async def test_what_rises_while_the_car_charges_is_its_phase(site: Site) -> None:
    site.seconds(40, l1=300.0, l2=50.0, l3=0.0)
    await site.begin()
    site.seconds(5, l1=300.0, l2=50.0, l3=0.0)
    assert findings(site) == [], "it takes nothing yet"
    site.seconds(5, l1=300.0, l2=3650.0, l3=0.0)
    await site.says(l1=3600.0)
    site.seconds(5, l1=300.0, l2=3650.0, l3=0.0)
    assert findings(site) == [("other_phase", "l1", "l2")]
    wiring = site.core.jobs.wiring(*site.meter)
    assert wiring is not None
    assert wiring.charge is not None
    assert (wiring.charge.charge_point, wiring.charge.rise["power_w.l2"]) == ("Bay 1", 3600.0)
    site.seconds(20, l1=300.0, l2=50.0, l3=0.0)
    assert findings(site) == [("other_phase", "l1", "l2")], "the car stopped before anybody said so"
    await site.says(l1=900.0)
    site.seconds(5, l1=300.0, l2=50.0, l3=0.0)
    await site.tell(CP, TransactionStopped(TransactionId(1), site.core.clock.now(), "stop"))
    site.seconds(40, l1=300.0, l2=50.0, l3=0.0)
    assert findings(site) == [("other_phase", "l1", "l2")], "what was seen stays"


async def test_of_two_charges_at_a_time_nothing_is_said(site: Site) -> None:
    site.seconds(40, l1=0.0)
    await site.begin()
    await site.begin(2, StationKey("cp002"))
    await site.says(l1=3600.0)
    site.seconds(10, l1=7200.0)
    assert findings(site) == []


async def test_what_a_charge_point_said_long_ago_is_not_compared(site: Site) -> None:
    site.seconds(40, l1=0.0)
    await site.begin()
    await site.says(l1=3600.0)
    site.core.clock.advance(200)
    site.seconds(3, l1=0.0)
    assert findings(site) == []


async def test_what_was_said_of_one_charge_is_not_compared_with_the_next(site: Site) -> None:
    site.seconds(40, l1=0.0)
    await site.begin()
    site.seconds(5, l1=3600.0)
    await site.says(l1=3600.0)
    site.seconds(1, l1=3600.0)  # heard, and not compared yet
    await site.tell(CP, TransactionStopped(TransactionId(1), site.core.clock.now(), "stop"))
    site.seconds(20, l1=0.0)
    await site.begin(3)
    site.seconds(10, l1=0.0)
    assert findings(site) == []


async def test_what_was_seen_goes_into_the_record_and_with_the_meter(site: Site) -> None:
    jobs, (job, name) = site.core.jobs, site.meter
    site.seconds(40, l1=0.0, l2=0.0)
    await site.begin()
    await site.says(l1=3600.0)
    site.seconds(10, l1=0.0, l2=-3600.0)
    await jobs.prove_wiring(job, name, INSTALLER)
    (meter,) = jobs.record(job)["meters"]
    (found,) = meter["wiring"]["charge"]["findings"]
    assert found == {"code": "charge_backwards", "phase": "l2", "other": "", "factor": 0.0}
    assert [each["code"] for each in meter["wiring"]["findings"]] == ["all_backwards"]
    listed = site.core.journal.state.jobs[job].meters[0]
    await jobs.put_meter(job, type(listed)("Yard", listed.profile, listed.transport), INSTALLER, instead_of=name)
    assert jobs.record(job)["meters"][0]["wiring"] is not None, "only its name is another"
    await jobs.put_meter(job, type(listed)("Yard", "abb-b24", listed.transport), INSTALLER, instead_of="Yard")
    assert jobs.record(job)["meters"][0]["wiring"] is None
    site.core.meters.listed()
    assert jobs.wiring(job, "Yard") is None
