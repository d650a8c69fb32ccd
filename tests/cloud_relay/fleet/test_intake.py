"""What a box brings: once, in order, and nothing is dropped."""

import json

import msgspec
import pytest

from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.intake import take
from cloud_relay.fleet.log_records import BoxLink, Place
from cloud_relay.fleet.site_desk import SiteDesk, load
from cloud_relay.store.store import Store
from sitelink import events as e
from sitelink.ids import ChargePointId, JobId
from sitelink.ops import STATION, Op, encode_op
from sitelink.wire import messages as m
from sitelink.wire.cloud import Taken
from sitelink.wire.codec import crc_of_ops
from tests.cloud_relay.made import NOW, at, batch, imported, op, site


def told(identity: str = "CP001", **fields: str) -> Op:
    event = e.StationConnected(identity=identity, ip="192.0.2.9", version="1.6")
    return op(f"station:{identity.casefold()}", event, **fields)  # type: ignore[arg-type]


class Box:
    """A gateway with a live stream."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.place: Place
        self.gateway: GatewayId
        self.place, self.gateway = site(store)
        link = BoxLink(self.gateway, self.place.site, self.place.team, stream="s1")
        store.write_now(lambda books: books.links.put(link))

    def take(self, what: m.Batch) -> Taken:
        def work(desk: SiteDesk) -> Taken:
            taken, moved = take(desk, self.link, what)
            if taken.ack is not None:
                desk.books.links.put(moved)
            return taken

        found: Taken = at(self.store, self.place, work, self.gateway)
        return found

    @property
    def link(self) -> BoxLink:
        found = self.store.read_now(lambda books: books.links.of(self.gateway))
        assert found is not None
        return found

    def stored(self) -> list[str]:
        return [each.op_id for each in self.store.read_now(lambda books: books.logs.of_gateway(self.gateway, 0, 99))]

    def aside(self) -> list[str]:
        return [each.reason for each in self.store.read_now(lambda books: books.logs.quarantined(self.place.site, 99))]


def ack(taken: Taken) -> m.Ack:
    assert taken.ack is not None
    return taken.ack


def raw(*bodies: bytes, first: int = 1) -> m.Batch:
    ops = tuple(msgspec.Raw(body) for body in bodies)
    return m.Batch(stream="s1", first=first, ops=ops, crc=crc_of_ops(ops))


def test_ops_are_stored_once_however_often_they_come(store: Store) -> None:
    box, ops = Box(store), [told(), imported("CP001")]
    assert ack(box.take(batch(*ops))).upto == 2
    assert ack(box.take(batch(*ops))).upto == 2, "a repeated batch of the same stream"
    more = told("CP002")
    assert ack(box.take(batch(ops[1], more, first=2))).upto == 3, "one that overlaps"
    assert box.stored() == [ops[0].op_id, ops[1].op_id, more.op_id]
    assert (box.link.taken, box.link.written, box.link.tip) == (3, 3, more.op_id)


def test_after_a_new_hello_known_ops_are_told_their_place(store: Store) -> None:
    box, job = Box(store), imported("CP001")
    assert ack(box.take(batch(job))).placed == ((job.op_id, 1),)
    store.write_now(lambda books: books.links.put(msgspec.structs.replace(box.link, stream="s2", taken=0)))
    again = ack(box.take(batch(job, stream="s2")))
    assert (again.upto, again.placed, again.dispositions) == (1, ((job.op_id, 1),), ())
    assert box.stored() == [job.op_id]


def test_a_gap_and_an_old_stream_are_not_taken(store: Store) -> None:
    box = Box(store)
    assert box.take(batch(told(), first=2)).nack == m.Nack("gap", upto=0)
    assert box.take(batch(told(), stream="old")).nack == m.Nack("fenced")
    assert box.stored() == []


def test_the_same_id_with_other_content_is_set_aside_and_the_first_stays(store: Store) -> None:
    box, first = Box(store), told(op_id="same")
    second = told("CP009", op_id="same")
    box.take(batch(first))
    said = ack(box.take(batch(second, told("CP003"), first=2)))
    assert said.dispositions == (("same", "quarantined", "same_id_other_content"),)
    assert (said.upto, box.aside()) == (3, ["same_id_other_content"])
    assert len(box.stored()) == 2, "what comes after it is taken"
    assert "cp009" not in store.read_now(lambda books: load(books, box.place.site, box.gateway)).stations


@pytest.mark.parametrize("body", [b"[]", b'{"op_id":"x"}', b'{"op_id":"x","kind":"set","entity":"cp:a","value":7}'])
def test_poison_holds_nobody_up(store: Store, body: bytes) -> None:
    box, good = Box(store), told()
    assert ack(box.take(raw(body, encode_op(good)))).upto == 2
    assert box.aside() == ["poison"]
    assert box.stored() == [good.op_id]


def test_an_op_of_a_kind_from_the_future_keeps_its_place(store: Store) -> None:
    box, job = Box(store), imported("CP001")
    future = json.loads(encode_op(job)) | {"op_id": "f1", "kind": "job.dreamt"}
    said = ack(box.take(raw(json.dumps(future).encode(), encode_op(job))))
    assert said.dispositions == (("f1", "parked", "job.dreamt"),)
    assert said.placed == (("f1", 1), (job.op_id, 2))
    kept = store.read_now(lambda books: books.logs.after(box.place.site, 0, 9))[0]
    assert (kept.disposition, json.loads(kept.body)) == ("parked", future)


def test_what_a_password_is_checked_with_is_never_kept(store: Store) -> None:
    box = Box(store)
    secret = json.loads(encode_op(told(op_id="k1"))) | {"kind": "credentials.set", "value": {"verifier": "hash"}}
    box.take(raw(json.dumps(secret).encode()))
    (aside,) = store.read_now(lambda books: books.logs.quarantined(box.place.site, 9))
    assert (aside.reason, aside.body) == ("secret", b"")


def test_two_ops_after_the_same_one_betray_a_restored_disk(store: Store) -> None:
    box = Box(store)
    first, second = told(op_id="a"), told(op_id="b", prev="a")
    box.take(batch(first, second))
    assert box.link.alarm is None
    other = told(op_id="c", prev="a")
    box.take(batch(other, first=3))
    assert box.link.alarm == "restored"
    assert len(box.stored()) == 3, "it is noticed, and served"


def test_edits_that_did_not_see_each_other_are_a_conflict_to_be_told(store: Store) -> None:
    box, job = Box(store), imported("CP001")
    row, head = "cp:j1-1", (job.op_id,)
    one = op(row, e.FieldSet("CP002"), job="j1", field="identity", bases=head, op_id="one")
    two = op(row, e.FieldSet("CP003"), job="j1", field="identity", bases=head, op_id="two")
    said = ack(box.take(batch(job, one, two)))
    assert ("two", "conflict", "identity") in said.dispositions
    state = store.read_now(lambda books: load(books, box.place.site, None))
    assert state.charge_points[ChargePointId("j1-1")].identity_register.conflicting
    assert JobId("j1") in state.jobs


def values(op_id: str, minutes: int = 0) -> Op:
    sample = e.MeterSample(measurand="Power.Active.Import", unit="W", value=7200.0 + minutes)
    event = e.MeterValuesReported(connector=1, at=NOW.replace(minute=minutes), samples=(sample,), content=op_id)
    return op("station:cp001", event, op_id=op_id, author=STATION)


def test_measured_values_are_kept_once_and_the_newest_are_shown(store: Store) -> None:
    box = Box(store)
    live = batch(values("v2", 20), channel="live")
    assert ack(box.take(live)) == m.Ack(upto=1, channel="live")
    old = batch(values("v1", 10), values("v2", 20), channel="backlog")
    assert ack(box.take(old)).upto == 2
    since, until = NOW.replace(minute=0), NOW.replace(minute=59)
    kept = store.read_now(lambda books: books.logs.measured(box.place.site, "cp001", since, until, 9))
    assert [each.op_id for each in kept] == ["v1", "v2"]
    state = store.read_now(lambda books: load(books, box.place.site, box.gateway))
    assert [each.value("Power.Active.Import") for each in state.readings.values()] == [7220.0]
    assert box.link.written == 0, "telemetry is no log"


def test_what_meters_said_is_kept_beside_it(store: Store) -> None:
    box = Box(store)
    times = [NOW.replace(minute=minute) for minute in (20, 10)]
    said = [
        op("meter:j1/Main", e.MeterRead(at, {"power_w.total": at.minute * 1.0}), op_id=f"m{at.minute}") for at in times
    ]
    assert ack(box.take(batch(*said, channel="live"))).upto == 2
    kept = store.read_now(
        lambda books: books.logs.measured(box.place.site, "j1/Main", NOW.replace(minute=0), NOW.replace(minute=59), 9)
    )
    assert [each.op_id for each in kept] == ["m10", "m20"]
    state = store.read_now(lambda books: load(books, box.place.site, box.gateway))
    assert state.meters[JobId("j1"), "Main"].values == {"power_w.total": 20.0}
