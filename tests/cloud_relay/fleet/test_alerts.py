"""Alerts are opened once and closed by themselves; people acknowledge them and change the rules."""

from datetime import timedelta

import msgspec
import pytest

from cloud_relay.fleet import alerts, webhooks
from cloud_relay.fleet.acts import Act, Actor, ActorKind
from cloud_relay.fleet.alert_records import RULES, Alert, AlertState, Cause, RuleSetting
from cloud_relay.fleet.ids import AlertId, TeamId
from cloud_relay.fleet.log_records import Place
from cloud_relay.fleet.ports import Books
from cloud_relay.store.store import Store
from sitelink.errors import NotFound, RequestInvalid
from tests.cloud_relay.made import ACT, NOW, site

DESK = Act(Actor(ActorKind.USER, "u", "ann@acme.example"), NOW + timedelta(minutes=1))


def cause(place: Place, subject: str = "box", **changes: object) -> Cause:
    return msgspec.structs.replace(Cause("gateway_offline", subject, "GW-7F3A", NOW, place.site), **changes)


def looked(store: Store, team: TeamId, *causes: Cause) -> bool:
    """As the watch does."""

    def work(books: Books) -> bool:
        return alerts.carry_out(books, team, alerts.move(books.alerts.standing(team), causes), NOW)

    return store.write_now(work)


def standing(store: Store, team: TeamId) -> list[Alert]:
    return list(store.read_now(lambda books: books.alerts.standing(team)))


def test_it_is_opened_once_and_closes_when_its_cause_is_gone(store: Store) -> None:
    place, _ = site(store)
    assert looked(store, place.team, cause(place), cause(place, "other"))
    assert not looked(store, place.team, cause(place), cause(place, "other")), "nothing is new"
    first = next(each for each in standing(store, place.team) if each.subject == "box")
    assert looked(store, place.team, cause(place, "other"))
    assert [each.subject for each in standing(store, place.team)] == ["other"]
    closed = store.read_now(lambda books: books.alerts.of(place.team, first.id))
    assert closed is not None
    assert (closed.state, closed.closed_at) == (AlertState.CLOSED, NOW)
    looked(store, place.team, cause(place), cause(place, "other"))
    again = next(each for each in standing(store, place.team) if each.subject == "box")
    assert again.id != first.id, "the same a second time is another alert"


def test_two_that_look_at_once_open_one_and_close_it_once(store: Store) -> None:
    place, _ = site(store)
    opening = alerts.move((), (cause(place),))
    assert store.write_now(lambda books: alerts.carry_out(books, place.team, opening, NOW))
    assert not store.write_now(lambda books: alerts.carry_out(books, place.team, opening, NOW))
    closing = alerts.move(standing(store, place.team), ())
    assert store.write_now(lambda books: alerts.carry_out(books, place.team, closing, NOW))
    assert not store.write_now(lambda books: alerts.carry_out(books, place.team, closing, NOW))


def test_its_words_follow_what_it_is_about(store: Store) -> None:
    place, _ = site(store)
    looked(store, place.team, cause(place))
    assert looked(store, place.team, cause(place, name="North box", detail={"reason": "x"}))
    (alert,) = standing(store, place.team)
    assert (alert.name, alert.detail, alert.opened_at) == ("North box", {"reason": "x"}, NOW)


def test_webhooks_hear_of_both_in_the_same_transaction(store: Store) -> None:
    place, _ = site(store)

    def hooked(books: Books) -> None:
        draft = webhooks.Draft("https://hooks.example.com/", kinds=["alert.opened", "alert.closed"])
        webhooks.add_webhook(books, ACT, place.team, draft, seal=lambda secret, _: secret.hex(), allow_http=False)

    store.write_now(hooked)
    looked(store, place.team, cause(place))
    looked(store, place.team)

    def told(books: Books) -> list[tuple[str, dict[str, object]]]:
        (hook,) = books.webhooks.of_team(place.team)
        found = books.webhooks.deliveries(hook.id, before=None, limit=9)
        return sorted((each.kind, msgspec.json.decode(each.body)) for each in found)

    (_, closed), (_, opened) = store.read_now(told)
    assert opened["site"] == {"id": place.site, "name": "Site of Acme"}
    alert = opened["data"]["alert"]  # type: ignore[index]
    assert (alert["rule"], alert["subject"], alert["state"]) == ("gateway_offline", "box", "open")
    assert closed["data"]["alert"]["state"] == "closed"  # type: ignore[index]


