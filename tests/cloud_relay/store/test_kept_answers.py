"""Answers that are kept, in SQL."""

from datetime import timedelta

import msgspec

from cloud_relay.fleet.records import KeptAnswer
from cloud_relay.fleet.teams import add_team
from cloud_relay.store.store import Store
from tests.cloud_relay.made import ACT, NOW


def test_a_key_is_begun_once_a_team_and_ends_by_age(store: Store) -> None:
    acme, beta = (store.write_now(lambda books, name=name: add_team(books, ACT, name)) for name in ("Acme", "Beta"))
    kept = KeptAnswer(acme.id, "k" * 64, "r" * 64, NOW)
    assert store.write_now(lambda books: books.kept_answers.begin(kept))
    assert not store.write_now(lambda books: books.kept_answers.begin(msgspec.structs.replace(kept, request="s" * 64)))
    assert store.write_now(lambda books: books.kept_answers.begin(msgspec.structs.replace(kept, team=beta.id)))
    assert store.read_now(lambda books: books.kept_answers.of(acme.id, kept.key)) == kept
    done = msgspec.structs.replace(kept, status=201, sealed="x")
    store.write_now(lambda books: books.kept_answers.put(done))
    assert store.read_now(lambda books: books.kept_answers.of(acme.id, kept.key)) == done
    store.write_now(lambda books: books.kept_answers.drop(beta.id, kept.key))
    assert store.read_now(lambda books: books.kept_answers.of(beta.id, kept.key)) is None
    store.write_now(lambda books: books.kept_answers.drop_before(NOW))
    assert store.read_now(lambda books: books.kept_answers.of(acme.id, kept.key)) == done
    store.write_now(lambda books: books.kept_answers.drop_before(NOW + timedelta(seconds=1)))
    assert store.read_now(lambda books: books.kept_answers.of(acme.id, kept.key)) is None
