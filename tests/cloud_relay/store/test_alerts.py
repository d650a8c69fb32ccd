"""Alerts as they are kept."""

from datetime import timedelta

import msgspec

from cloud_relay.fleet.alert_records import Alert, AlertState, Lease, RuleSetting
from cloud_relay.fleet.ids import AlertId, TeamId
from cloud_relay.store.store import Store
from tests.cloud_relay.made import NOW, site


def made(team: TeamId, id_: str, minutes: int = 0, **changes: object) -> Alert:
    at = NOW + timedelta(minutes=minutes)
    alert = Alert(AlertId(id_), team, "gateway_offline", id_, "Box", None, {"n": [1]}, NOW, at)
    return msgspec.structs.replace(alert, **changes)


def test_of_a_rule_and_subject_one_stands_at_a_time(store: Store) -> None:
    place, _ = site(store)
    first, second = made(place.team, "a"), made(place.team, "b", subject="a")
    assert store.write_now(lambda books: books.alerts.add(first))
    assert not store.write_now(lambda books: books.alerts.add(second))
    assert store.read_now(lambda books: books.alerts.standing(place.team)) == [first]
    closed = msgspec.structs.replace(first, state=AlertState.CLOSED, closed_at=NOW)
    store.write_now(lambda books: books.alerts.put(closed))
    assert store.write_now(lambda books: books.alerts.add(second))
    assert store.read_now(lambda books: books.alerts.of(place.team, first.id)) == closed


def test_they_are_read_page_by_page_and_narrowed(store: Store) -> None:
    place, _ = site(store)
    other, _ = site(store, "Other")
    for alert in (
        made(place.team, "a"), made(place.team, "b", 1, rule="job_idle", site=place.site), made(place.team, "c", 1),
        made(place.team, "d", 2, state=AlertState.ACKNOWLEDGED), made(other.team, "e"),
    ):  # fmt: skip
        store.write_now(lambda books, alert=alert: books.alerts.add(alert))

    def page(**narrowed: object) -> list[str]:
        wanted = {"before": None, "limit": 9, **narrowed}
        return [each.id for each in store.read_now(lambda books: books.alerts.page(place.team, **wanted))]  # type: ignore[arg-type]

    assert page() == ["d", "b", "c", "a"]
    assert page(limit=2) == ["d", "b"]
    assert page(before=((NOW + timedelta(minutes=1)).isoformat(), "b")) == ["c", "a"]
    assert page(states=("acknowledged",)) == ["d"]
    assert page(rule="job_idle") == ["b"]
    assert page(site=place.site) == ["b"]


def test_settings_of_rules_are_replaced_whole(store: Store) -> None:
    place, _ = site(store)
    both = [RuleSetting("gateway_offline", False, 3), RuleSetting("serial_conflict", False)]
    store.write_now(lambda books: books.alerts.put_settings(place.team, both))
    assert store.read_now(lambda books: books.alerts.settings(place.team)) == both
    store.write_now(lambda books: books.alerts.put_settings(place.team, both[:1]))
    assert store.read_now(lambda books: books.alerts.settings(place.team)) == both[:1]


def test_what_is_closed_for_long_is_forgotten(store: Store) -> None:
    place, _ = site(store)
    closed = made(place.team, "a", state=AlertState.CLOSED, closed_at=NOW)
    store.write_now(lambda books: [books.alerts.add(each) for each in (closed, made(place.team, "b"))])
    store.write_now(lambda books: books.alerts.forget_before(NOW + timedelta(seconds=1)))
    assert [each.id for each in store.read_now(lambda books: books.alerts.standing(place.team))] == ["b"]
    assert store.read_now(lambda books: books.alerts.of(place.team, closed.id)) is None


def test_a_lease_is_read_as_it_was_put(store: Store) -> None:
    lease = Lease("alerts", "one", NOW)
    store.write_now(lambda books: books.leases.put(lease))
    assert store.read_now(lambda books: books.leases.of("alerts")) == lease
    store.write_now(lambda books: books.leases.forget_before(NOW))
    assert store.read_now(lambda books: books.leases.of("alerts")) == lease