def test_whoever_acknowledges_is_named_and_it_still_closes(store: Store) -> None:
    place, _ = site(store)
    looked(store, place.team, cause(place))
    (alert,) = standing(store, place.team)
    known = store.write_now(lambda books: alerts.acknowledge(books, DESK, place.team, alert.id))
    assert (known.state, known.acknowledged_by) == (AlertState.ACKNOWLEDGED, "ann@acme.example")
    later = Act(DESK.actor, NOW + timedelta(hours=1))
    again = store.write_now(lambda books: alerts.acknowledge(books, later, place.team, alert.id))
    assert again == known
    entries = store.read_now(lambda books: books.audit.page(place.team, limit=9, kind="alert."))
    assert [(each.kind, each.actor_name, each.target_name) for each in entries] == [
        ("alert.acknowledged", "ann@acme.example", "GW-7F3A")
    ]
    assert not looked(store, place.team, cause(place))
    assert looked(store, place.team)
    closed = store.read_now(lambda books: books.alerts.of(place.team, alert.id))
    assert closed is not None
    assert (closed.state, closed.acknowledged_by) == (AlertState.CLOSED, "ann@acme.example")


def test_another_teams_is_not_there(store: Store) -> None:
    place, _ = site(store)
    other, _ = site(store, "Other")
    looked(store, place.team, cause(place))
    (alert,) = standing(store, place.team)
    for id_ in (alert.id, AlertId("none")):
        with pytest.raises(NotFound):
            store.write_now(lambda books, id_=id_: alerts.acknowledge(books, DESK, other.team, id_))  # type: ignore[misc]
    assert standing(store, other.team) == []


def test_rules_are_as_usual_until_a_team_changes_them(store: Store) -> None:
    place, _ = site(store)
    other, _ = site(store, "Other")
    usual = store.read_now(lambda books: alerts.rules_of(books, place.team))
    assert list(usual) == list(RULES)
    assert usual["gateway_offline"].lasts == timedelta(minutes=10)
    assert usual["job_idle"].lasts == timedelta(days=7)
    assert usual["serial_conflict"].lasts == timedelta()
    wanted = [RuleSetting("gateway_offline", after=3), RuleSetting("serial_conflict", enabled=False, after=4)]
    changed = store.write_now(lambda books: alerts.change_rules(books, DESK, place.team, wanted))
    assert changed["gateway_offline"] == RuleSetting("gateway_offline", after=3)
    assert changed["serial_conflict"] == RuleSetting("serial_conflict", enabled=False), "it has no threshold"
    assert store.read_now(lambda books: alerts.rules_of(books, other.team)) == usual
    (entry,) = store.read_now(lambda books: books.audit.page(place.team, limit=9, kind="alert_rules."))
    assert entry.before == {"gateway_offline": "after 10 minutes", "serial_conflict": "on"}
    assert entry.after == {"gateway_offline": "after 3 minutes", "serial_conflict": "off"}
    assert store.write_now(lambda books: alerts.change_rules(books, DESK, place.team, [])) == usual


@pytest.mark.parametrize("wrong", [RuleSetting("nonsense"), RuleSetting("job_idle", after=366),
                                   RuleSetting("gateway_offline", after=-1)])  # fmt: skip
def test_a_rule_that_cannot_be_is_refused(store: Store, wrong: RuleSetting) -> None:
    place, _ = site(store)
    with pytest.raises(RequestInvalid):
        store.write_now(lambda books: alerts.change_rules(books, DESK, place.team, [wrong]))
