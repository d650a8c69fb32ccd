"""The log of a site and its records, as they are kept."""

from datetime import timedelta

from cloud_relay.fleet.ids import TeamId
from cloud_relay.fleet.log_records import Measured, Quarantined
from cloud_relay.fleet.site_desk import SiteDesk
from cloud_relay.store.store import Store
from sitelink import events as e
from sitelink.ids import JobId, LinkId, OpId, TransactionId
from sitelink.ops import STATION, encode_op
from sitelink.states import LinkRole
from tests.cloud_relay.made import NOW, at, imported, op, site


def test_the_log_is_read_by_place_and_by_box_and_by_what_it_is_about(store: Store) -> None:
    place, gateway = site(store)
    told = op("station:cp001", e.StationConnected(identity="CP001", ip="192.0.2.9", version="1.6"))
    job = imported("CP001")

    def work(desk: SiteDesk) -> None:
        desk.bring(job, encode_op(job))
        desk.bring(told, encode_op(told))

    at(store, place, work, gateway)
    logs = store.read_now(lambda books: books.logs.after(place.site, 0, 9))
    assert [(each.place, each.op_id) for each in logs] == [(1, job.op_id)]
    both = store.read_now(lambda books: books.logs.of_gateway(gateway, 0, 9))
    assert [(each.number, each.body) for each in both] == [(1, encode_op(job)), (2, encode_op(told))]
    about = store.read_now(lambda books: books.logs.about(place.site, "station:cp001", {"station.connected"}, 9))
    assert [each.op_id for each in about] == [told.op_id]
    assert store.read_now(lambda books: books.logs.end(place.site)) == 1
    known = store.read_now(lambda books: books.logs.known(place.site, [job.op_id, OpId("none")]))
    assert {key: value.place for key, value in known.items()} == {job.op_id: 1}


def test_after_a_restore_it_is_known_how_far_a_log_is_what_it_was(store: Store) -> None:
    place, _ = site(store)
    empty, _ = site(store, "Beta")

    def kept() -> list[int]:
        return [store.read_now(lambda books, of=each: books.logs.kept(of.site)) for each in (place, empty)]

    def restored_at(end: int) -> None:
        store.write_now(lambda books: books.logs.move_end(place.site, end))
        store.write_now(lambda books: books.logs.keep_ends())

    restored_at(7)
    assert kept() == [7, 0]
    store.write_now(lambda books: books.logs.move_end(empty.site, 3))
    restored_at(9)
    assert kept() == [7, 0], "the lowest of all restores: a box may come from before the first"
    restored_at(4)
    assert kept() == [4, 0]


def test_jobs_and_links_are_found_without_reading_every_site(store: Store) -> None:
    place, gateway = site(store)
    link = op("link:l1", e.LinkCreated(JobId("j1"), "ab" * 32, LinkRole.INSTALLER), job="j1")

    def work(desk: SiteDesk) -> None:
        for each in (imported("CP001"), link):
            desk.bring(each, encode_op(each))

    at(store, place, work, gateway)
    assert store.read_now(lambda books: books.logs.job_site(place.team, JobId("j1"))) == place.site
    assert store.read_now(lambda books: books.logs.job_site(TeamId("another"), JobId("j1"))) is None
    assert store.read_now(lambda books: books.logs.link_site("ab" * 32)) == (place.site, LinkId("l1"))
    assert store.read_now(lambda books: books.logs.site_of_link(LinkId("l1"))) == place.site
    assert store.read_now(lambda books: books.logs.link_site("cd" * 32)) is None


def charge(number: int) -> tuple[e.TransactionStarted, e.TransactionStopped]:
    id_ = TransactionId(number)
    start = e.TransactionStarted(id=id_, connector=1, at=NOW + timedelta(hours=number), content=f"s{number}")
    return start, e.TransactionStopped(id=id_, at=NOW + timedelta(hours=number, minutes=5), content=f"e{number}")


def test_all_charges_are_kept_and_the_last_ones_held(store: Store) -> None:
    place, gateway = site(store)

    def work(desk: SiteDesk) -> None:
        for number in range(1, 8):
            for event in charge(number):
                made = op("station:cp001", event, author=STATION)
                desk.bring(made, encode_op(made))

    at(store, place, work, gateway)
    assert len(store.read_now(lambda books: books.logs.transactions(place.site, "cp001", 99))) == 7
    older = store.read_now(lambda books: books.logs.transactions(place.site, "cp001", 2, TransactionId(6)))
    assert [each.id for each in older] == [5, 4]
    held = store.read_now(lambda books: books.logs.records(place.site, gateway))
    assert sorted(each.id for each in held if each.key.startswith("transaction:")) == [4, 5, 6, 7]
    first = store.read_now(lambda books: books.logs.transaction(gateway, TransactionId(1)))
    assert first is not None
    assert not first.open


def test_values_are_kept_once_and_read_by_time_and_charge(store: Store) -> None:
    place, gateway = site(store)
    rows = [
        Measured(
            OpId(f"m{n}"), place.site, gateway, "cp001", 1, n % 2, NOW + timedelta(minutes=n), b"{}"
        )
        for n in range(4)
    ]  # fmt: skip
    assert store.write_now(lambda books: books.logs.measure(rows)) == 4
    assert store.write_now(lambda books: books.logs.measure(rows)) == 0
    until = NOW + timedelta(minutes=2)
    found = store.read_now(lambda books: books.logs.measured(place.site, "cp001", NOW, until, 9))
    assert found == rows[:3]
    odd = store.read_now(lambda books: books.logs.measured(place.site, "cp001", NOW, until, 9, transaction=1))
    assert odd == [rows[1]]


def test_what_was_set_aside_can_be_looked_at(store: Store) -> None:
    place, gateway = site(store)
    what = Quarantined(place.site, gateway, "x", "poison", b"\xff\x00", NOW)
    store.write_now(lambda books: books.logs.quarantine(what))
    assert store.read_now(lambda books: books.logs.quarantined(place.site, 9)) == [what]
