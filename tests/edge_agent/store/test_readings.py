"""Readings of meters on disk: thinner the older they are, bounded, and never in the way of anything."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_agent.store.readings import DAMAGED, FILE, METERS_KEPT, ReadingsFile
from sitelink.ids import JobId
from sitelink.meter_values import Grade, Moment
from tests.doubles.clock import FakeClock

MAIN = (JobId("j"), "Main")
BEGIN_S = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())


class Kept:
    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.file = ReadingsFile(folder, self.clock)
        self.to(BEGIN_S)

    def to(self, at_s: int) -> None:
        self.clock.set_wall(datetime.fromtimestamp(at_s, UTC))

    async def minute(self, at_s: int, power_w: float = 1000.0, every_s: int = 1) -> None:
        """What a minute brings, kept at its end."""
        self.to(at_s + 60)
        moments = [
            Moment(at_s + n, {"power_w.total": power_w + n, "energy_import_wh.total": float(at_s + n - BEGIN_S)})
            for n in range(0, 60, every_s)
        ]
        assert await self.file.keep({MAIN: moments})

    async def count(self, grade: Grade) -> int:
        return len(await self.file.read(MAIN, grade, 0))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    made.file.close()


async def test_every_poll_is_there_and_the_whole_minutes_of_it(kept: Kept) -> None:
    for minute in range(16):
        await kept.minute(BEGIN_S + 60 * minute)
    assert await kept.count(Grade.SECOND) == 960
    minutes = await kept.file.read(MAIN, Grade.MINUTE, 0)
    assert [each.at_s for each in minutes] == [BEGIN_S + 60 * n for n in range(16)]
    assert minutes[0].values == {"power_w.total": 1029.5, "energy_import_wh.total": 59.0}
    quarters = await kept.file.read(MAIN, Grade.QUARTER, 0)
    assert [(each.at_s, each.values["energy_import_wh.total"]) for each in quarters] == [(BEGIN_S, 899.0)]
    assert len(await kept.file.read(MAIN, Grade.SECOND, BEGIN_S + 950)) == 10


async def test_what_is_older_than_its_grade_is_gone(kept: Kept) -> None:
    for hour in (0, 1, 24 * 20, 24 * 40, 24 * 300, 24 * 380):
        await kept.minute(BEGIN_S + 3600 * hour)
        await kept.minute(BEGIN_S + 3600 * hour + 900, every_s=30)
    assert await kept.count(Grade.SECOND) == 62
    assert await kept.count(Grade.MINUTE) == 2
    assert await kept.count(Grade.QUARTER) == 7, (
        "two of 40 days, of 300 and of 380; of the last the second is not whole"
    )


async def test_it_is_all_there_after_a_restart(kept: Kept, tmp_path: Path) -> None:
    await kept.minute(BEGIN_S)
    kept.file.close()
    again = ReadingsFile(tmp_path, kept.clock)
    assert len(await again.read(MAIN, Grade.SECOND, 0)) == 60
    again.close()


async def test_a_clock_that_was_ahead_leaves_nothing_behind(kept: Kept) -> None:
    await kept.minute(BEGIN_S + 900_000)
    await kept.minute(BEGIN_S)
    assert [each.at_s for each in await kept.file.read(MAIN, Grade.MINUTE, 0)] == [BEGIN_S]


@pytest.mark.parametrize("garbage", [b"no database", b"SQLite format 3" + bytes(5000)])
async def test_a_damaged_file_is_set_aside_and_a_new_one_begun(kept: Kept, tmp_path: Path, garbage: bytes) -> None:
    (tmp_path / FILE).write_bytes(garbage)
    assert await kept.file.read(MAIN, Grade.SECOND, 0) == []
    assert (tmp_path / DAMAGED).read_bytes() == garbage
    await kept.minute(BEGIN_S)
    assert await kept.count(Grade.SECOND) == 60


async def test_a_disk_that_is_nearly_full_keeps_none_and_says_so_once(kept: Kept, tmp_path: Path) -> None:
    full = ReadingsFile(tmp_path, kept.clock, keep_free_bytes=2**62)
    assert not await full.keep({MAIN: [Moment(BEGIN_S, {"a": 1.0})]})
    assert await full.read(MAIN, Grade.SECOND, 0) == []
    full.close()


async def test_so_many_meters_are_kept_those_read_last(kept: Kept) -> None:
    for number in range(METERS_KEPT + 5):
        kept.to(BEGIN_S + number)
        await kept.file.keep({(JobId("j"), f"M{number}"): [Moment(BEGIN_S + number, {"a": 1.0})]})
    assert await kept.file.read((JobId("j"), "M4"), Grade.SECOND, 0) == []
    assert len(await kept.file.read((JobId("j"), "M5"), Grade.SECOND, 0)) == 1


async def test_a_year_of_a_meter_stays_within_its_bound(kept: Kept, tmp_path: Path) -> None:
    """By what a row of thirteen values takes, times the rows of all grades."""
    values = {f"power_w.{n}": float(n) for n in range(13)}
    await kept.file.keep({MAIN: [Moment(BEGIN_S - n, values) for n in range(3600, 0, -1)]})
    kept.file.close()
    rows = sum(grade.kept_s // grade.step_s for grade in Grade)
    assert (tmp_path / FILE).stat().st_size / 3660 * rows < 12_500_000
