"""Settings and id tokens as the cloud says them."""

import pytest

from cloud_relay.fleet import site_settings as s
from cloud_relay.fleet.log_records import BoxLink
from cloud_relay.store.store import Store
from sitelink.errors import IdTokenListInvalid, NotFound, SettingInvalid
from sitelink.id_token_rules import TokenEntry
from sitelink.states import IdTokenSource
from tests.cloud_relay.made import OPERATOR, at, site

UNKNOWN = "authorisation.unknown"


def test_a_setting_is_said_shown_and_taken_back(store: Store) -> None:
    place, gateway = site(store)

    def shown() -> tuple[object, str | None]:
        found = {each.key: each for each in store.read_now(lambda books: s.settings_of(books, place))}
        return found[UNKNOWN].value, found[UNKNOWN].state

    assert shown() == (None, None)
    at(store, place, lambda desk: s.set_setting(desk, UNKNOWN, "reject", OPERATOR))
    assert shown() == ("reject", "waiting")
    store.write_now(lambda books: books.links.put(BoxLink(gateway, place.site, place.team, cursor=1)))
    assert shown() == ("reject", "delivered")
    at(store, place, lambda desk: s.clear_setting(desk, UNKNOWN, OPERATOR))
    assert shown() == (None, "waiting")
    with pytest.raises(SettingInvalid):
        at(store, place, lambda desk: s.set_setting(desk, UNKNOWN, "never", OPERATOR))
    noted = store.read_now(lambda books: books.audit.page(place.team, limit=9, kind="setting."))
    assert [each.after for each in noted] == [{"value": None}, {"value": "reject"}]


def test_tokens_are_listed_paged_and_taken_off(store: Store) -> None:
    place, gateway = site(store)
    store.write_now(lambda books: books.links.put(BoxLink(gateway, place.site, place.team, cursor=2)))
    for token in ("04B2", "04A1", "04C3"):
        at(store, place, lambda desk, token=token: s.put_token(desk, TokenEntry(token), OPERATOR))
    found, total = store.read_now(lambda books: s.tokens_of(books, place, 2))
    assert ([each.token.id_token for each in found], total) == (["04A1", "04B2"], 3)
    assert [each.state for each in found] == ["delivered", "delivered"]
    rest, _ = store.read_now(lambda books: s.tokens_of(books, place, 2, found[-1].token.id))
    assert [(each.token.id_token, each.state) for each in rest] == [("04C3", "waiting")]
    assert rest[0].token.source is IdTokenSource.CLOUD
    at(store, place, lambda desk: s.remove_token(desk, "04b2", OPERATOR))
    with pytest.raises(NotFound):
        store.read_now(lambda books: s.find_token(books, place, "04B2"))
    assert store.read_now(lambda books: s.find_token(books, place, "04a1")).token.id_token == "04A1"


def test_a_table_comes_whole_or_not_at_all(store: Store) -> None:
    place, _ = site(store)
    with pytest.raises(IdTokenListInvalid):
        s.entries_in("token,status\n04A1,Accepted\n04B2,Perhaps\n")
    entries = s.entries_in("token,status\n04A1,Accepted\n04B2,Blocked\n")
    taken = at(store, place, lambda desk: s.take_tokens(desk, entries, OPERATOR, replace=False))
    assert (taken.listed, taken.unchanged, taken.removed, taken.total) == (2, 0, 0, 2)
    fewer = s.entries_in("token,status\n04B2,Blocked\n")
    taken = at(store, place, lambda desk: s.take_tokens(desk, fewer, OPERATOR, replace=True))
    assert (taken.listed, taken.unchanged, taken.removed, taken.total) == (0, 1, 1, 1)
    table = store.read_now(lambda books: s.table_of_tokens(books, place))
    assert '"04B2","Blocked"' in table
    assert "04A1" not in table
