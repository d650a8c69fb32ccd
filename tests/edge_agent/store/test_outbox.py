"""The outbox: a mark over the journal that only goes forward."""

from pathlib import Path

import msgspec
import pytest

from tests.edge_agent.store.facts import connected, meter, opened, status, writing


async def test_what_is_not_acknowledged_is_pending_in_order(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.journal.write(writing(connected(), meter("a"), status(), status()))
        assert store.outbox.backlog == 3
        pending = (await store.outbox.pending(2)).rows
        assert [seq for seq, _ in pending] == [1, 3]
        assert msgspec.json.decode(pending[0][1])["kind"] == "station.connected"
        assert [seq for seq, _ in (await store.outbox.pending(2, after=3)).rows] == [4]
        await store.outbox.ack(3)
        assert store.outbox.acked == 3
        assert store.outbox.backlog == 1
        assert [seq for seq, _ in (await store.outbox.pending()).rows] == [4]


async def test_the_mark_survives_and_never_goes_back(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.journal.write(writing(*(status() for _ in range(10))))
        await store.outbox.ack(7)
        await store.outbox.ack(5)
        assert store.outbox.acked == 7
    async with opened(tmp_path) as store:
        assert (store.outbox.acked, store.outbox.backlog) == (7, 3)
        await store.journal.write(writing(status()))
        assert store.outbox.backlog == 4
        with pytest.raises(ValueError, match="ack of 99"):
            await store.outbox.ack(99)
        assert store.outbox.acked == 7
