"""The real clock."""

from datetime import UTC

from programs.clock import SystemClock


def test_wall_time_is_aware_utc_and_monotonic_time_goes_on() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    first = clock.monotonic()
    assert clock.monotonic() >= first


def test_the_boot_is_named_alike_by_every_clock_of_the_machine() -> None:
    assert SystemClock().boot_id() == SystemClock().boot_id() != ""
