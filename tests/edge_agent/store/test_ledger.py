"""The ledger: any batching of decisions leaves what doing them one by one leaves, on disk and in memory."""

import asyncio
import shutil
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.site.ports import Decide, Decision, Ledger
from edge_agent.store.ledger import DiskLedger
from edge_agent.store.loading import load
from edge_agent.store.migrations import migrate
from sitelink.errors import NotFound
from sitelink.ids import StationKey
from tests.doubles.clock import FakeClock
from tests.doubles.memory_journal import MemoryJournal
from tests.edge_agent.store.facts import (
    completed,
    connected,
    contents,
    ended,
    faulty,
    job,
    knock,
    knock_cleared,
    meter,
    new_id,
    note,
    opened,
    requested,
    start,
    status,
    stop,
    writing,
)

STATIONS = [StationKey("cp001"), StationKey("cp002")]
small = st.integers(0, 5)


def refuse(_ledger: Ledger) -> Decision[Any]:
    raise NotFound(what="anything", key="")


decisions = st.one_of(
    st.builds(lambda s, n: start(f"start-{n}", s, n % 2 + 1), st.sampled_from(STATIONS), small),
    st.builds(lambda s, n, t: stop(n, f"stop-{t}", s), st.sampled_from(STATIONS), st.integers(1, 8), small),
    st.builds(lambda s, n: writing(meter(f"m{n}", s)), st.sampled_from(STATIONS), small),
    st.builds(lambda s: writing(connected(s)), st.sampled_from(STATIONS)),
    st.builds(lambda s, n: writing(status(s, n)), st.sampled_from(STATIONS), small),
    st.builds(lambda n: writing(job(f"{n}", rows=n)), st.integers(1, 3)),
    st.builds(lambda n, t: writing(note(t, f"{n}-1")), st.integers(1, 3), st.text(max_size=5)),
    st.builds(lambda n: writing(completed(f"op-{n}", f"{n}")), st.integers(1, 3)),
    st.builds(lambda n: writing(knock(f"k{n}")), small),
    st.builds(lambda n: writing(knock_cleared(f"k{n}"), knock(f"k{n}")), small),
    st.builds(lambda n: writing(knock_cleared(f"k{n}")), small),
    st.builds(lambda n: writing(requested(f"c{n}")), small),
    st.builds(lambda n: writing(ended(f"c{n}")), small),
    st.just(refuse),
)
batches = st.lists(st.lists(decisions, min_size=1, max_size=6), max_size=12)


@settings(max_examples=40)
@given(batches)
def test_batched_state_is_sequential_state_and_reloads_the_same(given_batches: list[list[Decide[Any]]]) -> None:
    data_dir = Path(tempfile.mkdtemp())
    try:
        asyncio.run(_compare(data_dir, given_batches))
    finally:
        shutil.rmtree(data_dir)


async def _compare(data_dir: Path, given_batches: list[list[Decide[Any]]]) -> None:
    clock = FakeClock()
    numbers = iter(range(10_000))
    one_by_one = MemoryJournal(clock, lambda: f"id-{next(numbers)}")
    async with opened(data_dir, clock) as store:
        for batch in given_batches:
            expected = [await _outcome(one_by_one.write(decide)) for decide in batch]
            writes = [store.journal.write(decide) for decide in batch]
            found = await asyncio.gather(*writes, return_exceptions=True)
            assert [type(each) if isinstance(each, Exception) else each for each in found] == expected
        published = contents(store.journal.state)
        assert _without_ids(published) == _without_ids(contents(one_by_one.state))
        assert store.journal.seq == one_by_one.seq
    async with opened(data_dir, clock) as store:
        reloaded = contents(store.journal.state, readings=False)
        assert reloaded == {place: kept for place, kept in published.items() if place != "readings"}


async def _outcome(writing_: Any) -> Any:
    try:
        return await writing_
    except NotFound as error:
        return type(error)


def _without_ids(state: dict[str, Any]) -> str:
    """Op ids differ from run to run; everything else must not. Rows and jobs hold them in their heads and notes."""
    rows = {
        id_: (row.identity, row.connector, [n.text for n in row.notes]) for id_, row in state["charge_points"].items()
    }
    jobs = {id_: (each.number, each.status, each.charge_points, each.round) for id_, each in state["jobs"].items()}
    return repr({**state, "charge_points": rows, "jobs": jobs})


def test_undo_leaves_no_trace(tmp_path: Path) -> None:
    connection = faulty(tmp_path / "x.sqlite3")
    migrate(connection)
    ledger = DiskLedger(connection, load(connection), FakeClock(), new_id)

    def run(*decides: Decide[Any]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for decide in decides:
            ledger.next_decision()
            ledger.record(decide(ledger).facts)
        ledger.flush()

    first = [writing(job(), connected(), knock("k1"), knock("k2"), requested("c1"), meter("a"))]
    run(*first, *(start(f"s{number}") for number in range(3)), stop(1, "t1"))
    connection.execute("COMMIT")
    assert ledger.settle() is not None
    before, seq, counters = contents(ledger.state), ledger.seq, ledger.counters

    run(
        writing(knock_cleared("k1"), knock("k1"), ended("c1"), requested("c2"), meter("b"), completed("op-1")),
        stop(2, "t2"), stop(3, "t3"), stop(77, "t77"), start("s9"), writing(note("x")),
    )  # fmt: skip
    assert contents(ledger.state) != before
    connection.execute("ROLLBACK")
    ledger.undo()

    assert contents(ledger.state) == before
    assert (ledger.seq, ledger.counters) == (seq, counters)
    assert not ledger.is_known_telemetry(STATIONS[0], "b")
    assert ledger.is_known_telemetry(STATIONS[0], "a")
    assert load(connection).seq == seq
    assert contents(load(connection).state, readings=False) == {k: v for k, v in before.items() if k != "readings"}
    assert load(connection).last_transaction == 3
    connection.close()


def test_a_number_that_no_row_holds_is_never_given_again(tmp_path: Path) -> None:
    """A remote start has one of its own."""

    def remote_start(ledger: Ledger) -> Decision[int]:
        return Decision((requested("c1"),), int(ledger.next_transaction_id()))

    with closing(faulty(tmp_path / "x.sqlite3")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection)
        ledger = DiskLedger(connection, load(connection), FakeClock(), new_id)
        numbers = []
        for decide in (start("s1"), remote_start, start("s2"), remote_start):
            connection.execute("BEGIN IMMEDIATE")
            ledger.next_decision()
            decision = decide(ledger)
            ledger.record(decision.facts)
            ledger.flush()
            connection.execute("COMMIT")
            ledger.settle()
            numbers.append(decision.result)
            assert load(connection).last_transaction == numbers[-1]
    assert numbers == [1, 2, 3, 4]
