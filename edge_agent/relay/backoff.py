"""When to try again: full jitter, so that a thousand boxes do not come at once. Pure. Start at `Backoff.after`.

Source: SYNC §2.5, "Reconnect".
"""

from collections.abc import Callable

BASE_S = 1.0
CAP_S = 300.0
LEAST_S = 1.0
"""Between two attempts, whatever happens."""
ASKED_FOR_MAX_S = 3600.0
AGAIN_EVERY_S = 60.0
GOOD_AFTER_S = 60.0
"""A link that lasted so long makes the next wait short again."""


class Backoff:
    """`random` gives numbers from 0 up to 1."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._failures = 0
        self._again_at: float | None = None

    def after(self, code: str, *, lasted_s: float, now_s: float, asked_s: float = 0) -> float:
        """Seconds to wait after an attempt or link that ended with `code`. `asked_s`: what the other side asks for."""
        if code == "again" and (self._again_at is None or now_s - self._again_at >= AGAIN_EVERY_S):
            self._again_at = now_s
            return 0.0
        if lasted_s >= GOOD_AFTER_S:
            self._failures = 0
        self._failures += 1
        if asked_s > 0:
            return max(LEAST_S, min(asked_s, ASKED_FOR_MAX_S) * (1 + 0.5 * self._random()))
        most = min(CAP_S, BASE_S * 2.0 ** min(self._failures, 20))
        return max(LEAST_S, most * self._random())
