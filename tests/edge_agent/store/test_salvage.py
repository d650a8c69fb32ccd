"""A damaged database is set aside whole, and what is good in it goes on."""

import random
import sqlite3
from pathlib import Path

import pytest

from edge_agent.store.database import DATABASE
from edge_agent.store.salvage import CHECKED_WHOLE_BYTES, FRESH, finish_interrupted, whole
from edge_agent.store.writer import SUSPECT
from sitelink.ids import JobId
from tests.doubles.clock import FakeClock
from tests.edge_agent.store.facts import (
    CP001,
    completed,
    connected,
    contents,
    ended,
    job,
    look,
    meter,
    note,
    opened,
    requested,
    start,
    status,
    stop,
    writing,
)


async def a_busy_day(data_dir: Path) -> dict[str, object]:
    """Some of everything, many rows; returns what is published at the end."""
    async with opened(data_dir) as store:
        write = store.journal.write
        await write(writing(job(rows=4), connected(), status(), requested("c1"), ended("c1")))
        for number in range(40):
            id_ = await write(start(f"s{number}"))
            await write(stop(id_, f"t{number}"))
            await write(writing(*(meter(f"m{number}-{each}") for each in range(20)), note(f"note {number}")))
        await write(writing(completed("done-1")))
        await store.outbox.ack(100)
        return contents(store.journal.state, readings=False)


def overwrite(data_dir: Path, pages: list[int], seed: int = 7) -> None:
    noise = random.Random(seed)
    with (data_dir / DATABASE).open("r+b") as file:
        for page in pages:
            file.seek(page * 4096)
            file.write(noise.randbytes(4096))


def change(data_dir: Path, sql: str) -> None:
    connection = sqlite3.connect(data_dir / DATABASE)
    connection.execute(sql)
    connection.commit()
    connection.close()


async def test_a_sound_database_is_left_alone(tmp_path: Path) -> None:
    published = await a_busy_day(tmp_path)
    async with opened(tmp_path) as store:
        assert store.salvaged is None
        assert contents(store.journal.state, readings=False) == published
    assert not list(tmp_path.glob("damaged-*"))


@pytest.mark.parametrize("seed", range(6))
async def test_overwritten_pages_lose_only_what_stood_on_them(tmp_path: Path, seed: int) -> None:
    await a_busy_day(tmp_path)
    good = dict(look(tmp_path).execute("SELECT seq, body FROM journal").fetchall())
    pages = (tmp_path / DATABASE).stat().st_size // 4096
    damaged = (tmp_path / DATABASE).read_bytes()
    chosen = random.Random(seed).sample(range(1, pages), 3)
    overwrite(tmp_path, chosen, seed)
    damaged = (tmp_path / DATABASE).read_bytes()
    clock = FakeClock()
    async with opened(tmp_path, clock) as store:
        found = dict(await store.history.bodies(0, 5000))
        assert all(good[seq] == body for seq, body in found.items())
        if store.salvaged is not None:  # a page may be free or hold nothing that counts
            aside = tmp_path / store.salvaged.directory
            assert (aside / DATABASE).read_bytes() == damaged
            assert store.salvaged.at == clock.now().isoformat()
        before = store.journal.seq
        assert before >= max(good)
        new = await store.journal.write(start("after the damage"))
        assert new > 40
        assert store.journal.seq == before + 1
    async with opened(tmp_path) as store:
        assert new in store.journal.state.transactions


async def test_a_wrong_value_is_never_served(tmp_path: Path) -> None:
    """A bit that flips inside a body is invisible to SQLite; the row check finds it, and the log makes it good."""
    await a_busy_day(tmp_path)
    change(
        tmp_path,
        "UPDATE entity SET body = CAST(replace(CAST(body AS TEXT), 'Harbour', 'Hcrbour') AS BLOB)"
        " WHERE key = 'job:job-1042'",
    )
    async with opened(tmp_path) as store:
        assert store.journal.state.jobs[JobId("job-1042")].site_name == "Harbour Garage"
        assert store.salvaged is not None
        assert (store.salvaged.lost, store.salvaged.rebuilt) == (1, 1)


