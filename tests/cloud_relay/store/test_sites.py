"""Sites and gateways, as they are kept."""

import msgspec

from cloud_relay.fleet.ids import SiteId, TeamId
from cloud_relay.fleet.records import Site, Team
from cloud_relay.store.store import Store
from tests.cloud_relay.made import NOW, site

TEAM = TeamId("t1")


def test_pages_of_sites_are_in_the_order_of_their_names(store: Store) -> None:
    store.write_now(lambda books: books.accounts.add_team(Team(TEAM, "Acme", NOW)))
    sites = [Site(SiteId(f"s{n}"), TEAM, name, "", NOW) for n, name in enumerate(("beta", "Alpha", "gamma"))]
    for each in sites:
        store.write_now(lambda books, made=each: books.sites.add(made))
    first = store.read_now(lambda books: books.sites.page(TEAM, after=None, limit=2))
    assert [each.name for each in first] == ["Alpha", "beta"]
    rest = store.read_now(lambda books: books.sites.page(TEAM, after=("beta", "s0"), limit=2))
    assert [each.name for each in rest] == ["gamma"]


def test_a_removed_site_leaves_its_name(store: Store) -> None:
    store.write_now(lambda books: books.accounts.add_team(Team(TEAM, "Acme", NOW)))
    gone = Site(SiteId("s1"), TEAM, "Harbour", "", NOW)
    store.write_now(lambda books: books.sites.add(gone))
    store.write_now(lambda books: books.sites.put(msgspec.structs.replace(gone, removed_at=NOW)))
    assert store.read_now(lambda books: books.sites.named(TEAM, "harbour")) is None
    again = Site(SiteId("s2"), TEAM, "Harbour", "", NOW)
    store.write_now(lambda books: books.sites.add(again))
    assert store.read_now(lambda books: books.sites.named(TEAM, "HARBOUR")) == again


def test_a_gateway_is_found_by_team_site_and_claim_only(store: Store) -> None:
    place, gateway = site(store)
    found = store.read_now(lambda books: books.sites.gateway(place.team, gateway))
    assert found is not None
    assert store.read_now(lambda books: books.sites.gateways_of(place.team, place.site)) == [found]
    assert store.read_now(lambda books: books.sites.gateway(TeamId("another"), gateway)) is None
    assert store.read_now(lambda books: books.sites.gateway_with_claim("0" * 64)) is None
