"""Whether a box is there, as the books know it, and told once for each time it changes."""

from datetime import timedelta

from cloud_relay.fleet.log_records import BoxLink
from cloud_relay.fleet.presence import leave, note_came
from cloud_relay.store.store import Store
from tests.cloud_relay.hooks import deliveries, hook, kinds_told
from tests.cloud_relay.made import NOW, site


def test_a_box_comes_and_goes_and_each_is_told_once(store: Store) -> None:
    place, gateway = site(store)
    told = hook(store, place.team)
    new = BoxLink(gateway, place.site, place.team)
    here = BoxLink(gateway, place.site, place.team, connected_at=NOW, seen_at=NOW)
    for _ in range(2):  # the transaction may be run again
        store.write_now(lambda books: note_came(books, new, here, NOW))
    store.write_now(lambda books: note_came(books, here, here, NOW + timedelta(seconds=9)))
    assert kinds_told(store, told) == ["gateway.online"]
    later = NOW + timedelta(minutes=1)
    store.write_now(lambda books: leave(books, here, later))
    gone = store.read_now(lambda books: books.links.of(gateway))
    assert gone is not None
    assert (gone.left_at, gone.seen_at) == (later, later)
    store.write_now(lambda books: leave(books, gone, later))
    assert kinds_told(store, told) == ["gateway.offline", "gateway.online"]
    assert '"name":"Box"' in deliveries(store, told)[0].body
    store.write_now(lambda books: note_came(books, gone, here, later + timedelta(minutes=1)))
    assert kinds_told(store, told) == ["gateway.offline", "gateway.online", "gateway.online"]


def test_a_box_that_is_stopped_is_offline(store: Store) -> None:
    place, gateway = site(store)
    told = hook(store, place.team)
    here = BoxLink(gateway, place.site, place.team, connected_at=NOW)
    stopped = BoxLink(gateway, place.site, place.team, connected_at=NOW, left_at=NOW, quarantined_at=NOW)
    store.write_now(lambda books: note_came(books, here, stopped, NOW))
    assert kinds_told(store, told) == ["gateway.offline"]
