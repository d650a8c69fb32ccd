"""Packed lists come back as they were, and what is no packed list is nothing."""

import zlib

from hypothesis import given
from hypothesis import strategies as st

from sitelink.packed import pack, unpack

values = st.recursive(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), st.lists, max_leaves=5)


@given(st.dictionaries(st.text(), values))
def test_what_was_packed_comes_back_in_order(items):
    assert list(unpack(pack(items)).items()) == list(items.items())


@given(st.binary(max_size=200))
def test_what_was_not_packed_is_nothing(noise):
    assert unpack(noise) == {}
    assert unpack(zlib.compress(b"[1, 2]")) == {}
