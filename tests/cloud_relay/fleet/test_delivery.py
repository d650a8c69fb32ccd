"""What is not there yet."""

import msgspec

from cloud_relay.fleet.delivery import links_that_count, waiting
from cloud_relay.fleet.log_records import BoxLink
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

    def second(books: object) -> BoxLink:
        found = books.sites.of(place.team, place.site)  # type: ignore[attr-defined]
        made, _ = add_gateway(books, ACT, found, "Second")  # type: ignore[arg-type]
        other = BoxLink(made.id, place.site, place.team, cursor=0)
        books.links.put(other)  # type: ignore[attr-defined]
        return other

    other = store.write_now(second)
    store.write_now(lambda books: books.links.put(msgspec.structs.replace(link, cursor=2)))
    assert away() == {f"setting:{UNKNOWN}", f"setting:{RETRY}"}
    store.write_now(lambda books: revoke_gateway(books, ACT, place.team, other.gateway))
    assert away() == set(), "nobody waits for a box that was ended"
    counted = store.read_now(lambda books: links_that_count(books, place.team, place.site))
    assert [each.gateway for each in counted] == [gateway]
