"""Letters on their way: taken by one, tried for a day, and their text not kept afterwards."""

from datetime import datetime, timedelta

from cloud_relay.fleet import post
from cloud_relay.fleet.records import Mail
from cloud_relay.store.store import Store
from tests.cloud_relay.made import NOW


def written(store: Store, subject: str = "Hello") -> Mail:
    return store.write_now(lambda books: post.write(books, "ann@example.com", subject, "secret text", NOW))


def test_who_takes_a_letter_has_it_for_a_while(store: Store) -> None:
    mail = written(store, "Hello\r\nBcc: all@example.com")
    assert mail.subject == "Hello Bcc: all@example.com"

    def taken(now: datetime) -> str | None:
        found = store.write_now(lambda books: post.take(books, now))
        return found.id if found else None

    assert taken(NOW) == mail.id
    assert taken(NOW) is None
    assert taken(NOW + post.TAKEN_FOR) == mail.id


def test_what_is_sent_or_refused_is_not_tried_again_and_its_text_is_gone(store: Store) -> None:
    for note, outcome in ((post.note_sent, "sent"), (post.note_refused, "refused")):
        mail = written(store)
        store.write_now(lambda books, note=note, mail=mail: note(books, mail, NOW))  # type: ignore[misc]
        assert store.write_now(lambda books: post.take(books, NOW + timedelta(days=9))) is None
        kept = store.read_now(lambda books, mail=mail: books.mails.of(mail.id))  # type: ignore[misc]
        assert kept is not None
        assert (kept.outcome, kept.body) == (outcome, "")


def test_failures_are_tried_again_with_growing_pauses_for_a_day(store: Store) -> None:
    mail, now, tries = written(store), NOW, 0
    pauses = []
    while due := store.write_now(lambda books, now=now: post.take(books, now)):  # type: ignore[misc]
        mail = due
        store.write_now(lambda books, mail=mail, now=now: post.note_failed(books, mail, now))  # type: ignore[misc]
        tries += 1
        after = NOW + timedelta(days=2) if now - NOW >= post.GIVEN_UP_AFTER else None
        pauses.append(min(post.FIRST_PAUSE * 2**mail.tries, timedelta(hours=1)))
        now = after or now + pauses[-1]
    assert pauses[0] == post.FIRST_PAUSE
    assert pauses == sorted(pauses)
    assert 24 <= tries <= 40
