"""The envelope: what goes in comes out, and garbage is named as such."""

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitelink.events import KIND_BY_TYPE, TYPE_BY_KIND
from sitelink.ops import decode_op, encode_op
from tests.sitelink.builders import Site, bay, ops, strategy_of


@given(ops())
def test_an_op_survives_encoding(op):
    assert decode_op(encode_op(op)) == op


@pytest.mark.parametrize("kind", sorted(TYPE_BY_KIND))
@given(data=st.data())
def test_an_op_of_every_kind_survives_encoding(kind, data):
    made = Site().imported(bay())
    op = msgspec.structs.replace(made, event=data.draw(strategy_of(TYPE_BY_KIND[kind])))
    again = decode_op(encode_op(op))
    assert again == op
    assert again.kind == kind
    assert b"\n" not in encode_op(op)


def test_each_kind_names_one_event_type():
    assert {kind: event for event, kind in KIND_BY_TYPE.items()} == TYPE_BY_KIND
    assert len(TYPE_BY_KIND) == len(KIND_BY_TYPE)


def test_a_kind_of_a_later_version_is_named():
    body = encode_op(Site().imported(bay())).replace(b'"kind":"job.import"', b'"kind":"job.teleported"')
    with pytest.raises(KeyError, match=r"job\.teleported"):
        decode_op(body)


def test_fields_of_a_later_version_are_passed_over():
    op = Site().imported(bay())
    assert decode_op(encode_op(op)[:-1] + b',"signature":"later"}') == op


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'{"op_id":1}', b"\xff\xfe", b"[" * 100_000])
def test_a_malformed_op_is_refused(body):
    with pytest.raises(msgspec.DecodeError):
        decode_op(body)


def test_an_event_that_does_not_fit_its_kind_is_refused():
    body = encode_op(Site().imported(bay())).replace(b'"kind":"job.import"', b'"kind":"note.add"')
    with pytest.raises(msgspec.ValidationError):
        decode_op(body)


@given(ops(), st.integers(min_value=0), st.binary(max_size=4))
def test_a_damaged_op_is_refused_or_read_but_never_crashes(op, at, noise):
    body = encode_op(op)
    at %= len(body)
    with contextlib.suppress(msgspec.DecodeError, KeyError):
        decode_op(body[:at] + noise + body[at + len(noise) :])
