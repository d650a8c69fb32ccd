"""What the database keeps of people; the rules are tried in tests/cloud_relay/fleet."""

from datetime import timedelta

import msgspec

from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Mail
from cloud_relay.fleet.teams import add_user
from cloud_relay.store.store import Store
from tests.cloud_relay.made import ACT, NOW


def test_letters_come_in_the_order_they_are_due(store: Store) -> None:
    for number, minutes in enumerate((3, 1, 2, 9)):
        mail = Mail(f"m{number}", "a@example.com", "s", "b", NOW, next_try_at=NOW + timedelta(minutes=minutes))
        store.write_now(lambda books, mail=mail: books.mails.add(mail))  # type: ignore[misc]

    def next_one() -> str | None:
        """And it is never due again."""

        def work(books: Books) -> Mail | None:
            found = books.mails.due(NOW + timedelta(minutes=5))
            if found is not None:
                books.mails.put(msgspec.structs.replace(found, next_try_at=None))
            return found

        due = store.write_now(work)
        return due.id if due else None

    assert [next_one() for _ in range(4)] == ["m1", "m2", "m0", None]
    assert store.read_now(lambda books: books.mails.of("nowhere")) is None


def test_a_recovery_code_is_used_up_by_one(store: Store) -> None:
    user = store.write_now(lambda books: add_user(books, ACT, "ann@example.com"))
    store.write_now(lambda books: books.recovery.replace(user.id, ["a", "b"]))
    assert store.write_now(lambda books: books.recovery.use(user.id, "a", NOW))
    assert not store.write_now(lambda books: books.recovery.use(user.id, "a", NOW))
    assert store.read_now(lambda books: books.recovery.left(user.id)) == 1
    store.write_now(lambda books: books.recovery.replace(user.id, []))
    assert store.read_now(lambda books: books.recovery.left(user.id)) == 0
