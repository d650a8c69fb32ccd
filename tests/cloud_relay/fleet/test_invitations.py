"""Links into a team and to a new password: good once, for a while, and for what they say."""

from datetime import timedelta

import pytest

from cloud_relay.fleet import invitations as inv
from cloud_relay.fleet.acts import Act
from cloud_relay.fleet.records import Team
from cloud_relay.fleet.roles import Role
from cloud_relay.fleet.teams import add_team, add_user
from cloud_relay.store.store import Store
from sitelink.errors import InvitationEnded, NameTaken, NotFound
from tests.cloud_relay.made import ACT, NOW


def team_in(store: Store) -> Team:
    return store.write_now(lambda books: add_team(books, ACT, "Acme"))


def test_an_invitation_is_accepted_once(store: Store) -> None:
    team = team_in(store)
    made, token = store.write_now(lambda books: inv.invite(books, ACT, team, "Ann@Example.com", Role.SUPPORT))
    user = store.write_now(lambda books: add_user(books, ACT, "ann@example.com"))
    assert store.read_now(lambda books: inv.invitation_of(books, token, NOW)) == made
    store.write_now(lambda books: inv.accept(books, ACT, made, user))
    member = store.read_now(lambda books: books.accounts.member(team.id, user.id))
    assert member is not None
    assert member.role is Role.SUPPORT
    with pytest.raises(InvitationEnded):
        store.write_now(lambda books: inv.accept(books, ACT, made, user))
    with pytest.raises(InvitationEnded):
        store.read_now(lambda books: inv.invitation_of(books, token, NOW))
    with pytest.raises(NameTaken):
        store.write_now(lambda books: inv.invite(books, ACT, team, "ANN@example.com", Role.ADMIN))


def test_a_second_invitation_replaces_the_first_and_any_can_be_taken_back(store: Store) -> None:
    team = team_in(store)
    _, first = store.write_now(lambda books: inv.invite(books, ACT, team, "ann@example.com", Role.SUPPORT))
    made, second = store.write_now(lambda books: inv.invite(books, ACT, team, "ANN@example.com", Role.ADMIN))
    with pytest.raises(InvitationEnded):
        store.read_now(lambda books: inv.invitation_of(books, first, NOW))
    assert [each.id for each in store.read_now(lambda books: inv.open_invitations(books, team.id, NOW))] == [made.id]
    assert [each.id for each in store.read_now(lambda books: books.invitations.open_for("Ann@example.com", NOW))] == [
        made.id
    ]
    for _ in range(2):
        store.write_now(lambda books: inv.revoke_invitation(books, ACT, team.id, made.id))
    with pytest.raises(InvitationEnded):
        store.read_now(lambda books: inv.invitation_of(books, second, NOW))
    other = store.write_now(lambda books: add_team(books, ACT, "Other"))
    with pytest.raises(NotFound):
        store.write_now(lambda books: inv.revoke_invitation(books, ACT, other.id, made.id))


def test_an_invitation_ends_after_a_week(store: Store) -> None:
    team = team_in(store)
    _, token = store.write_now(lambda books: inv.invite(books, ACT, team, "ann@example.com", Role.SUPPORT))
    assert store.read_now(lambda books: inv.invitation_of(books, token, NOW + inv.INVITED_FOR))
    with pytest.raises(InvitationEnded):
        store.read_now(lambda books: inv.invitation_of(books, token, NOW + inv.INVITED_FOR + timedelta(seconds=1)))


def test_a_way_in_sets_one_password_and_signs_everybody_out(store: Store) -> None:
    user = store.write_now(lambda books: add_user(books, ACT, "ann@example.com"))
    token = store.write_now(lambda books: inv.new_way_in(books, ACT, user))
    assert store.read_now(lambda books: inv.way_in_of(books, token, NOW))[1].id == user.id
    with pytest.raises(InvitationEnded):
        store.read_now(lambda books: inv.way_in_of(books, token, NOW + inv.WAY_IN_FOR + timedelta(seconds=1)))
    with pytest.raises(InvitationEnded):
        store.read_now(lambda books: inv.way_in_of(books, "gr1_other", NOW))
    store.write_now(lambda books: inv.use_way_in(books, ACT, token, "hash"))
    changed = store.read_now(lambda books: books.accounts.user(user.id))
    assert changed is not None
    assert changed.password_hash == "hash"
    with pytest.raises(InvitationEnded):
        store.write_now(lambda books: inv.use_way_in(books, Act(ACT.actor, NOW), token, "other"))
