"""What a transaction is on each of the two databases."""

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from cloud_relay.fleet.ports import Books
from cloud_relay.store.database import StoreCannotOpen, connect
from cloud_relay.store.store import Store
from sitelink.errors import StoreUnavailable


def test_work_that_raises_leaves_nothing(store: Store) -> None:
    def work(books: Books) -> None:
        books.secrets.put("a", "1")
        raise LookupError

    with pytest.raises(LookupError):
        store.write_now(work)
    assert store.read_now(lambda books: books.secrets.get("a")) is None


def test_two_that_count_at_once_both_count(store: Store) -> None:
    """A transaction that would not have come out the same after the other is begun again."""
    store.write_now(lambda books: books.secrets.put("n", "0"))

    def count(books: Books) -> None:
        books.secrets.put("n", str(int(books.secrets.get("n") or 0) + 1))

    threads = [threading.Thread(target=lambda: [store.write_now(count) for _ in range(5)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.read_now(lambda books: books.secrets.get("n")) == "15"


def test_who_reads_cannot_write(store: Store) -> None:
    with pytest.raises((StoreUnavailable, sa.exc.DBAPIError)):
        store.read_now(lambda books: books.secrets.put("a", "1"))
    assert store.read_now(lambda books: books.secrets.get("a")) is None


async def test_a_write_has_landed_when_it_returns(store: Store) -> None:
    await store.write(lambda books: books.secrets.put("a", "1"))
    assert await store.read(lambda books: books.secrets.get("a")) == "1"


@pytest.mark.parametrize("url", ["mysql://x/y", "no address", "sqlite:///:memory:"])
def test_an_address_that_will_not_do_is_refused_in_one_sentence(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreCannotOpen, match=r"database\.url"):
        connect(url, tmp_path)


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    database = connect(f"postgresql://nobody@/x?host={tmp_path}", tmp_path, 1)
    with pytest.raises(StoreUnavailable) as caught:
        database.read(lambda connection: connection.execute(sa.text("SELECT 1"))).result()
    assert caught.value.fields["reason"] == "away"
    database.close()
