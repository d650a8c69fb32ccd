"""A store for every test of the cloud, once on SQLite and once on PostgreSQL."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from cloud_relay.store.store import Store, open_store
from tests.doubles.postgresql import USER, postgresql

_numbers = count(1)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """With a database "template" that has all tables."""
    with postgresql() as url:
        _create(url, "template")
        with open_store(url.replace("NAME", "template"), Path(), 2):
            pass
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Empty for SQLite: a file in the data folder."""
    if request.param == "sqlite":
        return ""
    server: str = request.getfixturevalue("postgresql_server")
    name = f"test{next(_numbers)}"
    _create(server, name, "template")
    return server.replace("NAME", name)


@pytest.fixture
def store(database_url: str, tmp_path: Path) -> Iterator[Store]:
    with open_store(database_url, tmp_path, 4) as opened:
        yield opened


def _create(url: str, name: str, template: str = "template0") -> None:
    with psycopg.connect(url.replace("NAME", USER), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")  # type: ignore[call-overload]
