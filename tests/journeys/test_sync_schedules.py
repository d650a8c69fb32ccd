"""Random schedules of faults over the real box and the real cloud: nothing lost, doubled, or overwritten unseen.

Invariants I1 to I7 and I9 of SYNC §2.9; a seed that fails is in the message, and `run_schedule(seed)` plays it again.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.doubles.sync_world import run_schedule

AT_ONCE = 50
IN_CHECK = 2_000
NIGHTLY = 30_000


def quietly(seeds: range) -> list[str]:
    """What was wrong with which of them."""
    import logging

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    wrong = []
    for seed in seeds:
        try:
            run_schedule(seed)
        except AssertionError as error:
            wrong.append(str(error))
    return wrong


def failures(first: int, last: int, processes: int) -> Iterator[str]:
    pieces = [range(at, min(at + AT_ONCE, last)) for at in range(first, last, AT_ONCE)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for found in pool.map(quietly, pieces):
            yield from found


@pytest.mark.timeout(900)
def test_every_schedule_ends_with_all_agreeing() -> None:
    assert list(failures(0, IN_CHECK, 1)) == [], "other tests run beside it"


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_every_schedule_of_many_more_does_too() -> None:
    wrong = list(failures(IN_CHECK, NIGHTLY, os.cpu_count() or 1))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("seed", [2817, 3290, 7213, 24113])
def test_a_schedule_that_failed_once(seed: int) -> None:
    """Clouds restored to a day before the job an edit was about, or that had grown again before the box came back."""
    run_schedule(seed)


def test_no_clock_takes_part() -> None:
    """I7: the same schedule with a box that believes it is another decade ends the same."""
    for seed in range(40):
        assert run_schedule(seed) == run_schedule(seed, wall_offset_s=-86_400 * 3650), seed


@pytest.mark.parametrize("mutant", ["kept_numbers", "no_reoffer", "ack_before_commit"])
def test_the_schedules_notice_what_is_done_wrong(mutant: str) -> None:
    for seed in range(200):
        try:
            run_schedule(seed, mutant=mutant)
        except AssertionError:
            return
    raise AssertionError(f"{mutant} went unnoticed")
