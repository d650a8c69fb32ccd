"""D1: `kill -9` at random moments of ingest. What was confirmed is there, once, in order; ids are never used twice.

This tests the order of commit and confirmation, not the disk: the system's cache survives a killed process.
"""

import random
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

from edge_agent.store.database import DATABASE
from sitelink.events import MeterValuesReported, TransactionStarted, TransactionStopped
from tests.edge_agent.store.facts import look, opened

ROUNDS = 25
SEED = 20261123
LONGEST_S = 0.25


def run_and_kill(data_dir: Path, round_: int, after_s: float) -> list[str]:
    """Everything the process confirmed before it died."""
    command = [sys.executable, "-m", "tests.faults.store_child", str(data_dir), f"r{round_}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == b"open\n"
            lines = _read_for(child, after_s)
        finally:
            child.send_signal(signal.SIGKILL)
        lines += child.stdout.read()
    return [line for line in lines.decode().split("\n") if line]


def _read_for(child: subprocess.Popen[bytes], after_s: float) -> bytes:
    """What comes within the time; it is drained meanwhile, so that the child never waits for us."""
    assert child.stdout is not None
    read = b""
    until = time.monotonic() + after_s  # noqa: TID251 -- real time is the point
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while (left := until - time.monotonic()) > 0:  # noqa: TID251
            if selector.select(left):
                read += child.stdout.read1()  # type: ignore[attr-defined]
    return read


async def test_nothing_confirmed_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    confirmed: list[list[str]] = []
    for round_ in range(ROUNDS):
        lines = run_and_kill(tmp_path, round_, chance.random() * LONGEST_S)
        confirmed += [line.split() for line in lines]
    connection = look(tmp_path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    async with opened(tmp_path) as store:
        assert store.salvaged is None
        ops, telemetry = [], []
        while page := await store.history.ops(ops[-1][0] if ops else 0, 5000):
            ops += page
        while page := await store.history.telemetry(telemetry[-1][0] if telemetry else 0, 5000):
            telemetry += page
        last = store.journal.seq
    contents: list[str] = []
    ids: list[int] = []
    place: dict[str, int] = {}
    for seq, op in sorted([*ops, *telemetry], key=lambda each: each[0]):
        if isinstance(op.event, TransactionStarted | TransactionStopped | MeterValuesReported):
            contents.append(op.event.content)
            place[op.event.content] = seq
        if isinstance(op.event, TransactionStarted):
            ids.append(op.event.id)

    assert len(confirmed) > 100, "the child hardly got to work: nothing was tested"
    assert [line for line in confirmed if line[-1] not in place] == [], "confirmed, and lost"
    assert len(contents) == len(set(contents)), "stored twice"
    assert len(ids) == len(set(ids)), "a transaction id was used twice"
    given = {line[2]: int(line[1]) for line in confirmed if line[0] == "start"}
    stored = {op.event.content: op.event.id for _, op in ops if isinstance(op.event, TransactionStarted)}
    assert {content: stored[content] for content in given} == given
    for station in range(20):
        order = [place[line[-1]] for line in confirmed if line[-1].split("-")[2] == str(station)]
        assert order == sorted(order), "out of order"
    assert last == max(seq for seq, _ in [*ops, *telemetry])
    assert (tmp_path / DATABASE).exists()
