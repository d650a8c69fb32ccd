"""Numbers that came, as ranges, against a set of numbers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sitelink.ranges import RANGES_MAX, Ranges, has, missing, with_number


def of(numbers: list[int]) -> Ranges:
    ranges: Ranges = ()
    for number in numbers:
        ranges = with_number(ranges, number)
    return ranges


@given(st.lists(st.integers(0, 60)))
def test_ranges_know_exactly_what_came(numbers: list[int]) -> None:
    ranges = of(numbers)
    assert {each for each in range(-1, 62) if has(ranges, each)} == set(numbers)
    assert list(ranges) == sorted(ranges)
    assert all(high + 1 < low for (_, high), (low, _) in pairwise(ranges))


@given(st.lists(st.integers(0, 30), min_size=1), st.integers(0, 30))
def test_what_is_missing_is_counted(numbers: list[int], last: int) -> None:
    assert missing(of(numbers), last) == len(set(range(last + 1)) - set(numbers))


def test_a_number_that_came_changes_nothing() -> None:
    ranges = of([0, 1, 2])
    assert with_number(ranges, 1) is ranges


def test_a_sequence_of_holes_stays_bounded() -> None:
    assert len(of(list(range(0, 1000, 2)))) == RANGES_MAX
