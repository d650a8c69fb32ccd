"""Whose identities are, and what went live, as it is kept."""

import msgspec

from cloud_relay.fleet.log_records import Activation, Owner
from cloud_relay.store.store import Store
from sitelink.ids import ChargePointId, JobId
from tests.cloud_relay.made import NOW, site


def test_an_identity_has_one_owner_until_it_is_released(store: Store) -> None:
    place, _ = site(store)
    owner = Owner("cp001", place.team, "Acme", place.site, ChargePointId("a"), NOW)
    store.write_now(lambda books: books.identities.claim(owner))
    assert store.read_now(lambda books: books.identities.owner("cp001")) == owner
    assert store.read_now(lambda books: books.identities.owned(place.team, 9)) == [owner]
    assert store.read_now(lambda books: books.identities.claimed_by(place.site, ChargePointId("a"))) == ["cp001"]
    store.write_now(lambda books: books.identities.release("cp001"))
    assert store.read_now(lambda books: books.identities.owner("cp001")) is None


def test_who_waits_for_an_identity_is_known(store: Store) -> None:
    place, _ = site(store)
    row = ChargePointId("a")
    store.write_now(lambda books: books.identities.wait("cp001", place.site, row, waits=True))
    assert store.read_now(lambda books: books.identities.waiting("cp001")) == [place.site]
    store.write_now(lambda books: books.identities.wait("cp002", place.site, row, waits=False))
    assert store.read_now(lambda books: books.identities.waiting("cp001")) == []


def test_a_charge_point_goes_live_once_a_round(store: Store) -> None:
    place, _ = site(store)
    first = Activation(place.site, JobId("j"), ChargePointId("a"), 1, "held", NOW, {"reason": "edited_elsewhere"})
    again = msgspec.structs.replace(first, state="registered", detail={})
    assert store.write_now(lambda books: books.identities.activate(first))
    assert not store.write_now(lambda books: books.identities.activate(again))
    assert store.read_now(lambda books: books.identities.activations(place.site, JobId("j"))) == [first]
    store.write_now(lambda books: books.identities.settle(again))
    assert store.read_now(lambda books: books.identities.activations(place.site, JobId("j"))) == [again]
