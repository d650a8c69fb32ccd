"""What had to be put right, counted and kept."""

import asyncio
from contextlib import suppress
from pathlib import Path

from edge_agent.site.corrections import FLUSH_EVERY_S, GROWN_EVERY_S, KINDS_MAX, MORE, Tally
from edge_agent.site.ports import Decision, Trouble
from edge_agent.site.reports import MeterGroup, MeterReport, StartReport, StopReport
from sitelink.events import CorrectionsCounted, MeterSample
from sitelink.ids import StationKey
from tests.doubles.clock import FakeClock
from tests.doubles.core import Core
from tests.edge_agent.store.facts import job, opened, writing

CP001 = StationKey("cp001")


async def site() -> tuple[Core, Tally]:
    core = Core()
    await core.import_job()
    return core, core.tally


def written(core: Core) -> list[CorrectionsCounted]:
    return [op.event for op in core.journal.recorded if isinstance(op.event, CorrectionsCounted)]


async def test_counts_are_added_up_and_know_since_when() -> None:
    core, tally = await site()
    first = core.clock.now()
    tally.count(CP001, {"MeterValues unit:unknown": 3})
    core.clock.advance(60)
    tally.count(CP001, {"MeterValues unit:unknown": 211})
    counted = tally.of(CP001)["MeterValues unit:unknown"]
    assert (counted.count, counted.first_at, counted.last_at) == (214, first, core.clock.now())


async def test_what_only_grew_is_written_four_times_an_hour_and_what_is_new_at_once() -> None:
    core, tally = await site()
    for _ in range(30):
        tally.count(CP001, {"a": 1})
        core.clock.advance(FLUSH_EVERY_S)
        await tally.flush()
    assert len(written(core)) == 1 + 30 * FLUSH_EVERY_S // GROWN_EVERY_S
    tally.count(CP001, {"b": 1})
    await tally.flush()
    assert written(core)[-1].kinds.keys() == {"b"}
    assert core.journal.state.corrections[CP001].kinds["a"].count >= 15


async def test_nothing_counted_is_nothing_written() -> None:
    core, tally = await site()
    await tally.flush(everything=True)
    assert written(core) == []


async def test_a_restart_goes_on_from_what_was_written(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as store:
        await store.journal.write(writing(job()))
        tally = Tally(store.journal, clock)
        tally.count(CP001, {"a": 5})
        with suppress(TimeoutError):
            async with asyncio.timeout(0):
                await tally.run()
    async with opened(tmp_path, clock) as store:
        tally = Tally(store.journal, clock)
        tally.count(CP001, {"a": 2})
        assert tally.of(CP001)["a"].count == 7


async def test_kinds_are_bounded_and_long_names_cut() -> None:
    core, tally = await site()
    seq = core.journal.seq
    for number in range(KINDS_MAX + 10):
        tally.count(CP001, {f"Authorize extra_property:{number}": 1})
    counted = tally.of(CP001)
    assert len(counted) == KINDS_MAX + 1
    assert counted[MORE].count == 10
    tally.count(StationKey("cp002"), {"x" * 5000: 1})
    assert max(map(len, tally.of(StationKey("cp002")))) <= 120
    assert core.journal.seq == seq


async def test_a_stranger_is_not_counted() -> None:
    core, tally = await site()
    tally.count(StationKey("stranger"), {"a": 1})
    assert tally.of(StationKey("stranger")) == {}
    await tally.flush(everything=True)
    assert written(core) == []


async def test_a_full_disk_costs_no_count() -> None:
    core, tally = await site()
    tally.count(CP001, {"a": 1})
    core.journal.fail(Trouble("disk_full", core.clock.now()))
    await tally.flush()
    core.journal.fail(None)
    await tally.flush()
    assert core.journal.state.corrections[CP001].kinds["a"].count == 1


async def test_what_is_not_plausible_is_counted_and_kept() -> None:
    core, tally = await site()
    await core.boot("CP001")
    for wh in (1000, 400):
        core.clock.advance(60)
        sample = MeterSample(measurand="Energy.Active.Import.Register", unit="Wh", value=wh)
        await core.desk.meter_values(CP001, MeterReport(1, (MeterGroup((sample,), core.clock.now(), f"t{wh}"),)))
    answer = await core.desk.start(CP001, StartReport(1, core.job().test_token, 500, core.clock.now(), "s"))
    await core.desk.stop(CP001, StopReport(int(answer.transaction), 100, at=core.clock.now(), station_time="e"))
    assert {kind: each.count for kind, each in tally.of(CP001).items()} == {
        "MeterValues energy_went_back": 1, "StopTransaction energy_went_back": 1,
    }  # fmt: skip
    assert core.journal.state.readings[CP001, 1].value("Energy.Active.Import.Register") == 400
    assert core.journal.state.transactions[answer.transaction].flags == ("energy_went_back",)


async def test_writing_it_down_changes_nothing_else() -> None:
    core, tally = await site()
    before = core.journal.state.stations.copy()
    tally.count(CP001, {"a": 1})
    await tally.flush()
    assert core.journal.state.stations == before
    assert await core.journal.write(lambda _ledger: Decision((), 1)) == 1
