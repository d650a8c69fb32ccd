"""An image counts as fetched when all of it went out, in whatever parts."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.files.offers import Offer
from sitelink.ids import TransferId

SIZE = 40


def offer() -> Offer:
    return Offer(TransferId("t1"), "token", Path("image"), "image.bin", SIZE, "sha256")


@given(st.lists(st.tuples(st.integers(0, SIZE), st.integers(0, SIZE)).map(sorted).map(tuple), max_size=12))
def test_what_went_out_is_counted_once_however_often_it_was_fetched(parts: list[tuple[int, int]]) -> None:
    image = offer()
    for start, end in parts:
        image.went_out(start, end)
    out = {place for start, end in parts for place in range(start, end)}
    assert image.sent == len(out)
    assert image.whole is (len(out) == SIZE)
