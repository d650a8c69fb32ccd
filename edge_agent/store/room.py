"""How long the store lasts at the rate of the last day, and since when the oldest op waits for the cloud.

Used on the writer's thread: a few rows are looked at, whatever the store holds. Start at `room_of`.
"""

import sqlite3
from datetime import datetime, timedelta

import msgspec

from edge_agent.site.ports import Room
from edge_agent.store.ledger import DiskLedger
from sitelink.ops import Stamp

DAY = timedelta(days=1)
LEAST = timedelta(minutes=10)
"""What is younger says nothing of a day."""
ROWS_LOOKED_BACK = 20_000
# "The row so many places before the newest, or the oldest there is."
BACK = "SELECT seq, body FROM {table} WHERE seq >= ? ORDER BY seq LIMIT 1"
NEWEST = "SELECT seq, body FROM {table} ORDER BY seq DESC LIMIT 1"
# "The first row of this box that the cloud has not got."
UNSENT = "SELECT body FROM journal WHERE seq > ? AND NOT received ORDER BY seq LIMIT 1"


class _Stamped(msgspec.Struct):
    t: Stamp


_stamped = msgspec.json.Decoder(_Stamped)


def room_of(ledger: DiskLedger, acked: int, free_bytes: int | None, telemetry_max_rows: int) -> Room:
    """`acked`: the seq up to which the cloud has the log. `free_bytes`: of the disk, beyond what is held back."""
    connection, counters = ledger.connection, ledger.counters
    oldest = connection.execute(UNSENT, (acked,)).fetchone()
    since = _stamped.decode(oldest[0]).t.wall if oldest is not None else None
    rows = counters.telemetry + counters.journal
    used = _used_bytes(connection)
    rates = {table: _rows_per_day(connection, table, ledger.now.wall) for table in ("telemetry", "journal")}
    per_day = sum(rate or 0.0 for rate in rates.values())
    if not per_day or not rows:
        return Room(used, None, None, since)
    bytes_per_day = per_day * used / rows
    left = [] if free_bytes is None else [max(0, free_bytes) / bytes_per_day]
    if rates["telemetry"]:
        left.append(max(0, telemetry_max_rows - counters.telemetry) / rates["telemetry"])
    return Room(used, int(bytes_per_day), min(left, default=None), since)


def _rows_per_day(connection: sqlite3.Connection, table: str, now: datetime) -> float | None:
    """By the seqs and times of the rows of the last day; None: too young to say."""
    newest = connection.execute(NEWEST.format(table=table)).fetchone()
    if newest is None:
        return None
    low, first = max(1, newest[0] - ROWS_LOOKED_BACK), None
    while first is None or (now - first[1] > DAY and newest[0] - low > 1):
        if first is not None:
            low = (low + newest[0]) // 2
        row = connection.execute(BACK.format(table=table), (low,)).fetchone()
        first = row[0], _stamped.decode(row[1]).t.wall
    span = now - first[1]
    if span < LEAST:
        return None
    (count,) = connection.execute(f"SELECT count(*) FROM {table} WHERE seq >= ?", (first[0],)).fetchone()  # noqa: S608
    return float(count) * (DAY / span)


def _used_bytes(connection: sqlite3.Connection) -> int:
    """Of the file, without the pages that are free."""
    (pages,), (free,), (size,) = (
        connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
