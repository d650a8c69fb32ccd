"""`edge-agent` on a disk whose fsync takes long: each commit of the store sleeps GATEPOST_BENCH_FSYNC_MS longer.

The sleep is where the fsync is, on the writer's thread and without the interpreter's lock. For measuring only.
"""

import os
import sqlite3
import time

from edge_agent.cli import main
from edge_agent.store.writer import Writer

EXTRA_S = float(os.environ.get("GATEPOST_BENCH_FSYNC_MS", "0")) / 1000
_commit_now = Writer._commit_now


def _slowly(self: Writer, connection: sqlite3.Connection) -> None:
    _commit_now(self, connection)
    time.sleep(EXTRA_S)


Writer._commit_now = _slowly  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
