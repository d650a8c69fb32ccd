"""How gateways' links are kept."""

import msgspec

from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.log_records import BoxLink
from cloud_relay.store.store import Store
from sitelink.ids import OpId
from tests.cloud_relay.made import NOW, site


def test_a_link_is_kept_whole(store: Store) -> None:
    place, gateway = site(store)
    link = BoxLink(
        gateway, place.site, place.team, "stream", 7, 9, OpId("tip"), 4, "node", "1.0", NOW, NOW, ("b1", "b2"),
        (NOW,), None, "restored",
    )  # fmt: skip
    store.write_now(lambda books: books.links.put(link))
    assert store.read_now(lambda books: books.links.of(gateway)) == link
    moved = msgspec.structs.replace(link, taken=8, alarm=None, quarantined_at=NOW)
    store.write_now(lambda books: books.links.put(moved))
    assert store.read_now(lambda books: books.links.of_site(place.site)) == [moved]
    assert store.read_now(lambda books: books.links.of_team(place.team)) == [moved]
    assert store.read_now(lambda books: books.links.of(GatewayId("none"))) is None


def test_who_is_enrolled_comes_with_team_and_site(store: Store) -> None:
    place, gateway = site(store)
    found = store.read_now(lambda books: books.links.enrolled(gateway))
    assert found is not None
    assert (found.team_name, found.site_name, found.device_key) == ("Acme", "Site of Acme", "key")
    assert store.read_now(lambda books: books.links.enrolled(GatewayId("none"))) is None
    assert store.read_now(lambda books: books.links.places([place.site, place.site])) == [place, place]
