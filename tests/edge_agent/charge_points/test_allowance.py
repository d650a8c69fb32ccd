"""How much may be said about strangers."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.charge_points.allowance import Allowance


def test_a_burst_is_allowed_and_then_no_more() -> None:
    allowance = Allowance(30)
    assert sum(allowance.take(100.0) for _ in range(1000)) == 30
    assert allowance.withheld == 970
    assert sum(allowance.take(110.0) for _ in range(1000)) == 5


@given(st.lists(st.floats(0, 3600), min_size=1, max_size=400), st.integers(1, 60))
def test_never_more_than_the_rate_and_one_burst(times: list[float], rate: int) -> None:
    allowance = Allowance(rate)
    taken = sum(allowance.take(at) for at in sorted(times))
    assert taken <= rate + max(times) / 60 * rate + 1
    assert taken + allowance.withheld == len(times)


def test_a_clock_that_stands_still_gives_nothing_back() -> None:
    allowance = Allowance(1)
    assert allowance.take(5.0)
    assert not allowance.take(5.0)
    assert not allowance.take(4.0)
