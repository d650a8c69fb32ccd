"""What a box keeps of the site's log: through commits that fail, restarts, snapshots and restored clouds."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_agent.site.ports import Ledger
from edge_agent.store.store import Store
from sitelink import events as e
from sitelink.decisions import Decision, Received
from sitelink.digest import digest_of
from sitelink.ids import ChargePointId, JobId, OpId
from sitelink.model import Entity
from sitelink.ops import Author, Fact, Op, Stamp
from sitelink.shared import shared_records
from sitelink.states import AuthorType
from tests.edge_agent.store.facts import INSTALLER, NOON, job, opened, status, writing

OPERATOR = Author(type=AuthorType.OPERATOR, name="Desk")
ROW = ChargePointId("1042-1")


def edit(value: str, *bases: str) -> Fact:
    seen = tuple(OpId(each) for each in bases)
    return Fact(f"cp:{ROW}", e.FieldSet(value), INSTALLER, job=JobId("job-1042"), field="identity", bases=seen)


def from_above(op_id: str, value: str, *bases: str) -> Op:
    return Op(
        op_id=OpId(op_id), entity=f"cp:{ROW}", event=e.FieldSet(value), author=OPERATOR, prev=None,
        t=Stamp("cloud", 0, NOON), job=JobId("job-1042"), field="identity", bases=tuple(OpId(b) for b in bases),
    )  # fmt: skip


async def ledger_of(store: Store, look: Any) -> Any:
    return await store.journal.run(look)


async def receive(store: Store, *ops: tuple[int, Op]) -> None:
    await store.uplink.receive(Received("e1", ops[-1][0], ops))


def heads(store: Store) -> list[Any]:
    return [head.value for head in store.journal.state.charge_points[ROW].identity_register.heads]


def first_head(store: Store) -> str:
    return store.journal.state.charge_points[ROW].identity_register.heads[0].op


async def in_the_log(store: Store) -> None:
    """A box with a cloud, and a job that both have."""
    await store.uplink.begin()
    await store.journal.write(writing(job()))
    pending = (await store.uplink.load("log", 0, None, 99)).rows
    ops = tuple(enumerate((msgspec.json.decode(body)["op_id"] for _, body in pending), 1))
    known = await store.history.ops(0)
    await receive(store, *((place, op) for (place, _), (_, op) in zip(ops, known, strict=True)))


async def unconfirmed(store: Store) -> int:
    count: int = await ledger_of(store, lambda ledger: ledger.shared.unconfirmed)
    return count


async def test_without_a_cloud_nothing_is_kept_track_of(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.journal.write(writing(job(), edit("X")))
        assert await unconfirmed(store) == 0
        await store.uplink.begin()
        assert await unconfirmed(store) == 2, "from then on all of it is to get there"
        await store.uplink.begin()
        assert await unconfirmed(store) == 2


async def test_an_own_edit_stays_on_top_until_the_log_has_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await in_the_log(store)
        before = await store.uplink.digest()
        base = first_head(store)
        await store.journal.write(writing(edit("MINE", base), status()))
        assert await store.uplink.digest() == before, "the log does not have it"
        assert await unconfirmed(store) == 1
        await receive(store, (2, from_above("theirs", "THEIRS", base)))
        assert heads(store) == ["THEIRS", "MINE"]
        mine = next(op for _, op in await store.history.ops(0) if op.event == e.FieldSet("MINE"))
        await receive(store, (3, mine))
        assert await unconfirmed(store) == 0
        assert await store.uplink.digest() == digest_of(store.journal.state)
    async with opened(tmp_path) as store:
        assert heads(store) == ["THEIRS", "MINE"]
        assert (await store.uplink.standing(NOON)).cursor == 3


async def test_a_restart_changes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await in_the_log(store)
        base = first_head(store)
        await store.journal.write(writing(edit("MINE", base)))
        await receive(store, (2, from_above("theirs", "THEIRS", base)))
        before = await store.uplink.digest(), heads(store), await unconfirmed(store)
        standing = await store.uplink.standing(NOON)
    async with opened(tmp_path) as store:
        assert (await store.uplink.digest(), heads(store), await unconfirmed(store)) == before
        assert await store.uplink.standing(NOON) == standing


async def test_a_commit_that_fails_takes_all_of_it_back(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await in_the_log(store)
        base = first_head(store)
        await store.journal.write(writing(edit("MINE", base)))
        before = await store.uplink.digest(), heads(store), await unconfirmed(store)

        def failing(_ledger: Ledger) -> Decision[None]:
            bad = Fact("station:cp001", e.StationMessage("x", object()), INSTALLER)
            return Decision((bad,), None, Received("e1", 2, ((2, from_above("theirs", "THEIRS", base)),)))

        with pytest.raises(Exception, match=r"(?i)object|encod"):
            await store.journal.write(failing)
        assert (await store.uplink.digest(), heads(store), await unconfirmed(store)) == before
        assert (await store.uplink.standing(NOON)).cursor == 1
        await receive(store, (2, from_above("theirs", "THEIRS", base)))
        assert heads(store) == ["THEIRS", "MINE"]


async def test_what_comes_from_above_is_not_sent_back_and_is_published(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await in_the_log(store)
        await store.uplink.acked("log", ((0, 1),))
        heard: list[Any] = []
        store.journal.subscribe(heard.append)
        await receive(store, (2, from_above("theirs", "THEIRS", first_head(store))))
        assert (heard[-1].received, [op.op_id for op in heard[-1].logged]) == (1, ["theirs"])
        assert store.uplink.backlog == 0
        assert (await store.uplink.load("log", 0, None, 99)).rows[-1][0] == 1
        await receive(store, (2, from_above("theirs", "THEIRS")))
        assert len(await store.history.ops(0)) == 2, "the same place again is the same op"


def records(store: Store) -> tuple[Entity, ...]:
    return tuple(shared_records(store.journal.state).values())


async def test_a_snapshot_replaces_what_the_log_gave_and_keeps_what_is_pending(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await in_the_log(store)
        log = records(store)
        await store.journal.write(writing(edit("MINE", first_head(store))))
        await store.uplink.acked("log", ((0, 2),))
        await store.uplink.receive(Received("e2", 9, (), log))
        standing = await store.uplink.standing(NOON)
        assert (standing.epoch, standing.cursor) == ("e2", 9)
        assert heads(store) == ["MINE"]
        assert standing.acked == 1, "what is pending is sent again: only so can the cloud say that it has it"
        mine = (await store.history.ops(1))[0][1]
        await store.uplink.acked("log", ((1, 2),), ((mine.op_id, 7),))
        assert await unconfirmed(store) == 0, "it was in the snapshot: place 7 lies before 9"


async def test_after_a_restore_of_the_cloud_everything_is_offered_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await in_the_log(store)
        old = records(store)
        base = first_head(store)
        await receive(store, (2, from_above("theirs", "THEIRS", base)))
        await store.journal.write(writing(status()))
        await store.uplink.acked("log", ((0, 3),))
        assert store.uplink.backlog == 0
        await store.uplink.receive(Received("e2", 1, (), old, start_over=True))
        offered = (await store.uplink.load("log", 0, None, 99)).rows
        kinds = [msgspec.json.decode(body)["kind"] for _, body in offered]
        assert kinds == ["job.import", "set", "connector.changed"]
        assert heads(store) == ["THEIRS"], "what the cloud lost is shown until it has it again"
        assert store.uplink.backlog == 2


async def test_only_what_lies_beyond_the_restored_log_is_offered_of_what_came_from_above(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await in_the_log(store)
        base = first_head(store)
        await receive(store, (2, from_above("one", "ONE", base)))
        old = records(store)
        await receive(store, (3, from_above("two", "TWO", "one")))
        await store.uplink.acked("log", ((0, 3),))
        grown = Received("e2", 30, (), old, start_over=True, kept=2)
        await store.uplink.receive(grown)
        assert [msgspec.json.decode(body)["op_id"] for _, body in await offered(store)][1:] == ["two"]
        assert heads(store) == ["TWO"]
        await receive(store, (31, from_above("two", "TWO", "one")))
        assert await unconfirmed(store) == 0
        assert [msgspec.json.decode(body)["kind"] for _, body in await offered(store)] == ["job.import"], "sent once"
        assert len(await store.history.ops(0)) == 3


async def offered(store: Store) -> Any:
    return (await store.uplink.load("log", 0, None, 99)).rows
