"""Who comes with a Hello: fenced, resumed, restored, copied."""

from datetime import timedelta

import msgspec
import pytest

from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.log_records import BoxLink, Place
from cloud_relay.fleet.registration import (
    FAR_BEHIND,
    FENCES_MAX,
    LATE_FOR,
    REPLACED_FOR_MS,
    Refused,
    Welcomed,
    begin_epoch,
    register,
)
from cloud_relay.fleet.replacing import release_quarantine, replace_gateway
from cloud_relay.store.store import Store
from sitelink.ids import OpId
from sitelink.ops import encode_op
from sitelink.wire import messages as m
from tests.cloud_relay.made import ACT, NOW, at, imported, site


class Cloud:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.place: Place
        self.gateway: GatewayId
        self.place, self.gateway = site(store)
        self.now = NOW

    def hello(self, stream: str = "s1", boot: str = "b1", good: bool = True, **fields: object) -> Welcomed | Refused:
        self.now += timedelta(seconds=1)
        clock = m.ClockState(NOW, boot, 1)
        said = m.Hello(self.gateway, stream, "signature", clock=clock, **{"epoch": "epoch-1", **fields})  # type: ignore[arg-type]

        def verify(key: str, signed: bytes, signature: str) -> bool:
            return good and (key, signed, signature) == ("key", m.to_sign("n", said.gateway, stream), "signature")

        return self.store.write_now(
            lambda books: register(books, said, "n", verify=verify, node="node", session="x", now=self.now)
        )

    def mode(self, **fields: object) -> str:
        found = self.hello(**fields)  # type: ignore[arg-type]
        assert isinstance(found, Welcomed)
        return found.registered.mode

    @property
    def link(self) -> BoxLink:
        found = self.store.read_now(lambda books: books.links.of(self.gateway))
        assert found is not None
        return found


def test_the_newest_stream_is_the_only_one(store: Store) -> None:
    cloud = Cloud(store)
    assert isinstance(cloud.hello("s1"), Welcomed)
    assert isinstance(cloud.hello("s2"), Welcomed)
    assert (cloud.link.stream, cloud.link.taken) == ("s2", 0)


def test_nobody_learns_which_gateways_there_are(store: Store) -> None:
    cloud = Cloud(store)
    assert cloud.hello(good=False) == Refused("unknown_gateway")
    cloud.gateway = GatewayId("another")
    assert cloud.hello() == Refused("unknown_gateway")


@pytest.mark.parametrize(
    ("fields", "mode"),
    [({}, "resume"), ({"epoch": None}, "snapshot"), ({"epoch": "older"}, "reoffer"), ({"cursor": 99}, "snapshot")],
)
def test_how_it_goes_on_depends_on_what_the_box_has(store: Store, fields: dict[str, object], mode: str) -> None:
    assert Cloud(store).mode(**fields) == mode


def test_only_who_was_never_here_gets_a_short_log_whole(store: Store) -> None:
    cloud = Cloud(store)

    def whole(**fields: object) -> bool:
        found = cloud.hello(**fields)  # type: ignore[arg-type]
        assert isinstance(found, Welcomed)
        return found.registered.whole_log

    assert [whole(epoch=None), whole(), whole(epoch="older")] == [True, False, False]
    store.write_now(lambda books: books.logs.move_end(cloud.place.site, FAR_BEHIND + 1))
    assert not whole(epoch=None)


def test_what_a_box_says_it_has_is_what_it_has(store: Store) -> None:
    """It may have come as a snapshot, which is not confirmed place by place, or be gone with a backup."""
    cloud = Cloud(store)
    at(store, cloud.place, lambda desk: desk.bring(imported("CP001"), encode_op(imported("CP001"))), cloud.gateway)
    assert cloud.mode(cursor=1) == "resume"
    assert cloud.link.cursor == 1
    assert cloud.mode(cursor=0) == "resume"
    assert cloud.link.cursor == 0


def test_one_that_is_far_behind_gets_all_records(store: Store) -> None:
    cloud = Cloud(store)
    store.write_now(lambda books: books.logs.move_end(cloud.place.site, FAR_BEHIND + 1))
    assert cloud.mode() == "snapshot"
    assert cloud.mode(cursor=1) == "resume"


