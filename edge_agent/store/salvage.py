"""A damaged database: found at start, set aside whole, and every row that is still good carried over.

Start at `salvage`. Nothing is deleted: the damaged files go into a directory of their own beside the new database.
Records whose row is lost are made again from the log where it is whole. A power failure may cut off any step: it
is taken up again at the next start. Source: STYLE §5; RELIABILITY D7.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from edge_agent.store import meta
from edge_agent.store.database import DATABASE, connect_reading, connect_writing, sync_directory, transaction
from edge_agent.store.ledger import PUT_COMMAND, PUT_ENTITY, PUT_TRANSACTION
from edge_agent.store.migrations import migrate
from edge_agent.store.rows import RowDamaged, crc_of, encode
from edge_agent.store.rows import transaction_of as transaction_of_row
from edge_agent.store.writer import SUSPECT
from sitelink.apply import apply, apply_to
from sitelink.model import Command, Entity, MeterReading, Readings, SiteState, Transaction
from sitelink.ops import decode_op
from sitelink.shared import is_shared

log = structlog.get_logger()

FRESH = "salvaged.sqlite3"
COPY = "salvage-copy.sqlite3"
PAGE_BYTES = 4096
SIDES = ("-wal", "-shm")
SKIPPED_SEQS = 10_000
SKIPPED_TRANSACTIONS = 10_000
"""Numbers left out after a salvage: they may have been used by rows nobody can read any more."""
LONGEST_LEAP = 40
"""Powers of two tried when looking for the next readable row."""
CHECKED_WHOLE_BYTES = 64 * 1024 * 1024
"""A larger file is not read whole at every start; its rows are checked whenever they are read."""

# Table, key column, columns to carry over. `crc` is always last, `body` before it, the key for it first.
_TABLES = (
    ("journal", "seq", ("seq", "place", "received", "body", "crc")),
    ("telemetry", "seq", ("seq", "body", "crc")),
    ("entity", "id", ("key", "body", "crc")),
    ("command", "id", ("key", "ended", "body", "crc")),
    ("transaction", "id", ("id", "station", "start_content", "stop_content", "closed", "body", "crc")),
)
_ALWAYS_CHECKED = ("entity", "command", "meta", "named_op", "transaction")
Row = tuple[object, ...]
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""SQLite's messages quote the damaged file, and may be no text themselves."""


def whole(connection: sqlite3.Connection, size_bytes: int) -> bool:
    """Whether the file is sound, as far as a start can wait for the answer. Raises sqlite3.Error where it is not."""
    checks = [f"integrity_check('{table}')" for table in _ALWAYS_CHECKED]
    if size_bytes <= CHECKED_WHOLE_BYTES:
        checks = ["integrity_check(1)"]
    return all([row[0] for row in connection.execute(f"PRAGMA {check}")] == ["ok"] for check in checks)


def schema_of(connection: sqlite3.Connection) -> list[Row]:
    """The tables and indexes as SQLite has them written down. Raises sqlite3.Error, UnicodeDecodeError."""
    return connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name").fetchall()


def schema_is_sound(connection: sqlite3.Connection, *, changed: bool) -> bool:
    """Whether the schema is what our steps made it; `changed` when they did just now."""
    now = meta.Schema(crc_of("schema", encode(schema_of(connection))))
    known = meta.read(connection, meta.Schema)
    if known is None or changed:
        with transaction(connection):
            meta.write(connection, now)
        return True
    return known == now


def finish_interrupted(data_dir: Path) -> None:
    """The power went between setting the damaged files aside and putting the new one in place: do the rest."""
    fresh, database = data_dir / FRESH, data_dir / DATABASE
    if not fresh.exists() or database.exists():
        return
    asides = sorted(data_dir.glob("damaged-*"))
    for side in SIDES:
        left = data_dir / f"{DATABASE}{side}"
        if left.exists() and asides:
            left.rename(asides[-1] / left.name)
    fresh.rename(database)
    (data_dir / SUSPECT).unlink(missing_ok=True)
    sync_directory(data_dir)


