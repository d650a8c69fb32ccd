"""Statements that both databases have, and SQLAlchemy spells for each of them. Start at `upsert`."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

ROWS_AT_ONCE = 500


def upsert(connection: Connection, table: sa.Table, keys: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows; where one with these keys is there, put the new values in its place."""
    if not rows:
        return
    statement = _insert(connection, table)
    others = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    spelled = (
        statement.on_conflict_do_update(index_elements=list(keys), set_=others) if others
        else statement.on_conflict_do_nothing(index_elements=list(keys))
    )  # fmt: skip
    connection.execute(spelled, list(rows))


def insert_or_ignore(
    connection: Connection, table: sa.Table, keys: Sequence[str], rows: Sequence[dict[str, Any]]
) -> int:
    """Insert the rows that are not there; how many those were."""
    added = 0
    for at in range(0, len(rows), ROWS_AT_ONCE):
        some = list(rows[at : at + ROWS_AT_ONCE])
        statement = _insert(connection, table).values(some).on_conflict_do_nothing(index_elements=list(keys))
        added += len(connection.execute(statement.returning(table.c[keys[0]])).all())
    return added


def _insert(connection: Connection, table: sa.Table) -> Any:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