def test_after_a_restore_of_the_cloud_every_box_offers_all_again(store: Store) -> None:
    cloud = Cloud(store)
    assert cloud.mode() == "resume"
    store.write_now(lambda books: books.logs.move_end(cloud.place.site, 5))
    store.write_now(lambda books: begin_epoch(books, "epoch-2"))
    found = cloud.hello()
    assert isinstance(found, Welcomed)
    assert (found.registered.mode, found.registered.kept) == ("reoffer", 5)


def test_one_whose_last_op_is_old_was_restored_and_is_served(store: Store) -> None:
    cloud = Cloud(store)
    first, second = imported("CP001"), imported("CP002", job="j2")

    def work(desk: object) -> None:
        for each in (first, second):
            desk.bring(each, encode_op(each))  # type: ignore[attr-defined]

    at(store, cloud.place, work, cloud.gateway)
    link = BoxLink(cloud.gateway, cloud.place.site, cloud.place.team, written=2, tip=second.op_id)
    store.write_now(lambda books: books.links.put(link))
    assert isinstance(cloud.hello(tip=second.op_id), Welcomed)
    assert isinstance(cloud.hello(tip=OpId("not here yet")), Welcomed)
    assert cloud.link.alarm is None
    assert isinstance(cloud.hello(tip=first.op_id), Welcomed)
    assert cloud.link.alarm == "restored"


def test_reboots_are_no_copies(store: Store) -> None:
    cloud = Cloud(store)
    for number in range(FENCES_MAX + 5):
        assert isinstance(cloud.hello(boot=f"boot {number}"), Welcomed)
    assert cloud.link.alarm is None


def test_two_boxes_that_take_turns_are_stopped_until_somebody_chooses(store: Store) -> None:
    cloud = Cloud(store)
    found = [cloud.hello(boot=("one", "two")[number % 2]) for number in range(2 * FENCES_MAX + 4)]
    assert isinstance(found[-1], Refused)
    assert found[-1].code == "quarantined"
    assert (cloud.link.alarm, cloud.link.stream) == ("copied", None)
    chosen = msgspec.structs.replace(cloud.link, quarantined_at=None, fences=(), boots=(), alarm=None)
    store.write_now(lambda books: books.links.put(chosen))
    assert isinstance(cloud.hello(boot="one"), Welcomed)


def test_a_revoked_one_is_told_so(store: Store) -> None:
    cloud = Cloud(store)
    known = store.read_now(lambda books: books.sites.gateway(cloud.place.team, cloud.gateway))
    assert known is not None
    store.write_now(lambda books: books.sites.put_gateway(msgspec.structs.replace(known, revoked_at=NOW)))
    assert cloud.hello() == Refused("revoked")


def test_a_replaced_box_is_let_in_with_what_it_has_for_a_while(store: Store) -> None:
    cloud = Cloud(store)
    store.write_now(lambda books: replace_gateway(books, ACT, cloud.place.team, cloud.gateway))
    waiting = m.Pending(3, 0)
    assert isinstance(cloud.hello(pending=waiting), Welcomed)
    assert cloud.hello("s2", pending=m.Pending(0, 9)) == Refused("replaced", REPLACED_FOR_MS), "it has told all"
    assert isinstance(cloud.hello("s3", pending=waiting), Welcomed), "its link broke meanwhile"
    cloud.now += LATE_FOR
    assert cloud.hello("s4", pending=waiting) == Refused("replaced", REPLACED_FOR_MS)


def test_of_two_boxes_with_one_disk_the_chosen_one_stays(store: Store) -> None:
    cloud = Cloud(store)
    for n in range(2 * FENCES_MAX + 4):
        found = cloud.hello(f"s{n}", boot=f"b{n % 2}")
    assert isinstance(found, Refused)
    assert cloud.link.quarantined_at is not None
    store.write_now(lambda books: release_quarantine(books, ACT, cloud.place.team, cloud.gateway, "b1"))
    assert isinstance(cloud.hello("x1", boot="b1"), Welcomed)
    other = cloud.hello("x2", boot="b0")
    assert isinstance(other, Refused)
    assert other.code == "quarantined"
    assert isinstance(cloud.hello("x3", boot="b1"), Welcomed)
    assert (cloud.link.alarm, cloud.link.quarantined_at) == (None, None)
