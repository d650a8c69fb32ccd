"""Sites and the boxes that are to come."""

import pytest

from cloud_relay.fleet.sites import add_gateway, add_site, find_site
from cloud_relay.fleet.teams import add_team
from cloud_relay.fleet.tokens import sha256_of
from cloud_relay.store.store import Store
from sitelink.errors import NameTaken, NotFound, RequestInvalid
from tests.cloud_relay.made import ACT


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
