"""What goes when space is short, and in which order: telemetry first, the log late, transactions last of all.

Start at `Retention.due`. Rows go oldest first, in small steps between batches; the file stops growing because SQLite
fills the freed pages again. A reserve file keeps room for transactions and job edits on a disk that is full (D5, D6).
"""

import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import msgspec
import structlog

from edge_agent.store import meta
from edge_agent.store.ledger import DiskLedger
from edge_agent.store.trouble import free_bytes
from edge_agent.store.writer import Work
from sitelink.ops import Stamp

log = structlog.get_logger()

STEP_ROWS = 500
ENDED_COMMANDS_KEPT = 1000
LOG_KEPT = timedelta(days=30)
LOG_HARD_FACTOR = 2
"""The log may grow to twice its limit where it is younger than LOG_KEPT."""
ROOM_BYTES = 1024 * 1024
"""What must be free beside the reserve before a full disk counts as no longer full."""
RESERVE = "reserve"

# "Telemetry beyond its limit, oldest first"; the same for the log up to a seq.
PRUNE_TELEMETRY = "DELETE FROM telemetry WHERE seq IN (SELECT seq FROM telemetry ORDER BY seq LIMIT ?)"
PRUNE_JOURNAL = "DELETE FROM journal WHERE seq <= ?"
OLDEST_JOURNAL = "SELECT seq, body FROM journal ORDER BY seq LIMIT 1 OFFSET ?"
# "Ended commands beyond the newest N."
PRUNE_COMMANDS = (
    "DELETE FROM command WHERE id IN (SELECT id FROM command WHERE ended AND id <= (SELECT id FROM command"
    " WHERE ended ORDER BY id DESC LIMIT 1 OFFSET ?) LIMIT ?)"
)
# "Closed transactions with an id below the newest N." Ids are dense, so that nothing need be counted.
PRUNE_TRANSACTIONS = (
    'DELETE FROM "transaction" WHERE id IN (SELECT id FROM "transaction" WHERE id <= ? AND closed IS NOT NULL'
    " ORDER BY id LIMIT ?)"
)


class _Stamped(msgspec.Struct):
    t: Stamp


_stamped = msgspec.json.Decoder(_Stamped)


def _changes(ledger: DiskLedger) -> int:
    """How many rows the last statement removed."""
    (gone,) = ledger.connection.execute("SELECT changes()").fetchone()
    return int(gone)


class Reserve:
    """A file that only takes up room, given up when the disk is full and taken again when there is space."""

    def __init__(self, data_dir: Path, size_bytes: int) -> None:
        self._file = data_dir / RESERVE
        self._data_dir = data_dir
        self._size_bytes = size_bytes

    @property
    def held(self) -> bool:
        try:
            return self._file.stat().st_size > 0
        except OSError:
            return False

    def hold(self) -> bool:
        """Take the room. False: the disk has not that much to spare; nothing is taken then."""
        if not self._size_bytes or (self.held and self._file.stat().st_size == self._size_bytes):
            return free_bytes(self._data_dir) >= ROOM_BYTES or self.held
        if free_bytes(self._data_dir) < self._size_bytes + ROOM_BYTES:
            return False
        try:
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            os.ftruncate(descriptor, 0)
            os.posix_fallocate(descriptor, 0, self._size_bytes)
            return True
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
            return False
        finally:
            os.close(descriptor)

    def release(self) -> bool:
        """Give the room up. False: there was none."""
        if not self.held:
            return False
        try:
            os.truncate(self._file, 0)
        except OSError:
            return False
        return True


class Retention:
    """See `edge_agent.store.writer.Housekeeping`."""

    def __init__(
        self, reserve: Reserve, *, telemetry_max_rows: int, journal_max_rows: int, transactions_max_rows: int,
        keep_unsent: bool,
    ) -> None:  # fmt: skip
        self._reserve = reserve
        self._telemetry_max_rows = max(1, telemetry_max_rows)
        self._journal_max_rows = max(1, journal_max_rows)
        self._transactions_max_rows = max(1, transactions_max_rows)
        self._keep_unsent = keep_unsent
        self._commands_at = 0
        """The seq at which ended commands were last looked at."""

    # ---- a little at a time ----

    def due(self, ledger: DiskLedger) -> Work | None:
        counters = ledger.counters
        over = counters.telemetry - self._telemetry_max_rows
        if over > 0:
            return lambda ledger: self._prune_telemetry(ledger, min(over, STEP_ROWS))
        if counters.journal > self._journal_max_rows:
            upto = self._log_that_may_go(ledger)
            if upto is not None:
                return lambda ledger: self._prune_journal(ledger, upto)
        if ledger.seq - self._commands_at >= ENDED_COMMANDS_KEPT:
            return self._prune_the_rest
        return None

    def _prune_telemetry(self, ledger: DiskLedger, rows: int) -> None:
        ledger.connection.execute(PRUNE_TELEMETRY, (rows,))
        ledger.save_counters(telemetry=_changes(ledger))

    def _prune_journal(self, ledger: DiskLedger, upto: int) -> None:
        ledger.connection.execute(PRUNE_JOURNAL, (upto,))
        ledger.save_counters(journal=_changes(ledger))

    def _prune_the_rest(self, ledger: DiskLedger) -> None:
        ledger.connection.execute(PRUNE_COMMANDS, (ENDED_COMMANDS_KEPT, STEP_ROWS))
        newest = ledger.connection.execute('SELECT coalesce(max(id), 0) FROM "transaction"').fetchone()[0]
        below = newest - self._transactions_max_rows
        if below > 0:
            ledger.connection.execute(PRUNE_TRANSACTIONS, (below, STEP_ROWS))
        self._commands_at = ledger.seq

    def _log_that_may_go(self, ledger: DiskLedger) -> int | None:
        """The seq up to which a step of the log may be pruned: old enough, and never what the cloud has not got."""
        connection, counters = ledger.connection, ledger.counters
        over = min(counters.journal - self._journal_max_rows, STEP_ROWS)
        row = connection.execute(OLDEST_JOURNAL, (over - 1,)).fetchone()
        if row is None:
            return None
        upto: int = row[0]
        if self._keep_unsent:
            acked = meta.read(connection, meta.Acked)
            if acked is None or acked.seq < upto:
                return None
        old = ledger.now.wall - _stamped.decode(row[1]).t.wall >= LOG_KEPT
        return upto if old or counters.journal > LOG_HARD_FACTOR * self._journal_max_rows else None

    # ---- a full disk ----

    def make_room(self, ledger: DiskLedger) -> bool:
        if not self._reserve.release():
            return False
        ledger.thin = True
        log.warning("store_reserve_released")
        return True

    def space_returned(self, ledger: DiskLedger, code: str) -> bool:
        if code == "disk_full" and not self._reserve.hold():
            return False
        if ledger.thin:
            ledger.thin = False
            log.warning("store_reserve_held_again")
        return True
