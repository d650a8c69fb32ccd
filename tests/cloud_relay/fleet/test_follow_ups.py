"""What follows: whose identities are, what goes live, and what the box is told."""

from collections.abc import Sequence

from cloud_relay.fleet.follow_ups import follow, recheck
from cloud_relay.fleet.jobs import cancel_job
from cloud_relay.fleet.log_records import Activation, Place
from cloud_relay.fleet.site_desk import SiteDesk, load
from cloud_relay.store.store import Store
from sitelink import job_rules as rules
from sitelink.decisions import Decide
from sitelink.ids import ChargePointId, JobId
from sitelink.model import ChargePoint
from sitelink.ops import Fact
from tests.cloud_relay.made import OPERATOR, at, imported, site

ROW = ChargePointId("j1-1")
JOB = JobId("j1")


def brought(store: Store, place: Place, *identities: str) -> None:
    made = imported(*identities)

    def work(desk: SiteDesk) -> None:
        desk.record((Fact(made.entity, made.event, OPERATOR, job=JOB),))
        follow(desk)

    at(store, place, work)


def decided(store: Store, place: Place, decide: Decide[object]) -> SiteDesk:
    def work(desk: SiteDesk) -> SiteDesk:
        desk.decide(decide)
        follow(desk)
        return desk

    found: SiteDesk = at(store, place, work)
    return found


def row(store: Store, place: Place, id_: ChargePointId = ROW) -> ChargePoint:
    return store.read_now(lambda books: load(books, place.site, None)).charge_points[id_]


def activations(store: Store, place: Place) -> Sequence[Activation]:
    return store.read_now(lambda books: books.identities.activations(place.site, JOB))


def test_the_first_team_that_names_an_identity_has_it(store: Store) -> None:
    (acme, _), (beta, _) = site(store), site(store, "Beta")
    brought(store, acme, "CP001")
    brought(store, beta, "cp001")
    assert (row(store, acme).owner, row(store, acme).checked) == (None, "CP001")
    assert (row(store, beta).owner, row(store, beta).checked) == ("Acme", "cp001")


def test_rows_of_one_team_share_a_station(store: Store) -> None:
    place, _ = site(store)
    brought(store, place, "CP001", "CP001")
    assert row(store, place, ChargePointId("j1-2")).owner is None


def test_an_identity_that_is_named_no_more_goes_to_who_waits(store: Store) -> None:
    (acme, _), (beta, _) = site(store), site(store, "Beta")
    brought(store, acme, "CP001")
    brought(store, beta, "CP001")
    desk = decided(store, acme, rules.decide_edit(JOB, ROW, OPERATOR, identity="CP009"))
    assert desk.released == ["cp001"]
    assert store.read_now(lambda books: books.identities.waiting("cp001")) == [beta.site]
    at(store, beta, lambda there: recheck(there, "cp001"))
    assert row(store, beta).owner is None
    owner = store.read_now(lambda books: books.identities.owner("cp001"))
    assert owner is not None
    assert owner.team == beta.team


def test_another_row_of_the_site_inherits_before_others_do(store: Store) -> None:
    place, _ = site(store)
    brought(store, place, "CP001", "CP001")
    desk = decided(store, place, rules.decide_edit(JOB, ROW, OPERATOR, identity="CP009"))
    assert desk.released == []
    owner = store.read_now(lambda books: books.identities.owner("cp001"))
    assert owner is not None
    assert owner.charge_point == "j1-2"


def test_a_completion_activates_each_charge_point_once(store: Store) -> None:
    place, _ = site(store)
    brought(store, place, "CP001", "CP002")
    done = rules.decide_complete(JOB, OPERATOR, activate_all=True, reason=None, name=None)
    decided(store, place, done)
    assert [(each.charge_point, each.round, each.state) for each in activations(store, place)] == [
        ("j1-1", 1, "registered"), ("j1-2", 1, "registered"),
    ]  # fmt: skip
    decided(store, place, rules.decide_reopen(JOB, OPERATOR))
    decided(store, place, rules.decide_activity([ROW], OPERATOR, active=False))
    decided(store, place, done)
    assert [(each.charge_point, each.round) for each in activations(store, place)][2:] == [("j1-1", 2)]


def test_a_charge_point_of_another_team_is_switched_off_again(store: Store) -> None:
    (acme, _), (beta, _) = site(store), site(store, "Beta")
    brought(store, beta, "CP001")
    brought(store, acme, "")

    # Offline, the box cannot know: it completes, and only then the cloud hears of the identity.
    def work(desk: SiteDesk) -> None:
        desk.decide(rules.decide_edit(JOB, ROW, OPERATOR, identity="CP001"))
        desk.decide(rules.decide_complete(JOB, OPERATOR, activate_all=True, reason=None, name=None))
        follow(desk)

    at(store, acme, work)
    assert not row(store, acme).active
    (found,) = activations(store, acme)
    assert (found.state, found.detail["team"]) == ("refused", "Beta")


def test_a_job_that_is_called_off_leaves_its_identities_to_others(store: Store) -> None:
    place, _ = site(store)
    brought(store, place, "CP001")
    second = imported("CP001", job="j2")
    at(store, place, lambda desk: desk.record((Fact(second.entity, second.event, OPERATOR, job=JobId("j2")),)))
    for job, heir in (("j1", "j2-1"), ("j2", None)):

        def work(desk: SiteDesk, job: str = job) -> list[str]:
            cancel_job(desk, JobId(job), OPERATOR)
            follow(desk)
            return desk.released

        released = at(store, place, work)
        owner = store.read_now(lambda books: books.identities.owner("cp001"))
        assert (owner.charge_point if owner is not None else None) == heir
        assert released == ([] if heir else ["cp001"])
