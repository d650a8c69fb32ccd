"""Frames as text and back; what is none is refused, what is unknown passed over."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitelink.ids import CommandId, OpId
from sitelink.wire import messages as m
from sitelink.wire.codec import FrameInvalid, crc_of_ops, decode, encode
from tests.sitelink.builders import WHEN

SAMPLES: tuple[m.AnyMessage, ...] = (
    m.Challenge("n"), m.Hello("g", "s", "x", epoch="e", cursor=3, clock=m.ClockState(WHEN, "b", 1), tip=OpId("t")),
    m.Welcome(1, "s", "e", WHEN, "reoffer"), m.Batch("s", 1, (msgspec.Raw(b'{"a": 1}'),), 7, "live", (("1", 2, "x"),)),
    m.Ack(3, "log", ((OpId("o"), "parked", "x"),), ((OpId("o"), 4),)), m.Nack("gap", "log", 2, 100),
    m.Feed("e", 1, (m.FeedItem(2, msgspec.Raw(b"{}")),)), m.FeedAck(2), m.Digest(1, "d"), m.Pong("n"), m.Ping("n"),
    m.Snapshot("i", "e", 1, 1, 2, (("job:j", msgspec.Raw(b"{}")),)), m.Now((("station:a", msgspec.Raw(b"{}")),)),
    m.Cmd(CommandId("c"), "start", {"job": "j"}, 1000, "Ann"), m.CmdAck(CommandId("c"), "x", {"a": 1}),
    m.Bye("fenced", 5),
)  # fmt: skip


@pytest.mark.parametrize("message", SAMPLES, ids=lambda each: type(each).__name__)
def test_every_message_comes_back_as_it_was(message: m.AnyMessage) -> None:
    assert decode(encode(message)) == message
    assert decode(encode(message).decode()) == message


def test_every_message_has_a_sample() -> None:
    assert {type(each) for each in SAMPLES} == set(m.AnyMessage.__args__)


def test_ops_travel_byte_for_byte() -> None:
    body = b'{"op_id": "x",  "value":1.50}'
    found = decode(encode(m.Batch("s", 1, (msgspec.Raw(body),), crc_of_ops([body]))))
    assert isinstance(found, m.Batch)
    assert bytes(found.ops[0]) == body
    assert crc_of_ops(found.ops) == found.crc


def test_what_a_later_version_says_is_passed_over() -> None:
    assert decode(b'{"type":"dream","x":1}') is None
    assert decode(b'{"type":"ping","nonce":"n","later":[1]}') == m.Ping("n")


@pytest.mark.parametrize("frame", [b"", b"[]", b"{", b'{"type":1}', b'{"type":"ping"}', b"\xff", b'{"type":"batch"}'])
def test_what_is_no_frame_is_refused(frame: bytes) -> None:
    with pytest.raises(FrameInvalid):
        decode(frame)


def test_a_frame_that_is_too_large_is_not_even_read() -> None:
    with pytest.raises(FrameInvalid, match="1048576"):
        decode(b" " * (m.MESSAGE_MAX_BYTES + 1))


@given(st.binary(max_size=300) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(msgspec.json.encode))
def test_nothing_but_frame_invalid_comes_out(data: bytes) -> None:
    try:
        decode(data)
    except FrameInvalid:
        return


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(FrameInvalid):
        decode(b'{"type":"cmd","command":"c","action":"a","ttl_ms":1,"arguments":{"a":' + b"[" * 100_000)
