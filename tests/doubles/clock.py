"""A clock that moves only when a test moves it."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """See `sitelink.clock.Clock`. Starts at noon, 23 November 2026, one hour after its boot."""

    def __init__(self, at: datetime | None = None) -> None:
        self._now = at or datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
        self._monotonic = 3600.0
        self._boot = 1

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def boot_id(self) -> str:
        return f"boot-{self._boot}"

    def advance(self, seconds: float) -> None:
        """Time passes: wall and monotonic together."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def set_wall(self, at: datetime) -> None:
        """The wall clock jumps; monotonic time does not notice."""
        self._now = at

    def reboot(self) -> None:
        """The machine starts anew: another boot id, monotonic time from zero."""
        self._boot += 1
        self._monotonic = 0.0
