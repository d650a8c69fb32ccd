"""The box's end: order, credit, what is taken back, what comes down."""

import msgspec
import pytest

from sitelink.wire import effects as f
from sitelink.wire import messages as m
from sitelink.wire.box import PING_EVERY_S, PINGS_MISSED
from sitelink.wire.codec import decode
from tests.sitelink.builders import WHEN
from tests.sitelink.wire.scripted import Pair, body


def sent(pair: Pair, kind: type) -> list[m.AnyMessage]:
    found = (decode(frame) for way, frame in pair.frames if way == ">")
    return [each for each in found if isinstance(each, kind)]


def test_everything_goes_up_once_and_in_order() -> None:
    pair = Pair(ops=1700).run()
    assert pair.taken == [body(n) for n in range(1, 1701)]
    assert pair.acked[-1] == 1700
    assert [batch.first for batch in sent(pair, m.Batch)] == [1, 501, 1001, 1501]  # type: ignore[union-attr]


def test_no_more_is_on_its_way_than_there_is_credit_for() -> None:
    pair = Pair(ops=5000, allowed=m.Credits(batches=2, ops=10))
    pair.cloud._taking = True  # a store that does not answer
    pair.run()
    assert len(sent(pair, m.Batch)) == 2
    assert all(len(batch.ops) == 10 for batch in sent(pair, m.Batch))  # type: ignore[union-attr]


def test_what_is_written_meanwhile_follows() -> None:
    pair = Pair(ops=2).run()
    pair.ops.append((9, body(9)))
    pair.box_does(pair.box.grown())
    pair.run()
    assert pair.taken == [body(1), body(2), body(9)]


def test_a_gap_is_filled_from_what_was_not_acknowledged() -> None:
    pair = Pair(ops=1200)
    pair.nacks.append(m.Nack("gap", upto=0))
    pair.run()
    assert pair.taken == [body(n) for n in range(1, 1201)]


def test_later_means_later() -> None:
    pair = Pair(ops=3)
    pair.nacks.append(m.Nack("retry_later", upto=0, after_ms=5000))
    pair.run()
    assert pair.taken == []
    pair.box_does(pair.box.tick(4.0, "n"))
    assert pair.run().taken == []
    pair.box_does(pair.box.tick(5.0, "n"))
    assert pair.run().taken == [body(n) for n in (1, 2, 3)]


@pytest.mark.parametrize("code", ["fenced", "upgrade", "too_big"])
def test_some_refusals_end_the_link(code: str) -> None:
    pair = Pair(ops=3)
    pair.cloud.receive = lambda _m: []  # type: ignore[method-assign,assignment]
    pair.box.live = True
    pair.box_does(pair.box.receive(m.Nack(code)))
    assert pair.closed["box"] == code


def test_the_log_comes_down_in_order_and_is_confirmed() -> None:
    pair = Pair(log=450).run()
    assert pair.fed == list(range(1, 451))
    assert sent(pair, m.FeedAck)[-1] == m.FeedAck(450)
    assert pair.digests == ["digest"] * len(pair.digests)
    assert pair.digests


def test_a_feed_with_a_hole_ends_the_link() -> None:
    pair = Pair().run()
    pair.box_does(pair.box.receive(m.Feed("e", 7, (m.FeedItem(8, msgspec.Raw(b"{}")),))))
    assert pair.closed["box"] == "feed_gap"


def test_what_was_fed_before_is_passed_over() -> None:
    pair = Pair(log=3).run()
    item = m.FeedItem(2, msgspec.Raw(b"{}"))
    pair.box_does(pair.box.receive(m.Feed("e", 1, (item,))))
    assert (pair.fed, "box" in pair.closed) == ([1, 2, 3], False)


@pytest.mark.parametrize(("mode", "start_over"), [("snapshot", False), ("reoffer", True)])
def test_a_snapshot_is_taken_whole_and_the_link_begins_anew(mode: str, start_over: bool) -> None:
    pair = Pair(ops=5, log=2, mode=mode).run()
    (taken,) = pair.snapshots
    assert [part.part for part in taken.parts] == [1, 2, 3]
    assert taken.start_over is start_over
    assert pair.closed["box"] == "again"
    assert pair.taken == [], "nothing goes up before it is clear what counts"


