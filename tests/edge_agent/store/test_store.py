"""The store as a whole: opened, watched, closed."""

import asyncio
from pathlib import Path

import pytest

from edge_agent.store.database import DATABASE
from edge_agent.store.ledger import DiskLedger
from edge_agent.store.rows import RowDamaged
from edge_agent.store.store import StoreFailed
from tests.edge_agent.store.facts import connected, opened, status, writing


async def test_a_clean_end_leaves_one_file_and_an_empty_log(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.journal.write(writing(connected(), status()))
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {DATABASE, "gatepost.lock"}


async def test_watch_ends_when_the_writer_failed_for_good(tmp_path: Path) -> None:
    def damage(_ledger: DiskLedger) -> None:
        raise RowDamaged("entity", "station:cp001")

    async with opened(tmp_path) as store:
        store.journal.submit(damage)
        with pytest.raises(StoreFailed):
            async with asyncio.timeout(10):
                await store.watch()
        assert store.journal.trouble is not None


async def test_watch_waits_as_long_as_all_is_well(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await store.watch()
        assert not store.journal.failure.done()
        await store.journal.write(writing(connected()))


async def test_what_was_submitted_before_the_end_is_written(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        written = [store.journal.write(writing(status())) for _ in range(30)]
    assert [await each for each in written] == [1] * 30
    async with opened(tmp_path) as store:
        assert store.journal.seq == 30
