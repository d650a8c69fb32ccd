"""Sessions in SQL."""

from datetime import timedelta

import msgspec

from cloud_relay.fleet.ids import SessionId
from cloud_relay.fleet.records import Session
from cloud_relay.fleet.teams import add_user
from cloud_relay.store.store import Store
from tests.cloud_relay.made import ACT, NOW


def test_they_are_added_seen_and_ended(store: Store) -> None:
    user = store.write_now(lambda books: add_user(books, ACT, "ann@example.com"))

    def ids() -> list[str]:
        return [each.id for each in store.read_now(lambda books: books.sessions.of_user(user.id))]

    made = [
        Session(SessionId(f"s{n}"), user.id, NOW + timedelta(hours=n), NOW + timedelta(hours=n), None, "192.0.2.1", "x")
        for n in range(4)
    ]
    for each in made:
        store.write_now(lambda books, each=each: books.sessions.add(each, f"hash {each.id}"))  # type: ignore[misc]
    assert store.read_now(lambda books: books.sessions.with_sha256("hash s2")) == made[2]
    assert store.read_now(lambda books: books.sessions.with_sha256("other")) is None
    later = msgspec.structs.replace(made[0], seen_at=NOW + timedelta(days=1), awaits="totp")
    store.write_now(lambda books: books.sessions.put(later))
    assert ids() == [
        "s0",
        "s3",
        "s2",
        "s1",
    ]
    store.write_now(lambda books: books.sessions.end(SessionId("s3")))
    store.write_now(lambda books: books.sessions.end_before(NOW + timedelta(hours=1)))
    assert ids() == ["s2", "s1"]
    store.write_now(lambda books: books.sessions.end_of_user(user.id, but=SessionId("s1")))
    assert ids() == ["s1"]