async def test_a_column_that_disagrees_with_its_body_is_damage(tmp_path: Path) -> None:
    await a_busy_day(tmp_path)
    change(tmp_path, "UPDATE \"transaction\" SET station = 'cp009' WHERE id = 40")
    (tmp_path / SUSPECT).touch()
    async with opened(tmp_path) as store:
        newest = (await store.history.transactions(CP001, 1))[0]
        assert (newest.id, newest.meter_start_wh) == (40, 1200)
        assert not (tmp_path / SUSPECT).exists()


@pytest.mark.parametrize("content", [b"", b"no database at all" * 400])
async def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path, content: bytes) -> None:
    (tmp_path / DATABASE).write_bytes(content)
    async with opened(tmp_path) as store:
        await store.journal.write(writing(connected()))
        if content:
            assert store.salvaged is not None
            assert (tmp_path / store.salvaged.directory / DATABASE).read_bytes() == content
            await store.acknowledge_salvage()
            assert store.salvaged is None
    async with opened(tmp_path) as store:
        assert store.salvaged is None
        assert CP001 in store.journal.state.stations


async def test_of_a_large_file_the_state_is_checked(tmp_path: Path) -> None:
    await a_busy_day(tmp_path)
    connection = sqlite3.connect(tmp_path / DATABASE)
    assert whole(connection, CHECKED_WHOLE_BYTES + 1)
    root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'transaction_closed'").fetchone()[0]
    connection.close()
    overwrite(tmp_path, [root - 1])
    connection = sqlite3.connect(tmp_path / DATABASE)
    try:
        found = whole(connection, CHECKED_WHOLE_BYTES + 1)
    except sqlite3.DatabaseError:
        found = False
    assert not found
    connection.close()


async def test_the_outbox_mark_and_the_numbers_go_on(tmp_path: Path) -> None:
    await a_busy_day(tmp_path)
    (tmp_path / SUSPECT).touch()
    (log_rows,) = look(tmp_path).execute("SELECT count(*) FROM journal WHERE seq > 100").fetchone()
    async with opened(tmp_path) as store:
        assert store.outbox.acked == 100
        assert store.outbox.backlog == log_rows
        assert await store.journal.write(start("next")) > 40
        seq = store.journal.seq
        await store.journal.write(writing(completed("done-1")))
        assert store.journal.seq == seq
        notice = store.salvaged
    async with opened(tmp_path) as store:
        assert store.salvaged == notice


async def test_state_is_the_same_after_a_salvage_that_lost_nothing(tmp_path: Path) -> None:
    published = await a_busy_day(tmp_path)
    (tmp_path / SUSPECT).touch()
    async with opened(tmp_path) as store:
        assert contents(store.journal.state, readings=False) == published
        assert store.salvaged is not None
        assert (store.salvaged.lost, store.salvaged.rebuilt) == (0, 0)


async def test_a_salvage_cut_off_between_its_steps_is_finished(tmp_path: Path) -> None:
    published = await a_busy_day(tmp_path)
    (tmp_path / DATABASE).rename(tmp_path / FRESH)
    (tmp_path / "damaged-20261123T120000Z").mkdir()
    (tmp_path / f"{DATABASE}-wal").write_bytes(b"of the old one")
    finish_interrupted(tmp_path)
    assert (tmp_path / "damaged-20261123T120000Z" / f"{DATABASE}-wal").exists()
    async with opened(tmp_path) as store:
        assert contents(store.journal.state, readings=False) == published


async def test_damage_a_reader_finds_is_salvaged_at_the_next_start(tmp_path: Path) -> None:
    await a_busy_day(tmp_path)
    change(tmp_path, "UPDATE journal SET crc = crc + 1 WHERE seq = 2")
    async with opened(tmp_path) as store:
        assert 2 not in [seq for seq, _ in await store.history.ops(0, 10)]
        await store.journal.failure
        assert store.journal.trouble is not None
        assert store.journal.trouble.code == "damaged"
    async with opened(tmp_path) as store:
        assert store.journal.trouble is None
        assert store.salvaged is not None
        assert store.salvaged.lost == 1
