"""Guessing becomes slow, for whoever guesses, and nobody is locked out for it."""

from edge_agent.charge_points.attempts import LIMITED_FOR_S, REMEMBERED_MAX, WRONG_PER_MINUTE, Attempts
from sitelink.ids import StationKey

CP, OTHER = StationKey("cp001"), StationKey("cp002")


def wrong(attempts: Attempts, times: int, now: float = 0.0, every_s: float = 0.1, *, loopback: bool = False) -> float:
    for _ in range(times):
        attempts.wrong("192.0.2.7", CP, now, loopback=loopback)
        now += every_s
    return now


def test_a_few_mistakes_a_minute_are_free_and_then_it_takes_ten_minutes() -> None:
    attempts = Attempts()
    now = wrong(attempts, WRONG_PER_MINUTE - 1)
    assert not attempts.is_limited("192.0.2.7", CP, now, loopback=False)
    now = wrong(attempts, 1, now)
    assert attempts.is_limited("192.0.2.7", CP, now, loopback=False)
    assert attempts.is_limited("192.0.2.7", CP, now + LIMITED_FOR_S - 1, loopback=False)
    assert not attempts.is_limited("192.0.2.7", CP, now + LIMITED_FOR_S + 1, loopback=False)


def test_a_station_that_errs_once_in_a_while_is_never_limited() -> None:
    attempts = Attempts()
    now = wrong(attempts, 100, every_s=13)
    assert not attempts.is_limited("192.0.2.7", CP, now, loopback=False)


def test_address_and_identity_are_both_counted_and_loopback_is_no_address() -> None:
    attempts = Attempts()
    now = wrong(attempts, WRONG_PER_MINUTE)
    assert attempts.is_limited("192.0.2.7", OTHER, now, loopback=False)
    assert attempts.is_limited("192.0.2.9", CP, now, loopback=False)
    assert not attempts.is_limited("192.0.2.9", OTHER, now, loopback=False)
    near = Attempts()
    now = wrong(near, WRONG_PER_MINUTE, loopback=True)
    assert near.is_limited("192.0.2.7", CP, now, loopback=True)
    assert not near.is_limited("192.0.2.7", OTHER, now, loopback=True)


def test_of_one_name_and_address_one_waits_at_a_time() -> None:
    attempts = Attempts()
    assert attempts.enter("192.0.2.7", CP)
    assert not attempts.enter("192.0.2.7", CP)
    assert attempts.enter("192.0.2.8", CP), "another address is not held up by it"
    attempts.leave("192.0.2.7", CP)
    assert attempts.enter("192.0.2.7", CP)


def test_its_memory_is_bounded() -> None:
    attempts = Attempts()
    for number in range(REMEMBERED_MAX * 3):
        attempts.wrong("192.0.2.7", StationKey(f"x{number}"), 0.0, loopback=True)
    assert len(attempts._buckets) == REMEMBERED_MAX
