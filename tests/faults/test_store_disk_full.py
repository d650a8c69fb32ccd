"""D5: a disk that is really full. Nothing confirmed is lost, the process lives, and it goes on when space returns."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.site.ports import Trouble
from edge_agent.store.database import StoreCannotOpen
from edge_agent.store.store import Store
from sitelink.errors import StoreUnavailable
from tests.doubles.disks import small_disk
from tests.edge_agent.store.facts import CP001, meter, opened, start, status, stop, writing

WAIT_S = 10.0
DISK_BYTES = 4 * 1024 * 1024
RESERVE_BYTES = 512 * 1024
BALLAST = "somebody else's file"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", DISK_BYTES) as place:
        yield place


def fill(disk: Path) -> None:
    """Somebody else takes all that is left."""
    with (disk / BALLAST).open("ab", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


async def until_trouble(store: Store, code: str | None) -> None:
    changed = asyncio.Event()

    def heard(_trouble: Trouble | None) -> None:
        changed.set()

    store.journal.on_trouble(heard)
    async with asyncio.timeout(WAIT_S):
        while (store.journal.trouble.code if store.journal.trouble else None) != code:
            changed.clear()
            await changed.wait()


async def confirm_until_full(store: Store) -> list[int]:
    """Transactions that were confirmed before the disk refused."""
    confirmed = []
    for number in range(100_000):
        try:
            confirmed.append(await store.journal.write(start(f"s{number}")))
        except StoreUnavailable as error:
            if error.fields != {"reason": "disk_full"}:
                raise
            return confirmed
    raise AssertionError("the disk was never full")


async def test_nothing_confirmed_is_lost_and_it_goes_on_when_space_returns(disk: Path) -> None:
    async with opened(disk) as store:
        fill(disk)
        confirmed = await confirm_until_full(store)
        await until_trouble(store, "disk_full")
        seq = store.journal.seq
        assert len(await store.history.transactions(CP001, 5000)) == len(confirmed)
        with pytest.raises(StoreUnavailable):
            await store.journal.write(writing(*(status() for _ in range(500))))
        assert store.journal.seq == seq
        (disk / BALLAST).unlink()
        await until_trouble(store, None)
        confirmed.append(await store.journal.write(start("after")))
        published = dict(store.journal.state.transactions)
    async with opened(disk) as store:
        found = await store.history.transactions(CP001, 5000)
        assert sorted(each.id for each in found) == confirmed
        assert len(set(confirmed)) == len(confirmed)
        assert store.journal.state.transactions == published


async def test_the_reserve_takes_transactions_while_telemetry_is_counted_and_dropped(disk: Path) -> None:
    async with opened(disk, reserve_bytes=RESERVE_BYTES) as store:
        await store.journal.write(writing(meter("before")))
        fill(disk)
        id_ = 0
        for number in range(100_000):
            id_ = await store.journal.write(start(f"s{number}"))
            if store.journal.trouble is not None:
                break
        await until_trouble(store, "disk_full")
        seq = store.journal.seq
        for number in range(20):
            await store.journal.write(writing(meter(f"dropped-{number}", watts=float(number))))
        assert await store.journal.write(stop(id_, "while full"))
        assert store.journal.state.readings[CP001, 1].value("Power.Active.Import") == 19.0
        gaps = await store.history.gaps()
        assert [(gap.from_seq, gap.to_seq, gap.count, gap.reason) for gap in gaps] == [
            (seq + 1, seq + 20, 20, "disk_full")
        ]
        assert [op.event.content for _, op in await store.history.telemetry(0)] == ["before"]  # type: ignore[attr-defined]
        (disk / BALLAST).unlink()
        await until_trouble(store, None)
        assert (disk / "reserve").stat().st_size == RESERVE_BYTES
        await store.journal.write(writing(meter("after")))
        assert len(await store.history.telemetry(0)) == 2
        last = store.journal.seq
    async with opened(disk, reserve_bytes=RESERVE_BYTES) as store:
        assert store.journal.seq == last
        assert not await store.journal.write(stop(id_, "while full"))


async def test_a_start_on_a_full_disk_uses_the_reserve(disk: Path) -> None:
    async with opened(disk, reserve_bytes=RESERVE_BYTES) as store:
        confirmed = await store.journal.write(start("before"))
    fill(disk)
    async with opened(disk, reserve_bytes=RESERVE_BYTES) as store:
        assert confirmed in store.journal.state.transactions
        assert await store.journal.write(stop(confirmed, "full"))
        await store.journal.write(writing(meter("m")))


async def test_a_first_start_on_a_full_disk_says_so(disk: Path) -> None:
    fill(disk)
    with pytest.raises(StoreCannotOpen, match=r"disk is full|No space left"):
        async with opened(disk):
            pass
