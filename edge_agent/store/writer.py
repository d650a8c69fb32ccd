"""The writer: one thread, the only writing connection, and group commit without linger.

Start at `Writer.submit`. What arrives while a commit is under way is the next batch; one commit, then all its answers
at once. Between batches the thread checkpoints, prunes and, in trouble, tries again. It never touches the event loop:
what it has to say goes to its `Listener`. Source: DESIGN §7 (5); RELIABILITY D4, D5, D11.
"""

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import structlog

from edge_agent.site.ports import Committed, Decide, Trouble
from edge_agent.store.database import BUSY_TIMEOUT_MS, roll_back
from edge_agent.store.ledger import DiskLedger
from edge_agent.store.trouble import Verdict, is_of_the_disk, trouble_of
from sitelink.clock import Clock
from sitelink.errors import SiteError, StoreUnavailable

log = structlog.get_logger()

BATCH_MAX = 512
PAGE_BYTES = 4096
PAGES_PER_COMMIT = 6
"""What a commit writes to the log beside the bodies: leaves and roots of the tables it touches, about."""
CHECKPOINT_BYTES = 4 * 1024 * 1024
CHECKPOINT_IDLE_BYTES = 512 * 1024
LOG_LONG_BYTES = 32 * 1024 * 1024
LOG_TRIES = 5
LOG_WAIT_MS = 50
STEP_EVERY_BATCHES = 64
"""A box that is never idle does a step of housekeeping this often."""
SUSPECT = "suspect"
"""A file of this name makes the next start salvage the database."""
IDLE_S = 0.05
"""So long nothing must come before housekeeping goes on."""


class Request:
    """One decision and whoever waits for it. `ticket` is theirs, the writer hands it back."""

    __slots__ = ("decide", "ticket")

    def __init__(self, decide: Decide[Any], ticket: Any) -> None:
        self.decide = decide
        self.ticket = ticket


class Errand:
    """Something else to be done in a transaction of its own on the writing connection."""

    __slots__ = ("ticket", "work")

    def __init__(self, work: "Work", ticket: Any) -> None:
        self.work = work
        self.ticket = ticket


Answer = tuple[Any, Any, BaseException | None]
"""Ticket, result, error."""


Work = Callable[[DiskLedger], Any]


class Housekeeping(Protocol):
    """What is done between batches, a little at a time."""

    def due(self, ledger: DiskLedger) -> "Work | None":
        """A short piece of work, to be done in a transaction; None: nothing is due."""
        ...

    def make_room(self, ledger: DiskLedger) -> bool:
        """The disk is full. True: something was given up for it, try again."""
        ...

    def space_returned(self, ledger: DiskLedger, code: str) -> bool:
        """Whether it is worth a try to end the trouble `code`; what was given up is taken back."""
        ...


class Listener(Protocol):
    """Told from the writer's thread."""

    def answered(self, committed: Committed | None, answers: Sequence[Answer]) -> None: ...

    def troubled(self, trouble: Trouble | None) -> None: ...

    def log_is_long(self) -> None:
        """A reader keeps the write-ahead log from being used anew: end it."""
        ...

    def failed(self, error: BaseException) -> None:
        """The process must end."""
        ...


