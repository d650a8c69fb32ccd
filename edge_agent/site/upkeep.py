"""Looking after the box itself: how it is, that a salvage was seen, a copy of everything it knows.

Start at `Upkeep.operations`; `edge_agent.site.operations` runs them. Shapes are those of docs/cli.md.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.site.feed import Feed
from edge_agent.site.operations import Operation
from edge_agent.site.ports import Journal, Keeping, Stations
from sitelink.errors import FileRefused, RequestInvalid
from sitelink.states import JobStatus


class About(msgspec.Struct, frozen=True):
    """What a box is, whatever happens. `ports` by setting."""

    version: str
    data_dir: Path
    running: bool
    ports: Mapping[str, int | None]


class Upkeep:
    """`free_bytes` is what the box may still write to its disk, None where that cannot be known; `certificates` are
    those of the box, with when they end.
    """

    def __init__(
        self, about: About, journal: Journal, stations: Stations, store: Keeping, feed: Feed,
        free_bytes: Callable[[], int | None], certificates: Callable[[], Sequence[Any]] = tuple,
    ) -> None:  # fmt: skip
        self._about = about
        self._journal = journal
        self._stations = stations
        self._store = store
        self._feed = feed
        self._free_bytes = free_bytes
        self._certificates = certificates

    def operations(self) -> dict[str, Operation]:
        return {"doctor": self._doctor, "backup": self._backup}

    async def _doctor(self, arguments: Mapping[str, Any]) -> Any:
        if arguments.get("acknowledge_salvage") is True and self._store.salvaged is not None:
            await self._store.acknowledge_salvage()
            self._feed.touch_all("page")
        state, trouble = self._journal.state, self._journal.trouble
        jobs = Counter(job.status for job in state.jobs.values())
        return {
            "version": self._about.version,
            "running": self._about.running,
            "status": trouble.code if trouble else "ok",
            "trouble_since": trouble.since if trouble else None,
            "salvaged": self._store.salvaged,
            "data_dir": str(self._about.data_dir.absolute()),
            "disk_free_bytes": await asyncio.to_thread(self._free_bytes),
            "seq": self._journal.seq,
            "jobs": {status.value: jobs[status] for status in JobStatus},
            "charge_points": {
                "known": len(state.stations),
                "connected": sum(self._stations.is_online(key) for key in state.stations),
            },
            "ports": self._about.ports,
            "certificates": list(self._certificates()),
        }

    async def _backup(self, arguments: Mapping[str, Any]) -> Any:
        given = arguments.get("file")
        if not isinstance(given, str) or not Path(given).is_absolute():
            raise RequestInvalid(where="file", problem="an absolute path is needed")
        path = Path(given)
        try:
            await self._store.backup(path)
            size = (await asyncio.to_thread(path.stat)).st_size
        except FileExistsError as error:
            raise FileRefused(path=given, problem="exists") from error
        except (FileNotFoundError, NotADirectoryError) as error:
            raise FileRefused(path=given, problem="no_folder") from error
        except OSError as error:
            raise FileRefused(path=given, problem="not_writable") from error
        return {"file": given, "bytes": size}
