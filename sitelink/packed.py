"""Lists too long to stand open in memory on a small box: packed, and opened when somebody looks.

Pure. A full inventory of a charge point is about a thousand variables; packed it takes a tenth. Start at `pack`.
"""

import zlib
from collections.abc import Mapping
from typing import Any

import msgspec

Items = dict[str, Any]
"""By a key of their own, in the order in which they came."""

OPENED_BYTES_MAX = 16 * 1024 * 1024
"""More than that is nothing that was packed here."""


def pack(items: Mapping[str, Any]) -> bytes:
    return zlib.compress(msgspec.json.encode(items), 6)


def unpack(packed: bytes) -> Items:
    """Nothing where it was not packed by `pack`: an op may come from a box of another version."""
    opening = zlib.decompressobj()
    try:
        opened = opening.decompress(packed, OPENED_BYTES_MAX)
        items: Items = msgspec.json.decode(opened, type=dict[str, Any])
    except (zlib.error, msgspec.DecodeError):
        return {}
    return items