class Writer:
    """Owns `ledger` and its connection from `start` to `stop`."""

    def __init__(
        self, ledger: DiskLedger, housekeeping: Housekeeping, listener: Listener, clock: Clock, data_dir: Path,
        probe_s: float,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._housekeeping = housekeeping
        self._listener = listener
        self._clock = clock
        self._data_dir = data_dir
        self._probe_s = probe_s
        self._queue: queue.SimpleQueue[tuple[Request | Errand, ...] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store writer", daemon=True)
        self._trouble: Trouble | None = None
        self._current: list[Request | Errand] = []
        self._dead = False
        self._committing = False
        self._unchecked_bytes = CHECKPOINT_IDLE_BYTES  # what a crash left in the log is checkpointed soon
        self._to_keep = True
        self._batches = 0
        self._tried_at = 0.0

    def start(self) -> None:
        self._thread.start()

    def submit(self, *requests: Request | Errand) -> None:
        """From any thread. What is submitted together is committed together, unless an errand stands between."""
        self._queue.put(requests)

    def stop(self) -> None:
        """Finish what was submitted, checkpoint, and end the thread. Blocks."""
        self._queue.put(None)
        self._thread.join()

    # ---- the thread ----

    def _run(self) -> None:
        try:
            if self._ledger.thin:  # it was only by the reserve that we could start
                self._enter(Verdict("disk_full"))
            self._serve()
            if not self._dead:
                self._leave()
        except BaseException as error:
            log.exception("store_writer_failed")
            self._die(error)
            self._refuse(self._current)  # some may have been answered; a second answer is not heard
            self._serve()
        finally:
            self._ledger.connection.close()

    def _serve(self) -> None:
        while True:
            batch, stop = self._next_batch()
            if batch:
                self._current = batch
                self._work(batch)
                self._to_keep = True
            if stop:
                return
            if not self._dead:
                self._between(idle=not batch)

    def _next_batch(self) -> tuple[list[Request | Errand], bool]:
        """All that waits. Blocks while there is nothing and nothing else to do either."""
        batch: list[Request | Errand] = []
        try:
            first = self._queue.get(timeout=self._patience())
            while first is not None:
                batch += first
                if len(batch) >= BATCH_MAX:
                    return batch, False
                first = self._queue.get_nowait()
        except queue.Empty:
            return batch, False
        return batch, True

    def _patience(self) -> float | None:
        if self._dead:
            return None
        if self._trouble is not None:
            return self._probe_s
        return IDLE_S if self._to_keep or self._unchecked_bytes >= CHECKPOINT_IDLE_BYTES else None

    def _work(self, batch: Sequence[Request | Errand]) -> None:
        """Errands stand alone, decisions between them go together."""
        group: list[Request] = []
        for each in batch:
            if isinstance(each, Request):
                group.append(each)
                continue
            self._commit(group)
            group = []
            self._run_errand(each)
        self._commit(group)

    # ---- decisions ----

    def _commit(self, requests: Sequence[Request]) -> None:
        if not requests:
            return
        if self._dead:
            self._refuse(requests)
            return
        try:
            answers, committed = self._attempt(requests)
        except Exception as error:
            self._take_back()
            self._not_committed(requests, error)
            return
        self._listener.answered(committed, answers)
        if self._trouble is not None and committed is not None and not self._ledger.thin:
            self._enter(None)

    def _attempt(self, requests: Sequence[Request]) -> tuple[list[Answer], Committed | None]:
        ledger = self._ledger
        connection = ledger.connection
        answers: list[Answer] = []
        self._committing = False
        connection.execute("BEGIN IMMEDIATE")
        for request in requests:
            ledger.next_decision()
            try:
                decision = request.decide(ledger)
            except SiteError as refusal:
                answers.append((request.ticket, None, refusal))
                continue
            except Exception as error:
                if is_of_the_disk(error):
                    raise
                log.exception("decision_failed")
                answers.append((request.ticket, None, error))
                continue
            if decision.received is not None:
                ledger.receive(decision.received)
            ledger.record(decision.facts)
            answers.append((request.ticket, decision.result, None))
        ledger.flush()
        self._commit_now(connection)
        self._unchecked_bytes += ledger.written_bytes + PAGES_PER_COMMIT * PAGE_BYTES
        return answers, ledger.settle()

    def _commit_now(self, connection: sqlite3.Connection) -> None:
        self._committing = True
        connection.execute("COMMIT")
        self._committing = False

    def _not_committed(self, requests: Sequence[Request], error: Exception) -> None:
        if is_of_the_disk(error):
            if self._suffer(error) and self._housekeeping.make_room(self._ledger):
                self._commit(requests)
            else:
                self._refuse(requests)
        elif len(requests) > 1:  # one of them cannot be written: find it, the others shall not suffer
            for request in requests:
                self._commit([request])
        else:
            log.error("decision_not_writable", exc_info=error)
            self._listener.answered(None, [(requests[0].ticket, None, error)])

    def _take_back(self) -> None:
        roll_back(self._ledger.connection)
        self._ledger.undo()

    def _refuse(self, requests: Sequence[Request | Errand]) -> None:
        code = self._trouble.code if self._trouble else "failed"
        self._listener.answered(None, [(each.ticket, None, StoreUnavailable(reason=code)) for each in requests])

    # ---- other work ----

    def _run_errand(self, errand: Errand) -> None:
        if self._dead:
            self._refuse([errand])
            return
        try:
            result, committed = self._in_transaction(errand.work)
        except Exception as error:
            if is_of_the_disk(error):
                self._suffer(error)
                self._refuse([errand])
            else:
                self._listener.answered(None, [(errand.ticket, None, error)])
            return
        self._listener.answered(committed, [(errand.ticket, result, None)])

    def _in_transaction(self, work: Work) -> tuple[Any, Committed | None]:
        connection = self._ledger.connection
        self._committing = False
        try:
            connection.execute("BEGIN IMMEDIATE")
            result = work(self._ledger)
            self._ledger.flush()
            self._commit_now(connection)
        except Exception:
            self._take_back()
            raise
        self._unchecked_bytes += PAGES_PER_COMMIT * PAGE_BYTES
        return result, self._ledger.settle()

    def _between(self, *, idle: bool) -> None:
        """Housekeeping, or a try to end the trouble."""
        self._batches += 1
        try:
            if self._trouble is not None:
                self._try_again(idle=idle)
                return
            if self._unchecked_bytes >= CHECKPOINT_BYTES or (idle and self._unchecked_bytes >= CHECKPOINT_IDLE_BYTES):
                self._checkpoint("PASSIVE")
            if self._to_keep and (idle or self._batches % STEP_EVERY_BATCHES == 0):
                work = self._housekeeping.due(self._ledger)
                self._to_keep = work is not None
                if work is not None:
                    self._in_transaction(work)
        except Exception as error:
            if not is_of_the_disk(error):
                raise
            self._take_back()
            self._suffer(error)

    def _try_again(self, *, idle: bool) -> None:
        now_s = self._clock.monotonic()
        if self._trouble is None or not (idle or now_s - self._tried_at >= self._probe_s):
            return
        self._tried_at = now_s
        if self._housekeeping.space_returned(self._ledger, self._trouble.code):
            self._in_transaction(lambda ledger: ledger.save_counters())
            self._enter(None)

    def _checkpoint(self, mode: str) -> None:
        """Copy the log into the file. A reader may hold part of it back; the rest follows next time."""
        _, frames = self._copied(mode)
        self._unchecked_bytes = 0
        if frames * PAGE_BYTES > LOG_LONG_BYTES:
            self._shorten_log(frames)

    def _shorten_log(self, frames: int) -> None:
        """The log can only begin anew at a moment when nobody reads from it: make one."""
        connection = self._ledger.connection
        connection.execute(f"PRAGMA busy_timeout = {LOG_WAIT_MS}")
        for _ in range(LOG_TRIES):
            self._listener.log_is_long()
            busy, _ = self._copied("RESTART")
            if not busy:
                break
        else:
            log.warning("store_log_long", bytes=frames * PAGE_BYTES)
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")

    def _copied(self, mode: str) -> tuple[bool, int]:
        """Whether a reader was in the way, and how many frames the log holds."""
        self._committing = True
        busy, frames, _ = self._ledger.connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        self._committing = False
        return bool(busy), int(frames)

    def _leave(self) -> None:
        try:
            if self._trouble is None:
                self._in_transaction(lambda ledger: ledger.save_counters())
                self._checkpoint("TRUNCATE")
        except sqlite3.Error as error:  # all that was confirmed is in the log already
            log.warning("store_left_unchecked", error=str(error))

    # ---- trouble ----

    def _suffer(self, error: BaseException) -> bool:
        """Say what is wrong. True: the disk is full, and room could be made."""
        verdict = trouble_of(error, self._data_dir, committing=self._committing)
        self._committing = False
        self._enter(verdict, error)
        if verdict.code == "damaged":
            with suppress(OSError):
                (self._data_dir / SUSPECT).touch(mode=0o600)
        if verdict.final:
            self._die(error)
        return verdict.code == "disk_full" and not verdict.final

    def _enter(self, verdict: Verdict | None, error: BaseException | None = None) -> None:
        before = self._trouble
        if verdict is not None and before is not None and before.code == verdict.code:
            return
        now = self._clock.now()
        if verdict is not None:
            self._trouble = Trouble(verdict.code, now)
            log.error("store_trouble_started", code=verdict.code, error=str(error))
        elif before is not None:
            self._trouble = None
            log.warning("store_trouble_ended", code=before.code, after_s=round((now - before.since).total_seconds()))
        self._listener.troubled(self._trouble)

    def _die(self, error: BaseException) -> None:
        """Nothing more is taken. Whoever started us must end the process."""
        if self._dead:
            return
        self._dead = True
        if self._trouble is None:
            self._enter(Verdict("failed"), error)
        self._listener.failed(error)
