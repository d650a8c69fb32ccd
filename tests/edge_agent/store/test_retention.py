"""Bounded growth: what goes first, what never goes, and that the file stops growing."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from edge_agent.store import retention
from edge_agent.store.database import DATABASE
from edge_agent.store.retention import Reserve
from edge_agent.store.store import Store
from sitelink.ids import CommandId
from tests.doubles.clock import FakeClock
from tests.edge_agent.store.facts import (
    CP001,
    ended,
    look,
    meter,
    opened,
    requested,
    start,
    status,
    stop,
    writing,
)

WAIT_S = 10.0


async def until(condition: Callable[[], Any], wait_s: float = WAIT_S) -> None:
    async with asyncio.timeout(wait_s):
        while not condition():  # noqa: ASYNC110 -- another thread makes it true
            await asyncio.sleep(0.01)


def rows(data_dir: Path, table: str) -> int:
    connection = look(data_dir)
    (count,) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
    connection.close()
    return int(count)


async def fill(store: Store, count: int, tag: str) -> None:
    for begin in range(0, count, 500):
        await store.journal.write(writing(*(meter(f"{tag}-{begin + each}") for each in range(500))))


async def test_telemetry_is_a_ring_and_the_file_stops_growing(tmp_path: Path) -> None:
    async with opened(tmp_path, telemetry_max_rows=2000) as store:
        sizes = []
        for lap in range(5):
            await fill(store, 5000, f"lap{lap}")
            await until(lambda: rows(tmp_path, "telemetry") <= 2000)
            sizes.append((tmp_path / DATABASE).stat().st_size)
        newest = await store.history.telemetry(0, 5000)
        assert [seq for seq, _ in newest] == list(range(23_001, 25_001))
    # How much of a lap is in the file and how much in the log beside it depends on when the writer found the time.
    assert max(sizes[2:]) < 1.5 * max(sizes[:2]), sizes
    async with opened(tmp_path, telemetry_max_rows=2000) as store:
        assert store.journal.seq == 25_000


async def test_the_count_of_rows_survives_a_restart(tmp_path: Path) -> None:
    for lap in range(3):
        async with opened(tmp_path, telemetry_max_rows=1200) as store:
            await fill(store, 500, f"lap{lap}")
    async with opened(tmp_path, telemetry_max_rows=1200) as store:
        await store.journal.write(writing(meter("last")))
        await until(lambda: rows(tmp_path, "telemetry") == 1200)


async def _log_ops(store: Store, count: int) -> None:
    await store.journal.write(writing(*(status() for _ in range(count))))


async def test_young_log_is_kept_up_to_twice_its_limit(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock, journal_max_rows=100) as store:
        await _log_ops(store, 180)
        await _log_ops(store, 1)
        await store.journal.write(writing(meter("m")))
        assert rows(tmp_path, "journal") == 181
        await _log_ops(store, 100)
        await until(lambda: rows(tmp_path, "journal") <= 200)
        clock.advance(timedelta(days=31).total_seconds())
        await _log_ops(store, 1)
        await until(lambda: rows(tmp_path, "journal") == 100)
        assert (await store.history.ops(0, 1))[0][0] > 1


async def test_log_the_cloud_has_not_got_is_never_pruned(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock, journal_max_rows=100, keep_unsent=True) as store:
        await _log_ops(store, 300)
        clock.advance(timedelta(days=400).total_seconds())
        await _log_ops(store, 1)
        await store.outbox.ack(50)  # an errand after it: the writer had its idle moment
        assert rows(tmp_path, "journal") == 301
        await store.outbox.ack(290)
        await _log_ops(store, 1)
        await until(lambda: rows(tmp_path, "journal") == 100)
        assert store.outbox.backlog == 12


async def test_the_last_ended_commands_stay(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.journal.write(writing(requested("running")))
        for begin in range(0, 1200, 100):
            ids = [f"c{begin + each}" for each in range(100)]
            await store.journal.write(writing(*(fact for id_ in ids for fact in (requested(id_), ended(id_)))))
        await until(lambda: rows(tmp_path, "command") == retention.ENDED_COMMANDS_KEPT + 1)
        assert await store.history.command(CommandId("c0")) is None
        assert await store.history.command(CommandId("c1199")) is not None
        assert "running" in store.journal.state.commands
        assert len(store.journal.state.commands) <= 200


async def test_closed_transactions_go_last_and_open_ones_never(tmp_path: Path) -> None:
    async with opened(tmp_path, transactions_max_rows=10) as store:
        await store.journal.write(start("open", connector=2))
        for number in range(30):
            id_ = await store.journal.write(start(f"s{number}"))
            await store.journal.write(stop(id_, f"t{number}"))
        await _log_ops(store, 1000)
        await until(lambda: rows(tmp_path, "transaction") == 11)
        assert [each.id for each in await store.history.transactions(CP001)] == [*range(31, 21, -1), 1]


def test_a_reserve_is_held_released_and_held_again(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path, 65536)
    assert not reserve.held
    assert reserve.hold()
    assert reserve.held
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 65536
    assert reserve.release()
    assert not reserve.release()
    assert reserve.hold()
    assert not Reserve(tmp_path / "other", 0).held
    assert not Reserve(tmp_path, 1 << 60).hold()
