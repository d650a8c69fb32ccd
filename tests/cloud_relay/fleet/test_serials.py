"""A serial is given up, handed over, and taken back."""

from typing import Any

import pytest

from cloud_relay.fleet.follow_ups import follow, recheck
from cloud_relay.fleet.log_records import Place
from cloud_relay.fleet.serials import Holding, holding_of, release, take_back
from cloud_relay.fleet.site_desk import SiteDesk
from cloud_relay.store.store import Store
from sitelink import job_rules as rules
from sitelink.errors import NotFound, SerialNotHeld
from sitelink.ids import ChargePointId
from tests.cloud_relay.fleet.test_follow_ups import JOB, ROW, brought, decided, row
from tests.cloud_relay.made import ACT, OPERATOR, at, site

TWO = ChargePointId("j1-2")


def released(store: Store, place: Place, to: str = "") -> str | None:
    def work(desk: SiteDesk) -> str | None:
        team = release(desk, ACT, OPERATOR, ROW, to)
        follow(desk)
        return team

    found: str | None = at(store, place, work)
    return found


def checked_again(store: Store, *places: Place) -> None:
    for place in places:
        at(store, place, lambda desk: recheck(desk, "cp001"))


def standing(store: Store, place: Place, id_: ChargePointId = ROW) -> Holding:
    found = row(store, place, id_)
    return store.read_now(lambda books: holding_of(books, place, found))


def audited(store: Store, place: Place) -> list[tuple[str, Any]]:
    page = store.read_now(lambda books: books.audit.page(place.team, limit=9, kind="serial."))
    return [(each.kind, each.after) for each in page]


def test_it_goes_to_the_team_that_was_chosen_among_those_who_wait(store: Store) -> None:
    (acme, _), (beta, _), (gamma, _) = site(store), site(store, "Beta"), site(store, "Gamma")
    for place in (acme, beta, gamma):
        brought(store, place, "CP001")
    decided(store, acme, rules.decide_activity([ROW], OPERATOR, active=True))
    assert set(standing(store, acme).wanted_by) == {"Beta", "Gamma"}
    assert standing(store, gamma) == Holding("other", "Acme", ())
    with pytest.raises(NotFound):
        released(store, acme, "Delta")
    assert released(store, acme, "Gamma") == "Gamma"
    checked_again(store, beta, gamma)
    assert (row(store, gamma).owner, row(store, beta).owner) == (None, "Gamma")
    assert (row(store, acme).active, row(store, acme).owner, row(store, acme).identity) == (False, "Gamma", "CP001")
    assert (standing(store, acme), standing(store, gamma).state) == (Holding("given_up", "Gamma", ()), "held")
    assert audited(store, acme) == [("serial.released", {"serial": "CP001", "team": "Gamma"})]
    assert audited(store, gamma) == [("serial.received", {"serial": "CP001", "from": "Acme"})]
    with pytest.raises(SerialNotHeld):
        released(store, acme)


def test_it_is_nobodys_until_somebody_names_it_or_it_is_taken_back(store: Store) -> None:
    (acme, _), (beta, _) = site(store), site(store, "Beta")
    brought(store, acme, "CP001", "CP001")
    assert released(store, acme) is None
    assert store.read_now(lambda books: books.identities.owner("cp001")) is None
    decided(store, acme, rules.decide_edit(JOB, TWO, OPERATOR, connector=2))
    assert store.read_now(lambda books: books.identities.owner("cp001")) is None, "no row of the site has it by itself"
    at(store, acme, lambda desk: take_back(desk, ACT, TWO))
    assert (standing(store, acme).state, standing(store, acme, TWO).state) == ("held", "held")
    with pytest.raises(SerialNotHeld):
        at(store, acme, lambda desk: take_back(desk, ACT, TWO))
    released(store, acme)
    brought(store, beta, "CP001")
    assert (row(store, beta).owner, standing(store, beta).state) == (None, "held")
    at(store, acme, lambda desk: take_back(desk, ACT, ROW))
    assert (row(store, acme).owner, standing(store, acme).state) == ("Beta", "other"), "it waits for it like others"


def test_what_was_given_up_is_not_live_here_whoever_switches_it_on(store: Store) -> None:
    (acme, _), (beta, _) = site(store), site(store, "Beta")
    brought(store, acme, "CP001")
    brought(store, beta, "CP001")
    released(store, acme)
    checked_again(store, beta)
    decided(store, acme, rules.decide_activity([ROW], OPERATOR, active=True))
    assert (row(store, acme).active, row(store, acme).owner) == (False, "Beta")


def test_another_name_is_a_new_beginning(store: Store) -> None:
    place, _ = site(store)
    brought(store, place, "CP001")
    released(store, place)
    decided(store, place, rules.decide_edit(JOB, ROW, OPERATOR, identity="CP002"))
    decided(store, place, rules.decide_edit(JOB, ROW, OPERATOR, identity="CP001"))
    assert standing(store, place).state == "held"


def test_what_is_not_there_is_not_given_up(store: Store) -> None:
    place, _ = site(store)
    brought(store, place, "CP001", "")
    with pytest.raises(NotFound):
        at(store, place, lambda desk: release(desk, ACT, OPERATOR, ChargePointId("none")))
    with pytest.raises(SerialNotHeld):
        at(store, place, lambda desk: release(desk, ACT, OPERATOR, TWO))
    assert standing(store, place, TWO) == Holding("none", None, ())
