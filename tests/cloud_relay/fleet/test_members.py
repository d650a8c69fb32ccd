"""People of a team, changed by its administrators."""

import pytest

from cloud_relay.fleet import members
from cloud_relay.fleet.records import Team, User
from cloud_relay.fleet.roles import Role
from cloud_relay.fleet.teams import add_team, add_user, new_api_token, set_member
from cloud_relay.store.store import Store
from sitelink.errors import LastAdministrator, NameTaken, NotFound
from tests.cloud_relay.made import ACT


def team_of_two(store: Store) -> tuple[Team, User, User]:
    team = store.write_now(lambda books: add_team(books, ACT, "Acme"))
    ann = store.write_now(lambda books: add_user(books, ACT, "ann@example.com"))
    bob = store.write_now(lambda books: add_user(books, ACT, "bob@example.com"))
    store.write_now(lambda books: set_member(books, ACT, team, ann, Role.ADMIN))
    store.write_now(lambda books: set_member(books, ACT, team, bob, Role.SUPPORT))
    return team, ann, bob


def test_a_team_keeps_an_administrator(store: Store) -> None:
    team, ann, bob = team_of_two(store)
    with pytest.raises(LastAdministrator):
        store.write_now(lambda books: members.change_role(books, ACT, team.id, ann.id, Role.OPERATOR))
    with pytest.raises(LastAdministrator):
        store.write_now(lambda books: members.remove_member(books, ACT, team.id, ann.id))
    store.write_now(lambda books: members.change_role(books, ACT, team.id, bob.id, Role.ADMIN))
    store.write_now(lambda books: members.remove_member(books, ACT, team.id, ann.id))
    assert [each.user.id for each in store.read_now(lambda books: books.accounts.members_of(team.id))] == [bob.id]
    with pytest.raises(NotFound):
        store.write_now(lambda books: members.remove_member(books, ACT, team.id, ann.id))


def test_a_team_is_renamed_to_a_name_that_is_free(store: Store) -> None:
    team, _, _ = team_of_two(store)
    store.write_now(lambda books: add_team(books, ACT, "Other"))
    with pytest.raises(NameTaken):
        store.write_now(lambda books: members.rename_team(books, ACT, team.id, "OTHER"))
    store.write_now(lambda books: members.rename_team(books, ACT, team.id, " acme "))
    assert [each.name for each in store.read_now(lambda books: books.accounts.teams())] == ["acme", "Other"]
    kinds = [each.kind for each in store.read_now(lambda books: books.audit.page(team.id, limit=10))]
    assert kinds[0] == "team.renamed"


def test_a_token_is_ended_by_its_own_team(store: Store) -> None:
    team, _, _ = team_of_two(store)
    other = store.write_now(lambda books: add_team(books, ACT, "Other"))
    token, _ = store.write_now(lambda books: new_api_token(books, ACT, team, "ci"))
    with pytest.raises(NotFound):
        store.write_now(lambda books: members.revoke_api_token(books, ACT, other.id, token.id))
    for _ in range(2):
        store.write_now(lambda books: members.revoke_api_token(books, ACT, team.id, token.id))
    ended = store.read_now(lambda books: books.tokens.of(team.id, token.id))
    assert ended is not None
    assert ended.revoked_at == ACT.at
