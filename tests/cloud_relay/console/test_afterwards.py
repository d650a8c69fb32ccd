"""What is written after the answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cloud_relay.console import afterwards
from cloud_relay.console.afterwards import Afterwards
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.teams import add_team
from cloud_relay.store.store import Store
from sitelink.errors import NotFound
from tests.cloud_relay.made import ACT


@asynccontextmanager
async def working(afterwards: Afterwards) -> AsyncIterator[None]:
    task = asyncio.ensure_future(afterwards.run())
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def fail(_books: Books) -> None:
    raise NotFound(what="user", key="x")


def make_team(books: Books) -> None:
    add_team(books, ACT, "Acme")


async def test_it_is_written_in_turn_and_what_fails_stops_nothing(store: Store) -> None:
    later, done = Afterwards(store), asyncio.Event()
    later.write(fail)
    later.write(make_team, done.set)
    async with working(later), asyncio.timeout(15):
        await done.wait()
    assert await store.read(lambda books: books.accounts.team_named("acme")) is not None


async def test_what_is_too_much_is_dropped(store: Store) -> None:
    later, came, full = Afterwards(store), list[int](), asyncio.Event()

    def note(number: int) -> None:
        came.append(number)
        if len(came) == afterwards.WAITING_MAX:
            full.set()

    for number in range(afterwards.WAITING_MAX + 5):
        later.write(lambda _books: None, lambda number=number: note(number))  # type: ignore[misc]
    async with working(later), asyncio.timeout(30):
        await full.wait()
    assert came == list(range(afterwards.WAITING_MAX))
