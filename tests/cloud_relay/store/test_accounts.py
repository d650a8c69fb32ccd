"""Teams and people, as they are kept."""

import msgspec
import pytest

from cloud_relay.fleet.ids import TeamId, UserId
from cloud_relay.fleet.records import Team, User
from cloud_relay.fleet.roles import Role
from cloud_relay.store.store import Store
from sitelink.errors import StoreUnavailable
from tests.cloud_relay.made import NOW

ACME = Team(TeamId("t1"), "Acme", NOW)
ANN = User(UserId("u1"), "Ann@Example.com", "Ann", NOW)


def test_names_and_addresses_are_found_without_regard_to_case(store: Store) -> None:
    store.write_now(lambda books: (books.accounts.add_team(ACME), books.accounts.add_user(ANN)))
    assert store.read_now(lambda books: books.accounts.team_named(" ACME ")) == ACME
    assert store.read_now(lambda books: books.accounts.user_with_email("ann@example.COM")) == ANN
    assert store.read_now(lambda books: books.accounts.teams()) == [ACME]
    assert store.read_now(lambda books: books.accounts.team(TeamId("none"))) is None


def test_a_record_is_put_whole(store: Store) -> None:
    changed = msgspec.structs.replace(ANN, name="Anne", totp_secret="s", totp_last_step=7)
    renamed = msgspec.structs.replace(ACME, name="Acme Two")
    store.write_now(lambda books: (books.accounts.add_team(ACME), books.accounts.add_user(ANN)))
    store.write_now(lambda books: (books.accounts.put_team(renamed), books.accounts.put_user(changed)))
    assert store.read_now(lambda books: books.accounts.user(ANN.id)) == changed
    assert store.read_now(lambda books: books.accounts.team(ACME.id)) == renamed


def test_memberships_are_seen_from_both_sides_and_end(store: Store) -> None:
    store.write_now(lambda books: (books.accounts.add_team(ACME), books.accounts.add_user(ANN)))
    store.write_now(lambda books: books.accounts.put_member(ACME.id, ANN.id, Role.SUPPORT, NOW))
    store.write_now(lambda books: books.accounts.put_member(ACME.id, ANN.id, Role.ADMIN, NOW))
    (member,) = store.read_now(lambda books: books.accounts.members_of(ACME.id))
    assert (member.team, member.user, member.role, member.since) == (ACME, ANN, Role.ADMIN, NOW)
    assert store.read_now(lambda books: books.accounts.memberships(ANN.id)) == [member]
    store.write_now(lambda books: books.accounts.remove_member(ACME.id, ANN.id))
    assert store.read_now(lambda books: books.accounts.member(ACME.id, ANN.id)) is None


def test_two_teams_of_one_name_are_impossible(store: Store) -> None:
    store.write_now(lambda books: books.accounts.add_team(ACME))
    other = msgspec.structs.replace(ACME, id=TeamId("t2"), name="ACME")
    with pytest.raises(Exception, match=r"(?i)unique") as caught:
        store.write_now(lambda books: books.accounts.add_team(other))
    assert not isinstance(caught.value, StoreUnavailable)
