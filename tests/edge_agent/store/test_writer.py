"""The writer: group commit, and what each kind of disk error leads to."""

import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from edge_agent.site.ports import Committed, Decide, Decision, Ledger, Trouble
from edge_agent.store.ledger import DiskLedger
from edge_agent.store.loading import load
from edge_agent.store.migrations import migrate
from edge_agent.store.retention import Reserve, Retention
from edge_agent.store.rows import RowDamaged
from edge_agent.store.writer import SUSPECT, Answer, Errand, Request, Writer
from sitelink.errors import StoreUnavailable
from tests.doubles.clock import FakeClock
from tests.edge_agent.store.facts import CP001, FaultyConnection, connected, faulty, meter, new_id, status, writing

WAIT_S = 10.0


class Heard:
    """What the writer says, in order, as a test can wait for it."""

    def __init__(self) -> None:
        self.batches: queue.Queue[tuple[Committed | None, Sequence[Answer]]] = queue.Queue()
        self.troubles: queue.Queue[Trouble | None] = queue.Queue()
        self.failures: queue.Queue[BaseException] = queue.Queue()
        self.long_logs = 0

    def answered(self, committed: Committed | None, answers: Sequence[Answer]) -> None:
        self.batches.put((committed, answers))

    def troubled(self, trouble: Trouble | None) -> None:
        self.troubles.put(trouble)

    def log_is_long(self) -> None:
        self.long_logs += 1

    def failed(self, error: BaseException) -> None:
        self.failures.put(error)


