"""How often somebody may do something. Bounded memory, measured by the monotonic clock.

Source: SECURITY §4.1 L11. Start at `Limit`.
"""

import ipaddress
import math
from collections import OrderedDict, deque

from sitelink.clock import Clock
from sitelink.errors import TooMany

KEYS_MAX = 4096


class Limit:
    """At most `count` in any `per_s` seconds, each key on its own. Of the keys only the latest `KEYS_MAX` are kept."""

    def __init__(self, clock: Clock, *, count: int, per_s: float) -> None:
        self._clock = clock
        self._count = count
        self._per_s = per_s
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, key: str) -> None:
        """Raises TooMany when `key` has used up its share; counts nothing."""
        times = self._recent(key)
        if len(times) >= self._count:
            raise TooMany(retry_after_s=max(1, math.ceil(times[0] + self._per_s - self._clock.monotonic())))

    def count(self, key: str) -> None:
        """Remember one use."""
        times = self._recent(key)
        times.append(self._clock.monotonic())
        self._times[key] = times
        self._times.move_to_end(key)
        while len(self._times) > KEYS_MAX:
            self._times.popitem(last=False)

    def take(self, key: str) -> None:
        """Use one, or raise TooMany."""
        self.check(key)
        self.count(key)

    def standing(self, key: str) -> tuple[int, int, int]:
        """How many it may use, how many are left of them, and the seconds until all are there again."""
        times = self._recent(key)
        reset_s = math.ceil(times[-1] + self._per_s - self._clock.monotonic()) if times else 0
        return self._count, self._count - len(times), max(0, reset_s)

    def give_back(self, key: str) -> None:
        """What was taken last came to nothing and does not count."""
        times = self._times.get(key)
        if times:
            times.pop()

    @property
    def keys(self) -> int:
        return len(self._times)

    def _recent(self, key: str) -> deque[float]:
        times = self._times.get(key, deque())
        oldest = self._clock.monotonic() - self._per_s
        while times and times[0] <= oldest:
            times.popleft()
        return times


def address_key(address: str | None) -> str:
    """Who counts as one caller: an IPv4 address, or an IPv6 /64, which is what one household or host gets."""
    try:
        ip = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        mapped = ip.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


class Limits:
    """The page's limits, as SECURITY §4.1 L11 sets them."""

    def __init__(self, clock: Clock) -> None:
        self.bad_tokens = Limit(clock, count=10, per_s=60)
        """By address."""
        self.writes = Limit(clock, count=60, per_s=60)
        """By session."""
        self.program_writes = Limit(clock, count=600, per_s=60)
        """By link: programs with a Bearer token fill in whole sites at once."""
        self.commands = Limit(clock, count=6, per_s=60)
        """By charge point."""
