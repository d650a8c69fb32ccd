"""What meters said: one moment a second, the last minutes at hand, all of it on disk once a minute."""

from collections.abc import Mapping, Sequence

import pytest

from edge_agent.site.meter_readings import RECENT, MeterReadings, MinutesTold
from sitelink.events import MeterRead
from sitelink.ids import JobId
from sitelink.meter_values import Grade, Moment
from tests.doubles.clock import FakeClock
from tests.doubles.core import Core
from web_ui.ports import MeterKey

MAIN = (JobId("j"), "Main")


class Shelf:
    """Keeps in memory, or not."""

    def __init__(self) -> None:
        self.kept: list[Moment] = []
        self.works = True

    async def keep(self, told: Mapping[MeterKey, Sequence[Moment]]) -> bool:
        if self.works:
            self.kept += told[MAIN]
        return self.works

    async def read(self, meter: MeterKey, grade: Grade, since_s: int) -> Sequence[Moment]:
        return [each for each in self.kept if each.at_s >= since_s]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def told(readings: MeterReadings, clock: FakeClock, count: int, every_s: float = 1) -> None:
    for number in range(count):
        readings.take(MAIN, {"power_w.total": float(number)})
        clock.advance(every_s)


async def test_one_moment_a_second_is_kept_and_each_once(shelf: Shelf, clock: FakeClock) -> None:
    said: list[int] = []

    async def tell(told: Mapping[MeterKey, Sequence[Moment]]) -> None:
        said.append(len(told[MAIN]))

    readings = MeterReadings(shelf, clock, tell)
    told(readings, clock, 40, every_s=0.25)
    assert len(readings.recent(MAIN)) == 10
    await readings.keep()
    await readings.keep()
    assert [each.values["power_w.total"] for each in shelf.kept] == [float(n) for n in range(0, 40, 4)]
    assert said == [10]


async def test_what_is_not_on_disk_yet_is_read_too(shelf: Shelf, clock: FakeClock) -> None:
    readings = MeterReadings(shelf, clock)
    begin_s = int(clock.now().timestamp())
    told(readings, clock, 5)
    await readings.keep()
    told(readings, clock, 5)
    assert [each.at_s - begin_s for each in await readings.read(MAIN, Grade.SECOND, begin_s + 3)] == [
        3,
        4,
        5,
        6,
        7,
        8,
        9,
    ]
    assert len(await readings.read(MAIN, Grade.MINUTE, 0)) == 5, "coarser ones are made of what is on disk"


async def test_what_cannot_be_kept_waits(shelf: Shelf, clock: FakeClock) -> None:
    readings = MeterReadings(shelf, clock)
    shelf.works = False
    told(readings, clock, 5)
    await readings.keep()
    told(readings, clock, 2)
    shelf.works = True
    await readings.keep()
    assert len(shelf.kept) == 7
    assert sorted(shelf.kept, key=lambda each: each.at_s) == shelf.kept


async def test_memory_has_an_end(shelf: Shelf, clock: FakeClock) -> None:
    readings = MeterReadings(shelf, clock)
    shelf.works = False
    told(readings, clock, RECENT + 50)
    assert len(readings.recent(MAIN)) == RECENT


async def test_whole_minutes_become_telemetry_each_once() -> None:
    core = Core()
    minutes = MinutesTold(core.journal, core.clock)
    begin_s = int(core.clock.now().timestamp())
    seconds = [
        Moment(begin_s + n, {"power_w.total": float(n), "energy_import_wh.total": 100.0 + n}) for n in range(150)
    ]
    for first, end in ((0, 40), (40, 70), (70, 130), (130, 150)):
        core.clock.advance(end - first)
        await minutes.tell({MAIN: seconds[first:end]})
    told = [op.event for op in core.journal.recorded if isinstance(op.event, MeterRead)]
    assert [int(each.at.timestamp()) - begin_s for each in told] == [0, 60]
    assert core.journal.state.meters[MAIN].values["energy_import_wh.total"] == 219.0
