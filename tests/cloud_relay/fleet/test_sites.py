"""Sites and the boxes that are to come."""

import pytest

from cloud_relay.fleet.log_records import BoxLink
from cloud_relay.fleet.sites import add_gateway, add_site, change_site, clear_alarm, find_site, remove_site
from cloud_relay.fleet.teams import add_team
from cloud_relay.fleet.tokens import sha256_of
from cloud_relay.store.store import Store
from sitelink.errors import NameTaken, NotFound, RequestInvalid
from tests.cloud_relay.made import ACT, NOW
from tests.cloud_relay.made import site as made_site


def test_a_site_is_its_teams_alone(store: Store) -> None:
    acme, beta = (store.write_now(lambda books, name=name: add_team(books, ACT, name)) for name in ("Acme", "Beta"))
    site = store.write_now(lambda books: add_site(books, ACT, acme.id, "Harbour", "Quay 4"))
    assert store.read_now(lambda books: find_site(books, acme.id, "harbour")) == site
    with pytest.raises(NotFound):
        store.read_now(lambda books: find_site(books, beta.id, site.id))
    with pytest.raises(NameTaken):
        store.write_now(lambda books: add_site(books, ACT, acme.id, "HARBOUR"))
    with pytest.raises(RequestInvalid):
        store.write_now(lambda books: add_site(books, ACT, acme.id, " "))
    store.write_now(lambda books: add_site(books, ACT, beta.id, "Harbour"))


def test_a_claim_is_kept_as_a_hash(store: Store) -> None:
    team = store.write_now(lambda books: add_team(books, ACT, "Acme"))
    site = store.write_now(lambda books: add_site(books, ACT, team.id, "Harbour"))
    gateway, claim = store.write_now(lambda books: add_gateway(books, ACT, site, "Box"))
    assert store.read_now(lambda books: books.sites.gateway_with_claim(sha256_of(claim))) == gateway
    assert claim not in str(store.read_now(lambda books: books.audit.page(team.id, limit=9)))


def test_a_site_gets_another_name_unless_that_is_taken(store: Store) -> None:
    team = store.write_now(lambda books: add_team(books, ACT, "Acme"))
    site, other = (
        store.write_now(lambda books, name=name: add_site(books, ACT, team.id, name)) for name in ("Harbour", "Mill")
    )
    with pytest.raises(NameTaken):
        store.write_now(lambda books: change_site(books, ACT, site, "MILL", ""))
    changed = store.write_now(lambda books: change_site(books, ACT, site, "HARBOUR ", "Quay 4"))
    assert (changed.name, changed.address) == ("HARBOUR", "Quay 4")
    assert store.read_now(lambda books: find_site(books, team.id, "harbour")) == changed
    entry = store.read_now(lambda books: books.audit.page(team.id, limit=1))[0]
    assert (entry.kind, entry.before, entry.after["address"]) == (
        "site.changed", {"name": "Harbour", "address": ""}, "Quay 4"
    )  # fmt: skip
    store.write_now(lambda books: change_site(books, ACT, other, "Mill", ""))
    assert store.read_now(lambda books: books.audit.page(team.id, limit=1))[0] == entry, "nothing changed"


def test_a_removed_site_is_gone_with_its_boxes_and_its_name_is_free(store: Store) -> None:
    team = store.write_now(lambda books: add_team(books, ACT, "Acme"))
    site = store.write_now(lambda books: add_site(books, ACT, team.id, "Harbour"))
    gateway, _ = store.write_now(lambda books: add_gateway(books, ACT, site, "Box"))
    assert store.write_now(lambda books: remove_site(books, ACT, site)) == [gateway.id]
    with pytest.raises(NotFound):
        store.read_now(lambda books: find_site(books, team.id, site.id))
    known = store.read_now(lambda books: books.sites.gateway(team.id, gateway.id))
    assert known is not None
    assert known.revoked_at == ACT.at
    store.write_now(lambda books: add_site(books, ACT, team.id, "Harbour"))


def test_an_alarm_is_taken_away_by_somebody_of_the_team(store: Store) -> None:
    place, gateway = made_site(store)
    other, _ = made_site(store, "Other")
    stopped = BoxLink(
        gateway, place.site, place.team, stream="s", alarm="copied", quarantined_at=NOW, fences=(NOW,), seen_at=NOW
    )
    store.write_now(lambda books: books.links.put(stopped))
    with pytest.raises(NotFound):
        store.write_now(lambda books: clear_alarm(books, ACT, other.team, gateway))
    for _ in range(2):
        store.write_now(lambda books: clear_alarm(books, ACT, place.team, gateway))
    link = store.read_now(lambda books: books.links.of(gateway))
    assert link is not None
    assert (link.alarm, link.quarantined_at, link.fences, link.stream) == (None, None, (), "s")
    kinds = [entry.kind for entry in store.read_now(lambda books: books.audit.page(place.team, limit=9))]
    assert kinds.count("gateway.alarm_cleared") == 1
