"""A box takes another's place; one of two stays."""

import pytest

from cloud_relay.fleet.announcing import announce
from cloud_relay.fleet.enrolment import enrol
from cloud_relay.fleet.ids import GatewayId, TeamId
from cloud_relay.fleet.log_records import BoxLink
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.replacing import release_quarantine, replace_gateway
from cloud_relay.fleet.sites import add_gateway, revoke_gateway
from cloud_relay.store.store import Store
from sitelink.errors import ClaimInvalid, GatewayBusy, NotFound
from tests.cloud_relay.made import ACT, NOW, site


def problem(store: Store, team: TeamId, gateway: GatewayId) -> str:
    with pytest.raises(GatewayBusy) as refused:
        store.write_now(lambda books: replace_gateway(books, ACT, team, gateway))
    return str(refused.value.fields["problem"])


def test_a_new_box_comes_with_a_claim_to_the_same_site(store: Store) -> None:
    place, gateway = site(store)
    new, claim = store.write_now(lambda books: replace_gateway(books, ACT, place.team, gateway, "New"))
    old = store.read_now(lambda books: books.sites.gateway(place.team, gateway))
    assert old is not None
    assert (old.replaced_by, old.revoked_at, new.site, new.name) == (new.id, NOW, place.site, "New")
    assert claim is not None
    assert store.write_now(lambda books: enrol(books, ACT, claim, "key-2")).gateway == new.id
    assert problem(store, place.team, gateway) == "replaced"
    (noted,) = store.read_now(lambda books: books.audit.page(place.team, limit=9, kind="gateway.replaced"))
    assert noted.after == {"by": new.id, "name": "New"}


def test_a_new_box_that_shows_a_code_takes_its_place_at_once(store: Store) -> None:
    place, gateway = site(store)
    said = store.write_now(lambda books: announce(books, ACT, "key-2", name="gw", software="1", renew=False))
    with pytest.raises(ClaimInvalid):
        store.write_now(lambda books: replace_gateway(books, ACT, place.team, gateway, code="2222-2222"))
    new, claim = store.write_now(lambda books: replace_gateway(books, ACT, place.team, gateway, code=said.code))
    assert (new.device_key, new.name, claim) == ("key-2", "Box", None)


def test_what_is_not_there_or_was_ended_is_not_replaced(store: Store) -> None:
    place, gateway = site(store)
    with pytest.raises(NotFound):
        store.write_now(lambda books: replace_gateway(books, ACT, TeamId("another"), gateway))

    def waiting(books: Books) -> GatewayId:
        found = books.sites.of(place.team, place.site)
        assert found is not None
        return add_gateway(books, ACT, found, "To come")[0].id

    assert problem(store, place.team, store.write_now(waiting)) == "not_enrolled"
    store.write_now(lambda books: revoke_gateway(books, ACT, place.team, gateway))
    assert problem(store, place.team, gateway) == "revoked"


def test_only_a_box_that_was_stopped_is_released_and_by_a_start_that_was_seen(store: Store) -> None:
    place, gateway = site(store)

    def released(boot: str) -> str:
        with pytest.raises(GatewayBusy) as refused:
            store.write_now(lambda books: release_quarantine(books, ACT, place.team, gateway, boot))
        return str(refused.value.fields["problem"])

    assert released("b1") == "not_quarantined"
    link = BoxLink(gateway, place.site, place.team, boots=("b1", "b2", "b1"), quarantined_at=NOW, alarm="copied")
    store.write_now(lambda books: books.links.put(link))
    assert released("b3") == "boot"
    store.write_now(lambda books: release_quarantine(books, ACT, place.team, gateway, "b2"))
    found = store.read_now(lambda books: books.links.of(gateway))
    assert found is not None
    assert (found.quarantined_at, found.alarm, found.boots, found.barred) == (None, None, ("b2",), ("b1",))
