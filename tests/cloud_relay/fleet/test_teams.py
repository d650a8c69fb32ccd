"""Teams, their people and their programs' tokens."""

import pytest

from cloud_relay.fleet.permissions import RIGHTS
from cloud_relay.fleet.roles import Role
from cloud_relay.fleet.teams import add_team, add_user, find_team, new_api_token, set_member
from cloud_relay.fleet.tokens import sha256_of
from cloud_relay.store.store import Store
from sitelink.errors import NameTaken, NotFound
from tests.cloud_relay.made import ACT


def test_a_team_is_found_by_id_and_by_name_and_its_name_is_its_own(store: Store) -> None:
    team = store.write_now(lambda books: add_team(books, ACT, " Acme "))
    assert store.read_now(lambda books: find_team(books, "acme")) == team
    assert store.read_now(lambda books: find_team(books, team.id)) == team
    with pytest.raises(NameTaken):
        store.write_now(lambda books: add_team(books, ACT, "ACME"))
    with pytest.raises(NotFound):
        store.read_now(lambda books: find_team(books, "Beta"))


def test_the_same_address_is_the_same_person_in_every_team(store: Store) -> None:
    team = store.write_now(lambda books: add_team(books, ACT, "Acme"))
    ann = store.write_now(lambda books: add_user(books, ACT, "ann@x.example"))
    assert store.write_now(lambda books: add_user(books, ACT, "ANN@x.example", "Other")) == ann
    assert ann.name == "ann"
    for role in (Role.SUPPORT, Role.SUPPORT, Role.ADMIN):
        store.write_now(lambda books, what=role: set_member(books, ACT, team, ann, what))
    (member,) = store.read_now(lambda books: books.accounts.members_of(team.id))
    assert member.role is Role.ADMIN
    kinds = [each.kind for each in store.read_now(lambda books: books.audit.page(team.id, limit=9))]
    assert kinds == ["member.role_changed", "member.added", "team.created"], "what changes nothing is not noted"


def test_a_token_is_shown_once_and_kept_as_a_hash(store: Store) -> None:
    team = store.write_now(lambda books: add_team(books, ACT, "Acme"))
    made, shown = store.write_now(lambda books: new_api_token(books, ACT, team, "ci"))
    assert store.read_now(lambda books: books.tokens.with_sha256(sha256_of(shown))) == made
    assert made.scopes == frozenset(RIGHTS)
    noted = store.read_now(lambda books: books.audit.page(team.id, limit=1))[0]
    assert shown not in str(noted)
