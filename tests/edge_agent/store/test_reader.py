"""The past: newest first where people look, in order where machines do, and never a row that changed on the disk."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from edge_agent.store.database import DATABASE, connect_writing
from edge_agent.store.migrations import migrate
from edge_agent.store.reader import DiskHistory, _copy
from edge_agent.store.rows import RowDamaged
from sitelink.errors import StoreUnavailable
from sitelink.ids import CommandId, StationKey
from sitelink.states import CommandState
from tests.doubles.clock import FakeClock
from tests.edge_agent.store.facts import (
    CP001,
    connected,
    ended,
    meter,
    note,
    opened,
    requested,
    start,
    status,
    stop,
    writing,
)


async def test_transactions_come_newest_first(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        for number in range(10):
            id_ = await store.journal.write(start(f"s{number}"))
            await store.journal.write(stop(id_, f"t{number}"))
        await store.journal.write(start("other", station=StationKey("cp002")))
        found = await store.history.transactions(CP001, 3)
        assert [(each.id, each.meter_stop_wh) for each in found] == [(10, 9000), (9, 9000), (8, 9000)]


async def test_ops_page_by_their_seq(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.journal.write(writing(connected(), meter("a"), status(), status()))
        assert [seq for seq, _ in await store.history.ops(0, 2)] == [1, 3]
        assert [seq for seq, _ in await store.history.ops(3, 2)] == [4]
        assert await store.history.ops(4) == []


async def test_a_command_is_found_by_its_id(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.journal.write(writing(requested("c1"), ended("c1")))
        found = await store.history.command(CommandId("c1"))
        assert found is not None
        assert found.state is CommandState.DONE
        assert await store.history.command(CommandId("c2")) is None


async def test_a_damaged_row_is_left_out_and_reported(tmp_path: Path) -> None:
    damages: list[RowDamaged] = []
    async with opened(tmp_path) as store:
        await store.journal.write(writing(connected(), note("secret text"), status()))
    connection = sqlite3.connect(tmp_path / DATABASE)
    connection.execute("UPDATE journal SET body = CAST(replace(CAST(body AS TEXT), 'secret', 'sekret') AS BLOB)")
    connection.commit()
    connection.close()
    history = DiskHistory(tmp_path / DATABASE, FakeClock(), damages.append)
    assert [seq for seq, _ in await history.ops(0)] == [1, 3]
    assert [(each.table, each.key) for each in damages] == [("journal", 2)]
    history.close()


async def test_a_read_that_takes_too_long_ends(tmp_path: Path) -> None:
    class Racing(FakeClock):
        def monotonic(self) -> float:
            self.advance(1)
            return super().monotonic()

    async with opened(tmp_path):
        pass
    history = DiskHistory(tmp_path / DATABASE, Racing(), lambda _damage: None)
    endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n WHERE x < 0"
    with pytest.raises(StoreUnavailable):
        await history._rows("none", endless, (), tuple)
    assert await history.ops(0) == []
    history.close()


async def test_a_read_in_the_way_of_the_writers_log_begins_anew(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.journal.write(writing(connected()))
    history = DiskHistory(tmp_path / DATABASE, FakeClock(), lambda _damage: None)
    tries = 0

    def read(connection: sqlite3.Connection) -> list[tuple[int]]:
        nonlocal tries
        tries += 1
        if tries < 3:
            connection.create_function("stop", 1, lambda _x: history.end_long_reads())
            connection.execute("SELECT stop(x) FROM (SELECT 1 AS x UNION ALL SELECT 2)").fetchall()
        return connection.execute("SELECT seq FROM journal").fetchall()

    assert await history._on_thread(read, 5) == [(1,)]
    assert tries == 3
    history.close()
    with pytest.raises(StoreUnavailable):
        await history.ops(0)


async def test_a_backup_is_a_whole_store_of_its_own(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as store:
        for number in range(200):
            await store.journal.write(writing(status(), meter(f"m{number}")))
        target = tmp_path / "b" / DATABASE
        target.parent.mkdir()
        async with asyncio.TaskGroup() as group:
            group.create_task(store.history.backup(target))
            for number in range(20):
                await store.journal.write(writing(meter(f"n{number}")))
        with pytest.raises(FileExistsError):
            await store.history.backup(target)
    assert target.stat().st_mode & 0o777 == 0o600
    async with opened(tmp_path / "b") as restored:
        assert restored.salvaged is None
        assert restored.journal.seq >= 400
        assert CP001 in restored.journal.state.stations


async def test_a_backup_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as store:
        with pytest.raises(FileNotFoundError):
            await store.backup(tmp_path / "nowhere" / "copy")
        store.history._closed = True  # as if the store were closing while it copies
        with sqlite3.connect(tmp_path / "a" / DATABASE) as connection, pytest.raises(StoreUnavailable):
            _copy(connection, tmp_path / "copy", store.history._go_on)
        connection.close()
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


async def test_a_closed_history_refuses(tmp_path: Path) -> None:
    connection = connect_writing(tmp_path / DATABASE)
    migrate(connection)
    history = DiskHistory(tmp_path / DATABASE, FakeClock(), lambda _damage: None)
    assert await history.gaps() == []
    history.close()
    with pytest.raises(StoreUnavailable):
        await history.gaps()
    connection.close()


async def test_ops_of_a_kind_are_found_newest_first_and_a_page_at_a_time(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.journal.write(
            writing(connected(), status(), connected(), note('"kind":"station.connected"'), status())
        )
        kinds = {"station.connected"}
        assert [seq for seq, _ in await store.history.ops_of(kinds, 10)] == [3, 1]
        assert [seq for seq, _ in await store.history.ops_of(kinds, 1)] == [3]
        assert [seq for seq, _ in await store.history.ops_of(kinds, 1, before=3)] == [1]
        assert await store.history.ops_of({"complete"}, 10) == []
