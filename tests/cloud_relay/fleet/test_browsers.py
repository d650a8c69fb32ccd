"""Sessions of browsers: found by their secret while they are good."""

from datetime import timedelta

import msgspec

from cloud_relay.fleet import browsers
from cloud_relay.fleet.roles import Role
from cloud_relay.fleet.teams import add_team, add_user, set_member
from cloud_relay.store.store import Store
from tests.cloud_relay.made import ACT, NOW


def test_a_session_ends_idle_old_or_with_its_person(store: Store) -> None:
    user = store.write_now(lambda books: add_user(books, ACT, "ann@example.com"))
    session, secret = store.write_now(
        lambda books: browsers.open_browser(books, user.id, NOW, ip="192.0.2.1", agent="x" * 999)
    )
    assert len(session.agent) == browsers.AGENT_MAX_CHARACTERS

    def known(after: timedelta) -> bool:
        return store.read_now(lambda books: browsers.browser_of(books, secret, NOW + after)) is not None

    assert known(browsers.IDLE)
    assert not known(browsers.IDLE + timedelta(seconds=1))
    for day in range(1, 15):
        store.write_now(lambda books, day=day: browsers.note_seen(books, session, NOW + timedelta(hours=12 * day)))  # type: ignore[misc]
    assert known(browsers.AGE)
    assert not known(browsers.AGE + timedelta(seconds=1))
    store.write_now(lambda books: books.accounts.put_user(msgspec.structs.replace(user, disabled_at=NOW)))
    assert not known(timedelta(hours=12 * 14))
    assert store.read_now(lambda books: browsers.browser_of(books, "gs1_other", NOW)) is None


def test_what_is_awaited_is_not_awaited_for_long_and_makes_a_new_session(store: Store) -> None:
    user = store.write_now(lambda books: add_user(books, ACT, "ann@example.com"))
    session, secret = store.write_now(
        lambda books: browsers.open_browser(books, user.id, NOW, ip="192.0.2.1", agent="x", awaits="totp")
    )

    def known(secret: str, after: timedelta = browsers.AWAITED) -> bool:
        return store.read_now(lambda books: browsers.browser_of(books, secret, NOW + after)) is not None

    assert known(secret)
    assert not known(secret, browsers.AWAITED + timedelta(seconds=1))
    whole, fresh = store.write_now(lambda books: browsers.prove(books, session, NOW))
    assert (whole.awaits, whole.ip, whole.agent) == (None, "192.0.2.1", "x")
    assert not known(secret)
    assert known(fresh, timedelta(hours=1))


def test_ended_sessions_are_neither_listed_nor_kept(store: Store) -> None:
    user = store.write_now(lambda books: add_user(books, ACT, "ann@example.com"))

    def opened(after: timedelta) -> str:
        return store.write_now(
            lambda books: browsers.open_browser(books, user.id, NOW + after, ip="192.0.2.1", agent="x")
        )[0].id

    def listed(after: timedelta) -> list[str]:
        return [each.id for each in store.read_now(lambda books: browsers.browsers_of(books, user.id, NOW + after))]

    first = opened(timedelta(0))
    assert listed(browsers.IDLE) == [first]
    assert listed(browsers.IDLE + timedelta(seconds=1)) == []
    second = opened(browsers.AGE + timedelta(seconds=1))
    kept = store.read_now(lambda books: books.sessions.of_user(user.id))
    assert [each.id for each in kept] == [second]


def test_being_seen_is_noted_once_a_minute() -> None:
    session = browsers.Session(*(["s", "u"]), NOW, NOW, None, "", "")  # type: ignore[arg-type]
    assert not browsers.is_due(session, NOW + timedelta(seconds=59))
    assert browsers.is_due(session, NOW + timedelta(seconds=60))


def test_what_somebody_is_in_a_team(store: Store) -> None:
    user = store.write_now(lambda books: add_user(books, ACT, "ann@example.com"))
    team = store.write_now(lambda books: add_team(books, ACT, "Acme"))
    store.write_now(lambda books: set_member(books, ACT, team, user, Role.SUPPORT))
    found = store.read_now(lambda books: browsers.member_of_team(books, user, team.id))
    assert found is not None
    assert found.role is Role.SUPPORT
    assert store.read_now(lambda books: browsers.member_of_team(books, user, "other")) is None
