"""The shape of the database, as named steps that are only ever added.

Start at `migrate`. sqlite-utils runs the steps and keeps the record of them; it is imported only when there is one to
run, because it costs 6 MB. A file from a later version is refused, never changed.
"""

import sqlite3
from collections.abc import Callable
from typing import Any

from edge_agent.store.database import StoreCannotOpen
from edge_agent.store.rows import RowDamaged

SET = "gatepost"


class DatabaseNewer(StoreCannotOpen):
    """The file was written by a later version of this program."""


def _journal(run: Callable[[str], Any]) -> None:
    """`seq` is one counter over journal and telemetry. `crc` covers the key and the body (`rows.crc_of`)."""
    run("CREATE TABLE journal (seq INTEGER PRIMARY KEY, body BLOB NOT NULL, crc INTEGER NOT NULL)")
    run("CREATE TABLE telemetry (seq INTEGER PRIMARY KEY, body BLOB NOT NULL, crc INTEGER NOT NULL)")
    # Ids that facts decided themselves (completions): the only ops that are ever looked up by id.
    run("CREATE TABLE named_op (id INTEGER PRIMARY KEY, op_id TEXT NOT NULL UNIQUE, crc INTEGER NOT NULL)")
    # Telemetry that was not kept, counted.
    run(
        "CREATE TABLE gap (id INTEGER PRIMARY KEY, from_seq INTEGER NOT NULL, to_seq INTEGER NOT NULL,"
        " reason TEXT NOT NULL, count INTEGER NOT NULL)"
    )
    run("CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, crc INTEGER NOT NULL)")


def _state(run: Callable[[str], Any]) -> None:
    """What is true now, folded from the journal in the same transaction. rowid keeps the order of first appearance."""
    run(
        "CREATE TABLE entity (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, body BLOB NOT NULL,"
        " crc INTEGER NOT NULL)"
    )
    run(
        "CREATE TABLE command (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, ended INTEGER NOT NULL,"
        " body BLOB NOT NULL, crc INTEGER NOT NULL)"
    )
    run(
        'CREATE TABLE "transaction" (id INTEGER PRIMARY KEY, station TEXT NOT NULL, start_content TEXT,'
        " stop_content TEXT, closed INTEGER, body BLOB NOT NULL, crc INTEGER NOT NULL)"
    )
    # "The transactions of a station" and "was this start, or this stop, here before?"
    run('CREATE INDEX transaction_start ON "transaction" (station, start_content)')
    run('CREATE INDEX transaction_stop ON "transaction" (station, stop_content) WHERE stop_content IS NOT NULL')
    # "The last ones a station closed" (closed: order of closing) and "those that are open".
    run('CREATE INDEX transaction_closed ON "transaction" (station, closed) WHERE closed IS NOT NULL')
    run('CREATE INDEX transaction_open ON "transaction" (id) WHERE closed IS NULL')


def _link(run: Callable[[str], Any]) -> None:
    """For a cloud. `place`: of a shared op in the site's log, once it is known; `received`: it was made elsewhere."""
    run("ALTER TABLE journal ADD COLUMN place INTEGER")
    run("ALTER TABLE journal ADD COLUMN received INTEGER NOT NULL DEFAULT 0")
    # Shared ops of this box that it has not seen in the log yet; their bodies are in the journal.
    run("CREATE TABLE unconfirmed (seq INTEGER PRIMARY KEY, op_id TEXT NOT NULL)")
    # Records as the log gives them, where that is not what is shown; without a body: the log has none.
    run("CREATE TABLE base (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, body BLOB, crc INTEGER NOT NULL)")


STEPS: tuple[tuple[str, Callable[[Callable[[str], Any]], None]], ...] = (
    ("0001_journal", _journal),
    ("0002_state", _state),
    ("0003_link", _link),
)


def applied(connection: sqlite3.Connection) -> list[str]:
    """Names of the steps this file has, in order."""
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'").fetchone()
    if known is None:
        return []
    rows = connection.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id", (SET,))
    return [name for (name,) in rows]


def migrate(connection: sqlite3.Connection) -> list[str]:
    """Run the steps that are missing, each whole or not at all; returns their names.

    Raises DatabaseNewer, RowDamaged.
    """
    have = applied(connection)
    unknown = [name for name in have if name not in dict(STEPS)]
    missing = [name for name, _ in STEPS if name not in have]
    if unknown and missing:  # a later version has all our steps: this is neither
        raise RowDamaged("_sqlite_migrations", unknown[0])
    if unknown:
        raise DatabaseNewer(
            f"The data was written by a later version of this program (it knows {unknown[-1]}). "
            "Install that version again, or restore a backup from before the update."
        )
    if missing:
        from sqlite_utils import Database, Migrations

        database = Database(connection)
        steps = Migrations(SET)
        for name, step in STEPS:
            steps(name=name)(lambda database, step=step: step(database.execute))
        steps.apply(database)
    return missing
