"""A start reads the state, not the past."""

import sqlite3
from pathlib import Path

import pytest

from edge_agent.store.database import DATABASE
from edge_agent.store.loading import load
from edge_agent.store.rows import RowDamaged
from sitelink.model import CLOSED_TRANSACTIONS_KEPT
from tests.edge_agent.store.facts import CP001, contents, meter, opened, start, status, stop, writing


async def _history(data_dir: Path, count: int) -> dict[str, object]:
    async with opened(data_dir) as store:
        await store.journal.write(start("open", connector=2))
        for number in range(count):
            id_ = await store.journal.write(start(f"s{number}"))
            await store.journal.write(stop(id_, f"t{number}"))
            await store.journal.write(writing(status(), meter(f"m{number}")))
        return contents(store.journal.state, readings=False)


def _steps_of_load(data_dir: Path) -> int:
    """How much SQLite does for a start, in hundreds of its machine's steps."""
    connection = sqlite3.connect(data_dir / DATABASE)
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.set_progress_handler(count, 100)
    load(connection)
    connection.close()
    return steps


async def test_open_transactions_and_the_last_closed_are_there(tmp_path: Path) -> None:
    published = await _history(tmp_path, 12)
    async with opened(tmp_path) as store:
        state = store.journal.state
        assert contents(state, readings=False) == published
        assert set(state.transactions) == {1, *range(14 - CLOSED_TRANSACTIONS_KEPT, 14)}
        assert state.stations[CP001].transactions == {2: 1}


async def test_a_long_past_makes_no_longer_start(tmp_path: Path) -> None:
    await _history(tmp_path / "short", 20)
    await _history(tmp_path / "long", 400)
    # Telemetry contents, up to a bound, are all a longer past may add.
    short, long = _steps_of_load(tmp_path / "short"), _steps_of_load(tmp_path / "long")
    assert long <= short + 400 * 12 / 100 + 10, (short, long)


async def test_a_damaged_row_stops_the_load(tmp_path: Path) -> None:
    await _history(tmp_path, 2)
    connection = sqlite3.connect(tmp_path / DATABASE)
    connection.execute("UPDATE entity SET crc = crc + 1")
    with pytest.raises(RowDamaged):
        load(connection)
    connection.close()
