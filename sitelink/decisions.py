"""What a rule is: it looks at what is true and says which facts follow, or refuses.

Pure. Start at `Decision`. The box runs rules on its writer's thread, the cloud in a transaction of its database; both
may run one again when a commit failed, so a rule has no side effects.
"""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import msgspec

from sitelink.model import SiteState
from sitelink.ops import Fact

T = TypeVar("T")


class Decision(msgspec.Struct, Generic[T], frozen=True):
    """What a decision wants written, and its answer. No facts: nothing is written, the answer stands."""

    facts: tuple[Fact, ...]
    result: T


class Sight(Protocol):
    """All that a rule of jobs looks at."""

    @property
    def state(self) -> SiteState: ...


Decide = Callable[[Sight], Decision[T]]
"""Returns facts and an answer, or raises a SiteError and nothing is written."""
