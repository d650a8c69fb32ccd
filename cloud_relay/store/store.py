"""The only way to the cloud's data: a plain function that runs in one transaction on a thread of the database's.

Start at `open_store`.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import Connection

from cloud_relay.fleet.ports import Books
from cloud_relay.store import backup, migrate
from cloud_relay.store.books import SqlBooks
from cloud_relay.store.database import Database, connect

T = TypeVar("T")


class Store:
    """See `fleet.ports.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def dialect(self) -> str:
        return self._database.dialect

    async def write(self, work: Callable[[Books], T]) -> T:
        return await asyncio.wrap_future(self._database.write(_on_books(work)))

    async def read(self, work: Callable[[Books], T]) -> T:
        return await asyncio.wrap_future(self._database.read(_on_books(work)))

    def write_now(self, work: Callable[[Books], T]) -> T:
        return self._database.write(_on_books(work)).result()

    def read_now(self, work: Callable[[Books], T]) -> T:
        return self._database.read(_on_books(work)).result()

    def backup(self, file: Path) -> dict[str, int]:
        """Copy everything, as of one moment, into the new `file`: rows by table. Raises FileRefused."""
        return self._database.read(lambda connection: backup.save(connection, file)).result()

    def restore(self, file: Path) -> dict[str, int]:
        """Fill this empty store from a `backup`. Raises BackupRefused."""
        return self._database.write(lambda connection: backup.load(connection, file)).result()


def _on_books(work: Callable[[Books], T]) -> Callable[[Connection], T]:
    return lambda connection: work(SqlBooks(connection))


@contextmanager
def open_store(url: str, data_dir: Path, connections: int = 8) -> Iterator[Store]:
    """The store, its tables brought up to today's, for as long as the block runs. Raises StoreCannotOpen."""
    database = connect(url, data_dir, connections)
    try:
        migrate.upgrade(database)
        yield Store(database)
    finally:
        database.close()
