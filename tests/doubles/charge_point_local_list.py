"""The local authorisation list and the authorisation cache of a virtual charge point.

Pure. A list is replaced whole or changed in part, and its version with it. Source: OCPP 1.6 §3.5, §5.15;
OCPP 2.0.1 D01. Start at `LocalList.update`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_ENTRIES = 500


@dataclass(slots=True)
class LocalList:
    """`entries` and `cache` hold the status of each id token. Case does not matter. Survives power cuts."""

    version: int = 0
    entries: dict[str, str] = field(default_factory=dict)
    cache: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    """To which group the central system last said that a token belongs."""

    def update(self, version: int, changes: Mapping[str, str | None], *, full: bool) -> str:
        """An UpdateStatus of 1.6 ("Accepted", "Failed", "VersionMismatch"). None removes an entry."""
        if version <= 0:
            return "Failed"
        if not full and version <= self.version:
            return "VersionMismatch"
        entries = {} if full else dict(self.entries)
        for token, status in changes.items():
            if status is None:
                entries.pop(token.casefold(), None)
            else:
                entries[token.casefold()] = status
        if len(entries) > MAX_ENTRIES:
            return "Failed"
        self.entries, self.version = entries, version
        return "Accepted"

    def status(self, token: str) -> str | None:
        """By the list alone; None when it does not say."""
        return self.entries.get(token.casefold())

    def remembered(self, token: str) -> str | None:
        """By the list, or by what the central system last said."""
        return self.entries.get(token.casefold(), self.cache.get(token.casefold()))

    def remember(self, token: str, status: str, group: str = "") -> None:
        self.cache[token.casefold()] = status
        self.groups[token.casefold()] = group

    def group(self, token: str) -> str:
        """ "" when none is known."""
        return self.groups.get(token.casefold(), "")

    def belongs(self, token: str, owner: str, group: str = "") -> bool:
        """Whether `token` may do what is for `owner`, or for the `group`."""
        group = group or self.group(owner)
        return token == owner or (group != "" and self.group(token) == group)
