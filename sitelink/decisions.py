"""What a rule is: it looks at what is true and says which facts follow, or refuses.

Pure. Start at `Decision`. The box runs rules on its writer's thread, the cloud in a transaction of its database; both
may run one again when a commit failed, so a rule has no side effects.
"""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import msgspec

from sitelink.model import Entity, SiteState
from sitelink.ops import Fact, Op

T = TypeVar("T")


class Received(msgspec.Struct, frozen=True):
    """What came down from the cloud: the site's log up to `upto`, of `epoch`.

    `ops`: the next ones of the log, with their places. Or `records`: all shared records as of `upto`, in place of what
    was known; with `start_over` the cloud was restored, and everything that is still here is offered to it again: its
    log is as it was known here up to `kept` alone.
    """

    epoch: str
    upto: int
    ops: tuple[tuple[int, Op], ...] = ()
    records: tuple[Entity, ...] | None = None
    start_over: bool = False
    kept: int = 0


class Decision(msgspec.Struct, Generic[T], frozen=True):
    """What a decision wants written, and its answer. No facts: nothing is written, the answer stands."""

    facts: tuple[Fact, ...]
    result: T
    received: Received | None = None
    """Taken in before the facts."""


class Sight(Protocol):
    """All that a rule of jobs looks at."""

    @property
    def state(self) -> SiteState: ...


Decide = Callable[[Sight], Decision[T]]
"""Returns facts and an answer, or raises a SiteError and nothing is written."""