def test_a_torn_snapshot_is_none() -> None:
    pair = Pair(mode="snapshot")
    pair.box.live = True
    part = m.Snapshot("s", "e", 1, 1, 3, ())
    pair.box_does(pair.box.receive(part))
    pair.box_does(pair.box.receive(msgspec.structs.replace(part, part=3)))
    assert (pair.closed["box"], pair.snapshots) == ("snapshot_torn", [])


def test_a_dead_link_is_noticed_within_a_minute_and_a_bit() -> None:
    pair = Pair().run()
    pair.cloud.receive = lambda _m: []  # type: ignore[method-assign,assignment]
    now = 0.0
    while "box" not in pair.closed and now < 300:
        pair.box_does(pair.box.tick(now, "n"))
        now += 5
    assert pair.closed["box"] == "silent"
    assert now <= PING_EVERY_S * (PINGS_MISSED + 1) + 5


def test_an_ack_of_what_was_never_sent_ends_the_link() -> None:
    pair = Pair(ops=2).run()
    pair.box_does(pair.box.receive(m.Ack(99)))
    assert pair.closed["box"] == "ack_of_nothing"


def test_a_cloud_of_another_age_is_left_alone_for_a_while() -> None:
    pair = Pair()
    (effect,) = pair.box.receive(m.Challenge("n", (7,)))
    assert effect == f.Close("upgrade", 3600)


def test_ops_that_stay_at_the_box_do_not_wait_for_ever() -> None:
    """What is looked at and not sent counts as told, once everything before it is."""
    pair = Pair(ops=1)
    load = f.Load("log", 0, None, 500)
    pair.box.live = True
    pair.box._log.loading = True
    pair.box_does(pair.box.loaded(load, [], upto=9, more=False))
    assert pair.acked == [9]


def test_nothing_but_a_challenge_is_heard_before_the_welcome() -> None:
    pair = Pair()
    pair.box_does(pair.box.receive(m.Feed("e", 0, ())))
    assert pair.closed["box"] == "out_of_order"


def test_how_things_stand_is_told_beside_a_long_backlog() -> None:
    pair = Pair(ops=1600)
    pair.run()
    told = [number for number, (_, frame) in enumerate(pair.frames) if isinstance(decode(frame), m.Now)]
    batches = [number for number, (_, frame) in enumerate(pair.frames) if isinstance(decode(frame), m.Batch)]
    assert len(told) == 2, "once how things stand, once that the log has come as far"
    assert told[0] < batches[0] < batches[-1] < told[1]
    assert not sent(Pair(ops=5).run(), m.Now)


def test_older_telemetry_goes_up_behind_the_log_and_in_stretches() -> None:
    pair = Pair()
    backlog = pair.box._channels["backlog"]
    backlog.after, backlog.until, backlog.missing, backlog.may_have_more = 0, 3, ((7, 9),), True
    rows = {("backlog", 0): [(2, b"{}"), (3, b"{}")], ("backlog", 7): [(8, b"{}")]}
    loads: list[f.Load] = []
    batches: list[m.Batch] = []

    def does(effects: list[f.Effect]) -> None:
        for effect in effects:
            if isinstance(effect, f.Load):
                loads.append(effect)
                found = rows.get((effect.channel, effect.after), [])
                does(pair.box.loaded(effect, found, upto=effect.until or effect.after, more=False))
            elif isinstance(effect, f.Send) and isinstance(effect.message, m.Batch):
                batches.append(effect.message)

    does(pair.box.receive(m.Challenge("n")))
    does(pair.box.receive(m.Welcome(1, "x", "e", WHEN)))
    assert [each.channel for each in loads] == ["log", "live", "backlog", "backlog"]
    assert [(each.after, each.until) for each in loads[2:]] == [(0, 3), (7, 9)]
    assert [(each.channel, each.first, len(each.ops)) for each in batches] == [("backlog", 1, 2), ("backlog", 3, 1)]
    (acked, *_) = pair.box.receive(m.Ack(3, "backlog"))
    assert acked == f.Acked("backlog", ((0, 3), (7, 8)))
