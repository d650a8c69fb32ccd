"""What happened to security on this site, as facts: append-only, and bounded where somebody repeats himself.

The same thing about the same station from the same address is written down once in ten minutes, with how often it
happened meanwhile. Source: SECURITY §3.4 (11). Start at `SecurityLog.note`.
"""

from collections import OrderedDict

from edge_agent.site.ports import Decision, Journal, Ledger
from sitelink.clock import Clock
from sitelink.events import SecurityNoted
from sitelink.ids import StationKey
from sitelink.ops import BOX, Fact

AGAIN_AFTER_S = 600
REMEMBERED_MAX = 1024
VALUE_MAX_CHARACTERS = 200

SECURITY_KINDS = frozenset(
    {
        "security.event", "knock", "pairing.open", "profile.settled", "profile.pairing", "credentials.set",
        "credentials.removed", "credentials.user", "key.offered", "key.answered", "key.proven",
        "key.certificate_requested", "key.certificate_answered", "certificate.issued", "certificate.revoked",
        "link.create", "link.revoke",
    }
)  # fmt: skip
"""Kinds of op that make up the security log."""


class SecurityLog:
    """Of this run; what it wrote stands in the journal."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._last: OrderedDict[tuple[str, str, str], tuple[float, int]] = OrderedDict()
        """When it was written down last (monotonic), and how often it happened since, by entity, code and address."""

    async def note(self, station: StationKey | None, code: str, detail: dict[str, str]) -> None:
        """Write it down, or count it. `station` None: about the box, or nobody it knows. Raises StoreUnavailable."""
        entity = f"security:{station}" if station else "box:"
        key = entity, code, detail.get("ip", detail.get("serial", ""))
        count = self._count(key)
        if count == 0:
            return
        short = {name: value[:VALUE_MAX_CHARACTERS] for name, value in detail.items()}
        event = SecurityNoted(code, short, count)

        def decide(_ledger: Ledger) -> Decision[None]:
            return Decision((Fact(entity, event, BOX),), None)

        await self._journal.write(decide)

    def _count(self, key: tuple[str, str, str]) -> int:
        """How often it happened since it was written down; 0: not to be written now."""
        now = self._clock.monotonic()
        known = self._last.get(key)
        if known is not None and now - known[0] < AGAIN_AFTER_S:
            self._last[key] = known[0], known[1] + 1
            return 0
        self._last.pop(key, None)
        self._last[key] = now, 0
        if len(self._last) > REMEMBERED_MAX:
            self._last.popitem(last=False)
        return 1 + (known[1] if known is not None else 0)
