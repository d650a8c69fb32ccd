"""A transaction offers every area, and secrets are shared by all nodes."""

from typing import get_type_hints

from cloud_relay.fleet.ports import Books
from cloud_relay.store.store import Store


def test_every_area_of_the_port_is_there(store: Store) -> None:
    areas = [name for name, value in vars(Books).items() if isinstance(value, property)]
    assert len(areas) >= 8
    assert store.read_now(lambda books: [hasattr(books, area) for area in areas]) == [True] * len(areas)
    assert get_type_hints(Books.secrets.fget)["return"].__name__ == "Secrets"  # type: ignore[attr-defined]


def test_a_secret_is_replaced(store: Store) -> None:
    assert store.read_now(lambda books: books.secrets.get("key")) is None
    store.write_now(lambda books: books.secrets.put("key", "one"))
    store.write_now(lambda books: books.secrets.put("key", "two"))
    assert store.read_now(lambda books: books.secrets.get("key")) == "two"
