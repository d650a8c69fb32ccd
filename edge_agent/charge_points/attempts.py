"""How often somebody may be wrong about a password: a few times a minute, then every answer takes its time.

Nobody is locked out: a limited caller is still looked at, slowly and one at a time, so that the right charge point
gets in while somebody else guesses under its name. Pure. Source: SECURITY §3.4 (9). Start at `Attempts.wait_s`.
"""

from collections import OrderedDict

from sitelink.ids import StationKey

WRONG_PER_MINUTE = 5
LIMITED_FOR_S = 600.0
REMEMBERED_MAX = 1024


class _Bucket:
    __slots__ = ("at", "left", "limited_until")

    def __init__(self, now: float) -> None:
        self.left, self.at, self.limited_until = float(WRONG_PER_MINUTE), now, 0.0


class Attempts:
    """By address and by identity. Times are monotonic seconds; loopback addresses are not counted as such."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()
        self._waiting: set[tuple[str, str]] = set()

    def is_limited(self, ip: str, station: StationKey, now: float, *, loopback: bool) -> bool:
        keys = [("identity", str(station))] if loopback else [("ip", ip), ("identity", str(station))]
        return any(key in self._buckets and self._buckets[key].limited_until > now for key in keys)

    def wrong(self, ip: str, station: StationKey, now: float, *, loopback: bool) -> None:
        """Count a wrong password."""
        self._take(("identity", str(station)), now)
        if not loopback:
            self._take(("ip", ip), now)

    def _take(self, key: tuple[str, str], now: float) -> None:
        bucket = self._buckets.pop(key, None) or _Bucket(now)
        self._buckets[key] = bucket
        bucket.left = min(WRONG_PER_MINUTE, bucket.left + (now - bucket.at) * WRONG_PER_MINUTE / 60) - 1
        bucket.at = now
        if bucket.left < 1:
            bucket.limited_until = now + LIMITED_FOR_S
            bucket.left = max(bucket.left, 0)
        if len(self._buckets) > REMEMBERED_MAX:
            self._buckets.popitem(last=False)

    # ---- one at a time ----

    def enter(self, ip: str, station: StationKey) -> bool:
        """A limited caller begins to wait. False: one of its name and address waits already."""
        if (ip, str(station)) in self._waiting:
            return False
        self._waiting.add((ip, str(station)))
        return True

    def leave(self, ip: str, station: StationKey) -> None:
        self._waiting.discard((ip, str(station)))
