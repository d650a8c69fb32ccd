"""A process that writes to a store as fast as it can and tells on standard output what was confirmed. To be killed.

`python -m tests.faults.store_child DATA_DIR ROUND`. Lines: "open", then "start ID CONTENT", "stop CONTENT",
"meter CONTENT".
"""

import asyncio
import os
import sys
import uuid
from pathlib import Path

import structlog

from edge_agent.store.store import Store, StoreSettings, open_store
from programs.clock import SystemClock
from sitelink.ids import StationKey
from tests.edge_agent.store.facts import meter, start, status, stop, writing

STATIONS = 20


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def one_station(store: Store, number: int, round_: str) -> None:
    station = StationKey(f"cp{number:03}")
    each = 0
    while True:
        each += 1
        content = f"{round_}-{number}-{each}"
        id_ = await store.journal.write(start(f"start-{content}", station))
        say(f"start {id_} start-{content}")
        await store.journal.write(writing(meter(f"meter-{content}", station), status(station)))
        say(f"meter meter-{content}")
        await store.journal.write(stop(id_, f"stop-{content}", station))
        say(f"stop stop-{content}")


async def main(data_dir: Path, round_: str) -> None:
    settings = StoreSettings(data_dir, reserve_bytes=0)
    async with open_store(settings, SystemClock(), lambda: str(uuid.uuid4())) as store:
        say("open")
        async with asyncio.TaskGroup() as group:
            for number in range(STATIONS):
                group.create_task(one_station(store, number, round_))


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
