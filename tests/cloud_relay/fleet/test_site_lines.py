"""Lists of sites: how boxes stand, and what search and filters keep."""

from datetime import timedelta

import msgspec
import pytest

from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.log_records import BoxLink
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.site_lines import SHOWN, BoxState, chosen, counted, site_boxes, site_lines
from cloud_relay.fleet.sites import add_site, find_site, revoke_gateway
from cloud_relay.store.store import Store
from tests.cloud_relay.made import ACT, NOW, at, imported, site


def test_a_site_has_its_boxes_and_open_jobs_and_nothing_of_other_teams(store: Store) -> None:
    place, gateway = site(store)
    site(store, "Other")
    at(store, place, lambda desk: desk.bring(imported("CP001"), b"{}"), gateway)
    store.write_now(lambda books: add_site(books, ACT, place.team, "An empty yard"))
    lines = store.read_now(lambda books: site_lines(books, place.team, {gateway}, NOW))
    assert [line.site.name for line in lines] == ["An empty yard", "Site of Acme"]
    assert [job.number for job in lines[1].jobs] == ["j1"]
    assert [box.state for box in lines[1].boxes] == [BoxState.ONLINE]
    assert counted(lines) == {"": 2, "online": 1, "offline": 0, "job": 1, "alarm": 0}
    assert [line.site.name for line in chosen(lines, "", "job")] == ["Site of Acme"]


@pytest.mark.parametrize(
    ("link", "enrolled", "online", "state"),
    [
        (None, False, False, BoxState.EXPECTED),
        (None, True, False, BoxState.NEW),
        ({"seen_at": NOW}, True, False, BoxState.OFFLINE),
        ({"seen_at": NOW}, True, True, BoxState.ONLINE),
        ({"seen_at": NOW, "quarantined_at": NOW, "alarm": "copied"}, True, True, BoxState.STOPPED),
    ],
)
def test_how_a_box_stands(store: Store, link: dict[str, object], enrolled: bool, online: bool, state: BoxState) -> None:
    place, gateway = site(store)

    def work(books: Books) -> None:
        known = books.sites.gateway(place.team, gateway)
        assert known is not None
        books.sites.put_gateway(msgspec.structs.replace(known, enrolled_at=NOW if enrolled else None))
        if link is not None:
            books.links.put(BoxLink(gateway, place.site, place.team, **link))  # type: ignore[arg-type]

    store.write_now(work)
    there = {gateway} if online else set[GatewayId]()
    (line,) = store.read_now(lambda books: site_lines(books, place.team, there, NOW))
    assert line.boxes[0].state is state
    assert line.offline == (state in (BoxState.OFFLINE, BoxState.STOPPED))
    assert line.alarm == (state is BoxState.STOPPED)


def test_a_claim_runs_out_and_a_revoked_box_is_listed_at_its_site_only(store: Store) -> None:
    place, gateway = site(store)

    def work(books: Books) -> None:
        known = books.sites.gateway(place.team, gateway)
        assert known is not None
        books.sites.put_gateway(msgspec.structs.replace(known, enrolled_at=None))

    store.write_now(work)
    later = NOW + timedelta(days=8)
    (line,) = store.read_now(lambda books: site_lines(books, place.team, (), later))
    assert line.boxes[0].state is BoxState.EXPIRED
    store.write_now(lambda books: revoke_gateway(books, ACT, place.team, gateway))
    (line,) = store.read_now(lambda books: site_lines(books, place.team, (), later))
    assert line.boxes == ()
    boxes = store.read_now(lambda books: site_boxes(books, find_site(books, place.team, place.site), (), later))
    assert [box.state for box in boxes] == [BoxState.REVOKED]


def test_a_box_is_behind_by_what_it_has_not_got(store: Store) -> None:
    place, gateway = site(store)
    at(store, place, lambda desk: desk.bring(imported("CP001"), b"{}"), gateway)
    store.write_now(lambda books: books.links.put(BoxLink(gateway, place.site, place.team, cursor=0, seen_at=NOW)))
    (box,) = store.read_now(lambda books: site_boxes(books, find_site(books, place.team, place.site), (), NOW))
    assert box.behind == 1


@pytest.mark.parametrize("text", ["of acme", " BOX", "j1"])
def test_a_site_is_found_by_what_is_read_of_it(store: Store, text: str) -> None:
    place, gateway = site(store)
    at(store, place, lambda desk: desk.bring(imported("CP001"), b"{}"), gateway)
    lines = store.read_now(lambda books: site_lines(books, place.team, (), NOW))
    assert chosen(lines, text, "") == lines
    assert chosen(lines, "nothing", "") == []
    assert chosen(lines, "nothing", "", {place.site}) == lines
    assert chosen(lines, text, "alarm") == []


def test_every_filter_has_a_count() -> None:
    assert counted([]) == {"": 0, **dict.fromkeys(SHOWN, 0)}
