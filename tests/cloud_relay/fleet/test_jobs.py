"""Jobs as operators make them."""

from datetime import timedelta

import pytest

from cloud_relay.fleet.ids import TeamId
from cloud_relay.fleet.jobs import LINK_DAYS_MAX, cancel_job, make_job, make_link, next_number, place_of_job
from cloud_relay.fleet.site_desk import load
from cloud_relay.fleet.tokens import sha256_of
from cloud_relay.store.store import Store
from sitelink.errors import JobExists, NotFound
from sitelink.ids import JobId
from sitelink.job_file import job_file_of
from sitelink.states import JobStatus, LinkRole
from tests.cloud_relay.made import NOW, OPERATOR, at, site


def file(number: str = "1001") -> object:
    return job_file_of({"number": number, "site": {"name": "Harbour"}, "charge_points": [{"name": "Bay 1"}]})


def test_a_job_has_a_number_of_its_own_and_no_link_nobody_knows(store: Store) -> None:
    place, _ = site(store)
    assert store.read_now(lambda books: next_number(books, place.team)) == "1001"
    job = at(store, place, lambda desk: make_job(desk, file(), OPERATOR))  # type: ignore[arg-type]
    assert store.read_now(lambda books: next_number(books, place.team)) == "1002"
    state = store.read_now(lambda books: load(books, place.site, None))
    assert (list(state.jobs), state.links) == ([job], {})
    with pytest.raises(JobExists):
        at(store, place, lambda desk: make_job(desk, file(), OPERATOR))  # type: ignore[arg-type]


def test_a_link_ends_by_itself_and_its_token_is_not_kept(store: Store) -> None:
    place, _ = site(store)
    job = at(store, place, lambda desk: make_job(desk, file(), OPERATOR))  # type: ignore[arg-type]
    token = at(store, place, lambda desk: make_link(desk, job, OPERATOR, role=LinkRole.INSTALLER, days=9999))
    (link,) = store.read_now(lambda books: load(books, place.site, None)).links.values()
    assert (link.token_sha256, link.expires_at) == (sha256_of(token), NOW + timedelta(days=LINK_DAYS_MAX))
    log = store.read_now(lambda books: books.logs.after(place.site, 0, 9))
    assert not any(token.encode() in each.body for each in log)
    with pytest.raises(NotFound):
        at(store, place, lambda desk: make_link(desk, JobId("none"), OPERATOR, role=LinkRole.READ))


def test_a_job_is_found_by_its_team_alone_and_called_off_once(store: Store) -> None:
    place, _ = site(store)
    job = at(store, place, lambda desk: make_job(desk, file(), OPERATOR))  # type: ignore[arg-type]
    assert store.read_now(lambda books: place_of_job(books, place.team, "Acme", job)) == place
    with pytest.raises(NotFound):
        store.read_now(lambda books: place_of_job(books, TeamId("another"), "Beta", job))
    for _ in range(2):
        at(store, place, lambda desk: cancel_job(desk, job, OPERATOR))
    assert store.read_now(lambda books: load(books, place.site, None)).jobs[job].status is JobStatus.CANCELLED
    assert store.read_now(lambda books: books.logs.end(place.site)) == 2
    (listed,) = store.read_now(lambda books: books.logs.jobs(place.team, after=None, limit=9))
    assert (listed.number, listed.status, listed.charge_points) == ("1001", JobStatus.CANCELLED, 1)
