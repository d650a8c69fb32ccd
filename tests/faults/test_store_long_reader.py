"""D11: a reader that stays, during load. The write-ahead log stays short, and checkpoints go on."""

import asyncio
from pathlib import Path

from edge_agent.store.database import DATABASE
from sitelink.errors import StoreUnavailable
from tests.edge_agent.store.facts import meter, opened, writing

LOG_MAX_BYTES = 64 * 1024 * 1024
LOAD_BYTES = 150 * 1024 * 1024
ENDLESS = (
    "WITH RECURSIVE n (x) AS (SELECT seq FROM telemetry UNION ALL SELECT x + 1 FROM n) SELECT x FROM n WHERE x < 0"
)


async def test_the_log_stays_short_while_somebody_reads_for_ever(tmp_path: Path) -> None:
    log = tmp_path / f"{DATABASE}-wal"
    longest = interrupted = 0
    async with opened(tmp_path) as store:
        await store.journal.write(writing(meter("first")))
        written = 0

        async def read_for_ever() -> None:
            """With the fake clock standing still no deadline ends it: only the writer can."""
            nonlocal interrupted
            while written < LOAD_BYTES:
                try:
                    await store.history._rows("none", ENDLESS, (), tuple)
                except StoreUnavailable:
                    interrupted += 1

        async with asyncio.TaskGroup() as group:
            reader = group.create_task(read_for_ever())
            number = 0
            while written < LOAD_BYTES:
                number += 1
                content = f"{number}-" + "x" * 20_000
                await store.journal.write(writing(*(meter(f"{content}{each}") for each in range(20))))
                written += 20 * 20_000
                longest = max(longest, log.stat().st_size)
            store.history.end_long_reads()
            reader.cancel()
        assert longest <= LOG_MAX_BYTES
        assert interrupted > 0
        assert (tmp_path / DATABASE).stat().st_size > LOAD_BYTES / 2
