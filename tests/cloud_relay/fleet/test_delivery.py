"""What is not there yet."""

import msgspec

from cloud_relay.fleet.delivery import links_that_count, shown_links, waiting
from cloud_relay.fleet.log_records import BoxLink
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.site_settings import set_setting
from cloud_relay.fleet.sites import add_gateway, revoke_gateway
from cloud_relay.store.store import Store
from tests.cloud_relay.made import ACT, OPERATOR, at, site

UNKNOWN, RETRY = "authorisation.unknown", "ocpp.retry_interval_s"


def test_what_was_said_waits_until_every_box_that_is_served_has_it(store: Store) -> None:
    place, gateway = site(store)

    def away() -> set[str]:
        return set(store.read_now(lambda books: waiting(books, place.team, place.site, "setting")))

    assert away() == set()
    at(store, place, lambda desk: set_setting(desk, UNKNOWN, "reject", OPERATOR))
    assert away() == {f"setting:{UNKNOWN}"}, "no box was ever there"
    link = BoxLink(gateway, place.site, place.team, cursor=1)
    store.write_now(lambda books: books.links.put(link))
    assert away() == set()
    at(store, place, lambda desk: set_setting(desk, RETRY, 30, OPERATOR))
    assert away() == {f"setting:{RETRY}"}

    def second(books: Books) -> BoxLink:
        found = books.sites.of(place.team, place.site)
        assert found is not None
        made, _ = add_gateway(books, ACT, found, "Second")
        other = BoxLink(made.id, place.site, place.team, cursor=0)
        books.links.put(other)
        return other

    other = store.write_now(second)
    store.write_now(lambda books: books.links.put(msgspec.structs.replace(link, cursor=2)))
    assert away() == {f"setting:{UNKNOWN}", f"setting:{RETRY}"}
    store.write_now(lambda books: revoke_gateway(books, ACT, place.team, other.gateway))
    assert away() == set(), "nobody waits for a box that was ended"
    counted = store.read_now(lambda books: links_that_count(books, place.team, place.site))
    assert [each.gateway for each in counted] == [gateway]


def test_a_site_is_shown_by_the_box_that_is_served(store: Store) -> None:
    place, gateway = site(store)
    old = BoxLink(gateway, place.site, place.team)
    store.write_now(lambda books: books.links.put(old))
    store.write_now(lambda books: revoke_gateway(books, ACT, place.team, gateway))
    assert store.read_now(lambda books: shown_links(books, place.site)) == [old], "there is no other"

    def another(books: Books) -> BoxLink:
        found = books.sites.of(place.team, place.site)
        assert found is not None
        link = BoxLink(add_gateway(books, ACT, found, "New")[0].id, place.site, place.team)
        books.links.put(link)
        return link

    new = store.write_now(another)
    assert store.read_now(lambda books: shown_links(books, place.site)) == [new]
