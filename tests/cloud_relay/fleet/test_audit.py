"""What is noted: only what changed, and no secret."""

import pytest

from cloud_relay.fleet.audit import note
from cloud_relay.fleet.teams import add_team
from cloud_relay.store.store import Store
from tests.cloud_relay.made import ACT


def test_what_is_equal_is_left_out_and_secrets_are_masked(store: Store) -> None:
    team = store.write_now(lambda books: add_team(books, ACT, "Acme"))
    before, after = {"name": "a", "role": "x", "password": "hunter2"}, {"name": "b", "role": "x"}
    store.write_now(lambda books: note(books, ACT, "site.changed", team.id, "site", "s1", "Harbour", before, after))
    (entry, _) = store.read_now(lambda books: books.audit.page(team.id, limit=9))
    assert entry.after == {"name": "b"}
    assert entry.before["name"] == "a"
    assert "role" not in entry.before
    assert "hunter2" not in str(entry.before)
    assert (entry.actor_name, entry.at) == (ACT.actor.name, ACT.at)


def test_a_kind_nobody_listed_is_a_mistake_of_ours(store: Store) -> None:
    with pytest.raises(ValueError, match="no kind"):
        store.write_now(lambda books: note(books, ACT, "made.up", None, "site", "s1", "Harbour"))
