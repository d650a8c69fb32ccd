"""When to try again: spread, bounded, and as the other side asks."""

import random

import pytest

from edge_agent.relay.backoff import AGAIN_EVERY_S, CAP_S, GOOD_AFTER_S, LEAST_S, Backoff


def test_waits_grow_are_spread_and_bounded() -> None:
    backoff = Backoff(random.Random(7).random)
    waits = [backoff.after("dns", lasted_s=0, now_s=n * 1000) for n in range(400)]
    assert all(LEAST_S <= wait <= CAP_S for wait in waits)
    late = waits[20:]
    assert min(late) < CAP_S * 0.1
    assert max(late) > CAP_S * 0.9
    assert max(waits[:2]) <= 4


@pytest.mark.parametrize("chance", [0.0, 0.999])
def test_what_the_other_side_asks_for_is_obeyed_and_spread(chance: float) -> None:
    wait = Backoff(lambda: chance).after("asked_to_wait", lasted_s=0, now_s=0, asked_s=100)
    assert 100 <= wait <= 150
    assert Backoff(lambda: chance).after("x", lasted_s=0, now_s=0, asked_s=10**9) <= 5400


def test_a_link_that_lasted_makes_the_next_wait_short() -> None:
    backoff = Backoff(lambda: 0.999)
    for _ in range(12):
        backoff.after("dns", lasted_s=0, now_s=0)
    assert backoff.after("closed", lasted_s=GOOD_AFTER_S, now_s=0) <= 2


def test_beginning_anew_is_at_once_and_never_in_a_circle() -> None:
    backoff = Backoff(lambda: 0.5)
    assert backoff.after("again", lasted_s=0, now_s=10) == 0
    assert backoff.after("again", lasted_s=0, now_s=11) >= LEAST_S
    assert backoff.after("again", lasted_s=0, now_s=10 + AGAIN_EVERY_S) == 0
