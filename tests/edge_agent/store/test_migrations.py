"""Migrations: run once, whole or not at all, and a later version's file is left alone."""

import sqlite3
from pathlib import Path

import pytest

from edge_agent.store import migrations
from edge_agent.store.database import DATABASE
from edge_agent.store.migrations import STEPS, DatabaseNewer, applied, migrate
from tests.edge_agent.store.facts import connected, opened, writing


def test_every_step_runs_once_and_in_order() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    names = [name for name, _ in STEPS]
    assert migrate(connection) == names == sorted(names)
    assert applied(connection) == names
    assert migrate(connection) == []
    connection.close()


def test_a_step_that_fails_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(run: object) -> None:
        run("CREATE TABLE half (x)")  # type: ignore[operator]
        raise ZeroDivisionError

    monkeypatch.setattr(migrations, "STEPS", (*STEPS, ("9999_breaks", breaks)))
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with pytest.raises(ZeroDivisionError):
        migrate(connection)
    assert applied(connection) == [name for name, _ in STEPS]
    assert connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchone() is None
    connection.close()


async def test_a_later_versions_data_is_refused_and_left_alone(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.journal.write(writing(connected()))
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('gatepost', '9000_later', '')"
        )
    connection.close()
    before = (tmp_path / DATABASE).read_bytes()
    with pytest.raises(DatabaseNewer, match="9000_later"):
        async with opened(tmp_path):
            pass
    assert (tmp_path / DATABASE).read_bytes() == before
    assert not list(tmp_path.glob("damaged-*"))
