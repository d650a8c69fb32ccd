"""A claim makes a box a gateway, once."""

from datetime import timedelta

import msgspec
import pytest

from cloud_relay.fleet.acts import SYSTEM, Act
from cloud_relay.fleet.enrolment import enrol
from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.sites import CLAIM_GOOD_FOR, add_gateway, add_site
from cloud_relay.fleet.teams import add_team
from cloud_relay.store.store import Store
from sitelink.errors import ClaimInvalid
from tests.cloud_relay.made import ACT, NOW


def claimed(store: Store) -> tuple[str, GatewayId]:
    team = store.write_now(lambda books: add_team(books, ACT, "Acme"))
    site = store.write_now(lambda books: add_site(books, ACT, team.id, "Harbour"))
    gateway, claim = store.write_now(lambda books: add_gateway(books, ACT, site, "Box"))
    return claim, gateway.id


def problem(store: Store, claim: str, key: str, act: Act = ACT) -> str:
    with pytest.raises(ClaimInvalid) as caught:
        store.write_now(lambda books: enrol(books, act, claim, key))
    return str(caught.value.fields["problem"])


def test_a_box_is_enrolled_and_may_ask_again(store: Store) -> None:
    claim, gateway = claimed(store)
    for _ in range(2):  # the answer to the first may have been lost
        found = store.write_now(lambda books: enrol(books, ACT, f" {claim}\n", "key-1"))
        assert (found.gateway, found.team_name, found.site_name, found.device_key) == (
            gateway, "Acme", "Harbour", "key-1",
        )  # fmt: skip
    assert problem(store, claim, "key-2") == "used"


def test_what_is_not_good_is_refused_with_the_reason(store: Store) -> None:
    claim, gateway = claimed(store)
    assert problem(store, "gw1_" + "x" * 43, "key-1") == "unknown"
    assert problem(store, "", "key-1") == "unknown"
    assert problem(store, claim, "key-1", Act(SYSTEM, NOW + CLAIM_GOOD_FOR + timedelta(seconds=1))) == "expired"
    found = store.read_now(lambda books: books.links.enrolled(gateway))
    assert found is not None
    known = store.read_now(lambda books: books.sites.gateway(found.team, gateway))
    assert known is not None
    store.write_now(lambda books: books.sites.put_gateway(msgspec.structs.replace(known, revoked_at=NOW)))
    assert problem(store, claim, "key-1") == "unknown"
