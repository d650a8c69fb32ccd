"""Statements both databases have."""

from cloud_relay.store.schema import kept_secret
from cloud_relay.store.statements import insert_or_ignore, upsert
from cloud_relay.store.store import Store


def test_what_is_there_is_replaced_or_left(store: Store) -> None:
    rows = [{"name": f"n{n}", "value": "1"} for n in range(700)]

    def work(connection: object) -> tuple[int, int]:
        upsert(connection, kept_secret, ["name"], [{"name": "n5", "value": "0"}])  # type: ignore[arg-type]
        added = insert_or_ignore(connection, kept_secret, ["name"], rows)  # type: ignore[arg-type]
        return added, insert_or_ignore(connection, kept_secret, ["name"], rows)  # type: ignore[arg-type]

    assert store._database.write(work).result() == (699, 0)
    assert store.read_now(lambda books: books.secrets.get("n5")) == "0"
    store._database.write(lambda c: upsert(c, kept_secret, ["name"], [{"name": "n5", "value": "9"}])).result()
    assert store.read_now(lambda books: books.secrets.get("n5")) == "9"
    store._database.write(lambda c: upsert(c, kept_secret, ["name"], [])).result()
