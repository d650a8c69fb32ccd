"""The cloud's end: one batch at a time, acknowledged after its commit; the feed in windows."""

import msgspec

from sitelink.wire import messages as m
from sitelink.wire.cloud import FEED_ITEMS, FEED_WINDOW, HELLO_WITHIN_S, CloudSession, Registered, Taken
from sitelink.wire.codec import crc_of_ops
from sitelink.wire.effects import Close, Compare, LoadFeed, LoadSnapshot, Register, Send, Take
from tests.sitelink.builders import WHEN
from tests.sitelink.wire.scripted import Pair, body


def live(end: int = 0) -> CloudSession:
    session = CloudSession("nonce")
    session.receive(m.Hello("g", "s", "x", epoch="e"))
    session.registered(Registered("x", "e", "resume", end, WHEN))
    return session


def batch(first: int, count: int = 1) -> m.Batch:
    ops = tuple(msgspec.Raw(body(n)) for n in range(first, first + count))
    return m.Batch("s", first, ops, crc_of_ops(ops))


def test_nobody_is_believed_before_it_is_registered() -> None:
    session = CloudSession("nonce")
    assert session.opened() == [Send(m.Challenge("nonce"))]
    assert session.receive(batch(1)) == [Send(m.Bye("out_of_order")), Close("out_of_order")]
    other = CloudSession("nonce")
    hello = m.Hello("g", "s", "x")
    assert other.receive(hello) == [Register(hello, "nonce")]
    assert other.receive(hello)[-1] == Close("out_of_order"), "a second hello"


def test_a_batch_is_acknowledged_only_when_it_is_taken_and_the_next_waits() -> None:
    session = live()
    assert session.receive(batch(1)) == [Take(batch(1))]
    assert session.receive(batch(2)) == []
    done = session.taken(Taken(ack=m.Ack(1)))
    assert done == [Send(m.Ack(1)), Take(batch(2))]


def test_behind_a_gap_nothing_is_taken() -> None:
    session = live()
    session.receive(batch(5))
    session.receive(batch(6))
    assert session.taken(Taken(nack=m.Nack("gap", upto=0))) == [Send(m.Nack("gap", upto=0))]
    assert session.receive(batch(1)) == [Take(batch(1))]


def test_a_fenced_stream_is_ended() -> None:
    session = live()
    session.receive(batch(1))
    assert session.taken(Taken(nack=m.Nack("fenced")))[-1] == Close("fenced")
    assert session.receive(batch(2)) == []


def test_more_than_there_is_credit_for_and_damage_end_the_link() -> None:
    assert live().receive(batch(1, 501))[-1] == Close("out_of_order")
    damaged = msgspec.structs.replace(batch(1), crc=1)
    assert live().receive(damaged)[-1] == Close("crc")


def test_the_feed_waits_for_a_box_that_does_not_confirm() -> None:
    session = live(end=5000)
    sent = 0
    while sent < 5000:
        items = [m.FeedItem(place, msgspec.Raw(b"{}")) for place in range(sent + 1, sent + 201)]
        done = session.feed_loaded(items)
        sent += 200
        if not any(isinstance(each, LoadFeed) for each in done):
            break
    assert sent == FEED_WINDOW
    assert LoadFeed(sent, 200) in session.receive(m.FeedAck(400))


def test_a_confirmation_of_what_was_never_sent_counts_for_nothing() -> None:
    session = live(end=3)
    session.receive(m.FeedAck(10**9))
    assert session._confirmed == 0


def test_another_digest_brings_all_records() -> None:
    session = live()
    assert session.receive(m.Digest(0, "d")) == [Compare(0, "d")]
    assert session.compared(same=True) == []
    assert session.compared(same=False) == [LoadSnapshot()]
    pair = Pair(log=2)
    pair.same = False
    pair.run()
    assert len(pair.snapshots) == 1


def test_who_says_nothing_is_sent_away() -> None:
    session = CloudSession("nonce")
    assert session.tick(0, "n") == []
    assert session.tick(HELLO_WITHIN_S + 1, "n")[-1] == Close("silent")
    quiet = live()
    ends = [effect for now in range(0, 200, 5) for effect in quiet.tick(now, "n") if isinstance(effect, Close)]
    assert ends == [Close("silent")]


def test_an_empty_site_has_a_snapshot_too() -> None:
    session = CloudSession("nonce")
    session.receive(m.Hello("g", "s", "x"))
    session.registered(Registered("x", "e", "snapshot", 0, WHEN))
    (send,) = session.snapshot_loaded("i", 0, [])
    assert send == Send(m.Snapshot("i", "e", 0, 1, 1, ()))


def test_a_box_that_was_never_here_gets_the_whole_log_if_it_is_short() -> None:
    session = CloudSession("nonce")
    session.receive(m.Hello("g", "s", "x"))
    effects = session.registered(Registered("x", "e", "snapshot", 7, WHEN, whole_log=True))
    assert effects[1:] == [Send(m.Snapshot("x", "e", 0, 1, 1, ())), LoadFeed(0, FEED_ITEMS)]


def test_orders_go_only_to_a_box_that_is_there() -> None:
    cmd = m.Cmd(command="c", action="start", arguments={}, ttl_ms=1)  # type: ignore[arg-type]
    assert live().command(cmd) == [Send(cmd)]
    assert CloudSession("nonce").command(cmd) == []
