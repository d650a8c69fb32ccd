"""What letters say. That they arrive: test_doors.py."""

from datetime import UTC, datetime

from cloud_relay.console.letters import post_invitation, post_way_in
from cloud_relay.fleet import post
from cloud_relay.fleet.ids import InvitationId, TeamId
from cloud_relay.fleet.records import Invitation
from cloud_relay.fleet.roles import Role
from cloud_relay.fleet.teams import add_user
from cloud_relay.store.store import Store
from tests.cloud_relay.made import ACT, NOW


def test_they_name_who_where_and_how_long(store: Store) -> None:
    invitation = Invitation(InvitationId("i"), TeamId("t"), "new@example.com", Role.SUPPORT, "ann", NOW, NOW)
    store.write_now(lambda books: post_invitation(books, invitation, "Acme", "https://cloud.example/x"))
    user = store.write_now(lambda books: add_user(books, ACT, "ann@example.com"))
    store.write_now(lambda books: post_way_in(books, user, "https://cloud.example/y", NOW))
    texts = {}
    while mail := store.write_now(lambda books: post.take(books, datetime(2030, 1, 1, tzinfo=UTC))):
        texts[mail.recipient] = mail.subject + mail.body
    for words in ("ann", "Acme", "support", "https://cloud.example/x", "seven days"):
        assert words in texts["new@example.com"]
    for words in ("ann@example.com", "https://cloud.example/y", "an hour"):
        assert words in texts["ann@example.com"]
