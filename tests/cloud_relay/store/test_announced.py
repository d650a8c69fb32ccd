"""Boxes that show a code, in SQL."""

from datetime import timedelta

from cloud_relay.fleet.records import Announced
from cloud_relay.store.store import Store
from tests.cloud_relay.made import NOW


def test_they_are_found_by_key_and_code_replaced_and_dropped(store: Store) -> None:
    one = Announced("key-1", "a" * 64, "gw", "1.0", NOW, NOW + timedelta(minutes=15))
    store.write_now(lambda books: books.announced.put(one))
    newer = Announced("key-1", "b" * 64, "gw", "1.1", NOW, NOW + timedelta(minutes=20))
    store.write_now(lambda books: books.announced.put(newer))
    assert store.read_now(lambda books: books.announced.of("key-1")) == newer
    assert store.read_now(lambda books: books.announced.with_code("b" * 64)) == newer
    assert store.read_now(lambda books: books.announced.with_code("a" * 64)) is None
    store.write_now(lambda books: books.announced.drop_before(NOW + timedelta(minutes=19)))
    assert store.read_now(lambda books: books.announced.count()) == 1
    store.write_now(lambda books: books.announced.drop_before(newer.expires_at))
    assert store.read_now(lambda books: books.announced.count()) == 0
