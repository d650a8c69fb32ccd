"""The real clock. The only place that asks the system for the time."""

import time
from datetime import UTC, datetime
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """See `sitelink.clock.Clock`. Monotonic time counts suspended time too (CLOCK_BOOTTIME)."""

    def __init__(self) -> None:
        self._boot_id = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else "unknown"

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 -- this is the clock

    def monotonic(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def boot_id(self) -> str:
        return self._boot_id
