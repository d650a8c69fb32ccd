"""How much may be said about callers nobody knows: so many log lines a minute, the rest is counted.

Pure. A caller that comes under ten thousand names must not fill the log. Source: SECURITY §7.1; OCPP.md §4.2 (refused
handshakes retried for ever). Start at `Allowance.take`.
"""


class Allowance:
    """`rate_per_min` on the long run, as many at once."""

    def __init__(self, rate_per_min: int) -> None:
        self._rate_per_min = rate_per_min
        self._left = float(rate_per_min)
        self._at_s = 0.0
        self.withheld = 0
        """How often it was asked in vain."""

    def take(self, now_s: float) -> bool:
        """Whether one more may be said. `now_s` is monotonic."""
        grown = max(0.0, now_s - self._at_s) * self._rate_per_min / 60
        self._left = min(float(self._rate_per_min), self._left + grown)
        self._at_s = now_s
        if self._left < 1:
            self.withheld += 1
            return False
        self._left -= 1
        return True