def salvage(data_dir: Path, now: datetime) -> meta.Salvaged:
    """Carry what is readable into a new database and set the damaged one aside. Raises sqlite3.Error, OSError."""
    database, fresh = data_dir / DATABASE, data_dir / FRESH
    aside = _free_name(data_dir, f"damaged-{now:%Y%m%dT%H%M%SZ}")
    for leftover in (fresh, *(data_dir / f"{FRESH}{side}" for side in SIDES)):
        leftover.unlink(missing_ok=True)  # our own unfinished copy of an earlier try
    with closing(connect_writing(fresh)) as target:
        migrate(target)
        with transaction(target):
            kept, lost = _carry_all(database, target)
            rebuilt = _rebuild(target)
            _set_counters(target)
            _set_link(target)
            notice = meta.Salvaged(at=now.isoformat(), directory=aside.name, kept=kept, lost=lost, rebuilt=rebuilt)
            meta.write(target, notice)
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        target.execute("PRAGMA journal_mode = DELETE").fetchone()
    aside.mkdir(mode=0o700)
    for name in (DATABASE, *(f"{DATABASE}{side}" for side in SIDES)):
        with suppress(FileNotFoundError):
            (data_dir / name).rename(aside / name)
    sync_directory(aside)
    sync_directory(data_dir)
    finish_interrupted(data_dir)
    log.error("store_salvaged", directory=aside.name, kept=kept, lost=lost, rebuilt=rebuilt)
    return notice


def _free_name(data_dir: Path, name: str) -> Path:
    tries = (data_dir / (name if number == 1 else f"{name}-{number}") for number in range(1, 1000))
    return next(path for path in tries if not path.exists())


# ---- carrying over ----


def _carry_all(database: Path, target: sqlite3.Connection) -> tuple[int, int]:
    """Rows kept and rows lost, as far as they can be counted."""
    kept = lost = 0
    with _readable_database(database, schema_of(target)) as source:
        if source is None:
            return 0, 0
        for table, key, columns in _TABLES:
            good, bad = _carry(source, target, table, key, columns)
            kept, lost = kept + good, lost + bad
        _carry_value(source, target, meta.LastTransaction)
        _carry_value(source, target, meta.Acked)
        _carry_value(source, target, meta.TelemetryAcked)
        _carry_value(source, target, meta.Cursor)
        _carry_value(source, target, meta.Counters)
        with suppress(*_UNREADABLE):
            for op_id, crc in source.execute("SELECT op_id, crc FROM named_op"):
                if crc_of("op", str(op_id).encode()) == crc:
                    target.execute("INSERT OR IGNORE INTO named_op (op_id, crc) VALUES (?, ?)", (op_id, crc))
        with suppress(*_UNREADABLE):
            for row in source.execute("SELECT from_seq, to_seq, reason, count FROM gap"):
                target.execute("INSERT INTO gap (from_seq, to_seq, reason, count) VALUES (?, ?, ?, ?)", row)
    return kept, lost


@contextmanager
def _readable_database(database: Path, schema: list[Row]) -> Iterator[sqlite3.Connection | None]:
    """The damaged database, open for reading. None: not even that.

    Where the page that names the tables is gone, a copy is read that has this page from a new database: the same steps
    put the same tables on the same pages, and the row checks tell if they did not.
    """
    source = _opened(database, schema)
    if source is not None:
        with closing(source):
            yield source
        return
    copy = database.with_name(COPY)
    sides = [(database.with_name(f"{DATABASE}{side}"), copy.with_name(f"{COPY}{side}")) for side in ("", "-wal")]
    try:
        for side, copied in sides:
            if side.exists():
                shutil.copyfile(side, copied)
        _give_first_page(copy)
        source = _opened(copy, schema)
        if source is None:
            log.error("damaged_database_unreadable")
            yield None
            return
        with closing(source):
            yield source
    finally:
        for suffix in ("", *SIDES):
            copy.with_name(f"{COPY}{suffix}").unlink(missing_ok=True)


