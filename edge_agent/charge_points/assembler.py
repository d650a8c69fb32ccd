"""Reports that come in parts, put together: whatever the order, however often a part comes, the same report.

Pure: the clock is handed in. A part belongs to a request of ours by kind and request id. Most kinds number their parts
from 0 and mark the last one (`tbc` false); those that do not are whole with the last one, in the order they came. A
report whose parts stop coming is given up after a while, with what there is and how many parts are missing. Sources:
OCPP 2.0.1 part 2, B07, B08, K09, N02, N09, O03. Start at `Assembler.add`.
"""

from typing import Any

import msgspec

from sitelink.packed import Items

PATIENCE_S = 120.0
"""After its last part a report is given up."""
REPORTS_MAX = 8
PARTS_MAX = 2000
ITEMS_MAX = 5000
CHARACTERS_MAX = 4 * 1024 * 1024


class Part(msgspec.Struct, frozen=True):
    """`items` by keys that are unique in the report. `number` is None where the kind numbers no parts."""

    kind: str
    request: int
    number: int | None
    last: bool
    items: dict[str, Any]
    size: int = 0
    """Characters of the message, about."""


class Report(msgspec.Struct, frozen=True):
    """All parts that came, in order. `missing`: how many did not; `cut`: more came than is kept."""

    kind: str
    request: int
    items: Items
    missing: int = 0
    cut: bool = False


class _Pending:
    def __init__(self) -> None:
        self.parts: dict[int, dict[str, Any]] = {}
        self.last: int | None = None
        self.heard_at = 0.0
        self.size = 0
        self.items = 0
        self.cut = False

    def add(self, part: Part) -> None:
        """The same part again changes nothing: the first one stands."""
        number = part.number if part.number is not None else self._next(part)
        if part.last and (self.last is None or number > self.last):
            self.last = number
        if number in self.parts:
            return
        if len(self.parts) >= PARTS_MAX:
            self.cut = True
            return
        if self.items + len(part.items) > ITEMS_MAX or self.size + part.size > CHARACTERS_MAX:
            self.cut = True
            part = msgspec.structs.replace(part, items={}, size=0)
        self.size += part.size
        self.items += len(part.items)
        self.parts[number] = part.items

    def _next(self, part: Part) -> int:
        """Of parts without numbers the same content is the same part."""
        same = (number for number, items in self.parts.items() if items == part.items)
        return next(same, len(self.parts))

    @property
    def missing(self) -> int:
        """Some stations number from 1: then nothing is missing before it."""
        last = self.last if self.last is not None else max(self.parts, default=0) + 1
        first = 1 if 0 not in self.parts and 1 in self.parts else 0
        return sum(number not in self.parts for number in range(first, min(last, PARTS_MAX) + 1))

    @property
    def is_whole(self) -> bool:
        return self.last is not None and all(number in self.parts for number in range(self.last + 1))

    def report(self, kind: str, request: int) -> Report:
        items: Items = {}
        for number in sorted(self.parts):
            items |= self.parts[number]
        return Report(kind, request, items, self.missing, self.cut)


class Assembler:
    """Of one station. Bounded: of too many reports at once the oldest is forgotten."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._pending: dict[tuple[str, int], _Pending] = {}
        self._done: dict[tuple[str, int], None] = {}
        """Reports that are whole: a part of one that comes again begins no new one."""

    def expect(self, kind: str, request: int, now: float) -> None:
        """The request was accepted: parts will come."""
        self._done.pop((kind, request), None)
        self._of(kind, request).heard_at = now

    def add(self, part: Part, now: float) -> Report | None:
        """The report, where this part makes it whole."""
        key = part.kind, part.request
        if key in self._done:
            return None
        pending = self._of(*key)
        pending.add(part)
        pending.heard_at = now
        if not pending.is_whole:
            return None
        self._finish(key)
        return pending.report(*key)

    def overdue(self, now: float) -> list[Report]:
        """Reports that are given up now, as far as they came."""
        late = [key for key, each in self._pending.items() if now - each.heard_at >= self._patience_s]
        reports = [self._pending[key].report(*key) for key in late]
        for key in late:
            self._finish(key)
        return reports

    def due_in(self, now: float) -> float | None:
        """Seconds until one is given up; None: none is pending."""
        return min((max(0.0, each.heard_at + self._patience_s - now) for each in self._pending.values()), default=None)

    def forget(self, kind: str, request: int) -> None:
        """Nothing will come."""
        self._pending.pop((kind, request), None)

    def is_pending(self, kind: str, request: int) -> bool:
        return (kind, request) in self._pending

    def _of(self, kind: str, request: int) -> _Pending:
        pending = self._pending.setdefault((kind, request), _Pending())
        if len(self._pending) > REPORTS_MAX:
            del self._pending[next(iter(self._pending))]
        return pending

    def _finish(self, key: tuple[str, int]) -> None:
        del self._pending[key]
        self._done[key] = None
        while len(self._done) > REPORTS_MAX:
            del self._done[next(iter(self._done))]
