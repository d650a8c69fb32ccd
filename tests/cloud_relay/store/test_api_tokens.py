"""Tokens of programs: kept as a hash, found by it."""

import msgspec

from cloud_relay.fleet.ids import TeamId, TokenId
from cloud_relay.fleet.records import ApiToken, Team
from cloud_relay.store.store import Store
from tests.cloud_relay.made import NOW

TOKEN = ApiToken(TokenId("k1"), TeamId("t1"), "ci", frozenset({"sites:read", "audit:read"}), "Ann", NOW)


def test_a_token_is_found_by_its_hash_and_changes(store: Store) -> None:
    store.write_now(lambda books: books.accounts.add_team(Team(TeamId("t1"), "Acme", NOW)))
    store.write_now(lambda books: books.tokens.add(TOKEN, "a" * 64))
    assert store.read_now(lambda books: books.tokens.with_sha256("a" * 64)) == TOKEN
    assert store.read_now(lambda books: books.tokens.with_sha256("b" * 64)) is None
    revoked = msgspec.structs.replace(TOKEN, revoked_at=NOW)
    store.write_now(lambda books: books.tokens.put(revoked))
    assert store.read_now(lambda books: books.tokens.of(TeamId("t1"), TOKEN.id)) == revoked
    assert store.read_now(lambda books: books.tokens.of(TeamId("t2"), TOKEN.id)) is None
    assert store.read_now(lambda books: books.tokens.of_team(TeamId("t1"))) == [revoked]
