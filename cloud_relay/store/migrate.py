"""Brings a database of any older version up to today's, in one transaction, and refuses one that is newer.

Start at `upgrade`. The steps stand in `migrations/versions`; a test holds them to `schema`.
"""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection

from cloud_relay.store.database import Database, StoreCannotOpen
from sitelink.errors import StoreUnavailable

SCRIPTS = "cloud_relay.store:migrations"
_ONE_AT_A_TIME = 0x6761_7465
"""The key of PostgreSQL's advisory lock: of several nodes that start together one migrates."""


def upgrade(database: Database, revision: str = "head") -> None:
    """Raises StoreCannotOpen when the database is newer than this program, or not reached."""
    try:
        database.write(lambda connection: _upgrade(connection, revision)).result()
    except StoreUnavailable as error:
        problem = f"The database cannot be opened ({error.fields['reason']}). Look at database.url and at its log."
        raise StoreCannotOpen(problem) from error


def revision_of(connection: Connection) -> str | None:
    """The last step this database took; None: none yet."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _upgrade(connection: Connection, revision: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
    config = _config()
    found = revision_of(connection)
    if found is not None and found not in {
        step.revision for step in ScriptDirectory.from_config(config).walk_revisions()
    }:
        raise StoreCannotOpen(f"The database was written by a newer version of Gatepost (step {found}); "
                              "install that version, or name another database.")  # fmt: skip
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    config.set_main_option("path_separator", "os")
    return config
