"""The clock as a port: who needs the time is given one of these.

Pure: only the shape. The real clock is `programs.clock.SystemClock`; tests use `tests.doubles.clock.FakeClock`.
"""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time says *when*, monotonic time says *how long*; the wall may jump, the other never does."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment of this boot of the machine, suspended time included."""
        ...

    def boot_id(self) -> str:
        """Names the current boot of the machine; monotonic times compare only within one boot."""
        ...