class Rig:
    """A writer over a connection that can be made to fail."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.connection: FaultyConnection = faulty(data_dir / "gatepost.sqlite3")
        self.connection.execute("PRAGMA journal_mode = WAL")
        migrate(self.connection)
        self.ledger = DiskLedger(self.connection, load(self.connection), FakeClock(), new_id)
        retention = Retention(
            Reserve(data_dir, 0), telemetry_max_rows=1000, journal_max_rows=1000, transactions_max_rows=1000,
            keep_unsent=False,
        )  # fmt: skip
        self.heard = Heard()
        self.writer = Writer(self.ledger, retention, self.heard, FakeClock(), data_dir, probe_s=0.01)

    def write(self, decide: Decide[Any]) -> tuple[Committed | None, Any, BaseException | None]:
        self.writer.submit(Request(decide, "t"))
        committed, ((_, result, error),) = self.heard.batches.get(timeout=WAIT_S)
        return committed, result, error

    def on_disk(self) -> list[int]:
        with sqlite3.connect(self.data_dir / "gatepost.sqlite3") as other:
            rows = [seq for (seq,) in other.execute("SELECT seq FROM journal ORDER BY seq")]
        other.close()
        return rows


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    rig.writer.start()
    yield rig
    rig.writer.stop()


def test_what_arrives_during_a_commit_is_the_next_batch(rig: Rig) -> None:
    go, entered = threading.Event(), threading.Event()

    def slow(_ledger: Ledger) -> Decision[None]:
        entered.set()
        assert go.wait(WAIT_S)
        return Decision((connected(),), None)

    rig.writer.submit(Request(slow, 0))
    assert entered.wait(WAIT_S)
    for ticket in range(1, 21):
        rig.writer.submit(Request(writing(status()), ticket))
    go.set()
    first = rig.heard.batches.get(timeout=WAIT_S)
    second = rig.heard.batches.get(timeout=WAIT_S)
    assert [answer[0] for answer in first[1]] == [0]
    assert [answer[0] for answer in second[1]] == list(range(1, 21))
    assert second[0] is not None
    assert second[0].seq == 21
    assert rig.heard.batches.empty()


@pytest.mark.parametrize(
    ("name", "code"),
    [("SQLITE_FULL", "disk_full"), ("SQLITE_READONLY", "read_only"), ("SQLITE_BUSY", "failed")],
)
@pytest.mark.parametrize("at", ["BEGIN", "INSERT INTO journal", "COMMIT"])
def test_trouble_is_told_refuses_and_ends_by_itself(rig: Rig, name: str, code: str, at: str) -> None:
    assert rig.write(writing(connected()))[2] is None
    rig.connection.fail(at, name, times=2)
    committed, _, error = rig.write(writing(status(), meter("m")))
    assert committed is None
    assert isinstance(error, StoreUnavailable)
    assert error.fields == {"reason": code}
    started = rig.heard.troubles.get(timeout=WAIT_S)
    assert started is not None
    assert started.code == code
    assert rig.ledger.seq == 1
    # An idle writer probes by itself; of these statements its probe has BEGIN and COMMIT.
    ended = rig.heard.troubles.get(timeout=WAIT_S)
    assert ended is None
    rig.connection.fail("", "", times=0)
    committed, _, error = rig.write(writing(status()))
    assert error is None
    assert committed is not None
    assert committed.seq == 2
    assert rig.on_disk() == [1, 2]


def test_the_next_write_ends_trouble_too(rig: Rig) -> None:
    rig.connection.fail("INSERT INTO journal", "SQLITE_FULL")
    assert rig.write(writing(connected()))[2] is not None
    assert rig.write(writing(connected()))[2] is None
    assert [rig.heard.troubles.get(timeout=WAIT_S) is None for _ in range(2)] == [False, True]


@pytest.mark.parametrize("name", ["SQLITE_IOERR_FSYNC", "SQLITE_IOERR_WRITE"])
def test_an_io_error_of_a_commit_is_final(rig: Rig, name: str) -> None:
    assert rig.write(writing(connected()))[2] is None
    rig.connection.fail("COMMIT", name)
    for _ in range(3):
        committed, _, error = rig.write(writing(status()))
        assert committed is None
        assert isinstance(error, StoreUnavailable)
    assert isinstance(rig.heard.failures.get(timeout=WAIT_S), sqlite3.Error)
    assert rig.heard.failures.empty()
    assert rig.on_disk() == [1]


def test_a_failed_fsync_of_a_checkpoint_is_final(rig: Rig) -> None:
    rig.connection.fail("PRAGMA wal_checkpoint", "SQLITE_IOERR_FSYNC")
    assert rig.write(writing(connected()))[2] is None
    assert isinstance(rig.heard.failures.get(timeout=WAIT_S), sqlite3.Error)


def test_an_io_error_before_the_commit_is_tried_again(rig: Rig) -> None:
    rig.connection.fail("INSERT INTO journal", "SQLITE_IOERR_READ")
    assert rig.write(writing(connected()))[2] is not None
    assert rig.write(writing(connected()))[2] is None
    assert rig.heard.failures.empty()


def test_damage_found_while_running_makes_the_next_start_salvage(rig: Rig) -> None:
    def finds_damage(_ledger: Ledger) -> Decision[None]:
        raise RowDamaged("transaction", 7)

    error = rig.write(finds_damage)[2]
    assert isinstance(error, StoreUnavailable)
    assert error.fields == {"reason": "damaged"}
    assert isinstance(rig.heard.failures.get(timeout=WAIT_S), RowDamaged)
    assert (rig.data_dir / SUSPECT).exists()


def test_an_errand_is_a_transaction_of_its_own(rig: Rig) -> None:
    def errand(ledger: DiskLedger) -> int:
        ledger.connection.execute("INSERT INTO meta (key, value, crc) VALUES ('x', '1', 0)")
        raise ValueError("no")

    rig.writer.submit(Request(writing(connected()), 1))
    rig.writer.submit(Errand(errand, 2))
    rig.writer.submit(Request(writing(status()), 3))
    answers: list[Answer] = []
    while len(answers) < 3:
        answers += rig.heard.batches.get(timeout=WAIT_S)[1]
    assert [(ticket, type(error)) for ticket, _, error in answers] == [
        (1, type(None)),
        (2, ValueError),
        (3, type(None)),
    ]
    with sqlite3.connect(rig.data_dir / "gatepost.sqlite3") as other:
        assert other.execute("SELECT * FROM meta WHERE key = 'x'").fetchall() == []
    other.close()


def test_a_start_by_the_reserve_is_trouble_until_there_is_space(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.ledger.thin = True
    rig.writer.start()
    started = rig.heard.troubles.get(timeout=WAIT_S)
    assert started is not None
    assert started.code == "disk_full"
    assert rig.heard.troubles.get(timeout=WAIT_S) is None
    assert not rig.ledger.thin
    rig.writer.stop()


def test_stop_finishes_what_was_submitted(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.writer.start()
    for ticket in range(50):
        rig.writer.submit(Request(writing(status()), ticket))
    rig.writer.stop()
    assert rig.on_disk() == list(range(1, 51))
    assert CP001 in rig.ledger.state.stations


def test_a_bug_in_the_writer_itself_is_final(rig: Rig) -> None:
    def breaks() -> Callable[[], None]:
        raise AssertionError

    rig.ledger.settle = breaks  # type: ignore[assignment, method-assign]
    rig.ledger.undo = breaks  # type: ignore[assignment, method-assign]
    assert isinstance(rig.write(writing(connected()))[2], StoreUnavailable)
    assert isinstance(rig.heard.failures.get(timeout=WAIT_S), AssertionError)
