"""The journal: decisions in, committed state and answers out."""

import asyncio
from pathlib import Path

import pytest

from edge_agent.site.ports import Committed, Decision, Ledger
from sitelink import events as e
from sitelink.apply import apply, apply_to
from sitelink.errors import NotFound
from sitelink.model import SiteState
from sitelink.ops import Fact
from tests.doubles.clock import FakeClock
from tests.edge_agent.store.facts import (
    BOX,
    CP001,
    completed,
    connected,
    contents,
    job,
    meter,
    note,
    opened,
    start,
    status,
    stop,
    writing,
)


async def test_what_is_written_is_published_when_write_returns(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        answer = await store.journal.write(writing(connected(), status()))
        assert answer == 2
        assert store.journal.seq == 2
        assert store.journal.state.stations[CP001].connected
        assert [(seq, op.kind) for seq, op in await store.history.ops(0)] == [
            (1, "station.connected"),
            (2, "connector.changed"),
        ]


async def test_a_decision_without_facts_answers_and_writes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        assert await store.journal.write(lambda _ledger: Decision((), "yes")) == "yes"
        assert store.journal.seq == 0


async def test_ops_carry_stamp_and_chain(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as store:
        await store.journal.write(writing(connected()))
        clock.advance(5)
        await store.journal.write(writing(meter("a"), status()))
    async with opened(tmp_path, clock) as store:
        await store.journal.write(writing(note("hello")))
        ops = [op for _, op in await store.history.ops(0)]
        values = [op for _, op in await store.history.telemetry(0)]
    assert [ops[0].prev, values[0].prev, ops[1].prev, ops[2].prev] == [
        None,
        ops[0].op_id,
        values[0].op_id,
        ops[1].op_id,
    ]
    assert ops[1].t.boot == "boot-1"
    assert ops[1].t.mono_ms == 3_605_000
    assert ops[1].t.wall == clock.now()
    assert len({op.op_id for op in [*ops, *values]}) == 4


async def test_log_and_telemetry_share_one_counter(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.journal.write(writing(connected(), meter("a"), status(), meter("b")))
        assert [seq for seq, _ in await store.history.ops(0)] == [1, 3]
        assert [seq for seq, _ in await store.history.telemetry(0)] == [2, 4]


async def test_listeners_hear_of_a_commit_before_the_caller_does(tmp_path: Path) -> None:
    order: list[object] = []
    async with opened(tmp_path) as store:

        def listener(committed: Committed) -> None:
            order.append((committed.seq, store.journal.seq, len(committed.ops), len(committed.changes)))

        def broken(_committed: Committed) -> None:
            raise RuntimeError("a listener's bug")

        store.journal.subscribe(broken)
        store.journal.subscribe(listener)
        await store.journal.write(writing(connected(), status()))
        order.append("answered")
    assert order == [(2, 2, 2, 2), "answered"]


async def test_a_refusal_reaches_its_own_caller_alone(tmp_path: Path) -> None:
    def refuse(_ledger: Ledger) -> Decision[None]:
        raise NotFound(what="job", key="7")

    def bug(_ledger: Ledger) -> Decision[None]:
        raise ZeroDivisionError

    def not_writable(_ledger: Ledger) -> Decision[None]:
        return Decision((Fact("cp:1042-1", e.NoteAdded(text="\ud800"), BOX),), None)

    async with opened(tmp_path) as store:
        await store.journal.write(writing(job()))
        write = store.journal.write
        results = await asyncio.gather(
            write(writing(connected("cp001"))), write(refuse), write(bug), write(not_writable),
            write(writing(connected("cp002"))), return_exceptions=True,
        )  # fmt: skip
        assert [type(result) for result in results] == [int, NotFound, ZeroDivisionError, UnicodeEncodeError, int]
        assert set(store.journal.state.stations) == {"cp001", "cp002"}
        assert store.journal.trouble is None
    async with opened(tmp_path) as store:
        assert set(store.journal.state.stations) == {"cp001", "cp002"}


async def test_decisions_of_one_batch_see_each_other(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        ids = await asyncio.gather(*(store.journal.write(start("same")) for _ in range(5)))
        assert set(ids) == {1}
        assert len(await store.history.transactions(CP001)) == 1


async def test_a_fact_with_an_id_of_its_own_is_written_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.journal.write(writing(job()))
        await asyncio.gather(*(store.journal.write(writing(completed("done-1"))) for _ in range(10)))
        seq = store.journal.seq
    async with opened(tmp_path) as store:
        await store.journal.write(writing(completed("done-1")))
        assert store.journal.seq == seq
        assert [op.op_id for _, op in await store.history.ops(1)] == ["done-1"]


async def test_a_start_and_a_stop_are_known_again_after_years(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        first = await store.journal.write(start("start-0"))
        assert await store.journal.write(stop(first, "stop-0"))
        for number in range(1, 20):
            id_ = await store.journal.write(start(f"start-{number}"))
            await store.journal.write(stop(id_, f"stop-{number}"))
        assert first not in store.journal.state.transactions
    async with opened(tmp_path) as store:
        seq = store.journal.seq
        assert await store.journal.write(start("start-0")) == first
        assert not await store.journal.write(stop(first, "stop-0"))
        assert store.journal.seq == seq


async def test_meter_values_are_known_again_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.journal.write(writing(meter("a")))
    async with opened(tmp_path) as store:
        known = await store.journal.write(
            lambda ledger: Decision((), (ledger.is_known_telemetry(CP001, "a"), ledger.is_known_telemetry(CP001, "b")))
        )
        assert known == (True, False)


async def test_transaction_ids_are_never_used_twice(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        given = [await store.journal.write(start(f"s{number}")) for number in range(3)]
    async with opened(tmp_path) as store:
        await store.journal.run(lambda ledger: ledger.connection.execute('DELETE FROM "transaction"'))
    async with opened(tmp_path) as store:
        given.append(await store.journal.write(start("after")))
    assert given == [1, 2, 3, 4]


async def test_a_late_real_stop_keeps_the_start_of_a_transaction_only_the_disk_knows(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        first = await store.journal.write(start("start-0"))
        superseded = e.TransactionStopped(id=first, at=FakeClock().now(), content="", reason="Superseded")
        await store.journal.write(writing(Fact(f"station:{CP001}", superseded, BOX)))
        for number in range(1, 8):
            id_ = await store.journal.write(start(f"start-{number}"))
            await store.journal.write(stop(id_, f"stop-{number}"))
        assert first not in store.journal.state.transactions
        await store.journal.write(stop(first, "the real one"))
        kept = (await store.history.transactions(CP001, 20))[-1]
        assert (kept.id, kept.meter_start_wh, kept.meter_stop_wh, kept.orphan) == (first, 1200, 9000, False)
        published = contents(store.journal.state)
    async with opened(tmp_path) as store:
        assert contents(store.journal.state) == published


async def test_a_cancelled_write_disturbs_nobody(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        given_up = store.journal.write(writing(connected("cp001")))
        other = store.journal.write(writing(connected("cp002")))
        await asyncio.sleep(0)
        given_up.cancel()
        assert await other == 1
        await store.journal.write(writing(status("cp002")))


async def test_the_log_folds_to_the_published_state(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.journal.write(writing(job(), connected(), status()))
        first = await store.journal.write(start("s"))
        await store.journal.write(stop(first, "t"))
        await store.journal.write(writing(note("first"), completed("c1")))
        folded = SiteState()
        for _, op in await store.history.ops(0):
            apply_to(folded, apply(folded, op))
        assert contents(folded) == contents(store.journal.state)


async def test_after_the_end_nothing_is_taken(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        journal = store.journal
    with pytest.raises(Exception, match="store_unavailable"):
        await journal.write(writing(connected()))
