import pytest

from sitelink.errors import TooMany
from tests.doubles.clock import FakeClock
from web_ui.limits import KEYS_MAX, Limit, address_key


def test_a_share_is_used_up_and_comes_back() -> None:
    clock = FakeClock()
    limit = Limit(clock, count=2, per_s=60)
    limit.take("a")
    clock.advance(20)
    limit.take("a")
    with pytest.raises(TooMany) as refused:
        limit.take("a")
    assert refused.value.fields == {"retry_after_s": 40}
    limit.take("b")
    clock.advance(40)
    limit.take("a")
    with pytest.raises(TooMany):
        limit.take("a")


def test_what_is_given_back_does_not_count() -> None:
    limit = Limit(FakeClock(), count=1, per_s=60)
    limit.take("a")
    limit.give_back("a")
    limit.take("a")
    limit.give_back("unknown")


def test_ten_thousand_callers_fit_into_bounded_memory() -> None:
    limit = Limit(FakeClock(), count=2, per_s=60)
    for number in range(10_000):
        limit.take(f"caller {number}")
    assert limit.keys == KEYS_MAX


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "unknown"),
        ("a socket", "a socket"),
    ],
)
def test_who_counts_as_one_caller(address: str | None, key: str) -> None:
    assert address_key(address) == key


def test_it_says_what_is_left_and_when_all_is_there_again() -> None:
    clock = FakeClock()
    limit = Limit(clock, count=3, per_s=60)
    assert limit.standing("a") == (3, 3, 0)
    limit.take("a")
    clock.advance(10)
    limit.take("a")
    assert limit.standing("a") == (3, 1, 60)
    clock.advance(55)
    assert limit.standing("a") == (3, 2, 5)
    assert limit.standing("b") == (3, 3, 0)
