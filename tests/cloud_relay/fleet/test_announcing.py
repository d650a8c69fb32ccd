"""A code on a box, typed in the console."""

from datetime import timedelta

import pytest

from cloud_relay.fleet import announcing
from cloud_relay.fleet.acts import SYSTEM, Act
from cloud_relay.fleet.announcing import ALPHABET, CODE_GOOD_FOR, announce, claim_box, signs_of
from cloud_relay.fleet.records import Gateway, Site
from cloud_relay.fleet.sites import add_site, revoke_gateway
from cloud_relay.fleet.teams import add_team
from cloud_relay.store.store import Store
from sitelink.errors import ClaimInvalid, TooMany
from tests.cloud_relay.made import ACT, NOW


def harbour(store: Store) -> Site:
    team = store.write_now(lambda books: add_team(books, ACT, "Acme"))
    return store.write_now(lambda books: add_site(books, ACT, team.id, "Harbour"))


def said(store: Store, key: str = "key-1", *, renew: bool = False, act: Act = ACT) -> announcing.Announcing:
    return store.write_now(lambda books: announce(books, act, key, name="gw", software="1.0", renew=renew))


def claimed(store: Store, site: Site, code: str | None, act: Act = ACT) -> Gateway:
    return store.write_now(lambda books: claim_box(books, act, site, "", code or ""))


def problem(store: Store, site: Site, code: str | None, act: Act = ACT) -> str:
    with pytest.raises(ClaimInvalid) as refused:
        claimed(store, site, code, act)
    return str(refused.value.fields["problem"])


def test_the_box_that_shows_the_code_is_claimed_and_hears_of_it(store: Store) -> None:
    site = harbour(store)
    shown = said(store)
    assert shown.code is not None
    assert (len(shown.code), shown.code[4], set(shown.code) - {"-"} <= set(ALPHABET)) == (9, "-", True)
    again = said(store)
    assert (again.code, again.good_for_s, again.enrolled) == (None, 900, None), "it holds, and cannot be told again"
    gateway = claimed(store, site, f" {shown.code.lower().replace('-', ' ')} ")
    assert (gateway.name, gateway.device_key, gateway.site) == ("gw", "key-1", site.id)
    for _ in range(2):
        told = said(store).enrolled
        assert told is not None
        assert (told.gateway, told.team_name, told.site_name) == (gateway.id, "Acme", "Harbour")
    assert said(store, "key-2").enrolled is None, "it is the key that was claimed"
    assert problem(store, site, shown.code) == "code_used"
    noted = store.read_now(lambda books: books.audit.page(site.team, limit=9, kind="gateway."))
    assert [each.kind for each in noted] == ["gateway.enrolled", "gateway.created"]


def test_codes_end_and_are_renewed(store: Store) -> None:
    site = harbour(store)
    first = said(store)
    later = Act(SYSTEM, NOW + CODE_GOOD_FOR)
    assert problem(store, site, first.code, later) == "code_unknown"
    second = said(store, renew=True)
    assert second.code != first.code
    assert problem(store, site, first.code) == "code_unknown"
    said(store, "another", act=later)
    assert store.read_now(lambda books: (books.announced.of("key-1"), books.announced.count())) == (None, 1)
    assert {problem(store, site, code) for code in ("", "7F3A", "0000-0000", "7F3A-KQ9I", "23456789")} == {
        "code_unknown"
    }


def test_a_box_that_was_ended_shows_a_code_anew(store: Store) -> None:
    site = harbour(store)
    gateway = claimed(store, site, said(store).code)
    store.write_now(lambda books: revoke_gateway(books, ACT, site.team, gateway.id))
    shown = said(store)
    assert shown.enrolled is None
    assert claimed(store, site, shown.code).id != gateway.id


def test_only_so_many_are_remembered(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcing, "ANNOUNCED_MAX", 2)
    said(store)
    said(store, "key-2")
    with pytest.raises(TooMany):
        said(store, "key-3")
    assert said(store, "key-2", renew=True).code is not None
    assert said(store, "key-3", act=Act(SYSTEM, NOW + CODE_GOOD_FOR)).code is not None


def test_what_people_type_is_read_kindly() -> None:
    assert signs_of("7f3a-kq92") == signs_of(" 7F3A KQ92") == "7F3AKQ92"
    assert signs_of("7F3A-KQ9") is None
    assert len(ALPHABET) == 32
    assert timedelta(minutes=15) == CODE_GOOD_FOR