def _opened(database: Path, schema: list[Row]) -> sqlite3.Connection | None:
    """None where the tables are not as they should be; their rows are another matter."""
    try:
        source = connect_reading(database)
    except _UNREADABLE:
        return None
    try:
        if schema_of(source) == schema:
            return source
    except _UNREADABLE as error:
        log.warning("damaged_schema", error=str(error))
    source.close()
    return None


def _give_first_page(database: Path) -> None:
    """Source of the header's fields: sqlite.org/fileformat2.html §1.3."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as template:
        migrate(template)
        page = bytearray(template.serialize()[:PAGE_BYTES])
    with database.open("r+b") as file:
        pages = file.seek(0, 2) // PAGE_BYTES
        page[18:20] = b"\x02\x02"  # written and read with a write-ahead log
        page[28:32] = pages.to_bytes(4, "big")
        page[32:40] = bytes(8)  # free pages: not needed for reading
        page[92:96] = page[24:28]  # the page count is valid for this change counter
        file.seek(0)
        file.write(page)


def _carry(
    source: sqlite3.Connection, target: sqlite3.Connection, table: str, key: str, columns: tuple[str, ...]
) -> tuple[int, int]:
    select = f'SELECT {key}, {", ".join(columns)} FROM "{table}"'  # noqa: S608
    marks = ", ".join("?" * len(columns))
    insert = f'INSERT OR IGNORE INTO "{table}" ({", ".join(columns)}) VALUES ({marks})'  # noqa: S608
    kept = lost = 0
    for row in _readable(source, select, key):
        if row is None:
            lost += 1
        elif _is_good(table, row[1:]):
            kept += target.execute(insert, row[1:]).rowcount
        else:
            lost += 1
    return kept, lost


def _is_good(table: str, row: Row) -> bool:
    *before, body, crc = row
    key = before[0]
    if not isinstance(body, bytes) or not isinstance(key, int | str) or crc_of(key, body) != crc:
        return False
    if table != "transaction":
        return True
    found = transaction_of_row(int(key), body, int(str(crc)))
    # The columns stand outside the CRC: they must say what the body says.
    closed = before[4] is not None
    return before[1:4] == [found.station, found.start_content or None, found.stop_content or None] and (
        closed is not found.open
    )


def _readable(source: sqlite3.Connection, select: str, key: str) -> Iterator[Row | None]:
    """Every row that can be read, in order; None for each place where a stretch could not."""
    after = -1
    while True:
        try:
            for row in source.execute(f"{select} WHERE {key} > ? ORDER BY {key}", (after,)):
                after = row[0]
                yield row
            return
        except _UNREADABLE:
            yield None
        found = _next_readable(lambda at: source.execute(f"{select} WHERE {key} >= ? LIMIT 1", (at,)), after + 1)
        if found is None:
            return
        after = found - 1


def _next_readable(ask: Callable[[int], sqlite3.Cursor], start: int) -> int | None:
    """The first key from `start` on from which reading works: leaps of growing size, then halving back."""

    def works(at: int) -> bool:
        try:
            return ask(at).fetchone() is not None
        except _UNREADABLE:
            return False

    for power in range(LONGEST_LEAP):
        good = start + (1 << power)
        if works(good):
            bad = start + (1 << power >> 1)
            while good - bad > 1:
                middle = (good + bad) // 2
                good, bad = (middle, bad) if works(middle) else (good, middle)
            return good
    return None


def _carry_value(source: sqlite3.Connection, target: sqlite3.Connection, kind: type[meta.Meta]) -> None:
    try:
        value = meta.read(source, kind)
    except (*_UNREADABLE, RowDamaged, msgspec.DecodeError) as error:
        log.error("damaged_value_lost", key=kind.key, error=str(error))
        return
    if value is not None:
        meta.write(target, value)


# ---- making good ----


def _rebuild(target: sqlite3.Connection) -> int:
    """Fold the log anew and put in what has no row: returns how many."""
    state = SiteState()
    latest: dict[str, tuple[int, Entity]] = {}
    for seq, body in target.execute("SELECT seq, body FROM journal ORDER BY seq"):
        try:
            op = decode_op(body)
        except (KeyError, msgspec.DecodeError) as error:
            log.error("row_not_understood", table="journal", key=seq, error=str(error))
            continue
        changes = apply(state, op)
        apply_to(state, changes)
        for entity in changes.put:
            latest[entity.key] = (seq, entity)
        for key in changes.drop:
            latest.pop(key, None)
    have = {key for (key,) in target.execute("SELECT key FROM entity UNION ALL SELECT key FROM command")}
    have |= {f"transaction:{id_}" for (id_,) in target.execute('SELECT id FROM "transaction"')}
    missing = [(seq, entity) for key, (seq, entity) in latest.items() if key not in have]
    for seq, entity in missing:
        _put(target, seq, entity)
    return len(missing)


def _put(target: sqlite3.Connection, seq: int, entity: Entity) -> None:
    body = encode(entity)
    if isinstance(entity, Transaction):
        row = (
            entity.id, entity.station, entity.start_content or None, entity.stop_content or None,
            None if entity.open else seq, body, crc_of(entity.id, body), False,
        )  # fmt: skip
        target.execute(PUT_TRANSACTION, row)
    elif isinstance(entity, Command):
        target.execute(PUT_COMMAND, (entity.key, entity.ended_at is not None, body, crc_of(entity.key, body)))
    elif not isinstance(entity, (Readings, MeterReading)):
        target.execute(PUT_ENTITY, (entity.key, body, crc_of(entity.key, body)))


def _set_counters(target: sqlite3.Connection) -> None:
    """Go on well above every number that was ever used, and count what there is."""

    def one(sql: str) -> int:
        (number,) = target.execute(sql).fetchone()
        return int(number)

    before = meta.read(target, meta.Counters) or meta.Counters()
    acked = meta.read(target, meta.Acked) or meta.Acked()
    journal = one("SELECT count(*) FROM journal")
    newest = max(
        one("SELECT coalesce(max(seq), 0) FROM journal"), one("SELECT coalesce(max(seq), 0) FROM telemetry"),
        one("SELECT coalesce(max(to_seq), 0) FROM gap"), before.seq, acked.seq,
    )  # fmt: skip
    waiting = target.execute("SELECT count(*) FROM journal WHERE seq > ? AND NOT received", (acked.seq,)).fetchone()[0]
    counters = meta.Counters(
        seq=newest + SKIPPED_SEQS, journal=journal, journal_ever=acked.ops + waiting,
        telemetry=one("SELECT count(*) FROM telemetry"),
    )  # fmt: skip
    meta.write(target, counters)
    last = meta.read(target, meta.LastTransaction)
    highest = max(one('SELECT coalesce(max(id), 0) FROM "transaction"'), last.id if last else 0)
    meta.write(target, meta.LastTransaction(highest + SKIPPED_TRANSACTIONS))


def _set_link(target: sqlite3.Connection) -> None:
    """Nobody can say what the log had: the cloud tells it whole, and what was not seen in it is offered to it again."""
    if meta.read(target, meta.Cursor) is None:
        return
    meta.write(target, meta.Cursor())
    first = None
    for seq, body in target.execute("SELECT seq, body FROM journal WHERE place IS NULL ORDER BY seq").fetchall():
        with suppress(KeyError, msgspec.DecodeError):
            op = decode_op(body)
            if is_shared(op.entity, op.job):
                target.execute("INSERT INTO unconfirmed (seq, op_id) VALUES (?, ?)", (seq, op.op_id))
                first = first or seq
    known = meta.read(target, meta.Acked) or meta.Acked()
    if first is not None and first <= known.seq:
        (again,) = target.execute(
            "SELECT count(*) FROM journal WHERE seq >= ? AND seq <= ? AND NOT received", (first, known.seq)
        ).fetchone()
        meta.write(target, msgspec.structs.replace(known, seq=first - 1, ops=known.ops - again))
