"""Migrations make the tables that the code knows, and a newer database is refused."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from cloud_relay.store import migrate
from cloud_relay.store.database import StoreCannotOpen, connect
from cloud_relay.store.tables import METADATA


def test_the_steps_make_the_tables_of_today(database_url: str, tmp_path: Path) -> None:
    database = connect(database_url, tmp_path, 2)
    migrate.upgrade(database)

    def differences(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, METADATA))

    assert database.write(differences).result() == []
    assert database.read(migrate.revision_of).result() == migrate.newest()
    database.close()


def test_a_newer_database_is_refused_in_one_sentence(database_url: str, tmp_path: Path) -> None:
    database = connect(database_url, tmp_path, 2)
    migrate.upgrade(database)
    database.write(lambda c: c.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))).result()
    with pytest.raises(StoreCannotOpen, match="newer version"):
        migrate.upgrade(database)
    database.close()
