"""D2: the power goes at any moment. What was confirmed is on the disk, whatever became of writes that were not synced.

The store's own writer and ledger run once over a file layer that notes every write, sync and confirmation, through
checkpoints and pruning. A cut at a place of these notes is then played: what was synced before it is there; of the rest
none, all, a part, or pieces torn at 512 bytes. The store must open what remains. Control: with synchronous=NORMAL
confirmed rows must get lost, or the test could not find anything.
"""

import queue
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import apsw
import pytest

from edge_agent.site.ports import Committed, Trouble
from edge_agent.store.database import DATABASE
from edge_agent.store.ledger import DiskLedger
from edge_agent.store.loading import load
from edge_agent.store.migrations import SET, STEPS
from edge_agent.store.retention import Reserve, Retention
from edge_agent.store.writer import Answer, Request, Writer
from sitelink.ids import StationKey
from tests.doubles.clock import FakeClock
from tests.edge_agent.store.facts import CP001, meter, new_id, opened, start, status, writing

SEED = 20261123
CUTS = 400
CONTROL_CUTS = 60
SECTOR_BYTES = 512
WAIT_S = 10.0
TELEMETRY_KEPT = 25
"""Small, so that pruning goes on all the time."""

Note = tuple[Any, ...]
"""("write", file, offset, bytes) · ("truncate", file, size) · ("delete", file) · ("sync", file) · ("ack", content)."""


