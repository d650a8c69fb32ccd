"""Single values: back as they were, or noticed."""

import sqlite3

import pytest

from edge_agent.store import meta
from edge_agent.store.migrations import migrate
from edge_agent.store.rows import RowDamaged


def test_a_value_comes_back_or_is_known_to_be_damaged() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    assert meta.read(connection, meta.Acked) is None
    meta.write(connection, meta.Acked(seq=5, ops=3))
    meta.write(connection, meta.Acked(seq=7, ops=4))
    assert meta.read(connection, meta.Acked) == meta.Acked(seq=7, ops=4)
    connection.execute("UPDATE meta SET value = replace(value, '7', '6')")
    with pytest.raises(RowDamaged):
        meta.read(connection, meta.Acked)
    meta.write(connection, meta.Salvaged(at="now", directory="d"))
    meta.forget(connection, meta.Salvaged)
    assert meta.read(connection, meta.Salvaged) is None
    connection.close()
