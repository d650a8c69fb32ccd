"""A site within a transaction: what is folded, what is kept, and what the next transaction may use of it."""

from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.log_records import BoxLink, Held
from cloud_relay.fleet.site_desk import SiteDesk, load, open_desk
from cloud_relay.store.store import Store
from sitelink import events as e
from sitelink.errors import NoteInvalid
from sitelink.ids import ChargePointId, JobId, TransactionId
from sitelink.job_rules import decide_note
from sitelink.ops import STATION, Fact, encode_op
from tests.cloud_relay.made import NOW, OPERATOR, at, imported, new_id, op, site
from tests.cloud_relay.store.test_site_logs import charge


def test_what_people_do_in_the_cloud_is_an_op_of_the_log(store: Store) -> None:
    place, _ = site(store)
    made = imported("CP001")

    def work(desk: SiteDesk) -> None:
        desk.record((Fact(made.entity, made.event, OPERATOR, job=JobId("j1")),))
        desk.decide(decide_note(JobId("j1"), ChargePointId("j1-1"), OPERATOR, "hello", by_operator=True))

    at(store, place, work)
    log = store.read_now(lambda books: books.logs.after(place.site, 0, 9))
    assert [(each.place, each.kind, each.gateway) for each in log] == [(1, "job.import", None), (2, "note.add", None)]
    row = store.read_now(lambda books: load(books, place.site, None)).charge_points[ChargePointId("j1-1")]
    assert [note.text for note in row.notes] == ["hello"]


def test_a_refused_rule_writes_nothing(store: Store) -> None:
    place, gateway = site(store)
    at(store, place, lambda desk: desk.bring(imported(""), encode_op(imported(""))), gateway)

    def work(desk: SiteDesk) -> bool:
        try:
            desk.decide(decide_note(JobId("j1"), ChargePointId("j1-1"), OPERATOR, " ", by_operator=True))
        except NoteInvalid:
            return desk.changed
        return True

    assert at(store, place, work) is False


def test_a_fact_that_names_its_op_is_written_once(store: Store) -> None:
    place, _ = site(store)
    made = imported("CP001")
    fact = Fact(made.entity, made.event, OPERATOR, job=JobId("j1"), op_id=made.op_id)
    for _ in range(2):
        at(store, place, lambda desk: desk.record((fact,)))
    assert store.read_now(lambda books: books.logs.end(place.site)) == 1


def test_what_was_held_is_used_only_while_nobody_else_wrote(store: Store) -> None:
    place, gateway = site(store)

    def opened(held: Held | None) -> SiteDesk:
        return store.read_now(lambda books: open_desk(books, place, gateway, held, NOW, new_id))

    first = opened(None).held()
    marked = Held(first.version, first.state.copy())
    marked.state.settings["mark"] = None  # type: ignore[assignment]
    assert "mark" in opened(marked).state.settings
    at(store, place, lambda desk: desk.bring(imported("CP001"), encode_op(imported("CP001"))), gateway)
    assert "mark" not in opened(marked).state.settings
    assert JobId("j1") in opened(marked).state.jobs


def test_a_fact_about_an_old_charge_finds_it(store: Store) -> None:
    place, gateway = site(store)

    def work(desk: SiteDesk) -> None:
        for number in range(1, 8):
            for event in charge(number):
                made = op("station:cp001", event, author=STATION)
                desk.bring(made, encode_op(made))

    at(store, place, work, gateway)
    link = BoxLink(gateway, place.site, place.team, written=14)
    store.write_now(lambda books: books.links.put(link))
    late = op("station:cp001", e.TransactionIncomplete(TransactionId(1), 2), author=STATION)
    at(store, place, lambda desk: desk.bring(late, encode_op(late)), gateway)
    found = store.read_now(lambda books: books.logs.transaction(gateway, TransactionId(1)))
    assert found is not None
    assert (found.incomplete, found.started_at is not None) == (True, True)


def test_boxes_of_one_site_do_not_mix_what_only_they_write(store: Store) -> None:
    place, gateway = site(store)
    told = op("station:cp001", e.StationConnected(identity="CP001", ip="192.0.2.9", version="1.6"))
    at(store, place, lambda desk: desk.bring(told, encode_op(told)), gateway)
    assert store.read_now(lambda books: load(books, place.site, gateway)).stations
    assert not store.read_now(lambda books: load(books, place.site, GatewayId("another"))).stations