class NotingFile(apsw.VFSFile):
    def __init__(self, notes: list[Note], name: Any, flags: list[int]) -> None:
        self.notes = notes
        self.name = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "temporary").name
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 -- SQLite's name
        self.notes.append(("write", self.name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self.notes.append(("truncate", self.name, size))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self.notes.append(("sync", self.name))


class NotingDisk(apsw.VFS):
    def __init__(self, notes: list[Note]) -> None:
        self.notes = notes
        self.vfs_name = f"noting-{id(self)}"
        super().__init__(self.vfs_name, "")

    def xOpen(self, name: Any, flags: list[int]) -> NotingFile:  # noqa: N802
        return NotingFile(self.notes, name, flags)

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: N802
        self.notes.append(("delete", Path(name).name))
        super().xDelete(name, sync)


class Confirming:
    """Notes a confirmation at the moment the writer gives it."""

    def __init__(self, notes: list[Note]) -> None:
        self.notes = notes
        self.answers: queue.Queue[Sequence[Answer]] = queue.Queue()

    def answered(self, _committed: Committed | None, answers: Sequence[Answer]) -> None:
        for content, _, error in answers:
            assert error is None
            self.notes.append(("ack", content))
        self.answers.put(answers)

    def troubled(self, trouble: Trouble | None) -> None:
        raise AssertionError(trouble)

    def failed(self, error: BaseException) -> None:
        self.answers.put([(None, None, error)])

    def log_is_long(self) -> None: ...


class Hasty(Writer):
    """A mutant that confirms before it commits."""

    def _attempt(self, requests: Sequence[Request]) -> tuple[list[Answer], Committed | None]:
        self._listener.answered(None, [(request.ticket, None, None) for request in requests])
        return [], super()._attempt(requests)[1]


def record(data_dir: Path, synchronous: str, kind: type[Writer]) -> list[Note]:
    """Run a box's day through the store and return the notes."""
    notes: list[Note] = []
    disk = NotingDisk(notes)
    connection = apsw.Connection(str(data_dir / DATABASE), vfs=disk.vfs_name)
    for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", f"synchronous = {synchronous}"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
    _migrate(connection)
    ledger = DiskLedger(cast(Any, connection), load(cast(Any, connection)), FakeClock(), new_id)
    retention = Retention(
        Reserve(data_dir, 0), telemetry_max_rows=TELEMETRY_KEPT, journal_max_rows=10_000, transactions_max_rows=10_000,
        keep_unsent=False,
    )  # fmt: skip
    confirming = Confirming(notes)
    writer = kind(ledger, retention, confirming, FakeClock(), data_dir, probe_s=1)
    writer.start()
    for number in range(120):
        writer.submit(Request(start(f"start-{number}", StationKey(f"cp{number % 3}")), f"start-{number}"))
        writer.submit(Request(writing(status(), meter(f"meter-{number}-" + "x" * 15_000)), f"status-{number}"))
        answered = 0
        while answered < 2:
            answered += len(confirming.answers.get(timeout=WAIT_S))
        if number % 40 == 39:
            _wait_for_housekeeping(notes, ledger, number // 40 + 1)
    writer.stop()
    return notes


def _wait_for_housekeeping(notes: list[Note], ledger: DiskLedger, checkpoints: int) -> None:
    """Until the writer had an idle moment: it checkpoints and prunes."""
    for _ in range(1000):
        if notes.count(("sync", DATABASE)) >= checkpoints and ledger.counters.telemetry <= TELEMETRY_KEPT:
            return
        time.sleep(WAIT_S / 1000)
    raise AssertionError("the writer never got to its housekeeping")


def _migrate(connection: apsw.Connection) -> None:
    """As `migrations.migrate` leaves it; sqlite-utils cannot work on this connection."""
    connection.execute(
        "CREATE TABLE _sqlite_migrations (id INTEGER PRIMARY KEY, migration_set TEXT, name TEXT, applied_at TEXT)"
    )
    for name, step in STEPS:
        with connection:
            step(connection.execute)
            connection.execute(
                "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?, ?, '')", (SET, name)
            )


def cut(notes: list[Note], at: int, chance: random.Random) -> dict[str, bytearray]:
    """What is on the disk when the power goes after `at` notes."""
    files: dict[str, bytearray] = {}
    waiting: dict[str, list[Note]] = {}
    synced: set[str] = set()
    for note in notes[:at]:
        kind, name = note[0], note[1]
        if kind == "sync":
            for each in waiting.pop(name, []):
                _play(files, each)
            if name not in synced:  # the first sync of a file syncs its directory too: names that went are gone
                synced.add(name)
                for gone in [file for file, pending in waiting.items() if pending[-1][0] == "delete"]:
                    del waiting[gone]
                    files.pop(gone, None)
        elif kind != "ack":
            waiting.setdefault(name, []).append(note)
    way = chance.choice(["none", "all", "prefix", "some", "torn"])
    for name, unsynced in waiting.items():
        for each in _survivors(unsynced, way, chance):
            _play(files, each)
        files.setdefault(name, bytearray())
    return files


def _survivors(unsynced: list[Note], way: str, chance: random.Random) -> list[Note]:
    if way == "none":
        return []
    if way == "all":
        return unsynced
    if way == "prefix":
        return unsynced[: chance.randrange(len(unsynced) + 1)]
    some = [note for note in unsynced if chance.random() < 0.5]
    return some if way == "some" else [_torn(note, chance) for note in some]


def _torn(note: Note, chance: random.Random) -> Note:
    if note[0] != "write":
        return note
    kind, name, offset, data = note
    sectors = chance.randrange(len(data) // SECTOR_BYTES + 1)
    return kind, name, offset, data[: sectors * SECTOR_BYTES]


def _play(files: dict[str, bytearray], note: Note) -> None:
    kind, name = note[0], note[1]
    if kind == "delete":
        files.pop(name, None)
        return
    file = files.setdefault(name, bytearray())
    if kind == "truncate":
        del file[note[2] :]
        return
    offset, data = note[2], note[3]
    if len(file) < offset + len(data):
        file.extend(bytes(offset + len(data) - len(file)))
    file[offset : offset + len(data)] = data


async def lost_after(data_dir: Path, files: dict[str, bytearray], confirmed: list[str]) -> list[str]:
    """Open what the cut left; what of the confirmed is not there."""
    data_dir.mkdir()
    for name, content in files.items():
        (data_dir / name).write_bytes(content)
    async with opened(data_dir) as store:
        assert store.salvaged is None, "corrupt after a power cut"
        log = [op.event for _, op in await store.history.ops(0, 5000)]
        starts = {event.content for event in log if hasattr(event, "content")}
        statuses = sum(type(event).__name__ == "ConnectorChanged" for event in log)
        stations = store.journal.state.stations
        lost = [content for content in confirmed if content.startswith("start") and content not in starts]
        expected = sum(content.startswith("status") for content in confirmed)
        if statuses < expected:
            lost.append(f"{expected - statuses} status")
        if statuses:
            assert CP001 in stations, "log and state were cut apart"
    return lost


async def play_cuts(tmp_path: Path, synchronous: str, cuts: int, kind: type[Writer] = Writer) -> int:
    """In how many of the cuts something confirmed was lost."""
    chance = random.Random(SEED)
    (tmp_path / "run").mkdir()
    notes = record(tmp_path / "run", synchronous, kind)
    begin = next(index for index, note in enumerate(notes) if note[0] == "ack")
    syncs_of_database = sum(note == ("sync", DATABASE) for note in notes[begin:])
    assert syncs_of_database > 1, "no checkpoint was cut"
    losing = 0
    for number in range(cuts):
        at = chance.randrange(begin, len(notes) + 1)
        confirmed = [note[1] for note in notes[:at] if note[0] == "ack"]
        lost = await lost_after(tmp_path / f"cut-{number}", cut(notes, at, chance), confirmed)
        losing += bool(lost)
        shutil.rmtree(tmp_path / f"cut-{number}")
    return losing


async def test_nothing_confirmed_is_lost_by_a_power_cut(tmp_path: Path) -> None:
    assert await play_cuts(tmp_path, "FULL", CUTS) == 0


@pytest.mark.nightly
@pytest.mark.timeout(1200)
async def test_nothing_confirmed_is_lost_by_ten_thousand_power_cuts(tmp_path: Path) -> None:
    assert await play_cuts(tmp_path, "FULL", 10_000) == 0


async def test_control_a_writer_that_confirms_before_it_commits_loses(tmp_path: Path) -> None:
    assert await play_cuts(tmp_path, "FULL", CONTROL_CUTS, Hasty) > 0


async def test_control_with_less_than_full_synchronisation_confirmed_rows_are_lost(tmp_path: Path) -> None:
    assert await play_cuts(tmp_path, "NORMAL", CONTROL_CUTS) >= CONTROL_CUTS * 0.3
