"""What a fold says: new versions of records, and what is gone. Pure. Start at `Changes`."""

from collections.abc import Callable
from typing import Any

import msgspec

from sitelink.model import Entity, SiteState
from sitelink.ops import Op


class Changes(msgspec.Struct, frozen=True):
    """New versions of records, and the keys of records that are gone."""

    put: tuple[Entity, ...] = ()
    drop: tuple[str, ...] = ()


NOTHING = Changes()

Fold = Callable[[SiteState, Op, Any], Changes]
"""What an op of one kind changes; it changes nothing itself."""
